"""Write the invented shop's logs, the true places of personal data in them, and labels: `python -m demo.generate`.

Everything follows from SEED, so a rerun gives the same bytes. The logs are as untidy as real ones: lines that are no JSON, fields
that are missing, conversations that stand twice.
"""

import datetime
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from demo import labels, pairs, tag_labels, writing
from demo.conversations import Conversation, create
from demo.topics import all_topics

SEED = 2026
FIRST_DAY, LAST_DAY = datetime.date(2026, 1, 1), datetime.date(2026, 7, 31)
A_DAY = {1: 24, 2: 19, 3: 18, 4: 19, 5: 20, 6: 20, 7: 21}
"""Conversations a day, by month."""
SAME_ID_RATE = NEXT_WEEK_RATE = SAME_TEXT_RATE = 0.01
MALFORMED_RATE = 0.013
COMMON = {"PERSON", "EMAIL_ADDRESS", "ORDER_ID", "PHONE_NUMBER", "ACCOUNT_ID", "CITY", "STREET_ADDRESS", "ZIP_CODE"}
SPAN_SAMPLE = {True: 1000, False: 500}
"""How many turns with and without personal data go into pii-spans.jsonl."""

Week = str


def main(root: Path) -> str:
    """Write demo/logs, demo/pii-spans.jsonl and data/labels under `root`; the line that says what was made."""
    weeks = conversations_by_week()
    write_logs(root / "demo" / "logs", weeks)
    everything = [made for week in weeks.values() for made in week]
    spans = write_spans(root / "demo" / "pii-spans.jsonl", everything)
    labelled = labels.write(root / "data" / "labels", weeks)
    tagged = tag_labels.write(root / "data" / "labels", weeks)
    judged = pairs.write(root / "data" / "pairs.csv", weeks)
    return f"{len(everything)} conversations in {len(weeks)} files, {spans} turns with their spans, {labelled} labelled records, {tagged} of which the subject is labelled, {judged} pairs"


def conversations_by_week() -> dict[Week, list[Conversation]]:
    """ISO week to its conversations in order of time; ids are unique."""
    topics, weeks, day = all_topics(), {}, FIRST_DAY
    while day <= LAST_DAY:
        year, week, weekday = day.isocalendar()
        rng = random.Random(f"{SEED} {day}")
        count = round(A_DAY[day.month] * (0.7 if weekday >= 6 else 1.1) * rng.uniform(0.85, 1.15))
        made = [create(random.Random(f"{SEED} {day} {n}"), day, topics) for n in range(count)]
        weeks.setdefault(f"{year}-W{week:02d}", []).extend(made)
        day += datetime.timedelta(days=1)
    return {week: sorted(made, key=lambda c: (c.at.isoformat(), c.id)) for week, made in weeks.items()}


def log_line(made: Conversation) -> dict[str, Any]:
    """A conversation as the shop's system logs it."""
    status = {"thumbs_down": "resolved"}.get(made.outcome, made.outcome)
    thumbs = "down" if made.outcome == "thumbs_down" else "up" if made.outcome == "resolved" and int(made.id[-1], 16) < 4 else None
    line: dict[str, Any] = {
        "id": made.id,
        "created_at": made.at.isoformat(),
        "channel": made.channel,
        "locale": made.person.locale,
        "customer": {"id": made.person.customer_id, "email": made.person.email},
        "turns": [{"from": role, "text": writing.finish(text)[0]} for role, text in made.turns],
    }
    if made.context:
        line["context"] = made.context
    return line | {"feedback": {"thumbs": thumbs}, "status": status}


def write_logs(folder: Path, weeks: dict[Week, list[Conversation]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.jsonl"):
        old.unlink()
    late: list[dict[str, Any]] = []
    for week, made in weeks.items():
        rng = random.Random(f"{SEED} untidy {week}")
        lines = late + [log_line(conversation) for conversation in made]
        late = [line for line in lines if rng.random() < NEXT_WEEK_RATE]
        encoded = [_encode(line) for line in _with_duplicates(lines, rng)]
        (folder / f"{week}.jsonl").write_bytes(b"".join(line + b"\n" for line in _with_malformed(encoded, rng)))


def _with_duplicates(lines: list[dict[str, Any]], rng: random.Random) -> Iterator[dict[str, Any]]:
    """Lines that were delivered twice, and customers who sent the same text twice."""
    for line in lines:
        yield line
        if rng.random() < SAME_ID_RATE:
            yield line
        if rng.random() < SAME_TEXT_RATE:
            yield line | {"id": f"c-{rng.getrandbits(40):010x}"}


def _encode(line: dict[str, Any]) -> bytes:
    return json.dumps(line, ensure_ascii=False).encode()


def _with_malformed(lines: list[bytes], rng: random.Random) -> Iterator[bytes]:
    """Beside the good lines, what a real export has: each kind breaks another rule of ingest."""
    for line in lines:
        yield line
        if rng.random() >= MALFORMED_RATE:
            continue
        broken = json.loads(line) | {"id": f"c-{rng.getrandbits(40):010x}"}
        kind = rng.randrange(8)
        if kind == 0:
            yield line[: rng.randrange(20, len(line) - 20)].decode(errors="ignore").encode()
        elif kind == 1:
            yield _encode({key: value for key, value in broken.items() if key != "id"})
        elif kind == 2:
            yield _encode(broken | {"turns": []})
        elif kind == 3:
            yield _encode(broken | {"turns": "customer: hello"})
        elif kind == 4:
            yield _encode(broken | {"created_at": "yesterday at noon"})
        elif kind == 5:
            yield line[:40] + b"\xff\xfe\xc3" + line[40:]
        elif kind == 6:
            yield b""
        else:
            yield _encode(broken | {"turns": [{"from": "customer", "text": None}]})


def write_spans(path: Path, everything: list[Conversation]) -> int:
    """A sample of turns with the true places of personal data, spread over the months: every turn with a rare kind, then others."""
    rng, wanted = random.Random(f"{SEED} spans"), dict(SPAN_SAMPLE)
    turns = [(n, t, *writing.finish(text)) for n, made in enumerate(everything) for t, (_, text) in enumerate(made.turns)]
    rng.shuffle(turns)
    turns.sort(key=lambda turn: all(span["entity_type"] in COMMON for span in turn[3]))
    sample = []
    for number, turn, text, spans in turns:
        if wanted[bool(spans)] > 0:
            wanted[bool(spans)] -= 1
            sample.append((number, turn, {"id": f"{everything[number].id}:{turn}", "text": text, "spans": spans}))
    sample.sort(key=lambda row: row[:2])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(_encode(row) + b"\n" for _, _, row in sample))
    return len(sample)


if __name__ == "__main__":
    print(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path()))
