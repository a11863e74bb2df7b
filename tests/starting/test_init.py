import json
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from pipeline import params, schema, tables
from pipeline.cli import app
from pipeline.expectations import Contract, Coverage, Labeling, Tagging
from pipeline.starting import files, vendor
from pipeline.starting.sniffing import understand
from pipeline.yaml_models import read_model
from tests.conftest import ROOT
from tests.starting.test_sniffing import CHATS


def git(*arguments):
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout


def golden(*arguments):
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.output


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A clone of an upstream that has a demo, and a log of one's own beside it."""
    upstream = tmp_path / "upstream"
    for path, content in {
        "params.yaml": "dataset: {name: demo}\n", "dvc.yaml": "stages: {}\n", "dvc.lock": "one\n", "pipeline/tag.py": "ONE = 1\n", "README.md": "Golden\n",
        "data/.gitignore": "/*\n!/.gitignore\n!/labels/\n!/sources/\n!/releases/\n!/*.csv\n", "data/labels/batch.csv": "labels\n", "data/sources/expert/a.yaml": "- id: e-a\n",
        "data/sources/regression/README.md": "how\n", "metrics/metrics.json": "{}\n", "expectations/contract.yaml": "version: '9'\n", "expectations/suites/a.json": "{}\n",
        ".gitignore": "*.key\n/.golden/\n",
    }.items():  # fmt: skip
        (upstream / path).parent.mkdir(parents=True, exist_ok=True)
        (upstream / path).write_text(content)
    monkeypatch.chdir(upstream)
    for command in (
        ["init", "-q", "-b", "main"],
        ["config", "user.email", "g@example.com"],
        ["config", "user.name", "g"],
        ["add", "-A", "-f"],
        ["commit", "-qm", "Golden"],
    ):
        git(*command)
    git("clone", "-q", str(upstream), str(tmp_path / "own"))
    (tmp_path / "chats.jsonl").write_text("".join(json.dumps(one) + "\n" for one in CHATS))
    monkeypatch.chdir(tmp_path / "own")
    for command in (["config", "user.email", "t@example.com"], ["config", "user.name", "t"]):
        git(*command)
    return tmp_path / "own"


def begin(clone):
    return golden("init", "--log", str(clone.parent / "chats.jsonl"), "--name", "desk", "--target", "bot:answer", "--annotators", "ana,ben")


def test_a_clone_becomes_a_repository_of_ones_own(clone):
    code, said = begin(clone)
    assert code == 0, said
    assert "SECRET" not in said
    assert git("status", "--porcelain") == ""
    tracked = set(git("ls-files").split())
    assert {"params.yaml", "pipeline/tag.py", "expectations/suites/a.json", "data/sources/regression/README.md"} <= tracked
    assert not {"data/labels/batch.csv", "data/sources/expert/a.yaml", "metrics/metrics.json", "dvc.lock"} & tracked
    assert "golden.key" not in tracked
    assert Path("golden.key").stat().st_mode & 0o777 == 0o600
    assert Path("data/raw/chats.jsonl").is_file()
    assert "data/raw/chats.jsonl" not in tracked
    loaded = params.load()
    assert (loaded.dataset.name, loaded.ingest.fields.turns, loaded.label.queue_size) == ("desk", "utterances", 200)
    assert begin(clone) == (
        1,
        "golden: git: the branch golden is there, so this is a repository of your own already; 'golden status' says the next step\n",
    )


def test_a_newer_golden_merges_without_conflict_and_touches_nothing_of_theirs(clone, monkeypatch):
    begin(clone)
    own = {"params.yaml": None, "expectations/contract.yaml": "version: '1'\n", "data/labels/batch.csv": "ours\n", "README.md": None}
    for path, content in own.items():
        if content:
            Path(path).write_text(content)
    Path("params.yaml").write_text(Path("params.yaml").read_text() + "# ours\n")
    git("add", "-A")
    git("commit", "-qm", "Ours")
    before = {path: Path(path).read_text() for path in own}
    monkeypatch.chdir(clone.parent / "upstream")
    for path, content in {
        "params.yaml": "dataset: {name: demo2}\n", "dvc.lock": "two\n", "pipeline/tag.py": "TWO = 2\n", "data/labels/batch.csv": "more labels\n", "data/labels/new.csv": "new\n",
        "data/sources/expert/a.yaml": "- id: e-b\n", "metrics/metrics.json": "{'a': 1}\n", "expectations/contract.yaml": "version: '10'\n", "expectations/suites/a.json": "{'b': 1}\n",
    }.items():  # fmt: skip
        Path(path).write_text(content)
    git("add", "-A", "-f")
    git("commit", "-qm", "Newer")
    monkeypatch.chdir(clone)
    git("fetch", "-q", "origin")
    code, said = golden("upgrade", "origin/main")
    assert code == 0, said
    assert "git merge golden" in said
    git("merge", "-q", "-m", "Newer Golden", "golden")
    assert git("status", "--porcelain") == ""
    assert {path: Path(path).read_text() for path in own} == before
    assert Path("pipeline/tag.py").read_text() == "TWO = 2\n"
    assert Path("expectations/suites/a.json").read_text() == "{'b': 1}\n"
    assert not Path("data/labels/new.csv").exists()
    assert not Path("data/sources/expert/a.yaml").exists()
    assert "has it already" in golden("upgrade", "origin/main")[1]
    assert golden("upgrade", "nowhere")[0] == 1


def test_mistakes_are_one_line_and_change_nothing(clone):
    log = str(clone.parent / "chats.jsonl")
    for arguments, told in (
        (("--log", log, "--name", "My Desk", "--target", ""), "--name My Desk: small letters"),
        (("--log", "gone.jsonl", "--name", "desk", "--target", "", "--annotators", "ana"), "gone.jsonl: not there"),
        (("--log", log, "--name", "desk", "--target", "no target"), "--target no target: expected module:function"),
        (("--name", "desk"), "not given; see golden init --help"),
    ):
        code, said = golden("init", *arguments)
        assert (code, said.count("\n")) == (1, 1), said
        assert told in said
    Path("README.md").write_text("changed\n")
    assert "README.md: changed and not committed" in begin(clone)[1]
    assert vendor.known("golden") is None
    assert golden("upgrade", "main") == (
        1,
        "golden: git: no branch golden; it is made by 'golden init'. In a clone: git branch golden origin/golden\n",
    )


def test_the_files_it_writes_load_fit_each_other_and_have_every_key_that_a_stage_reads(tmp_path):
    made = files.everything("desk", "data/raw", "*.jsonl", "golden.key", understand(CHATS), ("bot:answer", "1"), (["ana", "ben"], ["dana"]))
    for path, content in made.items():
        tables.write_text(tmp_path / path, content)
    loaded = read_model(tmp_path / "params.yaml", params.Params)
    assert loaded.ingest.failures == ["status_escalated"]
    folder = tmp_path / "expectations"
    tagging, coverage = read_model(folder / "tagging.yaml", Tagging), read_model(folder / "coverage.yaml", Coverage)
    read_model(folder / "contract.yaml", Contract)
    assert read_model(folder / "labeling.yaml", Labeling).min_annotators == 2
    assert set(loaded.merge.stratify_by) <= set(coverage.dimensions) <= set(tagging.dimensions)
    assert {rule.outcome for rule in loaded.ingest.outcome.rules} <= set(tagging.dimensions["outcome"].values)
    assert tables.read_csv(tmp_path / "data/pairs.csv", schema.PAIRS).empty
    written = YAML(typ="safe").load(tmp_path / "params.yaml")
    for name, stage in YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"].items():
        for key in stage.get("params", []):
            place = written
            for part in key.split("."):
                assert part in place, f"{name}: {key}"
                place = place[part]


def test_without_a_target_or_outcomes_the_questions_stand_in_the_file(tmp_path):
    plain = understand([{"id": str(n), "question": f"where {n}?", "answer": "there"} for n in range(5)])
    made = files.everything("desk", "data/raw", "*.csv", "golden.key", plain, ("", "1"), (["ana"], ["ana"]))
    tables.write_text(tmp_path / "params.yaml", made[Path("params.yaml")])
    loaded = read_model(tmp_path / "params.yaml", params.Params)
    assert (loaded.evaluate.target.kind, loaded.ingest.outcome.rules, loaded.ingest.fields.user) == ("recorded", [], "question")
    http = files.params("desk", "data/raw", "*", "golden.key", plain, "https://bot.example.com/v1", "7")
    tables.write_text(tmp_path / "params.yaml", http)
    assert read_model(tmp_path / "params.yaml", params.Params).evaluate.target.url == "https://bot.example.com/v1"
