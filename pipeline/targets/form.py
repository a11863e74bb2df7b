"""What a target beyond this process is sent, and where its answer stands in what it sends back.

A request is a template of JSON. A text that is one placeholder, such as "{messages}", becomes that value; a placeholder within a
longer text becomes text. A reply is read by JMESPath. Without either, Golden's own form is spoken: see REQUEST and RESPONSE.
"""

import difflib
import re
from dataclasses import dataclass
from typing import Any

import jmespath
import orjson
from jmespath.exceptions import JMESPathError

from pipeline import faults
from pipeline.errors import InputError
from pipeline.params import ResponseMapping
from pipeline.targets.question import NoAnswerError, Question

PLACEHOLDERS = ("messages", "history", "text", "fixtures", "example_id", "epoch", "fault")
PLACEHOLDER = re.compile(r"\{([a-z_]+)((?:\.[\w-]+)*)\}")
REQUEST: dict[str, Any] = {"id": "{example_id}/{epoch}", "messages": "{messages}", "fixtures": "{fixtures}", "fault": "{fault}"}
RESPONSE = ResponseMapping(
    answer="answer",
    citations="citations",
    confidence="confidence",
    behaviour="behaviour",
    tool_calls="tool_calls",
    fault_met="fault_met",
    input_tokens="usage.input_tokens",
    output_tokens="usage.output_tokens",
)
NOT_MET = frozenset({"", "0", "false", "no", "none"})


@dataclass(frozen=True)
class Form:
    """A request's template and a response's mapping."""

    request: Any
    response: ResponseMapping

    def body(self, question: Question) -> Any:
        return filled(self.request, question)

    def reply(self, received: Any) -> dict[str, Any]:
        """What `pipeline.targets.reply.parse` reads, and under `received` the whole of it.

        Where the mapping says that the simulated failure was met, that is noted.
        """
        found = {name: _at(expression, received) for name, expression in expressions(self.response).items()}
        if says_met(found.pop("fault_met", None)):
            faults.acknowledge()
        if isinstance(behaviour := found.get("behaviour"), str):
            found["behaviour"] = self.response.behaviours.get(behaviour, behaviour)
        usage = {name: found.pop(name, None) for name in ("input_tokens", "output_tokens")}
        return {**found, "usage": usage, "received": received}


def form_of(request: Any, response: ResponseMapping | None) -> Form:
    """The form that a target's settings give. Raises InputError for a placeholder that there is none of."""
    form = Form(REQUEST if request is None else request, response or RESPONSE)
    check(form.request, "request")
    return form


def expressions(mapping: ResponseMapping) -> dict[str, str]:
    """Field to the JMESPath expression that finds it, for those that are mapped."""
    return {name: value for name, value in mapping.model_dump(exclude={"behaviours"}).items() if value}


def says_met(value: Any) -> bool:
    """Whether `value`, of a reply's field or header, says that a simulated failure was met."""
    return value is not None and value is not False and str(value).strip().casefold() not in NOT_MET


def check(template: Any, key: str) -> None:
    """Raises InputError, naming `key` of params.yaml, for a placeholder that there is none of."""
    if isinstance(template, dict):
        for name, part in template.items():
            check(part, f"{key}.{name}")
    elif isinstance(template, list):
        for part in template:
            check(part, key)
    elif isinstance(template, str):
        for name, path in PLACEHOLDER.findall(template):
            if name not in PLACEHOLDERS or (path and name != "fixtures"):
                near = difflib.get_close_matches(name, PLACEHOLDERS, n=1, cutoff=0.5)
                hint = f"did you mean {{{near[0]}}}?" if near and not path else f"there are {', '.join(PLACEHOLDERS)} and fixtures.<path>"
                raise InputError(f"params.yaml: evaluate.target.{key}: no placeholder {{{name}{path}}}; {hint}")


def filled(template: Any, question: Question) -> Any:
    """`template` with the question's values in place of its placeholders."""
    if isinstance(template, dict):
        return {name: filled(part, question) for name, part in template.items()}
    if isinstance(template, list):
        return [filled(part, question) for part in template]
    if not isinstance(template, str):
        return template
    if whole := PLACEHOLDER.fullmatch(template):
        return _value(whole, question)
    return PLACEHOLDER.sub(lambda found: _as_text(_value(found, question)), template)


def _value(found: re.Match[str], question: Question) -> Any:
    values = {
        "messages": question.messages,
        "history": question.messages[:-1],
        "text": question.messages[-1]["content"],
        "fixtures": question.fixtures,
        "example_id": question.example_id,
        "epoch": question.epoch,
        "fault": question.fault or None,
    }
    value = values[found[1]]
    for name in found[2].split(".")[1:]:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else orjson.dumps(value).decode()


def _at(expression: str, received: Any) -> Any:
    try:
        return jmespath.search(expression, received)
    except JMESPathError:  # a function met a value that it is not for: a reply of another shape
        return None


def decoded(content: bytes) -> Any:
    """`content` as JSON. Raises NoAnswerError where it is none."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        raise NoAnswerError("unreadable_reply") from None
