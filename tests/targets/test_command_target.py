import os
import sys
import time
from pathlib import Path
from typing import Any

import anyio
import pytest

from pipeline import params
from pipeline.errors import InputError
from pipeline.targets import open_target
from pipeline.targets.asking import answer
from pipeline.targets.journal import Answered
from pipeline.targets.question import Question, Remote
from pipeline.targets.reply import Response
from pipeline.targets.retries import Pace
from pipeline.yaml_models import build_model

LOOP = "import json, os, sys, time\nopen('started', 'a').write(f'{os.getpid()}\\n')\nfor line in sys.stdin:\n    asked = json.loads(line)\n    text = asked['messages'][-1]['content']\n"
ECHO = "    print(json.dumps({'id': asked['id'], 'answer': 'you said ' + text}))\n"


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def ask(code: str, *texts: str, timeout_s: float = 10.0, fault: str = "", at_once: bool = False, **settings: Any) -> list[Answered]:
    Path("bot.py").write_text(code)
    target = {"kind": "command", "version": "1", "command": f"{sys.executable} bot.py", **settings}
    evaluate = build_model("params.yaml", {"target": target, "retries": {"per_question": 0}}, params.Evaluate)

    async def asked() -> list[Answered]:
        target, pace = open_target(evaluate.target), Pace(evaluate)
        found: dict[str, Answered] = {}

        async def one(text: str) -> None:
            question = Question("e", "sha", 1, [{"role": "user", "content": text}], {"order": 1}, fault)
            found[text] = await answer(question, target, timeout_s, pace)

        async with anyio.create_task_group() as tasks:
            for text in texts:
                if at_once:
                    tasks.start_soon(one, text)
                else:
                    await one(text)
        assert isinstance(target, Remote)
        await target.aclose()
        return [found[text] for text in texts]

    return anyio.run(asked)


def responses(*arguments: Any, **settings: Any) -> list[Response]:
    return [found.response for found in ask(*arguments, **settings)]


def started() -> int:
    return len(Path("started").read_text().split())


def test_one_process_answers_one_question_after_the_other_and_as_many_as_are_asked_at_once() -> None:
    assert [r.answer for r in responses(LOOP + ECHO, "a", "b", "c")] == ["you said a", "you said b", "you said c"]
    assert started() == 1
    responses(LOOP + "    time.sleep(0.3)\n" + ECHO, "a", "b", "c", at_once=True)
    assert started() == 1 + 3


def test_a_program_that_ends_after_each_answer_is_started_for_each() -> None:
    found = responses(LOOP + ECHO + "    break\n", "a", "b", "c")
    assert [(r.answer, r.error) for r in found] == [("you said a", ""), ("you said b", ""), ("you said c", "")]
    assert started() == 3


def test_a_process_that_dies_is_an_error_and_the_next_question_meets_a_new_one() -> None:
    found = responses(LOOP + "    if text == 'dies': sys.exit(7)\n" + ECHO, "a", "dies", "b")
    assert [r.error for r in found] == ["", "process_ended:7", ""]
    assert started() == 3, "one that had answered before may have been about to end: a new one was asked, and died too"


def test_a_program_that_does_not_start_is_an_error_and_says_why_in_its_log() -> None:
    assert responses("import nothing_like_this\n", "a")[0].error == "process_ended:1"
    assert "nothing_like_this" in Path("logs/target.log").read_text()


def test_a_process_that_does_not_answer_in_time_is_killed_with_what_it_started() -> None:
    hangs = "    if text == 'hangs':\n        import subprocess\n        child = subprocess.Popen(['sleep', '60'])\n        open('child', 'w').write(str(child.pid))\n        child.wait()\n"
    found = responses(LOOP + hangs + ECHO, "hangs", "b", timeout_s=1)
    assert [r.error for r in found] == ["timeout", ""]
    child, until = int(Path("child").read_text()), time.monotonic() + 5
    while _is_running(child):
        assert time.monotonic() < until
        time.sleep(0.01)


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z" if Path("/proc/self").exists() else os.kill(pid, 0) is None
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_no_answer_is_taken_for_that_to_another_question() -> None:
    twice = ECHO + "    print(json.dumps({'answer': 'a line too many'}))\n"
    found = responses(LOOP + twice, "a", "b", "c")
    assert {(r.answer, r.error) for r in found} <= {(f"you said {text}", "") for text in "abc"} | {("", "out_of_step")}
    assert found[0].answer == "you said a"
    [silent] = responses(LOOP + "    print(json.dumps({'answer': text}))\n", "a")
    assert silent.error == "out_of_step"
    chatty = "    if text == 'b': print('loading the model ...')\n" + ECHO
    assert [(r.answer, r.error) for r in responses(LOOP + chatty, "a", "b", "c")] == [
        ("you said a", ""),
        ("", "unreadable_reply"),
        ("you said c", ""),
    ]


def test_a_simulated_failure_is_a_field_and_is_acknowledged_by_one() -> None:
    meets = "    print(json.dumps({'id': asked['id'], 'answer': asked['fault'] or 'none', 'fault_met': text == 'meets'}))\n"
    found = responses(LOOP + meets, "meets", "ignores", fault="rate_limit")
    assert [(r.answer, r.error) for r in found] == [("rate_limit", ""), ("", "not_testable")]


def test_its_own_form_is_sent_whole_or_another_is_mapped() -> None:
    responses(LOOP + "    open('line', 'w').write(line)\n" + ECHO, "a")
    assert Path("line").read_text() == '{"id":"e/1","messages":[{"role":"user","content":"a"}],"fixtures":{"order":1},"fault":null}\n'
    mapped = LOOP.replace("asked['messages'][-1]['content']", "asked['q']") + "    print(json.dumps([text, 0.5]))\n"
    [found] = responses(mapped, "a", request={"q": "{text}"}, response={"answer": "[0]", "confidence": "[1]"})
    assert found == Response("a", confidence=0.5)


@pytest.mark.parametrize(
    ("command", "says"), [("no-such-program x", "no program 'no-such-program' here"), ("a 'b", "not a command"), (" ", "no program ''")]
)
def test_a_command_that_cannot_be_is_one_line(command: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        ask("", "a", command=command)
