import json
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from pipeline import identity, paths, schema, tables
from pipeline.cli import app, findings

ROOT = Path(__file__).parents[2]


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository in which nothing is wrong but what the environment lacks."""
    for name in ("params.yaml", ".gitignore", "data/.gitignore", "demo/demo.key"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text("[core]\n    analytics = false\n    remote = store\n['remote \"store\"']\n    url = /tmp/store\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GOLDEN_KEY", raising=False)
    subprocess.run(["git", "init", "-q"], check=True)
    return tmp_path


def found(check):
    return [(finding.level, finding.says) for finding in check()]


def levels(check):
    return [finding.level for finding in check()]


def write_pool(key_id, *partitions, here=()):
    row = {"raw": "present", "source_sha256": "", "read": 1, "kept": 1, "rejected": "", "sampled_out": 0, "first": "", "last": ""}
    rows = [row | {"partition": name, "key_id": key_id, "recognizers": "r"} for name in partitions]
    tables.write_csv(paths.POOL_CSV, pd.DataFrame(rows), schema.PARTITIONS)
    for name in here:
        tables.write_bytes(paths.POOL / f"{name}.parquet", b"")


def own_key():
    text = Path("params.yaml").read_text().replace("demo/demo.key", "own.key").replace("path: demo/logs", "path: logs-in")
    Path("params.yaml").write_text(text)


def test_a_sound_repository_has_no_error_in_git_key_pool_and_dvc(repository):
    write_pool(identity.key_id(identity.load_key("demo/demo.key")), "w1", here=["w1"])
    checks = (findings.python, findings.key, findings.raw_logs, findings.pool, findings.leftovers, findings.dvc)
    assert not [finding for check in checks for finding in check() if finding.level == "error"]


def test_every_finding_that_is_not_ok_has_a_remedy(repository):
    shutil.rmtree(".git")
    shutil.rmtree(".dvc")
    Path("params.yaml").write_text("dataset: {}\n")
    told = findings.examine()
    assert [finding for finding in told if finding.level == "error"]
    assert not [finding for finding in told if finding.level != "ok" and not finding.remedy]


def test_a_package_that_is_missing_or_older_than_the_lock_is_an_error(repository, monkeypatch):
    Path("requirements.lock").write_text(
        "pandas==99.1 \\\n    --hash=x\npyarrow==99 ; python_version > '4' \\\npyarrow==1.0 ; python_version < '4' \\\n"
    )
    monkeypatch.setattr(findings, "PACKAGES", {"pandas": "pandas", "pyarrow": "pyarrow", "dvc": "no_such_module"})
    assert {finding.subject: finding.level for finding in findings.packages()} == {"pandas": "error", "dvc": "error", "packages": "ok"}


def test_versions_are_compared_as_numbers():
    assert findings._numbers("1.10.0") > findings._numbers("1.9.3rc1")
    assert findings._numbers("3.11.1.post1") == (3, 11, 1)


def test_a_model_that_is_not_installed_is_an_error(repository, monkeypatch):
    monkeypatch.setattr(findings, "MODEL_FILE", Path("no/such.onnx"))
    assert levels(findings.model) == ["error"]


def test_settings_that_do_not_fit_are_told_with_the_key(repository):
    Path("params.yaml").write_text(Path("params.yaml").read_text().replace("shortfall:", "shortfal:"))
    assert ("error", "merge.shortfal: unknown key; did you mean 'shortfall'?") in found(findings.settings)


def test_another_key_than_the_pools_is_an_error(repository):
    write_pool("deadbeef", "w1")
    assert levels(findings.key) == ["error"]


def test_a_key_that_was_started_for_later_logs_is_no_error(repository):
    write_pool("0" * 8, "w1", here=["w1"])
    row = {"key_id": identity.key_id(identity.load_key("demo/demo.key")), "since": "2026-03-02T12:00:00+00:00", "note": ""}
    tables.write_csv(paths.KEYS, pd.DataFrame([row]), schema.KEYS)
    assert levels(findings.key) == ["ok"]


def test_a_missing_key_is_a_hint_since_only_intake_needs_it(repository):
    own_key()
    assert levels(findings.key) == ["hint"]


def test_the_demos_public_key_for_logs_of_your_own_is_an_error(repository):
    Path("params.yaml").write_text(Path("params.yaml").read_text().replace("path: demo/logs", "path: data/raw"))
    assert levels(findings.key)[0] == "error"


@pytest.mark.parametrize("tracked", ["own.key", "own.key.00c0ffee"])
def test_a_key_that_git_tracks_is_an_error(repository, tracked):
    own_key()
    for name in {"own.key", tracked}:
        Path(name).write_text("ab" * 32)
    subprocess.run(["git", "add", "-f", tracked], check=True)
    assert levels(findings.key) == ["error", "ok"]


def test_raw_logs_that_git_tracks_or_would_track_are_errors(repository):
    tables.write_text(Path("data/raw/week.jsonl"), "{}\n")
    assert levels(findings.raw_logs) == ["ok"]
    subprocess.run(["git", "add", "-f", "data/raw/week.jsonl"], check=True)
    assert found(findings.raw_logs) == [("error", "git tracks data/raw/week.jsonl")]
    Path("data/.gitignore").unlink()
    assert ("error", "git does not ignore data/interim") in found(findings.raw_logs)


def test_raw_logs_in_a_folder_of_your_own_are_looked_for_there(repository):
    own_key()
    assert ("error", "git does not ignore logs-in") in found(findings.raw_logs)


def test_listed_partitions_that_are_not_here_need_a_pull(repository):
    assert levels(findings.pool) == ["hint"]
    write_pool("k", "w1", "w2", here=["w1"])
    (finding,) = findings.pool()
    assert (finding.level, finding.says, finding.remedy) == ("error", "1 of 2 partitions are not here (w2, ...)", "run 'dvc pull'")


def test_unfinished_files_are_a_hint(repository):
    tables.write_bytes(Path("data/interim/records/.w1.parquet.77.tmp"), b"x")
    assert levels(findings.leftovers) == ["hint"]


def test_dvcs_usage_reports_are_an_error_and_no_remote_is_a_hint(repository):
    Path(".dvc/config").write_text("[core]\n    analytics = true\n")
    assert levels(findings.dvc) == ["error", "hint"]


def test_doctor_exits_with_1_for_an_error_and_0_for_hints(repository, monkeypatch):
    hint, error = findings.Finding("hint", "pool", "none yet", "run 'make'"), findings.Finding("error", "git", "not here", "run 'git init'")
    monkeypatch.setattr(findings, "CHECKS", (lambda: [hint],))
    assert CliRunner().invoke(app, ["doctor"]).exit_code == 0
    monkeypatch.setattr(findings, "CHECKS", (lambda: [hint, error],))
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 1
    assert "git: not here\n          run 'git init'" in result.stdout
    assert json.loads(CliRunner().invoke(app, ["doctor", "--json"]).stdout)[1]["remedy"] == "run 'git init'"
