import io
import json
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from pipeline import exports, schema, tables
from pipeline.cli import app
from pipeline.errors import InputError
from pipeline.exports.promptfoo import assertions, escaped
from tests.frames import example, said

EXAMPLES = pd.DataFrame(
    [
        example("p-1", "what is {{ this }}?", expected_behaviour="answer", must_include=[["5 days", "five days"]], tags={"tone": "polite"}),
        example("e-2", "{% if %} {# c #}", source="expert", answer="42", answer_match="exact", must_not_include=["no"], canary="owl"),
        example("007", source="expert", input=said("hi", "hello", "and now?"), answer="yes", fixtures='{"a":"{{b}}"}'),
        example("e-4", source="expert", regex=["a{{2"], json_schema='{"type":"object"}', citations=["fees.md"]),
    ]
)
IDS = ["007", "e-2", "e-4", "p-1"]
ROWS = exports.rows(EXAMPLES, "1.2.0", ["p-9"])


def made(tool: str) -> dict[str, bytes]:
    return exports.TOOLS[tool](ROWS)


def lines(content: bytes) -> list[dict]:
    return [json.loads(line) for line in content.splitlines()]


def read_back(tool: str) -> list[tuple[str, dict]]:
    """Id and metadata of every example, from the files alone."""
    files = made(tool)
    if tool == "huggingface":
        found = pq.read_table(io.BytesIO(files["data/test.parquet"])).to_pylist()
        return [(row["id"], json.loads(row["metadata"])) for row in found]
    if tool == "deepeval":
        both = [*json.loads(files["goldens.json"]), *json.loads(files["conversations.json"])]
        return [(row["name"], row["additional_metadata"]) for row in both]
    if tool == "promptfoo":
        return [(row["description"], row["metadata"]) for row in json.loads(files["tests.yaml"])]
    rows = lines(files["samples.jsonl" if tool == "inspect" else "items.jsonl"])
    return [(row["id"], row["metadata"]) for row in rows if row.get("status") != "ARCHIVED"]


@pytest.mark.parametrize("tool", sorted(exports.TOOLS))
def test_every_example_comes_back_with_id_version_source_tags_and_expectation(tool: str):
    found = dict(read_back(tool))
    assert sorted(found) == IDS
    assert {known["version"] for known in found.values()} == {"1.2.0"}
    for row in EXAMPLES.to_dict("records"):
        known = found[row["example_id"]]
        wanted = {name: row[name] for name, _, _ in schema.EXPECTATION if row[name]}
        assert (known["source"], known["tags"], known["expectation"]) == (row["source"], row["tags"], wanted)


@pytest.mark.parametrize("tool", sorted(exports.TOOLS))
def test_the_order_of_the_rows_changes_no_byte(tool: str):
    assert exports.TOOLS[tool](exports.rows(EXAMPLES[::-1], "1.2.0", ["p-9"])) == made(tool)


def test_no_text_opens_a_template_of_promptfoo_and_the_chat_is_what_it_was():
    tests = json.loads(made("promptfoo")["tests.yaml"])
    assert not any(opener in text for test in tests for text in test["vars"].values() for opener in ("{{", "{%", "{#", "#}"))
    assert [json.loads(test["vars"]["messages"]) for test in tests] == [row["messages"] for row in ROWS.examples]
    assert json.loads(tests[0]["vars"]["fixtures"]) == {"a": "{{b}}"}
    assert escaped("a{{b #}") == "a{{ '{' }}{b {{ '#' }}}"


def test_promptfoo_asserts_what_it_can_judge_alone():
    kinds = {row["id"]: [one["type"] for one in assertions(row["expectation"], row["metadata"].get("canary", ""))] for row in ROWS.examples}
    assert kinds == {
        "p-1": ["icontains-any"],
        "e-2": ["not-icontains", "not-icontains", "equals"],
        "007": ["icontains"],
        "e-4": ["regex", "is-json"],
    }
    assert assertions({"answer": "4", "answer_match": "numeric"}) == []


def test_several_turns_are_in_a_file_of_their_own_for_deepeval():
    files = made("deepeval")
    assert len(json.loads(files["goldens.json"])) == 3
    assert [one["turns"][1]["role"] for one in json.loads(files["conversations.json"])] == ["assistant"]


def test_langfuse_archives_what_is_retired_and_sends_no_text_of_it():
    assert lines(made("langfuse")["items.jsonl"])[-1] == {"datasetName": "golden", "id": "p-9", "status": "ARCHIVED"}


def test_an_export_is_replaced_whole_and_nothing_else_is(tmp_path: Path):
    folder = tmp_path / "out"
    exports.write("deepeval", ROWS, folder)
    exports.write("inspect", ROWS, folder)
    assert sorted(path.name for path in folder.iterdir()) == [".gitignore", ".golden-export", "samples.jsonl"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    (mine := tmp_path / "mine").mkdir()
    with pytest.raises(InputError, match="no export"):
        exports.write("inspect", ROWS, mine)


def test_the_verb_writes_the_work_trees_dataset_and_a_mistake_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    missing = CliRunner().invoke(app, ["export", "--to", "inspect"])
    assert (missing.exit_code, "not there; run" in missing.output) == (1, True)
    tables.write_parquet(Path("data/golden/examples.parquet"), EXAMPLES, schema.EXAMPLES)
    done = CliRunner().invoke(app, ["export", "--to", "inspect"])
    assert done.output == "exports/inspect: 4 examples in samples.jsonl\n"
    assert {row["metadata"]["version"] for row in lines(Path("exports/inspect/samples.jsonl").read_bytes())} == {"unreleased"}
    wrong = CliRunner().invoke(app, ["export", "--to", "promptfo"])
    assert (wrong.exit_code, wrong.output) == (1, "golden: --to promptfo: no such tool; did you mean 'promptfoo'?\n")
