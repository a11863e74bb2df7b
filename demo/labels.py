"""Labels of production records: what three annotators of the shop said about a sample of the logs, and what Dana decided.

They come from the generator's truth about each conversation, not from any assistant, so that an assistant can be measured with
them. Two or three people judge each, blind, and confuse what lies near each other: more often where the case is hard. On one
behaviour at most one of them is wrong, so that what they agree on is true. Version 1.3 of the standard said what resolves a matter,
and they agree better since; the first batch was labelled anew, the second waits. Values and notes hold policy facts only, never a
name or a number of a customer.
"""

import csv
import datetime
import hashlib
import io
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from demo import writing
from demo.conversations import Conversation
from demo.topics import Expected
from pipeline import identity, schema

KEY_FILE = Path(__file__).with_name("demo.key")
SYSTEM = "shop-assistant"
ANNOTATORS = ("amara", "bjorn", "chen")
ADJUDICATOR = "dana"
CHANGED = datetime.date(2026, 5, 4)
"""From this day on labels are made under version 1.3."""
WANTED = 400
OF_A_TOPIC = 7
"""At most so many records of a topic."""
NEAR_DUPLICATE = 0.7
"""Below what merge counts as a duplicate, since surrogates make two texts more alike than their originals."""
BATCHES = {"2026-batch-1": (1, 2), "2026-batch-2": (3, 4), "2026-batch-3": (5, 6), "2026-batch-4": (7,)}
ADJUDICATED, RELABELLED, REPEATED = "2026-adjudicated", "2026-relabelled", "2026-repeated"
NOTES = {
    "answer": "the page or the order says it",
    "escalate": "needs a person: safety, fraud, legal or a booked double charge",
    "refuse": "against the policy page; kind but clear",
    "ask_back": "several readings, nothing in the history decides",
    "degrade": "a system is down, so nothing can be looked up",
}
NEAR = {
    "expected.behaviour": {
        "answer": ("ask_back", "refuse"),
        "refuse": ("answer", "escalate"),
        "escalate": ("answer", "refuse"),
        "ask_back": ("answer",),
        "degrade": ("escalate",),
    },
    "faithful": {"yes": ("no",), "no": ("yes",), "no_claim": ("yes",)},
    "resolved": {"yes": ("no",), "no": ("yes",)},
    "privacy": {"kept": ("breached",), "breached": ("kept",)},
}
"""Value to those that it is taken for."""
Row = tuple[str, ...]


def write(folder: Path, weeks: dict[str, list[Conversation]]) -> int:
    """Write the batches to `folder`; how many records they label."""
    key = identity.load_key(str(KEY_FILE))
    chosen = choose([made for week in weeks.values() for made in week])
    files: dict[str, list[Row]] = {name: [] for name in (*BATCHES, ADJUDICATED, RELABELLED, REPEATED)}
    for made in chosen:
        if made.expected:
            batch = next(name for name, months in BATCHES.items() if made.at.month in months)
            for name, row in _Labelled(made, made.expected, key, batch).rows():
                files[name].append(row)
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in files.items():
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(schema.LABELS.names)
        writer.writerows(sorted(rows))
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


class _Labelled:
    """One conversation as the annotators labelled it. Chances come from a hash of its id, so that each file is the same every time."""

    def __init__(self, made: Conversation, expected: Expected, key: bytes, batch: str) -> None:
        self.made, self.expected, self.batch = made, expected, batch
        self.id = identity.example_id(key, SYSTEM, made.id)
        self.text_sha = identity.text_sha(key, messages(made))
        number = _order(made.id)
        self.people = [ANNOTATORS[(number + place) % 3] for place in range(2 + (number % 4 == 0))]
        self.day = made.at.date() + datetime.timedelta(days=3 + number % 9)
        self.is_hard = made.complexity == "multi_turn" or expected.behaviour != "answer"

    def rows(self) -> Iterator[tuple[str, Row]]:
        """File and row of everything that was said of it, in the order of schema.LABELS."""
        yield from self._behaviour()
        yield from self._judgement("faithful", _faithful(self.made), 0.09 if self.is_hard else 0.04)
        yield from self._resolved()
        if self.batch in list(BATCHES)[2:]:
            yield from self._judgement("privacy", "breached" if self._chance("breach") < 0.01 else "kept", 0.02)
        for dimension, texts in (
            ("expected.must_include", self.expected.include),
            ("expected.must_not_include", self.expected.exclude),
            ("expected.citations", self.expected.cites),
        ):
            if texts:
                yield from self._text(dimension, " | ".join(texts))

    def _behaviour(self) -> Iterator[tuple[str, Row]]:
        dimension, truth = "expected.behaviour", self.expected.behaviour
        wrong = self._chance(dimension) < (0.14 if self.is_hard else 0.05)
        who = int(self._chance(dimension, "who") * len(self.people))
        for place, name in enumerate(self.people):
            value = self._near(dimension, truth) if wrong and place == who else truth
            note = NOTES[value] if wrong or truth != "answer" else ""
            yield self.batch, self._row(dimension, value, name, self._day(place), note)
        # The newest batch has not been before the adjudicator yet.
        if wrong and self.batch != list(BATCHES)[-1]:
            yield ADJUDICATED, self._row(dimension, truth, ADJUDICATOR, self._day(9), NOTES[truth])
        if self._chance(dimension, "again") < 0.1:
            yield REPEATED, self._row(dimension, truth, self.people[0], self._day(42))

    def _resolved(self) -> Iterator[tuple[str, Row]]:
        """Until 1.3 a hand-over and a refusal were one person's yes and another's no."""
        truth = _resolved(self.made)
        unclear = 0.3 if self.made.outcome == "escalated" or self.expected.behaviour != "answer" else 0.1
        yield from self._judgement("resolved", truth, unclear if self._day(0) < CHANGED else 0.06)
        if self.batch == next(iter(BATCHES)):
            later = CHANGED + datetime.timedelta(days=7 + _order(self.made.id) % 14)
            for place, name in enumerate(self.people[:2]):
                yield (
                    RELABELLED,
                    self._row("resolved", self._said("resolved", truth, 0.06, name, "later"), name, later + datetime.timedelta(days=place)),
                )

    def _judgement(self, dimension: str, truth: str, mistaken: float) -> Iterator[tuple[str, Row]]:
        said = {name: self._said(dimension, truth, mistaken, name) for name in self.people}
        for place, name in enumerate(self.people):
            yield self.batch, self._row(dimension, said[name], name, self._day(place))
        if len(set(said.values())) == len(said) and self.batch in list(BATCHES)[:3]:
            yield ADJUDICATED, self._row(dimension, truth, ADJUDICATOR, self._day(9))
        if dimension == "faithful" and self._chance(dimension, "again") < 0.1:
            yield REPEATED, self._row(dimension, self._said(dimension, truth, 0.05, "another day"), self.people[0], self._day(42))

    def _text(self, dimension: str, value: str) -> Iterator[tuple[str, Row]]:
        """One writes it and another approves it, or writes what is missing in it; a few still wait for that."""
        writer, other = self.people[:2]
        unfinished = value.rpartition(" | ")[0] if self._chance(dimension, "short") < 0.05 else ""
        yield self.batch, self._row(dimension, unfinished or value, writer, self._day(0))
        if dimension == "expected.citations" or (self.batch == list(BATCHES)[-1] and self._chance(dimension) < 0.08):
            return
        yield self.batch, self._row(dimension, value, other, self._day(1), "a fact was missing" if unfinished else "")
        if unfinished:
            yield ADJUDICATED, self._row(dimension, value, ADJUDICATOR, self._day(9))

    def _said(self, dimension: str, truth: str, mistaken: float, *who: str) -> str:
        return self._near(dimension, truth) if self._chance(dimension, *who) < mistaken else truth

    def _near(self, dimension: str, truth: str) -> str:
        near = NEAR[dimension][truth]
        return near[int(self._chance(dimension, "near") * len(near))]

    def _chance(self, *what: str) -> float:
        return identity.stable_order(7, self.made.id, *what) / 2**64

    def _day(self, later: int) -> datetime.date:
        return self.day + datetime.timedelta(days=later)

    def _row(self, dimension: str, value: str, annotator: str, day: datetime.date, note: str = "") -> Row:
        version = "1.2" if day < CHANGED else "1.3"
        return self.id, dimension, value, annotator, day.isoformat(), version, self.text_sha, note


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
