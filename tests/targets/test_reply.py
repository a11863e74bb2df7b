from typing import Any

import numpy as np
import pytest

from pipeline.targets.question import NoAnswerError
from pipeline.targets.reply import Response, parse


def test_text_alone_is_an_answer() -> None:
    assert parse("hello") == Response("hello")


def test_what_is_not_given_is_empty_and_what_is_not_ours_is_left_out() -> None:
    assert parse({"answer": "", "confidence": None, "citations": None, "latency": 3}) == Response("")


def test_numbers_of_numpy_are_numbers() -> None:
    assert parse({"answer": "a", "confidence": np.float32(0.5)}).confidence == 0.5


def test_tool_calls_are_kept_as_json_of_name_and_arguments() -> None:
    assert parse({"answer": "a", "tool_calls": [{"name": "f", "id": 1}]}).tool_calls == '[{"arguments":{},"name":"f"}]'
    assert parse({"answer": "a", "tool_calls": []}).tool_calls == ""


@pytest.mark.parametrize(
    ("reply", "field"),
    [
        (None, "answer"),
        ({}, "answer"),
        ({"answer": 3}, "answer"),
        ({"answer": "half a pair \ud800"}, "answer"),
        ({"answer": "a", "citations": "kb-1"}, "citations"),
        ({"answer": "a", "citations": [1]}, "citations"),
        ({"answer": "a", "confidence": 1.01}, "confidence"),
        ({"answer": "a", "confidence": float("nan")}, "confidence"),
        ({"answer": "a", "confidence": True}, "confidence"),
        ({"answer": "a", "confidence": "0.5"}, "confidence"),
        ({"answer": "a", "behaviour": "decline"}, "behaviour"),
        ({"answer": "a", "behaviour": ["refuse"]}, "behaviour"),
        ({"answer": "a", "tool_calls": "no json"}, "tool_calls"),
        ({"answer": "a", "tool_calls": ["f"]}, "tool_calls"),
        ({"answer": "a", "tool_calls": [{"name": "f", "arguments": {"x": object()}}]}, "tool_calls"),
    ],
)
def test_what_does_not_fit_names_its_field_and_nothing_else(reply: Any, field: str) -> None:
    with pytest.raises(NoAnswerError) as raised:
        parse(reply)
    assert raised.value.code == f"bad_response:{field}"
