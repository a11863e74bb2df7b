import datetime
from collections.abc import Iterator
from typing import Any

import anyio
import pytest

from pipeline import params
from pipeline.errors import InputError
from pipeline.targets import open_target
from pipeline.targets.asking import answer
from pipeline.targets.journal import Answered
from pipeline.targets.question import Question, Remote
from pipeline.targets.reply import Response, Usage
from pipeline.targets.retries import Pace, retry_after_s
from pipeline.yaml_models import build_model
from tests.targets.server import Chat, chat_server, completion

QUICK = {"per_question": 2, "backoff_s": 0.01, "longest_wait_s": 0.5}


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[Chat]:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with chat_server() as server:
        yield server


def wanted(url: str, timeout_s: float = 5.0, retries: dict[str, Any] = QUICK, **target: Any) -> params.Evaluate:
    openai = {} if "request" in target else {"preset": "openai-chat", "request": {"model": "m"}}
    settings = {"kind": "http", "version": "1", "url": url, **openai, **target}
    return build_model("params.yaml", {"target": settings, "timeout_s": timeout_s, "retries": retries}, params.Evaluate)


def ask(evaluate: params.Evaluate, *texts: str, fault: str = "", **question: Any) -> list[Answered]:
    """The answers to questions that are asked one after the other."""

    async def asked() -> list[Answered]:
        target, pace = open_target(evaluate.target), Pace(evaluate)
        given = {"fixtures": {}, "messages": [{"role": "user", "content": "hi"}], **question}
        found = []
        for text in texts:
            messages = [*given["messages"][:-1], {"role": "user", "content": text}]
            found.append(await answer(Question("e-1", "sha", 1, messages, given["fixtures"], fault), target, evaluate.timeout_s, pace))
        assert isinstance(target, Remote)
        await target.aclose()
        return found

    return anyio.run(asked)


def test_the_openai_form_is_asked_with_its_history_and_its_answer_and_tokens_are_read(chat: Chat) -> None:
    history = [{"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}, {"role": "user", "content": "-"}]
    [found] = ask(wanted(chat.url), "three", messages=history)
    assert (found.response, found.attempts) == (Response("you said three"), 1)
    assert found.usage == Usage(7, 3)
    assert chat.requests[0]["body"] == {"model": "m", "messages": [*history[:-1], {"role": "user", "content": "three"}]}


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (completion(None, refusal="I will not."), Response("I will not.", behaviour="refuse")),
        (
            completion(None, tool_calls=[{"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}]),
            Response("", tool_calls='[{"arguments":{"x":1},"name":"f"}]'),
        ),
        (completion(""), Response("")),
    ],
)
def test_refusals_calls_and_empty_answers_of_the_openai_form_are_answers(chat: Chat, reply: dict[str, Any], expected: Response) -> None:
    from pipeline.targets.http import form
    from pipeline.targets.reply import parse

    assert parse(form(wanted(chat.url).target).reply(reply)) == expected


def test_what_fails_in_passing_is_asked_again_and_what_does_not_pass_is_a_code(chat: Chat) -> None:
    texts = ("429 twice", "500", "garbage", "cut", "404", "fine")
    found = dict(zip(texts, ask(wanted(chat.url), *texts), strict=True))
    assert {text: (one.response.error, one.attempts) for text, one in found.items()} == {
        "429 twice": ("", 3),
        "500": ("http_500", 3),
        "garbage": ("unreadable_reply", 1),
        "cut": ("connection_lost", 3),
        "404": ("http_404", 1),
        "fine": ("", 1),
    }
    assert {text: chat.asked[text] for text in texts} == {text: one.attempts for text, one in found.items()}


def test_no_answer_in_time_is_asked_again_and_then_a_timeout(chat: Chat) -> None:
    [found] = ask(wanted(chat.url, timeout_s=0.1), "never")
    assert (found.response.error, found.attempts) == ("timeout", 3)
    # A machine under load may give up before a request has left it.
    assert 1 <= chat.asked["never"] <= 3


def test_a_dead_address_is_a_code(chat: Chat) -> None:
    [found] = ask(wanted("http://127.0.0.1:9/"), "hi")
    assert (found.response.error, found.attempts) == ("connection_refused", 3)


def test_retry_after_is_honoured_and_one_that_is_too_long_is_not_waited_for(chat: Chat) -> None:
    retries = {"per_question": 1, "backoff_s": 0.001, "longest_wait_s": 2.0}
    before = anyio.run(_now)
    assert ask(wanted(chat.url, retries=retries), "429 for 1")[0].attempts == 2
    assert anyio.run(_now) - before >= 1
    assert ask(wanted(chat.url, retries=retries), "429 for 60")[0].attempts == 1


async def _now() -> float:
    return anyio.current_time()


def test_retry_after_is_seconds_or_a_date() -> None:
    noon = datetime.datetime(2026, 3, 2, 12, tzinfo=datetime.UTC).timestamp()
    assert retry_after_s("7", noon) == 7
    assert retry_after_s("Mon, 02 Mar 2026 12:00:30 GMT", noon) == 30
    assert retry_after_s("Mon, 02 Mar 2026 11:00:00 GMT", noon) == 0
    assert [retry_after_s(header, noon) for header in (None, "soon", "")] == [None, None, None]


def test_ones_own_form_is_filled_and_read(chat: Chat) -> None:
    request = {
        "messages": [{"role": "user", "content": "{text}"}],
        "session": "{example_id}-{epoch}",
        "order": "{fixtures.order.id}",
        "none": "{fixtures.customer.id}",
        "fixed": 3,
    }
    response = {"answer": "choices[0].message.content", "behaviour": "choices[0].message.role", "behaviours": {"assistant": "escalate"}}
    [found] = ask(wanted(chat.url, request=request, response=response), "hi", fixtures={"order": {"id": "HL-1"}})
    assert found.response == Response("you said hi", behaviour="escalate")
    sent = {"messages": [{"role": "user", "content": "hi"}], "session": "e-1-1", "order": "HL-1", "none": None, "fixed": 3}
    assert chat.requests[0]["body"] == sent


def test_a_simulated_failure_is_sent_and_must_be_acknowledged(chat: Chat) -> None:
    met, breaks, ignored = ask(wanted(chat.url), "meets", "breaks", "ignores", fault="api_error")
    assert met.response.answer == "you said meets"
    assert breaks.response.error == "unhandled_fault"
    assert ignored.response.error == "not_testable"
    assert [request["headers"]["x-golden-fault"] for request in chat.requests] == ["api_error"] * 3, "none of them is asked again"
    ask(wanted(chat.url), "no failure")
    assert "x-golden-fault" not in chat.requests[-1]["headers"]


def test_a_reply_may_acknowledge_where_a_header_cannot(chat: Chat) -> None:
    response = {"answer": "choices[0].message.content", "fault_met": "usage.prompt_tokens == `7`"}
    [found] = ask(wanted(chat.url, request={"messages": "{messages}"}, response=response), "hi", fault="timeout")
    assert found.response.answer == "you said hi"


def test_a_secret_comes_from_the_environment_and_a_missing_one_is_one_line(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluate = wanted(chat.url, headers={"Authorization": "Bearer ${SHOP_TOKEN}"})
    monkeypatch.delenv("SHOP_TOKEN", raising=False)
    with pytest.raises(InputError) as raised:
        open_target(evaluate.target)
    assert str(raised.value) == "params.yaml: evaluate.target.headers.Authorization: the environment variable SHOP_TOKEN is not set"
    monkeypatch.setenv("SHOP_TOKEN", "t0ken")
    ask(evaluate, "hi")
    assert chat.requests[0]["headers"]["authorization"] == "Bearer t0ken"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"headers": {"Authorization": "Bearer SECRET"}}, "headers.Authorization: a secret does not belong into a file"),
        ({"url": "https://me:SECRET@shop.example.com"}, "url: a secret does not belong into a file"),
        ({"url": "https://shop.example.com/?api_key=SECRET"}, "url: a secret does not belong into a file"),
        ({"response": {"answer": "a[", "citations": "b"}}, "answer: not a JMESPath expression"),
        ({"response": {"answr": "a"}}, "target.response.answr: unknown key; did you mean 'answer'?"),
        ({"request": {}, "response": {"citations": "b"}}, "response.answer: missing"),
        ({"callable": "a:b"}, "callable: not for a target of kind http"),
        ({"url": "shop.example.com"}, "evaluate.target.url: expected http:// or https:// and a host"),
        ({"request": {"x": ["{mesages}"]}}, "evaluate.target.request.x: no placeholder {mesages}; did you mean {messages}?"),
        ({"preset": "openai-chat", "request": {"x": 1}}, "evaluate.target.request.model: missing"),
    ],
)
def test_a_wrong_setting_is_one_line_without_the_secret(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as raised:
        open_target(wanted(**{"url": "https://shop.example.com/chat", **settings}).target)
    assert says in str(raised.value)
    assert "SECRET" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_json_object_in_a_text_is_no_placeholder(chat: Chat) -> None:
    request = {"messages": "{messages}", "schema": '{"type": {"a": 1}}'}
    [found] = ask(wanted(chat.url, request=request, response={"answer": "choices[0].message.content"}), "hi")
    assert (found.response.answer, chat.requests[0]["body"]["schema"]) == ("you said hi", '{"type": {"a": 1}}')


def test_a_reply_of_another_shape_is_an_error_of_its_field(chat: Chat) -> None:
    response = {"answer": "choices[0].message.content", "citations": "join(',', usage)"}
    [other] = ask(wanted(chat.url, request={"messages": "{messages}"}, response={"answer": "reply.text"}), "hi")
    assert other.response.error == "bad_response:answer"
    [unfit] = ask(wanted(chat.url, request={"messages": "{messages}"}, response=response), "hi")
    assert unfit.response == Response("you said hi"), "an expression that does not fit the reply finds nothing"
