"""Pairs of logged conversations of which a person of the shop said whether both ask for the same.

They come from the generator's truth: the same subject in two conversations of one request each is the same question. Half of the
different ones are of one category, since nobody confuses a refund with a password.
"""

import csv
import io
from pathlib import Path

from demo.conversations import Conversation
from demo.labels import ANNOTATORS, KEY_FILE, SYSTEM
from pipeline import identity, schema

SAME, DIFFERENT = 120, 240
LABELLED_ON = "2026-01-30"
BEFORE = "2026-01-26"
"""Judged once, early on: the backtest may use them from then."""


def write(path: Path, weeks: dict[str, list[Conversation]]) -> int:
    """Write data/pairs.csv; how many pairs it holds."""
    key = identity.load_key(str(KEY_FILE))
    known = [made for week in weeks.values() for made in week if made.expected is not None and made.at.date().isoformat() < BEFORE]
    ordered = sorted(known, key=lambda made: identity.stable_order(21, made.id))
    same = [(a, b) for a, b in _pairs(ordered) if a.topic.name == b.topic.name][:SAME]
    near = [(a, b) for a, b in _pairs(ordered) if a.topic.name != b.topic.name and a.topic.category == b.topic.category]
    far = [(a, b) for a, b in _pairs(ordered) if a.topic.category != b.topic.category]
    rows = []
    for answer, pairs in (("yes", same), ("no", near[: DIFFERENT // 2]), ("no", far[: DIFFERENT // 2])):
        for number, pair in enumerate(pairs):
            one, other = sorted(identity.example_id(key, SYSTEM, made.id) for made in pair)
            rows.append((one, other, answer, ANNOTATORS[number % len(ANNOTATORS)], LABELLED_ON))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(schema.PAIRS.names)
    writer.writerows(sorted(rows))
    path.write_bytes(out.getvalue().encode())
    return len(rows)


def _pairs(ordered: list[Conversation]) -> list[tuple[Conversation, Conversation]]:
    """Each conversation with the next ones, so that none is in very many pairs."""
    return [(ordered[place], ordered[other]) for place in range(len(ordered)) for other in range(place + 1, min(place + 40, len(ordered)))]
