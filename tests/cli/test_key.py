import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline import identity
from pipeline.cli import app

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(tmp_path, monkeypatch):
    text = (ROOT / "params.yaml").read_text().replace("demo/demo.key", "secrets/ours.key")
    (tmp_path / "params.yaml").write_text(text)
    (tmp_path / ".gitignore").write_text("*.key\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GOLDEN_KEY", raising=False)
    return lambda *arguments: CliRunner().invoke(app, ["key", *arguments])


def test_a_new_key_is_readable_by_its_owner_alone_and_opens_with_its_id(run):
    made = run("new")
    assert made.exit_code == 0
    assert Path("secrets/ours.key").stat().st_mode & 0o777 == 0o600
    key_id = identity.key_id(identity.load_key("secrets/ours.key"))
    assert f"key id {key_id}" in made.stdout
    assert run("show-id").stdout == f"{key_id}\n"


def test_neither_verb_shows_the_key(run):
    outputs = [run("new").output, run("show-id").output]
    secret = Path("secrets/ours.key").read_text().splitlines()[-1]
    assert len(secret) == 64
    assert not any(secret in output for output in outputs)


def test_a_key_that_is_there_is_never_overwritten(run):
    run("new")
    before = Path("secrets/ours.key").read_bytes()
    again = run("new")
    assert (again.exit_code, Path("secrets/ours.key").read_bytes()) == (1, before)
    assert again.stderr.startswith("golden: secrets/ours.key: a key is there")
    assert again.stderr.count("\n") == 1


def test_a_key_is_not_written_where_git_would_see_it(run):
    subprocess.run(["git", "init", "-q"], check=True)
    Path(".gitignore").write_text("")
    refused = run("new")
    assert refused.exit_code == 1
    assert "git does not ignore it" in refused.stderr
    assert not Path("secrets").exists()
    shutil.rmtree(".git")
    assert run("new").exit_code == 0, "without a repository there is nothing to leak into"


def test_a_key_in_the_environment_takes_precedence_and_that_is_said(run, monkeypatch):
    monkeypatch.setenv("GOLDEN_KEY", "ab" * 32)
    assert "GOLDEN_KEY is set" in run("new").stderr
    assert run("show-id").stdout.strip() == identity.key_id(bytes.fromhex("ab" * 32))


def test_without_a_key_the_id_is_one_line_that_says_what_to_do(run):
    result = run("show-id")
    assert result.exit_code == 1
    assert "golden key new" in result.stderr
    assert result.stderr.count("\n") == 1
