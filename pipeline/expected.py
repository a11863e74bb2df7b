"""What an expectation may ask of an answer, checked where it is written: patterns, JSON schemas, numbers, kinds of comparison.

Authored scenarios, labels and scorers all read it from here, so that what one accepts the others can judge.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal, get_args

import orjson
import pandas as pd
import regex
from jsonschema.exceptions import SchemaError
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for
from referencing import Registry

from pipeline.identity import canonical

Match = Literal["contains", "exact", "normalised", "numeric", "similar", "graded"]
MATCHES: tuple[str, ...] = get_args(Match)
"""How a reference answer can be compared. Each is the name of the criterion that does it."""

NUMBER = re.compile(r"(?:(?<![\w)\]-])(?P<sign>-)[$€£]? ?)?(?P<digits>\d+(?:[.,]\d+)*)")
GROUPING = re.compile(r"(?<=\d)[\u00a0\u202f\u2009'’](?=\d{3}(?!\d))")
"""Blanks that do not break, and apostrophes, between thousands."""


def problem(fields: Mapping[str, Any]) -> str:
    """Why an expectation (the columns of schema.EXPECTATION, some may be absent) cannot be judged; empty where it can.

    Says key and reason, and quotes nothing of the value.
    """
    answer, match = fields.get("answer", ""), fields.get("answer_match", "")
    if match and match not in MATCHES:
        return f"answer_match: not one of {', '.join(MATCHES)}"
    if match and not answer.strip():
        return f"answer_match: {match} compares with a reference answer; give answer too"
    if match == "numeric" and not numbers(answer):
        return "answer: holds no number, and answer_match is numeric"
    if match in ("contains", "normalised") and not re.search(r"[^\W_]", answer):
        return f"answer: holds no letter or digit, and answer_match is {match}; use exact"
    if fields.get("answer_tolerance", 0) and match != "numeric":
        return "answer_tolerance: belongs to answer_match: numeric"
    if any(not len(wordings) or not all(wording.strip() for wording in wordings) for wordings in fields.get("must_include", ())):
        return "must_include: holds an entry without words"
    if not all(phrase.strip() for phrase in fields.get("must_not_include", ())):
        return "must_not_include: holds an entry without words"
    try:
        for pattern in fields.get("regex", ()):
            compiled(pattern)
    except ValueError as error:
        return f"regex: {error}"
    try:
        if schema := fields.get("json_schema", ""):
            validator(schema)
    except ValueError as error:
        return f"json_schema: {error}"
    return ""


def can_be_judged(expectations: pd.DataFrame) -> pd.Series:
    """Which rows (with the columns of schema.EXPECTATION) hold something that a scorer can judge, as booleans."""
    given = (expectations[["expected_behaviour", "answer", "json_schema"]] != "").any(axis=1)
    for name in ("must_include", "must_not_include", "regex", "citations"):
        given |= expectations[name].map(len).astype(bool) if len(expectations) else False
    return given


@lru_cache(maxsize=2_000)
def compiled(pattern: str) -> "regex.Pattern[str]":
    """A pattern that ignores case. Raises ValueError where it is none."""
    if not pattern:
        raise ValueError("a pattern is empty")
    try:
        return regex.compile(pattern, regex.IGNORECASE)
    except regex.error as error:
        raise ValueError(f"not a regular expression: {error}") from None


@lru_cache(maxsize=2_000)
def validator(schema: str) -> Validator:
    """A validator of the JSON Schema in the JSON text `schema`; without `$schema` it is of draft 2020-12.

    Raises ValueError where it is none, or refers to anything outside itself: nothing is fetched while an answer is judged.
    """
    try:
        content = orjson.loads(schema)
    except orjson.JSONDecodeError:
        raise ValueError("not JSON") from None
    if not isinstance(content, dict) or not content:
        raise ValueError("expected an object with keys such as type, required and properties")
    if outside := [ref for ref in _refs(content) if not ref.startswith("#")]:
        raise ValueError(f"refers to {outside[0]}; only references into itself, such as #/$defs/price, can be followed")
    kind = validator_for(content)
    try:
        kind.check_schema(content)
    except SchemaError as error:
        raise ValueError(f"not a JSON schema (at {error.json_path})") from None
    return kind(content, registry=Registry())


def schema_text(schema: dict[str, Any]) -> str:
    """The schema as it is stored: JSON, keys sorted; empty for an empty one. Raises ValueError where JSON cannot say it."""
    try:
        return canonical(schema).decode() if schema else ""
    except TypeError:
        raise ValueError("json_schema: holds what JSON cannot say; write texts, numbers, lists and keys that are texts") from None


def _refs(content: Any) -> list[str]:
    """Every reference in a schema."""
    if isinstance(content, list):
        return [ref for item in content for ref in _refs(item)]
    if not isinstance(content, dict):
        return []
    own = [value for key, value in content.items() if key in ("$ref", "$dynamicRef") and isinstance(value, str)]
    return own + [ref for value in content.values() for ref in _refs(value)]


def numbers(text: str) -> list[Decimal]:
    """The numbers of `text`, in their order; what stands around them (units, currencies, words) is left out.

    `1,250.00`, `1.250,00`, `1'250` and `1,250` are one thousand two hundred and fifty; `4,95` and `4.95` are four and a bit. Of one
    mark alone, a comma before exactly three digits parts thousands and every other one begins the decimals. What has two marks and
    is no number (a version, a date with dots) is left out. A minus counts where nothing stands before it.
    """
    found = []
    for match in NUMBER.finditer(GROUPING.sub("", text).translate({0x2212: "-"})):
        if (number := _number(match["digits"])) is not None:
            found.append(-number if match["sign"] else number)
    return found


def _number(digits: str) -> Decimal | None:
    groups = re.split(r"[.,]", digits)
    marks = re.sub(r"\d", "", digits)
    if len(set(marks)) == 2 and marks[-1] not in marks[:-1] and _thousands(groups[:-1]):
        return Decimal(f"{''.join(groups[:-1])}.{groups[-1]}")
    if len(marks) > 1 or (marks == "," and _thousands(groups)):
        return Decimal("".join(groups)) if len(set(marks)) == 1 and _thousands(groups) else None
    return Decimal(".".join(groups))


def _thousands(groups: list[str]) -> bool:
    return 1 <= len(groups[0]) <= 3 and groups[0] != "0" and all(len(group) == 3 for group in groups[1:])
