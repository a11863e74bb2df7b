"""Labels of tags: what two annotators of the shop each said a sample of the logged requests is about.

They come from the generator's truth, and now and then somebody takes one subject for its neighbour; where the two differ it waits
for Dana. The tagging rules see only the words, so they err where a request is worded in a way that nobody foresaw.
"""

import csv
import datetime
import io
from pathlib import Path

from demo.conversations import Conversation
from demo.labels import ANNOTATORS, KEY_FILE, SYSTEM, messages
from pipeline import identity, schema

FILE = "tags.csv"
STANDARD = "1.3"
WANTED = 450
SLIPS = 0.03
"""How often one of the two takes a subject for its neighbour."""
NEIGHBOUR = {"returns": "shipping", "shipping": "returns", "billing": "account", "account": "billing", "technical": "account"}
NOTES = {"billing": "about the money, not about the parcel", "account": "about signing in or what is stored"}
LABELLED_ON = datetime.date(2026, 8, 3)


def write(folder: Path, weeks: dict[str, list[Conversation]]) -> int:
    """Write tags.csv to `folder`; how many records it labels."""
    key = identity.load_key(str(KEY_FILE))
    everything = {made.id: made for week in weeks.values() for made in week if made.expected is not None}
    chosen = sorted(everything.values(), key=lambda made: identity.stable_order(11, made.id))[:WANTED]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(schema.LABELS.names)
    writer.writerows(sorted(row for made in chosen for row in rows_of(made, key)))
    (folder / FILE).write_bytes(out.getvalue().encode())
    return len(chosen)


def rows_of(made: Conversation, key: bytes) -> list[tuple[str, ...]]:
    """A row of each of two annotators, in the order of schema.LABELS."""
    number = identity.stable_order(12, made.id)
    day = (LABELLED_ON + datetime.timedelta(days=number % 5)).isoformat()
    example, sha = identity.example_id(key, SYSTEM, made.id), identity.text_sha(key, messages(made))
    rows = []
    for place in range(2):
        slips = identity.stable_order(13 + place, made.id) % 1000 < 1000 * SLIPS
        value = NEIGHBOUR[made.topic.category] if slips else made.topic.category
        annotator = ANNOTATORS[(number + place) % len(ANNOTATORS)]
        rows.append((example, "tag.category", value, annotator, day, STANDARD, sha, NOTES.get(value, "") if slips else ""))
    return rows
