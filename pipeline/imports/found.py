"""What a reader of another tool's file gives, and how it reads JSON, turns and metadata."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from pipeline.errors import InputError
from pipeline.sources import Expect

ROLES = ("user", "assistant", "system", "tool")
NO_QUESTION, LAST = "without a question in text", "that do not end with the user"
ATTACK = "with a fault or canary, which only adversarial scenarios have"


@dataclass
class Found:
    tests: list[dict[str, Any]] = field(default_factory=list)
    """Each: input, fixtures, tags, expect, as a scenario has them."""
    left_out: Counter[str] = field(default_factory=Counter)
    unmapped: Counter[str] = field(default_factory=Counter)

    def add(self, question: Any, expect: dict[str, Any], metadata: Any) -> None:
        """Take a test in, or count why not. Metadata that an export wrote has the whole expectation, fixtures and tags."""
        known = metadata if isinstance(metadata, dict) else {}
        asked = turns(question)
        if isinstance(asked, str) and asked in (NO_QUESTION, LAST):
            self.left_out[asked] += 1
            return
        if known.get("fault") or known.get("canary"):
            self.left_out[ATTACK] += 1
            return
        if isinstance(known.get("expectation"), dict):
            expect = exported(known["expectation"])
        fixtures, tags = parsed(known.get("fixtures", "")), known.get("tags", {})
        self.tests.append({"input": asked, "fixtures": fixtures, "tags": tags if isinstance(tags, dict) else {}, "expect": expect})


def turns(question: Any) -> Any:
    """A scenario's input: text, or turns of one key each; NO_QUESTION or LAST where it is none."""
    if isinstance(question, str):
        return question if question.strip() else NO_QUESTION
    if not isinstance(question, list) or not question:
        return NO_QUESTION
    found = []
    for turn in question:
        if not isinstance(turn, dict) or turn.get("role") not in ROLES or not isinstance(turn.get("content"), str):
            return NO_QUESTION
        found.append({turn["role"]: turn["content"]})
    if "user" not in found[-1]:
        return LAST
    return found[0]["user"] if len(found) == 1 else found


def exported(expectation: Mapping[str, Any]) -> dict[str, Any]:
    """Columns of schema.EXPECTATION as a scenario's `expect`."""
    named = {"behaviour" if name == "expected_behaviour" else name: value for name, value in expectation.items()}
    found = {name: value for name, value in named.items() if name in Expect.model_fields and value}
    return found | ({"json_schema": parsed(found["json_schema"])} if "json_schema" in found else {})


def parsed(text: Any) -> dict[str, Any]:
    """A JSON object that stands as text, or as itself; empty where it is none."""
    if isinstance(text, dict):
        return text
    try:
        content = orjson.loads(text)
    except (orjson.JSONDecodeError, TypeError):
        return {}
    return content if isinstance(content, dict) else {}


def records(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON list or of JSON lines. Raises InputError with the line that is none."""
    if not path.is_file():
        raise InputError(f"{path}: not there")
    content = path.read_bytes()
    if content.lstrip().startswith(b"["):
        try:
            rows = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise InputError(f"{path}, line {error.lineno}: not JSON; expected a list of objects, or an object a line") from None
        numbered = list(enumerate(rows, 1))
        word = "entry"
    else:
        numbered, word = [], "line"
        for number, line in enumerate(content.splitlines(), 1):
            try:
                numbered += [(number, orjson.loads(line))] if line.strip() else []
            except orjson.JSONDecodeError:
                raise InputError(f"{path}, line {number}: not JSON; expected an object a line, or one list of objects") from None
    for number, row in numbered:
        if not isinstance(row, dict):
            raise InputError(f"{path}, {word} {number}: expected an object")
    return [row for _, row in numbered]


def answered(text: Any, match: str) -> dict[str, Any]:
    """A reference answer as an expectation, compared by `match` where that is not empty; nothing where there is no answer."""
    if not isinstance(text, str) or not text.strip():
        return {}
    return {"answer": text} | ({"answer_match": match} if match else {})
