from pathlib import Path
from typing import Any

import anyio
import pytest
from inspect_ai.model import ChatCompletionChoice, ChatMessageAssistant, ModelAPI, ModelOutput, ModelUsage, modelapi
from inspect_ai.tool import ToolCall

from pipeline import params
from pipeline.errors import InputError
from pipeline.targets import open_target
from pipeline.targets.asking import answer, ask_all
from pipeline.targets.journal import Answered
from pipeline.targets.question import Question
from pipeline.targets.reply import Response, Usage
from pipeline.targets.retries import Pace

SEEN: list[list[tuple[str, str]]] = []


class BusyError(Exception):
    status_code = 429


class Shop(ModelAPI):
    """A provider whose model repeats what it is told, calls a tool where asked to, and is busy where it is told so."""

    async def generate(self, input: list[Any], tools: Any, tool_choice: Any, config: Any) -> ModelOutput:
        SEEN.append([(message.role, message.text) for message in input])
        text = input[-1].text
        if text in ("busy", "broken"):
            raise BusyError if text == "busy" else ValueError("SECRET")
        calls = [ToolCall(id="1", function="look", arguments={"x": 1})] if text == "call" else None
        message = ChatMessageAssistant(content=f"you said {text}", tool_calls=calls)
        usage = ModelUsage(input_tokens=5, output_tokens=2, total_tokens=7)
        return ModelOutput(model="shop", choices=[ChatCompletionChoice(message=message)], usage=usage)

    def should_retry(self, ex: Exception) -> bool:
        return isinstance(ex, BusyError)


@pytest.fixture(autouse=True)
def provider() -> None:
    SEEN.clear()

    @modelapi(name="shop")
    def shop() -> type[ModelAPI]:
        return Shop


def wanted(**target: Any) -> params.Evaluate:
    settings = params.Target(**{"kind": "inspect", "version": "1", "model": "shop/large", **target})
    return params.Evaluate(target=settings, retries=params.Retries(per_question=2, backoff_s=0.01))


def ask(evaluate: params.Evaluate, *texts: str, before: tuple[str, ...] = (), fault: str = "") -> list[Answered]:
    async def asked() -> list[Answered]:
        target, pace = open_target(evaluate.target), Pace(evaluate)
        history = [{"role": "assistant" if place % 2 else "user", "content": text} for place, text in enumerate(before)]
        questions = [Question("e", "s", 1, [*history, {"role": "user", "content": text}], {"shop": "Hollow Lane"}, fault) for text in texts]
        return [await answer(question, target, 10.0, pace) for question in questions]

    return anyio.run(asked)


def test_a_model_is_told_the_history_and_what_the_system_says() -> None:
    [found] = ask(wanted(system="You work for {fixtures.shop}."), "three", before=("one", "two"))
    assert (found.response, found.usage) == (Response("you said three"), Usage(5, 2))
    assert SEEN == [[("system", "You work for Hollow Lane."), ("user", "one"), ("assistant", "two"), ("user", "three")]]


def test_a_models_tool_calls_are_kept() -> None:
    [found] = ask(wanted(), "call")
    assert found.response == Response("you said call", tool_calls='[{"arguments":{"x":1},"name":"look"}]')


def test_a_busy_model_is_asked_again_in_one_layer_alone_and_a_broken_one_is_not() -> None:
    busy, broken = ask(wanted(), "busy", "broken")
    assert (busy.response.error, busy.attempts) == ("http_429", 3)
    assert (broken.response.error, broken.attempts) == ("raised:ValueError", 1)
    assert len(SEEN) == 4


def test_a_model_has_no_backend_that_could_fail() -> None:
    assert ask(wanted(), "hi", fault="timeout")[0].response.error == "not_testable"


def test_what_a_model_is_asked_stays_out_of_inspects_files(tmp_path: Path) -> None:
    evaluate, seen = wanted(), b""
    questions = [Question(f"e{i}", f"s{i}", 1, [{"role": "user", "content": f"PROMPT {i}"}], {}) for i in range(30)]

    def answered(question: Question, found: Answered) -> None:
        nonlocal seen
        assert found.response.answer == f"you said {question.messages[0]['content']}"
        seen += b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())

    target = open_target(evaluate.target)
    ask_all(questions, target, evaluate, answered, tmp_path)
    ask_all(questions[:1], target, evaluate, answered, tmp_path)  # the model is opened anew in another event loop
    assert b"PROMPT" not in seen


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("nobody/x", "nobody/x cannot be opened"),
        ("openai/gpt-5", "openai/gpt-5 cannot be opened: "),
    ],
)
def test_a_model_that_is_not_there_is_one_line(model: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(InputError, match=says) as raised:
        open_target(wanted(model=model).target)
    assert "\n" not in str(raised.value)
