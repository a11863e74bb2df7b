import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from pipeline import revisions, schema, tables
from pipeline.errors import InputError
from pipeline.paths import ERASED, MEMBERS, RETIRED, SCORES
from tests.gating.small import example, lay

ONE = example("e-1", "alpha", {"topic": "alpha"})


def git(*arguments: str) -> None:
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dataset repository of one example, committed and tagged v1; its work tree holds two."""
    monkeypatch.chdir(tmp_path)
    lay(tmp_path, [ONE])
    tables.write_csv(
        SCORES,
        pd.DataFrame([("e-1", "i", "x", "must_include-1", "1.0.0", 1, "must_include", 1.0, "")], columns=schema.SCORES.names),
        schema.SCORES,
    )
    git("init", "-q", "-b", "main")
    git("add", "--", "data/golden/members.csv", "metrics", "params.yaml", "expectations")
    git("commit", "-qm", "one")
    git("tag", "v1")
    members = [(i, "expert", "topic=two words tone=calm", "written", "unreleased") for i in ("e-1", "e-2")]
    tables.write_csv(MEMBERS, pd.DataFrame(members, columns=schema.MEMBERS.names), schema.MEMBERS)
    tables.write_csv(ERASED, pd.DataFrame([("p-1", "2026-01-01", "")], columns=schema.ERASED.names), schema.ERASED)
    (RETIRED / "expert").mkdir(parents=True)
    (RETIRED / "expert/old.yaml").write_text("- id: e-0\n  retired: 2026-01-01\n")
    return tmp_path


def test_a_revision_is_what_git_keeps_of_it(repository: Path):
    then, now = revisions.at("v1"), revisions.at(None)
    assert (list(then.members["example_id"]), list(now.members["example_id"])) == (["e-1"], ["e-1", "e-2"])
    assert (then.name, now.name) == ("v1", "the work tree")
    assert (then.retired, now.retired) == (frozenset(), {"e-0"})
    assert (then.erased, now.erased) == (frozenset(), {"p-1"})
    git("add", "-A", "data/sources")
    git("commit", "-qm", "two")
    assert revisions.at("HEAD").retired == {"e-0"}


def test_a_tags_value_may_hold_blanks(repository: Path):
    tags = revisions.at(None).tags
    assert set(zip(tags["dimension"], tags["value"], strict=True)) == {("topic", "two words"), ("tone", "calm")}


def test_a_revision_that_is_not_there_is_one_line(repository: Path):
    with pytest.raises(InputError, match=r"^v2: no such git revision; 'git tag'"):
        revisions.at("v2")
    with pytest.raises(InputError, match=r"^--help: no such git revision"):
        revisions.at("--help")


def test_a_shallow_clone_says_how_to_deepen_it(repository: Path, monkeypatch: pytest.MonkeyPatch):
    git("commit", "-qm", "again", "--allow-empty")
    git("clone", "-q", "--depth", "1", "--no-tags", f"file://{repository}", "clone")
    monkeypatch.chdir(repository / "clone")
    with pytest.raises(InputError, match=r"this clone is shallow: run 'git fetch --unshallow --tags'"):
        revisions.at("v1")


def test_a_revision_without_a_dataset_is_one_line(repository: Path):
    git("rm", "-q", "--cached", str(MEMBERS))
    git("commit", "-qm", "none")
    with pytest.raises(InputError, match=rf"^HEAD: holds no dataset, {MEMBERS} is not in it"):
        revisions.at("HEAD")


def test_outside_of_git_it_says_so(repository: Path, monkeypatch: pytest.MonkeyPatch):
    shutil.rmtree(repository / ".git")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(repository.parent))
    with pytest.raises(InputError, match="no git repository"):
        revisions.at("v1")


def test_the_texts_of_the_work_tree_are_those_asked_for(repository: Path):
    assert revisions.texts(None, {"e-1"}) == {"e-1": ONE["input"]}
    assert revisions.texts(None, {"e-9"}) == {}


def test_texts_that_dvc_cannot_give_are_one_line(repository: Path):
    with pytest.raises(InputError, match=r"^data/golden/examples\.parquet at v1: cannot be fetched"):
        revisions.texts("v1", {"e-1"})
