import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from pipeline import evaluate, schema, tables
from pipeline.errors import InputError
from pipeline.params import Price
from pipeline.targets.journal import Answered
from pipeline.targets.reply import Response, Usage
from tests import frames
from tests.targets.server import chat_server

ROOT = Path(__file__).parents[1]
RESPONSES = Path("data/responses/1.0.0.parquet")
ECHO = "def answer(messages, fixtures):\n    return 'you said ' + messages[-1]['content']\n"
COUNTING = "open('asked', 'a').write(messages[-1]['content'] + '\\n')"


def example(example_id: str, text: str = "a question", **fields: Any) -> dict[str, Any]:
    own = {"source": "expert", "must_include": [["you said"]], "input_sha": f"sha of {text} {fields.get('fault', '')}"}
    return frames.example(example_id, text, **own | fields)


def asks(bot: str, examples: list[dict[str, Any]], control_sample: tuple[dict[str, Any], ...] = (), **wanted: Any) -> None:
    """The repository in the current folder: its target's code, its examples, its control sample and what `evaluate` is told."""
    Path("bot.py").write_text(bot)
    for path, rows in ((evaluate.EXAMPLES, examples), (evaluate.CONTROL, control_sample)):
        tables.write_parquet(path, pd.DataFrame(rows, columns=schema.EXAMPLES.names), schema.EXAMPLES)
    yaml = YAML(typ="safe", pure=True)
    params = yaml.load((ROOT / "params.yaml").read_text())
    params["evaluate"] = {"target": {"kind": "python", "callable": "bot:answer", "version": "1.0.0"}, **wanted}
    with Path("params.yaml").open("w") as out:
        yaml.dump(params, out)
    sys.modules.pop("bot", None)


def answered() -> pd.DataFrame:
    return tables.read_parquet(RESPONSES, schema.RESPONSES).set_index("example_id")


def texts_below(*folders: str) -> bytes:
    return b"".join(path.read_bytes() for folder in folders for path in Path(folder).rglob("*") if path.is_file())


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)


def test_every_example_is_asked_once_in_every_epoch_and_rows_are_in_order() -> None:
    asks(ECHO.replace("return", f"{COUNTING}; return"), [example("b", "two"), example("a", "one")], epochs=2)
    line = evaluate.work()
    frame = tables.read_parquet(RESPONSES, schema.RESPONSES)
    assert frame[["example_id", "epoch", "answer"]].values.tolist() == [
        ["a", 1, "you said one"],
        ["a", 2, "you said one"],
        ["b", 1, "you said two"],
        ["b", 2, "you said two"],
    ]
    assert sorted(Path("asked").read_text().split()) == ["one", "one", "two", "two"]
    assert line == "2 examples x 2 of 1.0.0: 4 answered (0 from before), 0 errors"


def test_the_control_sample_is_asked_beside_and_what_both_hold_is_asked_once() -> None:
    bot, examples = ECHO.replace("return", f"{COUNTING}; return"), [example("b", "two"), example("a", "one")]
    control = (example("a", "one"), example("c", "three"))
    asks(bot, examples, control)
    assert evaluate.work() == "2 examples x 1 of 1.0.0: 2 answered (0 from before), 0 errors; 2 of 2 of the control sample"
    beside = tables.read_parquet(evaluate.CONTROL_RESPONSES / "1.0.0.parquet", schema.RESPONSES)
    assert beside[["example_id", "answer"]].values.tolist() == [["a", "you said one"], ["c", "you said three"]]
    assert answered().index.tolist() == ["a", "b"]
    assert sorted(Path("asked").read_text().split()) == ["one", "three", "two"]
    asks(bot, examples, control, control=False)
    evaluate.work()
    assert tables.read_parquet(evaluate.CONTROL_RESPONSES / "1.0.0.parquet", schema.RESPONSES).empty


def test_a_second_run_asks_nothing_and_any_run_gives_the_same_bytes() -> None:
    asks(ECHO.replace("return", f"{COUNTING}; return"), [example(f"e{i}", f"q{i}") for i in range(20)])
    evaluate.work()
    first = RESPONSES.read_bytes()
    RESPONSES.unlink()  # as DVC does before a stage
    assert "20 answered (20 from before)" in evaluate.work()
    assert RESPONSES.read_bytes() == first
    assert len(Path("asked").read_text().split()) == 20
    Path(".golden/responses/1.0.0.jsonl").unlink()
    evaluate.work()
    assert RESPONSES.read_bytes() == first


def test_an_answer_that_errors_is_a_code_without_content_and_no_other_answer_suffers() -> None:
    asks(
        "import asyncio\n"
        "async def answer(messages, fixtures):\n"
        "    text = messages[-1]['content']\n"
        "    if text == 'slow': await asyncio.sleep(60)\n"
        "    if text == 'own timeout': raise TimeoutError('the SECRET timed out')\n"
        "    if text == 'raise': raise ValueError('a SECRET')\n"
        "    if text == 'exit': raise SystemExit('a SECRET')\n"
        "    if text == 'field': return {'answer': 'ok', 'confidence': 'SECRET'}\n"
        "    return {'answer': 'fine', 'confidence': 1, 'citations': ['kb-1'], 'tool_calls': [{'name': 'look', 'arguments': {'b': 1, 'a': 2}}]}\n",
        [example(t, t) for t in ("slow", "own timeout", "raise", "exit", "field", "fine")],
        timeout_s=0.3,
    )
    line = evaluate.work()
    assert answered()["error"].to_dict() == {
        "exit": "raised:SystemExit",
        "field": "bad_response:confidence",
        "fine": "",
        "own timeout": "raised:TimeoutError",
        "raise": "raised:ValueError",
        "slow": "timeout",
    }
    assert answered().loc["fine", ["answer", "citations", "confidence", "tool_calls"]].tolist() == [
        "fine",
        ["kb-1"],
        1.0,
        '[{"arguments":{"a":2,"b":1},"name":"look"}]',
    ]
    assert "1 answered (0 from before), 5 errors (bad_response:confidence 1, raised:SystemExit 1" in line
    assert b"SECRET" not in texts_below("data/responses", ".golden", "logs")


def test_an_error_is_asked_again_and_an_answer_is_not() -> None:
    broken = f"def answer(messages, fixtures):\n    {COUNTING}\n    if messages[-1]['content'] == 'one': raise OSError\n    return 'ok'\n"
    asks(broken, [example("a", "one"), example("b", "two")])
    assert "1 errors (raised:OSError 1)" in evaluate.work()
    asks(broken.replace("raise OSError", "pass"), [example("a", "one"), example("b", "two")])
    assert "2 answered (1 from before), 0 errors" in evaluate.work()
    assert sorted(Path("asked").read_text().split()) == ["one", "one", "two"]


def test_a_changed_input_is_asked_anew_and_another_versions_answers_stay() -> None:
    asks(ECHO, [example("a", "old")])
    evaluate.work()
    asks(ECHO, [example("a", "new")])
    evaluate.work()
    assert answered()["answer"].tolist() == ["you said new"]
    asks(ECHO.replace("you", "I"), [example("a", "new")], target={"kind": "python", "callable": "bot:answer", "version": "2.0"})
    evaluate.work()
    assert answered()["answer"].tolist() == ["you said new"]
    assert tables.read_parquet(Path("data/responses/2.0.parquet"), schema.RESPONSES)["answer"].tolist() == ["I said new"]


def test_a_simulated_failure_is_met_or_not_testable_and_one_that_gets_through_is_named() -> None:
    asks(
        "from pipeline import faults\n"
        "def answer(messages, fixtures):\n"
        "    text = messages[-1]['content']\n"
        "    if text == 'never calls': return 'fine'\n"
        "    if text == 'lets through': faults.check()\n"
        "    try: faults.check()\n"
        "    except faults.SimulatedFault as fault: return {'answer': type(fault).__name__, 'behaviour': 'degrade'}\n"
        "    return 'fine'\n",
        [example(t, t, fault="rate_limit") for t in ("never calls", "lets through", "handles")] + [example("no fault", "lets through")],
    )
    evaluate.work()
    assert answered()["error"].to_dict() == {
        "handles": "",
        "lets through": "unhandled_fault",
        "never calls": "not_testable",
        "no fault": "",
    }
    assert answered().loc["handles", "answer"] == "SimulatedRateLimit"


def test_fixtures_reach_the_target_and_what_it_does_to_them_reaches_nobody() -> None:
    asks(
        "def answer(messages, fixtures):\n    messages.clear()\n    return str(fixtures.pop('order', 'none'))\n",
        [example("a", "one", fixtures='{"order":"HL-1"}'), example("b", "two")],
        epochs=2,
    )
    evaluate.work()
    assert answered()["answer"].tolist() == ["HL-1", "HL-1", "none", "none"]


def test_recorded_answers_are_read_anew_every_time() -> None:
    recorded = {"kind": "recorded", "path": "answers.jsonl", "version": "1.0.0"}
    asks(ECHO, [example("a", "one"), example("b", "two")], target=recorded)
    Path("answers.jsonl").write_text('{"example_id":"a","answer":"first"}\n')
    assert "1 errors (not_recorded 1)" in evaluate.work()
    Path("answers.jsonl").write_text('{"example_id":"a","answer":"second"}\n')
    evaluate.work()
    assert answered().loc["a", "answer"] == "second"


def test_a_target_that_answers_nothing_is_refused_and_the_last_responses_stay() -> None:
    asks(ECHO, [example("a", "one")])
    evaluate.work()
    before = RESPONSES.read_bytes()
    asks("def answer(messages, fixtures):\n    raise ConnectionError('SECRET')\n", [example("b", "two")])
    with pytest.raises(InputError, match=r"1\.0\.0 answered none of 1 questions \(raised:ConnectionError 1\)"):
        evaluate.work()
    assert RESPONSES.read_bytes() == before


def test_neither_the_users_env_file_nor_their_home_is_touched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("INSPECT_EVAL_MODEL", "openai/none-such")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    Path(".env").write_text("FROM_ENV_FILE=yes\nINSPECT_LOG_DIR=elsewhere\n")
    asks("import os\ndef answer(messages, fixtures):\n    return str(os.environ.get('FROM_ENV_FILE'))\n", [example("a")])
    evaluate.work()
    assert answered()["answer"].tolist() == ["None"]
    assert not (tmp_path / "home").exists()
    assert not Path("elsewhere").exists()
    assert "XDG_DATA_HOME" not in os.environ


def test_a_kill_costs_only_what_was_in_flight_and_a_target_that_hangs_does_not_hold_the_stage() -> None:
    asks(
        f"import time\ndef answer(messages, fixtures):\n    {COUNTING}\n"
        "    time.sleep(1000 if messages[-1]['content'] == 'hangs' else 0.05)\n    return 'ANSWER'\n",
        [example(f"e{i:02}", f"PROMPT{i:02}") for i in range(60)] + [example("hangs", "hangs")],
        concurrency=4,
        timeout_s=1,
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pipeline.evaluate"]
    first = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    asked, until = Path("asked"), time.monotonic() + 300
    while not asked.exists() or len(asked.read_text().split()) < 20:
        assert time.monotonic() < until
        assert first.poll() is None
        time.sleep(0.01)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    kept = Path(".golden/responses/1.0.0.jsonl").read_bytes().count(b"ANSWER")
    assert b"PROMPT" not in texts_below(".golden/inspect")
    before = asked.read_text().split()
    second = subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=300)
    again = asked.read_text().split()[len(before) :]
    assert f"60 answered ({kept} from before), 1 errors (timeout 1)" in second.stdout
    assert second.stderr == ""
    assert len(again) == 61 - kept
    assert len(set(before) & set(again) - {"hangs"}) <= 4
    assert texts_below(".golden/inspect") == b""


def test_a_server_that_errs_in_every_way_ends_the_run_with_errors_told_apart() -> None:
    texts = ("fine", "429 twice", "500", "garbage", "cut", "never", "breaks", "ignores")
    with chat_server() as chat:
        examples = [example(text, text, fault="timeout" if text in ("breaks", "ignores") else "") for text in texts]
        target = {"kind": "http", "version": "1.0.0", "url": chat.url, "preset": "openai-chat", "request": {"model": "m"}}
        wanted = {"target": target, "timeout_s": 0.5, "retries": {"per_question": 2, "backoff_s": 0.01}, "price": {"input": 2, "output": 8}}
        asks("", examples, **wanted)
        line = evaluate.work()
        assert answered()["error"].to_dict() == {
            "429 twice": "",
            "500": "http_500",
            "breaks": "unhandled_fault",
            "cut": "connection_lost",
            "fine": "",
            "garbage": "unreadable_reply",
            "ignores": "not_testable",
            "never": "timeout",
        }
        told = "5 errors (connection_lost 1, http_500 1, timeout 1, unhandled_fault 1, unreadable_reply 1), 1 not testable, 8 retries"
        assert line == f"8 examples x 1 of 1.0.0: 2 answered (0 from before), {told}"
        log = pd.read_csv("logs/latency.csv").set_index("example_id")
        assert log["attempts"].to_dict() == dict(chat.asked)
        assert log.loc["fine", ["input_tokens", "output_tokens", "cost"]].tolist() == [7, 3, 38e-6]
        assert b"SECRET" not in texts_below("data/responses", ".golden", "logs")
        evaluate.work()
        assert {text: chat.asked[text] for text in ("fine", "429 twice", "breaks", "ignores")} == {
            "fine": 1,
            "429 twice": 3,
            "breaks": 1,
            "ignores": 1,
        }, "what the target decided is not asked again"


def test_a_run_killed_and_run_again_asks_the_server_nothing_twice_that_it_had_answered() -> None:
    names = [f"e{i:03}" for i in range(120)]
    with chat_server() as chat:
        target = {"kind": "http", "version": "1.0.0", "url": chat.url, "preset": "openai-chat", "request": {"model": "m"}}
        asks("", [example(name, name) for name in names], target=target, concurrency=4)
        command = [sys.executable, "-m", "pipeline.evaluate"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        first = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while chat.asked.total() < 40:
            assert time.monotonic() < until
            assert first.poll() is None
            time.sleep(0.001)
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        kept = {line["input_sha"] for line in map(orjson.loads, Path(".golden/responses/1.0.0.jsonl").read_bytes().splitlines())}
        time.sleep(0.1)  # what was in flight is counted
        before = dict(chat.asked)
        second = subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=300)
        assert f"120 answered ({len(kept)} from before), 0 errors" in second.stdout
        again = {name for name in names if chat.asked[name] > before.get(name, 0)}
        assert again == {name for name in names if f"sha of {name} " not in kept}
        assert len(again & set(before)) <= 4, "only what was in flight when it was killed"
        assert 0 < len(kept) < 120


def test_a_changed_mapping_asks_again_and_a_changed_address_does_not() -> None:
    with chat_server() as chat, chat_server() as other:
        target = {"kind": "http", "version": "1.0.0", "url": chat.url, "preset": "openai-chat", "request": {"model": "m"}}
        for url, mapped in ((chat.url, {}), (other.url, {}), (other.url, {"citations": "choices[].message.role"})):
            asks("", [example("a", "one")], target=target | {"url": url} | ({"response": mapped} if mapped else {}))
            evaluate.work()
        assert (chat.asked.total(), other.asked.total()) == (1, 1)
        assert answered().loc["a", "citations"] == ["assistant"]


def test_a_programs_processes_end_with_the_run() -> None:
    program = "import json, os, sys\nopen('pids', 'a').write(f'{os.getpid()}\\n')\nfor line in sys.stdin:\n    print(json.dumps({'id': json.loads(line)['id'], 'answer': 'hi'}))\n"
    Path("program.py").write_text(program)
    target = {"kind": "command", "version": "1.0.0", "command": f"{sys.executable} program.py"}
    asks("", [example(f"e{i}", f"q{i}") for i in range(12)], target=target, concurrency=3)
    assert evaluate.work() == "12 examples x 1 of 1.0.0: 12 answered (0 from before), 0 errors"
    pids = Path("pids").read_text().split()
    assert 1 <= len(pids) <= 3
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_tokens_cost_what_a_million_of_them_cost() -> None:
    price = Price(input=2.0, output=8.0)
    assert evaluate.cost(Usage(1_000_000, 500_000), price) == 6
    assert evaluate.cost(Usage(None, 1000), price) == 0.008
    assert evaluate.cost(Usage(), price) is None
    assert evaluate.cost(Usage(1, 1), None) is None


@settings(max_examples=25, deadline=None)
@given(order=st.permutations(["a", "b", "c", "d"]), epochs=st.integers(1, 3), answer=st.text(max_size=5))
def test_responses_are_examples_times_epochs_in_whatever_order_they_came(order: list[str], epochs: int, answer: str) -> None:
    examples = pd.DataFrame([example(i, i) for i in order])
    given_answers = {
        question.key: Answered(Response(answer + question.example_id), 0.1) for question in evaluate.questions(examples, epochs)
    }
    left_over = {("an input of old", 1): Answered(Response("old"), 0.1)}
    frame = evaluate.responses(examples, given_answers | left_over, epochs, "v")
    assert frame[["example_id", "epoch", "answer"]].values.tolist() == [[i, e, answer + i] for i in "abcd" for e in range(1, epochs + 1)]


def test_examples_with_one_input_share_an_answer() -> None:
    examples = pd.DataFrame([example("a", "same"), example("b", "same")])
    assert [question.example_id for question in evaluate.questions(examples, 1)] == ["a"]
    frame = evaluate.responses(examples, {("sha of same ", 1): Answered(Response("hi"), 0.1)}, 1, "v")
    assert frame["answer"].tolist() == ["hi", "hi"]
