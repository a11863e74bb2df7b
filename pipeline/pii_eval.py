"""Stage `pii_eval`: how well the recognizers of params.yaml find what is labelled as personal data, beside every dataset version.

In: the span-labelled texts of `pii_eval.spans`, one JSON object a line:

    {"id": "conversation:turn", "text": "my name is Ana", "spans": [{"start": 11, "end": 14, "entity_type": "PERSON"}],
     "optional": [{"start": 3, "end": 7}], "role": "user", "weight": 1}

`optional` (what counts neither as hit nor as false alarm), `role` and `weight` may be left out. Turns of one conversation, in the
order of the file, are context for each other, as in the pool. Out: `metrics/pii.json`. A file without a line measures nothing.

What can never happen: a raw log is read; a text shows up in the figures or in an error.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from pipeline import params as params_module
from pipeline import paths, stage, tables
from pipeline.errors import InputError
from pipeline.identity import Message
from pipeline.pii import recognizers
from pipeline.pii.evaluation import Mark, Turn, evaluate
from pipeline.pii.recognizers import Finder
from pipeline.readers.raw import BOM

METRICS = paths.METRICS / "pii.json"
ROLES = ("user", "assistant", "system", "tool")
EXPECTED = 'expected {"id": "conversation:turn", "text": "...", "spans": [{"start": 0, "end": 4, "entity_type": "PERSON"}]}'


def work() -> str:
    params = params_module.load()
    wanted = params.pii_eval
    labelled = list(read(Path(wanted.spans)))
    if not labelled:
        tables.write_json(METRICS, {"measured": False})
        return f"nothing measured: {wanted.spans} holds no labelled text"
    figures = evaluate(mark(labelled, recognizers.build(params.anonymize)), wanted.resamples, wanted.seed)
    tables.write_json(METRICS, {"measured": True, **figures})
    return f"{figures['turns']:,} labelled turns, {told(figures['characters'])} by character"


def told(figures: dict[str, Any]) -> str:
    """Recall and precision in words."""
    return ", ".join(f"{name} {figures[name]:.3f}" if name in figures else f"no {name}" for name in ("recall", "precision"))


def read(path: Path, empty_weight: float = 1.0) -> Iterator[tuple[Turn, Message]]:
    """The labelled turns of a file, not yet marked, each with the message that the recognizers see.

    A turn without any span and without a weight of its own weighs `empty_weight`. Raises InputError, with file and line, where a
    line is not what it should be.
    """
    if not path.is_file():
        raise InputError(f"{path}: not there; name a file of span-labelled texts, one JSON object a line")
    lines: dict[str, int] = {}
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.removeprefix(BOM).strip():
                continue
            where = f"{path}, line {number}"
            row = _object(line.removeprefix(BOM), where)
            if row["id"] in lines:
                raise InputError(f"{where}: the id of line {lines[row['id']]} again; give every turn an id of its own")
            lines[row["id"]] = number
            yield turn_of(row, where, empty_weight)


def turn_of(row: dict[str, Any], where: str, empty_weight: float = 1.0) -> tuple[Turn, Message]:
    """A checked line's turn and message; `where` is what an error names."""
    gold, optional = (_marks(row, name, where) for name in ("spans", "optional"))
    weight = row.get("weight", 1.0 if gold or optional else empty_weight)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or weight < 0:
        raise InputError(f"{where}: expected weight to be a number of 0 or more")
    conversation, _, turn = row["id"].rpartition(":")
    message: Message = {"role": row.get("role", "user"), "content": row["text"]}
    return Turn(conversation or turn, row["text"], gold, (), optional, float(weight)), message


def mark(labelled: list[tuple[Turn, Message]], finder: Finder) -> list[Turn]:
    """The turns with what `finder` finds, each read among the other turns of its conversation."""
    conversations: dict[str, list[int]] = {}
    for place, (turn, _) in enumerate(labelled):
        conversations.setdefault(turn.conversation, []).append(place)
    found = finder.find_conversations([[labelled[place][1] for place in places] for places in conversations.values()])
    marked: dict[int, Turn] = {}
    for places, of_conversation in zip(conversations.values(), found, strict=True):
        for place, spans in zip(places, of_conversation, strict=True):
            turn = labelled[place][0]
            marks = [Mark(span.start, span.end, span.entity_type) for span in spans]
            marked[place] = Turn(turn.conversation, turn.text, turn.gold, marks, turn.optional, turn.weight)
    return [marked[place] for place in range(len(labelled))]


def _object(line: bytes, where: str) -> dict[str, Any]:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise InputError(f"{where}: not JSON; {EXPECTED}") from None
    if not isinstance(row, dict):
        raise InputError(f"{where}: not an object; {EXPECTED}")
    for name, kind in (("id", str), ("text", str), ("spans", list)):
        if not isinstance(row.get(name), kind):
            raise InputError(f"{where}: {name} is {'of another type' if name in row else 'missing'}; {EXPECTED}")
    if row.get("role", "user") not in ROLES:
        raise InputError(f"{where}: expected role to be one of {', '.join(ROLES)}")
    return row


def _marks(row: dict[str, Any], name: str, where: str) -> list[Mark]:
    marks = row.get(name) or []
    if not isinstance(marks, list):
        raise InputError(f'{where}: expected {name} to be a list of {{"start": 0, "end": 4}}')
    return [_mark(one, f"{where}: {name}[{place}]", len(row["text"]), name == "spans") for place, one in enumerate(marks)]


def _mark(one: Any, where: str, length: int, needs_type: bool) -> Mark:
    start, end, kind = (one.get(name) for name in ("start", "end", "entity_type")) if isinstance(one, dict) else (None, None, None)
    if type(start) is not int or type(end) is not int:
        raise InputError(f"{where}: expected start and end as whole numbers of characters")
    if not 0 <= start < end <= length:
        raise InputError(f"{where}: {start} to {end} is no stretch of the text, which has {length} characters")
    if not isinstance(kind, str if needs_type else str | None):
        raise InputError(f"{where}: expected entity_type, such as PERSON")
    return Mark(start, end, kind or "")


if __name__ == "__main__":
    stage.run("pii_eval", work, private=True)
