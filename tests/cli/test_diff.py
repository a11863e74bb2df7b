import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from tests.test_revisions import repository

__all__ = ["repository"]


def diff(*options: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["diff", *options])
    return result.exit_code, result.output


@pytest.fixture
def settings(repository: Path) -> Path:
    """The repository with a whole params.yaml in its work tree."""
    (repository / "params.yaml").write_bytes((Path(__file__).parents[2] / "params.yaml").read_bytes())
    return repository


def test_a_release_is_compared_with_the_work_tree_and_both_files_are_written(settings: Path):
    code, screen = diff("v1", "--json", "d.json", "--markdown", "d.md")
    assert code == 0
    assert "1 examples, 0 went, 1 came: 2" in screen
    assert [row["example_id"] for row in json.loads(Path("d.json").read_text())["added"]] == ["e-2"]
    assert "| e-2 | expert |" in Path("d.md").read_text()


def test_texts_are_shown_when_they_are_asked_for(settings: Path):
    _, screen = diff("v1", "--text", "surrogate")
    assert "  user: alpha" in screen
    _, screen = diff("v1")
    assert "alpha" not in screen


def test_a_mistake_is_one_line(settings: Path):
    assert diff("v7") == (1, "golden: v7: no such git revision; 'git tag' and 'git log --oneline' list what there is\n")
