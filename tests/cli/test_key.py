import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from pipeline import identity, ingest, schema, tables
from pipeline.cli import app
from pipeline.errors import InputError
from pipeline.paths import KEYS, POOL_CSV
from tests.frames import frame
from tests.test_ingest import CONTENT, KEY, logged, put, records, settle

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


# A new key although there is a pool


def pool_of(*key_ids):
    rows = [{"partition": f"w{place}", "key_id": key_id} for place, key_id in enumerate(key_ids)]
    tables.write_csv(POOL_CSV, frame(schema.PARTITIONS, rows), schema.PARTITIONS)


@pytest.fixture
def pooled(run):
    """A first key in use, a partition made with it, and git that ignores keys and kept keys."""
    subprocess.run(["git", "init", "-q"], check=True)
    Path(".gitignore").write_text("*.key\n*.key.*\n")
    run("new")
    first = identity.key_id(identity.load_key("secrets/ours.key"))
    pool_of(first)
    return run, first


def test_where_there_is_a_pool_the_key_in_use_is_kept_beside_the_new_one(pooled):
    run, first = pooled
    before = Path("secrets/ours.key").read_bytes()
    made = run("new", "--note", "yearly")
    assert made.exit_code == 0, made.output
    kept = Path(f"secrets/ours.key.{first}")
    assert kept.read_bytes() == before
    assert kept.stat().st_mode & 0o777 == Path("secrets/ours.key").stat().st_mode & 0o777 == 0o600
    assert str(kept) in made.stdout
    second = identity.key_id(identity.load_key("secrets/ours.key"))
    assert list(identity.load_keys("secrets/ours.key")) == [second, first]
    assert KEYS.read_text() == f"key_id,since,note\n{second},2026-03-02T12:00:00+00:00,yearly\n"
    run("new")
    assert first in identity.load_keys("secrets/ours.key")
    assert len(identity.load_keys("secrets/ours.key")) == 3


def test_a_kept_key_is_not_left_where_git_would_see_it(pooled):
    run, first = pooled
    Path(".gitignore").write_text("*.key\n")
    refused = run("new")
    assert refused.exit_code == 1
    assert "add ours.key.* to .gitignore" in refused.stderr
    assert identity.key_id(identity.load_key("secrets/ours.key")) == first
    assert not KEYS.exists()


def test_a_lost_key_is_told(pooled):
    run, first = pooled
    Path("secrets/ours.key").unlink()
    made = run("new")
    assert made.exit_code == 0
    assert first in made.stderr
    assert KEYS.exists()


def test_a_kept_file_with_another_key_is_refused(pooled):
    run, first = pooled
    run("new")
    Path(f"secrets/ours.key.{first}").write_text("ab" * 32)
    with pytest.raises(InputError, match="not the one its name says"):
        identity.load_keys("secrets/ours.key")


# What intake makes of it


@pytest.fixture
def intake(tmp_path, monkeypatch):
    """A partition that was made with the first key, while the second is in use."""
    monkeypatch.chdir(tmp_path)
    settle(tmp_path)
    put("a.jsonl", logged(1))
    ingest.work()
    pool_of(identity.key_id(KEY))
    Path(POOL_CSV).write_text(POOL_CSV.read_text().replace("w0", "a"))
    Path("test.key").rename(f"test.key.{identity.key_id(KEY)}")
    Path("test.key").write_text("ab" * 32)
    return "ab" * 32


def test_a_key_that_is_neither_the_pools_nor_listed_is_refused(intake):
    with pytest.raises(InputError, match=r"the key is not the one .* 'golden key new'"):
        ingest.work()


def test_partitions_keep_their_key_and_new_ones_get_the_new_one(intake, capsys):
    new = identity.key_id(bytes.fromhex(intake))
    tables.write_csv(KEYS, frame_of_keys(new), schema.KEYS)
    before = records()
    put("b.jsonl", logged(1))
    assert "2 files (1 unchanged)" in ingest.work()
    assert records().equals(before)
    assert tables.read_note(ingest.FOLDER / "b.parquet")["key_id"] == new
    assert list(records("b")["example_id"]) == [identity.example_id(bytes.fromhex(intake), "shop", f"{CONTENT}-1")]
    shutil.rmtree(ingest.FOLDER)
    ingest.work()
    assert records().equals(before), "a full rebuild takes both"


def test_a_partition_whose_key_is_not_here_is_reused_and_never_made_with_another(intake):
    tables.write_csv(KEYS, frame_of_keys(identity.key_id(bytes.fromhex(intake))), schema.KEYS)
    Path(f"test.key.{identity.key_id(KEY)}").unlink()
    assert "1 file (1 unchanged)" in ingest.work()
    shutil.rmtree(ingest.FOLDER)
    with pytest.raises(InputError, match=rf"a\.jsonl: .* key {identity.key_id(KEY)}, which is not here") as refused:
        ingest.work()
    assert "\n" not in str(refused.value)


def frame_of_keys(key_id):
    return pd.DataFrame([{"key_id": key_id, "since": "2026-03-02T12:00:00+00:00", "note": ""}])
