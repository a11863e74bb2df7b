import json
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from pipeline import exports, imports, schema, sources, synthesize, tables
from pipeline.cli import app
from pipeline.errors import InputError
from pipeline.imports import found
from tests.conftest import ROOT
from tests.frames import example, frame, said

BY = ("--author", "Ada", "--asked", "What must never fail?", "--date", "2026-03-31")
LAMP, SOFA, KETTLE = "Does a lamp with a cracked shade count?", "Who carries the sofa to floor nine?", "Which booklet comes with kettles?"
EXAMPLES = pd.DataFrame(
    [
        example(
            "e-1", LAMP, expected_behaviour="answer", must_include=[["yes", "it does"]], citations=["{{x}}.md"], tags={"tone": "polite"}
        ),
        example("e-2", SOFA + " {{ x }}", answer="two", answer_match="contains", regex=["a{{2"], must_not_include=["{% no %} {# c #}"]),
        example("e-3", input=said("hi", "hello", KETTLE), json_schema='{"type":"object"}', fixtures='{"a":"{{b}}"}'),
        example("e-4", "drop the tables", expected_behaviour="refuse", canary="owl"),
    ]
)
FILES = {"promptfoo": ["tests.yaml"], "inspect": ["samples.jsonl"], "deepeval": ["goldens.json", "conversations.json"]}


def written(path: Path, content: object) -> Path:
    path.write_text("\n".join(map(json.dumps, content)) if isinstance(content, list) else str(content))
    return path


@pytest.mark.parametrize("tool", sorted(imports.TOOLS))
def test_what_an_export_wrote_comes_back_with_input_expectation_fixtures_and_tags(tool: str, tmp_path: Path):
    exports.write(tool, exports.rows(EXAMPLES, "1.0.0", []), tmp_path / "out")
    read = [imports.TOOLS[tool](tmp_path / "out" / name, "") for name in FILES[tool]]
    assert sum((one.left_out for one in read), Counter()) == {found.ATTACK: 1}
    back = {json.dumps(test["input"]): test for one in read for test in one.tests}
    assert len(back) == 3
    for row in EXAMPLES[:3].to_dict("records"):
        test = back[json.dumps(found.turns(row["input"]))]
        fields = sources.Expect.model_validate(test["expect"]).fields
        assert fields == {name: row[name] for name, _, _ in schema.EXPECTATION}
        assert (test["tags"], test["fixtures"]) == (row["tags"], found.parsed(row["fixtures"]))


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one pooled conversation and no scenario."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    (tmp_path / "expectations").mkdir()
    (tmp_path / "expectations/tagging.yaml").write_bytes((ROOT / "expectations/tagging.yaml").read_bytes())
    pooled = {
        "example_id": "p-1",
        "system": "shop",
        "outcome": "resolved",
        "input": said("my green parcel was left at the wrong door in the rain"),
        "cluster": "p-1",
    }
    tables.write_parquet(Path("data/interim/tagged/candidates.parquet"), frame(schema.CANDIDATES, [pooled]), schema.CANDIDATES)
    return tmp_path


def run(*options: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["import", *options])
    return result.exit_code, result.output


def test_what_may_stand_is_written_and_the_rest_is_counted_by_reason_and_kind(repository: Path):
    tests = [
        {"vars": {"question": LAMP}, "assert": [{"type": "icontains-any", "value": ["yes", "sure"]}, {"type": "llm-rubric", "value": "kind"}]},
        {"vars": {"q": SOFA}, "assert": [{"type": "equals", "value": "Two."}]},
        {"vars": {"q": LAMP + "!"}, "assert": [{"type": "contains", "value": "x"}]},
        {"vars": {"q": "my green parcel was left at the wrong door in the rain, and what of my seven other boxes now?"}, "assert": [{"type": "contains", "value": "x"}]},
        {"vars": {"q": "write to jane.doe@gmail.com"}, "assert": [{"type": "contains", "value": "x"}]},
        {"vars": {"q": KETTLE}, "assert": [{"type": "llm-rubric", "value": "kind"}]},
        {"vars": {"q": "hi {{name}}"}},
        {"vars": {"a": "x", "b": "y"}},
    ]  # fmt: skip
    file = written(repository / "My Tests.yaml", json.dumps({"tests": tests}))
    code, screen = run(str(file), "--from", "promptfoo", *BY, "--tags", "tone=neutral")
    assert code == 0, screen
    for count in (synthesize.NEAR, synthesize.POOLED, synthesize.PERSONAL, imports.NOTHING, "from a template", found.NO_QUESTION):
        assert f"1 {count}" in screen
    assert "not taken over: 2 assertion llm-rubric" in screen
    entries = [entry for _, entry in sources.load()["expert"]]
    assert [(one.author, one.added, one.tags, one.input) for one in entries] == [
        ("Ada", "2026-03-31", {"tone": "neutral"}, text) for text in (LAMP, SOFA)
    ]
    assert [one.expect.model_dump(exclude_defaults=True) for one in entries] == [
        {"must_include": [["yes", "sure"]]},
        {"answer": "Two.", "answer_match": "exact"},
    ]
    assert run(str(file), "--from", "promptfoo", *BY)[1].startswith("golden: data/sources/expert/imported-my-tests.yaml: there already")


def test_nothing_is_written_where_nothing_may_stand(repository: Path):
    file = written(repository / "s.jsonl", [{"input": LAMP}])
    code, screen = run(str(file), "--from", "inspect", *BY)
    assert (code, screen.count("\n"), "nothing was written" in screen) == (1, 1, True)
    assert not (repository / "data/sources").exists()


def test_a_mistake_is_one_line(repository: Path):
    file = written(repository / "s.jsonl", [{"input": LAMP, "target": "yes"}])
    for options, said_of_it in (
        (("--from", "inspekt", *BY), "did you mean 'inspect'?"),
        (("--from", "inspect", *BY, "--tags", "tone=politee"), "did you mean 'polite'?"),
        (("--from", "inspect", *BY, "--answer-match", "exakt"), "did you mean 'exact'?"),
        (("--from", "inspect", "--author", "Ada", "--asked", "jane.doe@gmail.com"), "looks like an e-mail address"),
    ):
        code, screen = run(str(file), *options)
        assert (code, screen.count("\n"), said_of_it in screen) == (1, 1, True), screen


@pytest.mark.parametrize("content", ['{"input": 1}\n{', "[1]", '[{"input": "x"'])
def test_a_broken_file_is_named_with_its_line_and_never_quoted(content: str, tmp_path: Path):
    (tmp_path / "f.json").write_text(content)
    with pytest.raises(InputError, match=r"f\.json, (line|entry) \d+: (not JSON|expected an object)"):
        found.records(tmp_path / "f.json")


def test_several_targets_are_wordings_of_one_thing_and_unmapped_fields_are_counted(tmp_path: Path):
    file = written(tmp_path / "s.jsonl", [{"id": 1, "input": LAMP, "target": ["A", "B"], "choices": ["x"]}, {"input": SOFA, "target": "C"}])
    read = imports.TOOLS["inspect"](file, "exact")
    assert [test["expect"] for test in read.tests] == [{"must_include": [["A", "B"]]}, {"answer": "C", "answer_match": "exact"}]
    assert read.unmapped == {"choices": 1}


def test_a_scenario_as_yaml_is_read_as_it_was():
    entry = sources.Expert(
        id="e-x", added="2026-01-01", author="A: b", asked="no", input=[{"user": "a #b"}], expect=sources.Expect(answer="1")
    )
    assert sources.Expert.model_validate(YAML(typ="safe").load(synthesize.as_yaml(entry))[0]) == entry


def test_an_escaped_brace_is_text_and_any_other_is_a_template(tmp_path: Path):
    texts = ["{{ '{' }}{ x", "{{ x }}"]
    tests = [{"vars": {"q": LAMP}, "assert": [{"type": "contains", "value": text} for text in texts]}]
    read = imports.TOOLS["promptfoo"](written(tmp_path / "t.yaml", json.dumps({"tests": tests})), "")
    assert read.tests[0]["expect"] == {"must_include": ["{{ x"]}
    assert read.unmapped == {"assertion contains of a template": 1}
