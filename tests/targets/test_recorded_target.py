from pathlib import Path
from typing import Any

import anyio
import pandas as pd
import pytest

from pipeline import params, schema, tables
from pipeline.errors import InputError
from pipeline.targets import open_target
from pipeline.targets.asking import attempt
from pipeline.targets.question import Question
from pipeline.targets.reply import Response


def asked(path: Path, example_id: str = "a", epoch: int = 1, fault: str = "") -> Response:
    ask = open_target(params.Target(kind="recorded", version="1", path=str(path)))
    return anyio.run(attempt, Question(example_id, "sha", epoch, [], {}, fault), ask, 5.0).response


def recording(tmp_path: Path, *lines: str) -> Path:
    (tmp_path / "answers.jsonl").write_text("\n".join(lines) + "\n")
    return tmp_path / "answers.jsonl"


def test_a_record_answers_in_its_epoch_or_in_every_one(tmp_path: Path) -> None:
    path = recording(tmp_path, '{"example_id":"a","answer":"any"}', '{"example_id":"a","epoch":2,"answer":"second"}')
    assert [asked(path, epoch=epoch).answer for epoch in (1, 2, 3)] == ["any", "second", "any"]
    assert asked(path, "b").error == "not_recorded"


def test_a_record_for_another_input_is_no_answer(tmp_path: Path) -> None:
    assert asked(recording(tmp_path, '{"example_id":"a","input_sha":"old","answer":"x"}')).error == "recorded_for_another_input"


def test_only_a_record_of_the_same_input_can_say_that_a_failure_was_met(tmp_path: Path) -> None:
    assert asked(recording(tmp_path, '{"example_id":"a","answer":"x"}'), fault="timeout").error == "not_testable"
    assert asked(recording(tmp_path, '{"example_id":"a","input_sha":"sha","answer":"x"}'), fault="timeout").answer == "x"


def test_responses_of_another_run_are_a_recording_with_its_errors(tmp_path: Path) -> None:
    row: dict[str, Any] = {"input_sha": "sha", "target_version": "0", "epoch": 1, "citations": [], "confidence": None, "tool_calls": ""}
    rows = [
        {**row, "example_id": "a", "answer": "x", "behaviour": "refuse", "error": ""},
        {**row, "example_id": "b", "answer": "", "behaviour": "", "error": "timeout"},
    ]
    tables.write_parquet(tmp_path / "r.parquet", pd.DataFrame(rows), schema.RESPONSES)
    assert asked(tmp_path / "r.parquet") == Response("x", behaviour="refuse")
    assert asked(tmp_path / "r.parquet", "b").error == "timeout"


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["{"], "line 1: not JSON"),
        (['{"answer":"x"}'], "record 1: no example_id"),
        (['{"example_id":"a"}', '{"example_id":"a"}'], "record 2: a stands twice"),
    ],
)
def test_a_recording_that_does_not_fit_is_one_line(tmp_path: Path, lines: list[str], says: str) -> None:
    with pytest.raises(InputError, match=says):
        asked(recording(tmp_path, *lines))


def test_a_missing_recording_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"not there; params\.yaml names it"):
        asked(tmp_path / "none.jsonl")
