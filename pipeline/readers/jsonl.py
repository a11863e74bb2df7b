"""JSON lines: one object a line (.jsonl, .ndjson, .json).

`NaN` and `Infinity`, which Python's own json writes, are read as null. Of a key that occurs twice the last value counts.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from pipeline.errors import InputError
from pipeline.readers.raw import Limits, Reject, lines


def read(path: Path, limits: Limits) -> Iterator[tuple[int, dict[str, Any] | Reject]]:
    for number, line in lines(path, limits.line_bytes):
        if line is None:
            yield number, Reject("line_too_long")
        elif not line or line.isspace():
            yield number, Reject("blank_line")
        elif number == 1 and line.lstrip().startswith(b"[") and ".json" in path.suffixes:
            raise InputError(f"{path}: one JSON list, not one object a line; convert it with: jq -c '.[]' {path.name} > {path.stem}.jsonl")
        else:
            yield number, _object(line)


def _object(line: bytes) -> dict[str, Any] | Reject:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        value = _tolerantly(line)
    return value if isinstance(value, dict | Reject) else Reject("not_an_object")


def _tolerantly(line: bytes) -> Any:
    """A line that strict JSON refuses: `NaN`, and lone surrogates, which matter only where a mapped text holds one."""
    try:
        return json.loads(line.decode("utf-8"), parse_constant=lambda _: None)
    except UnicodeDecodeError:
        return Reject("not_utf8")
    except (ValueError, RecursionError):
        return Reject("not_json")
