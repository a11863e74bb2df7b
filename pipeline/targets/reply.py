"""What a target may reply, and what becomes of it: a response with a fixed set of fields, or a code that says what is wrong."""

from contextlib import suppress
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import orjson

from pipeline.expectations import BEHAVIOURS
from pipeline.targets.question import NoAnswerError


@dataclass(frozen=True)
class Usage:
    """What an answer cost in tokens, as far as the target says. It goes into logs and never into an output."""

    input_tokens: int | None = None
    output_tokens: int | None = None


UNKNOWN = Usage()


@dataclass(frozen=True)
class Response:
    """The answer's part of a row of schema.RESPONSES."""

    answer: str = ""
    citations: list[str] = field(default_factory=list)
    confidence: float | None = None
    behaviour: str = ""
    tool_calls: str = ""
    error: str = ""


def parse(reply: Any) -> Response:
    """A reply, text alone or a mapping with `answer`, as a response; fields that are not ours are left out.

    Raises NoAnswerError `bad_response:<field>` for the first field that does not fit.
    """
    if isinstance(reply, str):
        reply = {"answer": reply}
    if not isinstance(reply, dict):
        raise NoAnswerError("bad_response:answer")
    return Response(
        answer=_text("answer", reply.get("answer")),
        citations=_citations(reply.get("citations")),
        confidence=_confidence(reply.get("confidence")),
        behaviour=_behaviour(reply.get("behaviour")),
        tool_calls=_tool_calls(reply.get("tool_calls")),
    )


def usage(reply: Any) -> Usage:
    """The `usage` of a reply; what is not there, or is no count, is not known."""
    said = reply.get("usage") if isinstance(reply, dict) else None
    counts = {name: said.get(name) for name in ("input_tokens", "output_tokens")} if isinstance(said, dict) else {}
    return Usage(**{name: n for name, n in counts.items() if isinstance(n, int) and not isinstance(n, bool) and n >= 0})


def _text(name: str, value: Any) -> str:
    """Text that can be stored: half of a surrogate pair cannot."""
    if not isinstance(value, str):
        raise NoAnswerError(f"bad_response:{name}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise NoAnswerError(f"bad_response:{name}") from None
    return value


def _citations(value: Any) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list | tuple):
        raise NoAnswerError("bad_response:citations")
    return [_text("citations", one) for one in value]


def _confidence(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) <= 1:
        raise NoAnswerError("bad_response:confidence")
    return float(value)


def _behaviour(value: Any) -> str:
    if value is None or value == "":
        return ""
    if value not in BEHAVIOURS:
        raise NoAnswerError("bad_response:behaviour")
    return str(value)


def _tool_calls(value: Any) -> str:
    if value is None or value in ([], ""):
        return ""
    try:
        calls = orjson.loads(value) if isinstance(value, str) else value
        named = [{"name": call["name"], "arguments": _arguments(call.get("arguments"))} for call in calls]
        if not all(isinstance(call["name"], str) for call in named):
            raise TypeError
        return orjson.dumps(named, option=orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY).decode()
    except (AttributeError, KeyError, TypeError, ValueError):
        raise NoAnswerError("bad_response:tool_calls") from None


def _arguments(value: Any) -> Any:
    """A call's arguments, which many APIs send as the text of a JSON object."""
    if isinstance(value, str):
        with suppress(orjson.JSONDecodeError):
            return orjson.loads(value)
    return {} if value is None else value
