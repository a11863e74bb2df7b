"""What an exporter is given: the examples as plain values, and how JSON is written."""

from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True)
class Rows:
    version: str
    """The git revision that was asked for, or `unreleased`."""
    examples: list[dict[str, Any]]
    """Each: id, messages (role and content), expectation (what is given of schema.EXPECTATION) and metadata, in the order of ids."""
    retired: list[str]
    """Ids of earlier releases that are in the dataset no more."""


def json_lines(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(orjson.dumps(row, option=orjson.OPT_SORT_KEYS) + b"\n" for row in rows)


def json_text(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def json_file(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2) + b"\n"


def reference(expectation: dict[str, Any]) -> str:
    """The one text that tools call target or expected output: the reference answer, or what must and must not occur, in words."""
    if answer := expectation.get("answer"):
        return str(answer)
    parts = [" or ".join(wordings) for wordings in expectation.get("must_include", ())]
    lines = [f"Behaviour: {expectation['expected_behaviour']}."] if expectation.get("expected_behaviour") else []
    lines += [f"Says: {'; '.join(parts)}."] if parts else []
    lines += [f"Does not say: {'; '.join(expectation['must_not_include'])}."] if expectation.get("must_not_include") else []
    return " ".join(lines)
