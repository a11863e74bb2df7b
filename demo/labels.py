"""Labels of production records: what three annotators of the shop said about a sample of the logs.

They come from the generator's truth about each conversation, not from any assistant, so that an assistant can be measured with
them. Values and notes hold policy facts only, never a name or a number of a customer.
"""

import csv
import datetime
import hashlib
import io
from collections import Counter, defaultdict
from pathlib import Path

from demo import writing
from demo.conversations import Conversation
from demo.topics import Expected
from pipeline import identity, schema

KEY_FILE = Path(__file__).with_name("demo.key")
SYSTEM = "shop-assistant"
STANDARD = "1.2"
ANNOTATORS = ("amara", "bjorn", "chen")
WANTED = 400
OF_A_TOPIC = 7
"""At most so many records of a topic."""
NEAR_DUPLICATE = 0.7
"""Below what merge counts as a duplicate, since surrogates make two texts more alike than their originals."""
BATCHES = {"2026-batch-1": (1, 2), "2026-batch-2": (3, 4), "2026-batch-3": (5, 6), "2026-batch-4": (7,)}
NOTES = {
    "escalate": "needs a person: safety, fraud, legal or a booked double charge",
    "refuse": "against the policy page; kind but clear",
    "ask_back": "several readings, nothing in the history decides",
}


def write(folder: Path, weeks: dict[str, list[Conversation]]) -> int:
    """Write the batches to `folder`; how many records they label."""
    key = identity.load_key(str(KEY_FILE))
    chosen = choose([made for week in weeks.values() for made in week])
    folder.mkdir(parents=True, exist_ok=True)
    for name, months in BATCHES.items():
        rows = sorted(row for made in chosen if made.at.month in months and made.expected for row in rows_of(made, made.expected, key))
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(schema.LABELS.names)
        writer.writerows(rows)
        (folder / f"{name}.csv").write_bytes(out.getvalue().encode())
    return len(chosen)


def choose(everything: list[Conversation]) -> list[Conversation]:
    """Conversations that end in a real request, no two alike, each kind of one in turn: rare kinds are labelled as much as common ones."""
    kinds: dict[tuple[str, ...], list[Conversation]] = defaultdict(list)
    for made in sorted(everything, key=lambda c: _order(c.id)):
        if made.expected is not None:
            kinds[
                made.topic.category, "failed" if made.outcome != "resolved" else "resolved", made.complexity, made.expected.behaviour
            ].append(made)
    chosen: list[Conversation] = []
    grams: list[set[str]] = []
    of_topic: Counter[str] = Counter()
    while len(chosen) < WANTED and kinds:
        for kind in sorted(kinds):
            while kinds[kind]:
                made = kinds[kind].pop(0)
                own = _grams(made)
                if of_topic[made.topic.name] < OF_A_TOPIC and all(len(own & other) < NEAR_DUPLICATE * len(own | other) for other in grams):
                    chosen.append(made)
                    grams.append(own)
                    of_topic[made.topic.name] += 1
                    break
            else:
                del kinds[kind]
    return chosen[:WANTED]


def messages(made: Conversation) -> list[identity.Message]:
    """The turns as ingest reads them."""
    return [{"role": {"customer": "user", "bot": "assistant"}[role], "content": writing.finish(text)[0]} for role, text in made.turns]


def rows_of(made: Conversation, expected: Expected, key: bytes) -> list[tuple[str, ...]]:
    """The long form: one row for each dimension, in the order of schema.LABELS."""
    number = _order(made.id)
    values = {
        "expected.behaviour": expected.behaviour,
        "expected.must_include": " | ".join(expected.include),
        "expected.must_not_include": " | ".join(expected.exclude),
        "expected.citations": " | ".join(expected.cites),
        "faithful": _faithful(made),
        "resolved": _resolved(made),
    }
    labelled_at = (made.at.date() + datetime.timedelta(days=3 + number % 9)).isoformat()
    fixed = (ANNOTATORS[number % 3], labelled_at, STANDARD, identity.text_sha(key, messages(made)))
    example = identity.example_id(key, SYSTEM, made.id)
    return [
        (example, dimension, value, *fixed, NOTES.get(value, "") if dimension == "expected.behaviour" else "")
        for dimension, value in values.items()
        if value
    ]


def _faithful(made: Conversation) -> str:
    """A hand-over, a question and an error message claim nothing that could be untrue."""
    claims = made.outcome not in ("error", "escalated") and made.turns[-1][0] == "bot"
    return (
        "no_claim"
        if not claims or (made.was_right and made.expected and made.expected.behaviour == "ask_back")
        else "yes"
        if made.was_right
        else "no"
    )


def _resolved(made: Conversation) -> str:
    return "yes" if made.was_right and made.outcome in ("resolved", "escalated") else "no"


def _order(log_id: str) -> int:
    """A place that has nothing to do with time or content."""
    return int.from_bytes(hashlib.sha256(log_id.encode()).digest()[:6], "big")


def _grams(made: Conversation) -> set[str]:
    text = " ".join(m["content"] for m in messages(made) if m["role"] == "user").lower()
    return {text[i : i + 5] for i in range(max(1, len(text) - 4))}
