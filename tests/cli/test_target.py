import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from pipeline import schema, tables
from pipeline.cli import app
from pipeline.cli.target import shape
from pipeline.paths import EXAMPLES
from tests.targets.server import chat_server
from tests.test_evaluate import example

ROOT = Path(__file__).parents[2]
BOT = (
    "from pipeline import faults\n"
    "def answer(messages, fixtures):\n"
    "    try: faults.check()\n"
    "    except faults.SimulatedFault: return {'answer': 'cannot look', 'behaviour': 'degrade'}\n"
    "    return {'answer': f'{len(messages)}: {messages[-1][\"content\"]}', 'citations': ['kb-1'], 'confidence': 0.5}\n"
)


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "modules", {name: module for name, module in sys.modules.items() if name != "bot"})
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    Path("bot.py").write_text(BOT)
    examples = [example("a-fault", "where is it", fault="timeout", fixtures='{"order":1}'), example("e-plain", "a question")]
    tables.write_parquet(EXAMPLES, pd.DataFrame(examples), schema.EXAMPLES)
    settings(kind="python", callable="bot:answer")


def settings(**target: Any) -> None:
    yaml = YAML(typ="safe", pure=True)
    params = yaml.load((ROOT / "params.yaml").read_text())
    params["evaluate"] = {"target": {"version": "1.0.0", **target}, "timeout_s": 5}
    with Path("params.yaml").open("w") as out:
        yaml.dump(params, out)


def check(*arguments: str) -> tuple[int, dict[str, str], str]:
    """The exit code, the lines shown by their first word, and what stood on stderr."""
    result = CliRunner().invoke(app, ["target", "check", *arguments])
    return result.exit_code, {line[:12].strip(): line[12:] for line in result.stdout.splitlines()}, result.stderr


def test_an_example_is_asked_and_each_part_of_the_answer_is_shown() -> None:
    code, shown, _ = check()
    assert code == 0
    assert shown["target"] == "python bot:answer, version 1.0.0"
    assert shown["asked"] == "e-plain, 1 message", "the first that simulates no failure"
    assert (shown["answer"], shown["citations"], shown["confidence"]) == ("1: a question", '["kb-1"]', "0.5")
    assert (shown["behaviour"], shown["tool_calls"]) == ("not given", "not given")


def test_a_failure_is_simulated_with_an_example_that_wants_it() -> None:
    code, shown, _ = check("--fault", "timeout")
    assert (code, shown["asked"]) == (0, "a-fault, 1 message, fixtures: order, simulating timeout")
    assert (shown["answer"], shown["failure"]) == ("cannot look", "timeout was met and handled")
    Path("deaf.py").write_text("def answer(messages, fixtures):\n    return 'fine'\n")
    code, shown, _ = check("--target", "deaf:answer", "--fault", "rate_limit")
    assert (code, shown["answer"]) == (1, "fine")
    assert "rate_limit was not met" in shown["failure"]


def test_a_mapping_that_found_nothing_is_named_and_the_replys_shape_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "t0ken")
    with chat_server() as chat:
        mapping = {"answer": "choices[0].message.content", "citations": "sources"}
        form = {"request": {"messages": "{messages}"}, "headers": {"X-Key": "${SHOP_TOKEN}"}}
        settings(kind="http", url=chat.url, response=mapping, **form)
        code, shown, _ = check("--text", "the t0ken")
        assert (code, shown["answer"]) == (0, "you said the ${SHOP_TOKEN}"), "a secret that comes back is not shown"
        assert (shown["citations"], shown["behaviour"]) == ("nothing at sources", "not given")
        settings(kind="http", url=chat.url, response={"answer": "reply.text"}, **form)
        code, shown, _ = check("--text", "hi")
    assert (code, shown["answer"], shown["error"]) == (1, "nothing at reply.text", "bad_response:answer")
    assert shown["received"].startswith("{id: text, object: text, created: number, model: text, choices: [1 x {")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("500", "http_500"),
        ("404", "http_404: nothing at this path: is evaluate.target.url whole?"),
        ("garbage", "unreadable_reply: what came back is not JSON"),
    ],
)
def test_an_error_is_told_with_what_to_do_after_one_request(text: str, error: str) -> None:
    with chat_server() as chat:
        settings(kind="http", url=chat.url, preset="openai-chat", request={"model": "m"})
        code, shown, _ = check("--text", text)
        assert (code, shown["error"], chat.asked[text]) == (1, error, 1)


def test_a_program_that_fails_says_where_to_read_more() -> None:
    Path("bad.py").write_text("import nothing_like_this\n")
    code, shown, _ = check("--target", f"{sys.executable} bad.py")
    assert (code, shown["error"]) == (1, "process_ended:1; what it said is in logs/target.log")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--fault", "fire"], "--fault: no failure 'fire'; there are timeout, api_error, rate_limit"),
        (["--example", "e-none"], "--example: data/golden/examples.parquet has no e-none"),
        (["--target", "nothing"], "--target: no such target"),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], says: str) -> None:
    code, _, stderr = check(*arguments)
    assert code == 1
    assert says in stderr
    assert stderr.count("\n") == 1


def test_without_a_dataset_a_text_can_be_asked() -> None:
    EXAMPLES.unlink()
    assert "give a question by --text" in check()[2]
    assert check("--text", "hi")[1]["answer"] == "1: hi"


def test_a_shape_has_keys_and_types_and_no_values() -> None:
    assert shape({"a": [{"b": "SECRET"}], "c": {"d": {"e": {"f": 1}}}, "g": None}) == "{a: [1 x {b: text}], c: {d: {e: {...}}}, g: null}"
