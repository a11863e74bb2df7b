"""A target that is a model named as Inspect AI names it: `evaluate.target.model`, such as `openai/gpt-5` or `ollama/llama3`.

Its package must be installed and its key stand in the environment, as Inspect documents for each provider. `system` may hold what the
assistant is told before every conversation. A model calls no backend, so simulated failures are `not_testable`.
"""

import time
from typing import Any

from rich.text import Text

from pipeline import params
from pipeline.errors import InputError
from pipeline.targets import form
from pipeline.targets.question import NoAnswerError, Question
from pipeline.targets.retries import retry_after_s

KEY = "params.yaml: evaluate.target.model"


def open_target(target: params.Target) -> "Model":
    form.check(target.system, "system")
    return Model(str(target.model), target.system)


class Model:
    """Asks through Inspect, which would retry without end: it and the provider's client are told to ask once."""

    def __init__(self, name: str, system: str | None) -> None:
        self._name, self._system = name, system
        self._model: Any = _opened(name)

    async def __call__(self, question: Question) -> Any:
        if self._model is None:
            self._model = _opened(self._name)
        client: Any = getattr(self._model.api, "client", None)
        if hasattr(client, "max_retries"):
            client.max_retries = 0
        try:
            output = await self._model.generate(_messages(question, self._system))
        except Exception as error:
            raise _no_answer(error) from None
        if output.error:
            raise NoAnswerError("model_error")
        calls = [{"name": call.function, "arguments": call.arguments} for call in output.message.tool_calls or []]
        return {"answer": output.completion, "tool_calls": calls, "usage": output.usage.model_dump() if output.usage else None}

    async def aclose(self) -> None:
        model, self._model = self._model, None
        if model is not None:
            await model.api.aclose()


def _opened(name: str) -> Any:
    """Inspect's model. Raises InputError where it has none of that name, or its package or key is missing."""
    from inspect_ai.model import GenerateConfig, get_model

    try:
        return get_model(name, config=GenerateConfig(max_retries=0, max_connections=1000), memoize=False)
    except Exception as error:  # of many types, whatever a provider finds missing
        said = " ".join(Text.from_markup(str(getattr(error, "message", error))).plain.removeprefix("ERROR: ").split())
        raise InputError(f"{KEY}: {name} cannot be opened: {said}") from None


def _messages(question: Question, system: str | None) -> list[Any]:
    from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser

    kinds = {"user": ChatMessageUser, "assistant": ChatMessageAssistant, "system": ChatMessageSystem}
    told = [ChatMessageSystem(content=str(form.filled(system, question)))] if system else []
    # What a tool said is part of the history, and a tool message without the call that it answers is refused by providers.
    return told + [kinds.get(message["role"], ChatMessageUser)(content=message["content"]) for message in question.messages]


def _no_answer(error: Exception) -> NoAnswerError:
    """What a provider raised, as a code. Inspect wraps what may pass in tenacity's RetryError once it may not try again."""
    wrapped: Any = getattr(error, "last_attempt", None)
    cause = wrapped.exception() if wrapped else error
    status = getattr(cause, "status_code", None)
    code = f"http_{status}" if isinstance(status, int) else f"raised:{type(cause).__name__}"
    headers = getattr(getattr(cause, "response", None), "headers", {})
    return NoAnswerError(code, wrapped is not None, retry_after_s(headers.get("Retry-After"), time.time()))
