import json

import pytest

from pipeline import model_writer
from pipeline.errors import InputError
from pipeline.expectations import Tagging
from pipeline.slices import parse
from pipeline.yaml_models import build_model
from tests.targets.server import chat_server, completion

TAGGING = build_model("t", {"version": "1", "dimensions": {"category": {"meaning": "what about", "values": ["billing"]}}}, Tagging)
CELL = parse("category=billing")


def asked(chat, reply, key_variable=""):
    chat.reply = lambda body, headers: (chat.requests.append((body, headers)), (200, {}, json.dumps(completion(reply)).encode()))[1]
    address = model_writer.open_model("m-1", chat.url, key_variable)
    return model_writer.proposals(address, "m-1", CELL, 2, TAGGING, "Invoices are sent by mail.")


def test_a_model_is_told_the_gap_and_what_it_answers_carries_its_name_and_the_gap_s_tags(monkeypatch):
    monkeypatch.setenv("SOME_KEY", "k-123")
    item = {"input": "Where is my invoice?", "tags": {"tone": "calm"}, "expect": {"behaviour": "answer"}, "comment": "x"}
    with chat_server() as chat:
        (proposal,) = asked(chat, f"```json\n{json.dumps([item])}\n```", "SOME_KEY")
        ((body, headers),) = chat.requests
    assert proposal == {
        "method": "model:m-1",
        "input": "Where is my invoice?",
        "tags": {"tone": "calm", "category": "billing"},
        "expect": {"behaviour": "answer"},
    }
    assert headers["authorization"] == "Bearer k-123"
    assert body["model"] == "m-1"
    assert "category: billing" in body["messages"][1]["content"]
    assert "Invoices are sent by mail." in body["messages"][1]["content"]


@pytest.mark.parametrize("reply", ["Sure! Here you go", "{}", "[]", "[1]"])
def test_an_answer_that_is_no_list_of_scenarios_is_one_line_that_does_not_quote_it(reply):
    with chat_server() as chat, pytest.raises(InputError, match="--model m-1: its answer is no JSON list of scenarios") as told:
        asked(chat, reply)
    assert "Sure" not in str(told.value)


def test_no_answer_is_one_line_with_its_code():
    address = model_writer.open_model("m-1", "http://127.0.0.1:9/v1/chat/completions", "")
    with pytest.raises(InputError, match=r"--model m-1: no answer \(connection_refused\)"):
        model_writer.proposals(address, "m-1", CELL, 2, TAGGING, "")


@pytest.mark.parametrize(
    ("url", "key", "message"),
    [
        ("", "", "--model: needs --url"),
        ("localhost:8000", "", "--url: expected http:// or https://"),
        ("http://localhost:8000", "NOT_SET_HERE", "--key-env: the environment variable NOT_SET_HERE is not set"),
    ],
)
def test_an_address_or_a_key_that_is_not_there_is_refused(url, key, message):
    with pytest.raises(InputError, match=message):
        model_writer.open_model("m-1", url, key)
