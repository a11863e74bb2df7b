"""A target whose answers were recorded: `evaluate.target.path`, JSONL or Parquet, a response a line or row with its `example_id`.

A record may carry `epoch` (without it, it is the answer in every epoch), `input_sha` (then it answers that input and no other)
and `error`. Whether a simulated failure was really met, only a record with `input_sha` can tell, since the hash covers the
failure: an example with one is `not_testable` otherwise.
"""

from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
from pyarrow import ArrowInvalid

from pipeline import faults, params
from pipeline.errors import InputError
from pipeline.targets.question import Ask, NoAnswerError, Question


def open_target(target: params.Target) -> Ask:
    path = Path(str(target.path))
    records = _by_question(path, _read(path))

    async def ask(question: Question) -> Any:
        record = records.get((question.example_id, question.epoch)) or records.get((question.example_id, None))
        if record is None:
            raise NoAnswerError("not_recorded")
        if record.get("input_sha") not in (None, "", question.input_sha):
            raise NoAnswerError("recorded_for_another_input")
        if record.get("error"):
            raise NoAnswerError(str(record["error"]))
        if record.get("input_sha"):
            faults.acknowledge()
        return record

    return ask


def _read(path: Path) -> list[Any]:
    if not path.is_file():
        raise InputError(f"{path}: not there; params.yaml names it as evaluate.target.path")
    if path.suffix == ".parquet":
        try:
            return pq.read_table(path).to_pylist()
        except ArrowInvalid:
            raise InputError(f"{path}: not readable as Parquet") from None
    records = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            if line.strip():
                records.append(orjson.loads(line))
        except orjson.JSONDecodeError:
            raise InputError(f"{path}, line {number}: not JSON") from None
    return records


def _by_question(path: Path, records: list[Any]) -> dict[tuple[str, int | None], dict[str, Any]]:
    found: dict[tuple[str, int | None], dict[str, Any]] = {}
    for number, record in enumerate(records, 1):
        if not isinstance(record, dict) or not isinstance(record.get("example_id"), str):
            raise InputError(f"{path}, record {number}: no example_id; every record needs the example it answers")
        key = (record["example_id"], record.get("epoch"))
        if key in found:
            raise InputError(f"{path}, record {number}: {key[0]} stands twice; give each its epoch")
        found[key] = record
    return found
