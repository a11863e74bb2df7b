"""From an object of a log to a record, by the paths of `ingest` in params.yaml. No file, no clock, no key.

A dotted path leads through objects (`customer.id`), lists (`choices.0.text`; -1 is the last) and JSON text in a cell; a key or
column that is named like the whole path comes first.
"""

import math
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from typing import Any, NamedTuple

import orjson

from pipeline.identity import Message, canonical
from pipeline.params import Ingest, Scalar
from pipeline.readers.raw import Reject

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_TIME, LAST_TIME = (int((datetime(year, 1, 1, tzinfo=UTC) - EPOCH).total_seconds()) * 1_000_000 for year in (1990, 2100))
"""In microseconds; outside of these a number is not a time but something else, or in another unit."""
NUMBER = re.compile(r"(?![0-9]{8}$)[0-9]+(\.[0-9]+)?")
"""A number as text; eight digits are a date."""
ROLES = {role: role for role in ("user", "assistant", "system", "tool")}

Look = Callable[[dict[str, Any]], Any]


class Record(NamedTuple):
    """One conversation as it was logged, typed; ids and hashes are made of it where the key is."""

    log_id: str
    occurred_at: int | None
    """Microseconds since 1970, UTC."""
    outcome: str
    messages: list[Message]
    fixtures: str
    metadata: list[tuple[str, str]]


class Mapping:
    """`ingest` of params.yaml with its paths ready to be followed."""

    def __init__(self, ingest: Ingest):
        fields = ingest.fields
        self.log_id = at(fields.log_id)
        self.occurred_at = at(fields.occurred_at) if fields.occurred_at else None
        self.turns = at(fields.turns) if fields.turns else None
        self.role, self.text = at(fields.role), at(fields.text)
        self.user = at(fields.user) if fields.user else None
        self.assistant = at(fields.assistant) if fields.assistant else None
        self.fixtures = at(fields.fixtures) if fields.fixtures else None
        self.metadata = [(name, at(path)) for name, path in sorted(fields.metadata.items())]
        self.roles = ROLES | ingest.roles
        self.rules = [
            (rule.outcome, [(at(path), _accepted(wanted)) for path, wanted in rule.when.items()]) for rule in ingest.outcome.rules
        ]
        self.default_outcome = ingest.outcome.default


def mapped_paths(ingest: Ingest) -> frozenset[str]:
    """Every path into a logged object that the mapping follows."""
    fields = ingest.fields
    named = (fields.log_id, fields.occurred_at, fields.turns, fields.user, fields.assistant, fields.fixtures, *fields.metadata.values())
    return frozenset(path for path in named if path) | {path for rule in ingest.outcome.rules for path in rule.when}


class _Rejected(Exception):
    """Carries a reason code from where it is found to `to_record`."""


def to_record(logged: dict[str, Any], mapping: Mapping) -> Record | Reject:
    """The record that `logged` is, or why it is none."""
    try:
        return Record(
            _log_id(mapping.log_id(logged)),
            _occurred_at(mapping.occurred_at(logged)) if mapping.occurred_at else None,
            _outcome(logged, mapping),
            _messages(logged, mapping),
            _fixtures(mapping.fixtures(logged)) if mapping.fixtures else "",
            [(name, text) for name, look in mapping.metadata if (text := _as_text(look(logged)))],
        )
    except _Rejected as rejected:
        return Reject(rejected.args[0])


def at(path: str) -> Look:
    """A function that gives what lies at `path` in an object, None where nothing does."""
    first, *rest = path.split(".")
    if not rest:
        return lambda logged: logged.get(path)

    def look(logged: dict[str, Any]) -> Any:
        if path in logged:
            return logged[path]
        value = logged.get(first)
        for step in rest:
            value = _inside(value, step)
        return value

    return look


def _inside(value: Any, step: str) -> Any:
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return None
    if isinstance(value, dict):
        return value.get(step)
    if isinstance(value, list) and re.fullmatch(r"-?[0-9]{1,9}", step) and -len(value) <= int(step) < len(value):
        return value[int(step)]
    return None


def _log_id(value: Any) -> str:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise _Rejected("missing_log_id")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _text(value)


def _text(value: Any) -> str:
    """`value`, which must be text that UTF-8 can hold; NUL characters are part of it."""
    if not isinstance(value, str):
        raise _Rejected("wrong_type")
    if not value.isascii():
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise _Rejected("not_utf8") from None
    return value


def _messages(logged: dict[str, Any], mapping: Mapping) -> list[Message]:
    """The turns that have text, in their order."""
    messages = []
    has_user = False
    for role, text in _exchange(logged, mapping) if mapping.turns is None else _turns(logged, mapping):
        if text is None or not _text(text) or text.isspace():
            continue
        known = mapping.roles.get(role) if isinstance(role, str) else None
        if known is None:
            raise _Rejected("unknown_role" if role is None or isinstance(role, str) else "wrong_type")
        has_user = has_user or known == "user"
        messages.append({"role": known, "content": text})
    if not has_user:
        raise _Rejected("no_user_turn")
    return messages


def _exchange(logged: dict[str, Any], mapping: Mapping) -> Iterator[tuple[Any, Any]]:
    """Role and text of a record that is one exchange."""
    if mapping.user is None or (user := mapping.user(logged)) is None:
        raise _Rejected("missing_turns")
    yield "user", user
    if mapping.assistant is not None:
        yield "assistant", mapping.assistant(logged)


def _turns(logged: dict[str, Any], mapping: Mapping) -> Iterator[tuple[Any, Any]]:
    """Role and text of every turn, as they stand."""
    turns = _unpacked(mapping.turns(logged)) if mapping.turns else None
    if turns is None:
        raise _Rejected("missing_turns")
    if not isinstance(turns, list):
        raise _Rejected("wrong_type")
    for turn in turns:
        if not isinstance(turn, dict | list):
            raise _Rejected("wrong_type")
        by_place = turn if isinstance(turn, dict) else {str(place): value for place, value in enumerate(turn)}
        yield mapping.role(by_place), mapping.text(by_place)


def _occurred_at(value: Any) -> int:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise _Rejected("missing_time")
    try:
        microseconds = _microseconds(value)
    except (ValueError, OverflowError):
        raise _Rejected("bad_time") from None
    if not FIRST_TIME <= microseconds < LAST_TIME:
        raise _Rejected("bad_time")
    return microseconds


def is_time(value: Any) -> bool:
    """Whether `ingest.fields.occurred_at` could read it."""
    try:
        return _occurred_at(value) > 0
    except _Rejected:
        return False


def _microseconds(value: Any) -> int:
    """ISO 8601, a date, or seconds, milliseconds, micro- or nanoseconds since 1970 (told apart by their size) as number or text."""
    if isinstance(value, str):
        value = value.strip()
        value = _number(value) if "-" not in value and NUMBER.fullmatch(value) else datetime.fromisoformat(value.removesuffix(" UTC"))
    if isinstance(value, datetime):
        since = (value if value.tzinfo else value.replace(tzinfo=UTC)) - EPOCH
        return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    if isinstance(value, date):
        return _microseconds(datetime.combine(value, time()))
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("not a time")
    size = abs(value)
    if size < 1e14:
        return round(value * (1_000_000 if size < 1e11 else 1_000))
    return int(value if size < 1e17 else value // 1_000)


def _number(text: str) -> int | float:
    return float(text) if "." in text else int(text)


def _outcome(logged: dict[str, Any], mapping: Mapping) -> str:
    """The outcome of the first rule of which everything holds."""
    for outcome, conditions in mapping.rules:
        for look, accepted in conditions:
            if _as_text(look(logged)) not in accepted:
                break
        else:
            return outcome
    return mapping.default_outcome


def _accepted(wanted: Scalar | list[Scalar]) -> frozenset[str | None]:
    """The texts of the wanted values: CSV knows only text, and its writers spell true in three ways."""
    texts: set[str | None] = set()
    for value in wanted if isinstance(wanted, list) else [wanted]:
        text = _as_text(value)
        texts |= {text, text.capitalize(), text.upper()} if isinstance(value, bool) and text else {text}
    return frozenset(texts)


def _fixtures(value: Any) -> str:
    value = _unpacked(value)
    if value is None:
        return ""
    if not isinstance(value, dict | list):
        raise _Rejected("wrong_type")
    return _canonical(value)


def _unpacked(value: Any) -> Any:
    """What a cell holds where it holds JSON text."""
    if not isinstance(value, str):
        return value
    if not value.strip():
        return None
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        raise _Rejected("wrong_type") from None


def _as_text(value: Any) -> str | None:
    """A metadata value as text, the same whichever format it was logged in; None where there is none."""
    if isinstance(value, str):
        return _text(value) or None
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(int(value) if isinstance(value, float) and value.is_integer() else value)
    return value.isoformat() if isinstance(value, date) else _canonical(value)


def _canonical(value: Any) -> str:
    try:
        return canonical(value).decode("utf-8")
    except TypeError as error:
        raise _Rejected("not_utf8" if "UTF-8" in str(error) else "wrong_type") from None
