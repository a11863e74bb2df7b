"""A target behind an address: `evaluate.target.url`, asked by one request a question, answered in JSON.

`request` and `response` say how it is asked and where its answer stands (pipeline/targets/form.py); `preset: openai-chat` says both
for whatever speaks that form. A simulated failure is sent as the header X-Golden-Fault. A target that met it says so in the header
X-Golden-Fault-Met or where `response.fault_met` points.
"""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import orjson

from pipeline import faults, params
from pipeline.errors import InputError
from pipeline.targets import environment
from pipeline.targets.form import Form, decoded, form_of, says_met
from pipeline.targets.question import NoAnswerError, Question
from pipeline.targets.retries import retry_after_s

FAULT_HEADER, FAULT_MET_HEADER = "X-Golden-Fault", "X-Golden-Fault-Met"
TRANSIENT = frozenset({408, 409, 425, 429})
"""Statuses below 500 after which the same request may be answered."""
PRESETS: dict[str, dict[str, Any]] = {
    "openai-chat": {
        "request": {"messages": "{messages}"},
        "response": {
            # A message of tool calls alone has no content; it is an answer, of no words.
            "answer": "choices[0].message.not_null(content, refusal, tool_calls && '')",
            "behaviour": "choices[0].message.refusal && 'refuse'",
            "tool_calls": "choices[0].message.tool_calls[].function",
            "input_tokens": "usage.prompt_tokens",
            "output_tokens": "usage.completion_tokens",
        },
    }
}


def open_target(target: params.Target) -> "Address":
    url = environment.resolved(str(target.url), "url")
    if httpx.URL(url).scheme not in ("http", "https") or not httpx.URL(url).host:
        raise InputError("params.yaml: evaluate.target.url: expected http:// or https:// and a host")
    headers = {name: environment.resolved(value, f"headers.{name}") for name, value in target.headers.items()}
    return Address(target.method, url, headers, form(target))


def form(target: params.Target) -> Form:
    """The target's form: its preset's with its own `request` and `response` over it. Raises InputError where a preset lacks something."""
    if not target.preset:
        return form_of(target.request, target.response)
    preset = PRESETS[target.preset]
    if not isinstance(target.request, dict) or not target.request.get("model"):
        raise InputError(f"params.yaml: evaluate.target.request.model: missing; {target.preset} needs the model's name")
    own = target.response.model_dump(exclude_unset=True) if target.response else {}
    return form_of(preset["request"] | target.request, params.ResponseMapping(**preset["response"] | own))


class Address:
    """Asks by HTTP. One client holds the connections; it is made when it is needed, in the loop it is needed in."""

    def __init__(self, method: str, url: str, headers: dict[str, str], form: Form) -> None:
        self._method, self._url, self._form = method, url, form
        self._headers = {"User-Agent": "golden", "Content-Type": "application/json"} | headers
        self._client: httpx.AsyncClient | None = None

    async def __call__(self, question: Question) -> Any:
        if self._client is None:  # whoever asks bounds time and concurrency
            self._client = httpx.AsyncClient(timeout=None, limits=httpx.Limits(max_connections=None, max_keepalive_connections=100))
        fault = {FAULT_HEADER: question.fault} if question.fault else {}
        body = orjson.dumps(self._form.body(question))
        try:
            reply = await self._client.request(self._method, self._url, content=body, headers=self._headers | fault)
        except httpx.DecodingError:
            raise NoAnswerError("unreadable_reply") from None
        except httpx.TransportError as error:
            raise NoAnswerError(_lost(error), transient=True) from None
        if says_met(reply.headers.get(FAULT_MET_HEADER)):
            faults.acknowledge()
        if not reply.is_success:
            transient = reply.status_code >= 500 or reply.status_code in TRANSIENT
            raise NoAnswerError(f"http_{reply.status_code}", transient, retry_after_s(reply.headers.get("Retry-After"), time.time()))
        return self._form.reply(decoded(reply.content))

    async def aclose(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


def _lost(error: httpx.TransportError) -> str:
    if not isinstance(error, httpx.ConnectError):
        return "connection_lost"
    return "connection_refused" if any(isinstance(cause, ConnectionRefusedError) for cause in _causes(error)) else "no_connection"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """`error` and all that it came from, also in groups: several addresses of a host may have been tried."""
    yield error
    for cause in (*getattr(error, "exceptions", ()), error.__cause__ or error.__context__):
        if cause is not None:
            yield from _causes(cause)
