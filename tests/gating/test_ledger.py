import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

from pipeline import schema, tables
from pipeline.errors import InputError
from pipeline.gating.ledger import BRANCH, CONFIRMATIONS, LedgerBranch, LedgerFile, confirmations_of, joined, opened


def rows(version: str, epoch: int, count: int = 3) -> pd.DataFrame:
    frame = pd.DataFrame({"example_id": [f"e-{place}" for place in range(count)]}).assign(
        dataset_version="v1", members_sha="m", input_sha="i", expectation_sha="x", scorer_version="s-1", target_version=version,
        epoch=epoch, criterion="answer", score=1.0, error="",
    )  # fmt: skip
    return tables.to_frame(tables.to_arrow(frame, schema.LEDGER))


def git(*arguments: str, folder: Path | str = ".") -> str:
    return subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def cloned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone with one commit, entered; its remote is beside it."""
    monkeypatch.setenv("GOLDEN_CACHE", str(tmp_path / "cache"))
    git("init", "-q", "--bare", "-b", "main", str(tmp_path / "remote"))
    git("clone", "-q", str(tmp_path / "remote"), str(tmp_path / "clone"))
    monkeypatch.chdir(tmp_path / "clone")
    Path("a").write_text("a")
    git("add", "a")
    git("-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "one")
    git("push", "-q", "origin", "HEAD:main")
    return tmp_path / "clone"


def test_two_gates_of_one_version_that_end_at_once_count_as_two_epochs() -> None:
    both = joined(rows("v", 1), rows("v", 1))
    assert sorted(both["epoch"]) == [1, 1, 1, 2, 2, 2]
    assert sorted(joined(both, rows("w", 1)).query("target_version == 'w'")["epoch"]) == [1, 1, 1], "another version has its own"


def test_confirmations_belong_to_the_epochs_they_confirm_and_are_kept_once() -> None:
    assert list(confirmations_of(1)) == [CONFIRMATIONS + 1, CONFIRMATIONS + 2]
    assert set(confirmations_of(1)).isdisjoint(confirmations_of(2))
    confirmed = rows("v", confirmations_of(1)[0])
    assert len(joined(joined(rows("v", 1), confirmed), confirmed)) == 6
    assert sorted(joined(confirmed, rows("v", 1))["epoch"].unique()) == [1, CONFIRMATIONS + 1]


def test_a_file_holds_what_was_appended_and_gives_what_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOLDEN_CACHE", str(tmp_path / "cache"))
    ledger = LedgerFile(tmp_path / "deep" / "ledger.csv")
    assert ledger.read(["v"]).empty
    ledger.append(rows("v", 1))
    ledger.append(rows("w", 1))
    assert set(ledger.read(["w"])["target_version"]) == {"w"}
    assert len(ledger.read(["v", "w"])) == 6


def test_what_several_processes_append_to_one_file_at_once_is_all_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOLDEN_CACHE", str(tmp_path / "cache"))
    path, root = tmp_path / "ledger.csv", Path(__file__).parents[2]
    code = f"""
import sys; sys.path.insert(0, {str(root)!r})
from pathlib import Path
from pipeline.gating.ledger import LedgerFile
from tests.gating.test_ledger import rows
for epoch in (1, 2, 3): LedgerFile(Path({str(path)!r})).append(rows("v", epoch))
"""
    running = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    assert [process.wait(60) for process in running] == [0, 0]
    found = LedgerFile(path).read(["v"])
    assert sorted(found["epoch"].unique()) == [1, 2, 3, 4, 5, 6]
    assert len(found) == 18


def test_a_path_that_cannot_be_written_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOLDEN_CACHE", str(tmp_path / "cache"))
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"--ledger .*file/ledger.csv: cannot be written"):
        LedgerFile(tmp_path / "file" / "ledger.csv").append(rows("v", 1))


def test_the_branch_is_kept_at_the_remote_and_the_work_tree_is_left_alone(cloned: Path) -> None:
    Path("a").write_text("edited")
    ledger = opened("branch")
    assert ledger is not None
    assert ledger.read(["v"]).empty
    ledger.append(rows("v", 1))
    ledger.append(rows("feature/1", 1))
    assert git("status", "--porcelain") == " M a\n"
    assert git("branch", "--show-current") == "main\n"
    assert git("ls-tree", "-r", "--name-only", BRANCH, folder=cloned.parent / "remote").split() == ["scores/feature_1.csv", "scores/v.csv"]
    git("clone", "-q", "--depth", "1", f"file://{cloned.parent / 'remote'}", str(cloned.parent / "other"))
    found = LedgerBranch(f"file://{cloned.parent / 'remote'}").read(["v", "feature/1", "nothing"])
    assert sorted(found["target_version"].unique()) == ["feature/1", "v"]


def test_what_two_gates_push_at_once_is_all_there(cloned: Path) -> None:
    ledger = LedgerBranch("origin")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda place: ledger.append(rows("v" if place % 2 else "w", 1)), range(4)))
    found = ledger.read(["v", "w"])
    assert {version: sorted(part["epoch"].unique()) for version, part in found.groupby("target_version")} == {"v": [1, 2], "w": [1, 2]}


def test_two_gates_that_judge_alike_in_one_second_make_two_commits(cloned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z")
    monkeypatch.setenv("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z")
    ledger, seen = LedgerBranch("origin"), []
    tips = iter(["", ""])  # both look before either of them pushes
    monkeypatch.setattr(LedgerBranch, "_tip", lambda self: next(tips))
    monkeypatch.setattr(LedgerBranch, "_move", lambda self, tip, commit: seen.append(commit) is None)
    for _ in range(2):
        ledger.append(rows("v", 1))
    assert len(set(seen)) == 2


def test_a_repository_without_a_remote_keeps_the_branch_itself(cloned: Path) -> None:
    git("remote", "remove", "origin")
    ledger = opened("branch")
    assert ledger is not None
    ledger.append(rows("v", 1))
    ledger.append(rows("v", 2))
    assert len(ledger.read(["v"])) == 6
    assert git("rev-list", "--count", BRANCH).strip() == "2"


def test_a_job_that_may_not_push_is_told_so_in_one_line(cloned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.gating.ledger.TRIES", 1)
    hook = cloned.parent / "remote" / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(InputError, match="could not be pushed in 1 tries; may this job write"):
        LedgerBranch("origin").append(rows("v", 1))


def test_outside_of_git_the_branch_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="--ledger branch: git remote failed"):
        opened("branch")
