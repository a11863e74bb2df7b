import json

import orjson
import pytest
from typer.testing import CliRunner

from pipeline.cli import app

ROWS = (
    {"id": "c:0", "text": "my name is Ana Bell", "spans": [{"start": 11, "end": 19, "entity_type": "PERSON"}]},
    {"id": "c:1", "text": "a zqxv today", "spans": [{"start": 2, "end": 6, "entity_type": "CODE"}]},
    {"id": "d:0", "text": "write to me@example.com", "spans": []},
)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """The verb in a folder without params.yaml."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "labelled.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in ROWS))
    return lambda *arguments: CliRunner().invoke(app, ["pii-eval", *arguments], env={"COLUMNS": "200"})


def test_recall_and_precision_are_shown_with_intervals(run):
    result = run("labelled.jsonl")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == "labelled.jsonl: 3 turns of 2 conversations"
    character, span = (line.split() for line in result.stdout.splitlines()[2:])
    assert (character[:2], character[2]) == (["by", "character"], "0.636")
    assert (span[:2], span[2]) == (["by", "span"], "0.500")


def test_types_and_worst_shapes_are_shown_on_request_and_never_a_text(run):
    text = run("labelled.jsonl", "--by-type", "--misses", "3").stdout
    misses, alarms = text[text.index("misses") :].split("false alarms")
    assert misses.splitlines()[1].split() == ["aaaa", "CODE", "4", "1", "1"]
    assert alarms.splitlines()[1].split() == ["aa@aaaaaaa.aaa", "EMAIL_ADDRESS", "12", "1", "1"]
    assert "EMAIL_ADDRESS" in text[text.index("found ") :]
    assert not [word for row in ROWS for word in row["text"].split() if len(word) > 3 and word in text]


def test_json_holds_everything_and_turns_without_spans_weigh_what_is_asked_for(run):
    plain, weighted = (json.loads(run("labelled.jsonl", "--json", *more).stdout) for more in ((), ("--empty-weight", "4")))
    assert plain["characters"]["precision"] == round(7 / 19, 4)
    assert weighted["characters"]["precision"] == round(7 / (7 + 4 * 12), 4)
    assert "misses" not in plain
    assert json.loads(run("labelled.jsonl", "--json", "--misses", "1").stdout)["misses"][0]["shape"] == "aaaa"


def test_an_empty_or_missing_file_is_one_line(run, tmp_path):
    (tmp_path / "empty.jsonl").write_text("\n")
    for name, expected in (("empty.jsonl", "golden: empty.jsonl: empty; expected {"), ("gone.jsonl", "golden: gone.jsonl: not there")):
        result = run(name)
        assert result.exit_code == 1
        assert result.stderr.startswith(expected)
        assert result.stderr.count("\n") == 1
