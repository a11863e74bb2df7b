import subprocess
from pathlib import Path

import pandas as pd
import pytest
from dvc.repo import Repo
from hypothesis import given
from hypothesis import strategies as st

from pipeline import schema
from pipeline.errors import InputError
from pipeline.gating import dataset
from pipeline.gating.dataset import fetched, members_sha, named
from pipeline.paths import EXAMPLES
from tests.gating.small import hundred, lay


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(
        ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@example.com", *arguments], check=True, capture_output=True
    )


def released(folder: Path, examples: list[dict[str, object]], version: str) -> None:
    """A commit of a DVC repository, tagged as a release."""
    fresh = not (folder / ".dvc").is_dir()
    lay(folder, examples)
    if fresh:
        git(folder, "init", "-q", "-b", "main")
        Repo.init(str(folder)).close()
    with Repo(str(folder)) as repo:
        repo.add(str(folder / EXAMPLES))
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", version)
    git(folder, "tag", "-a", f"golden@{version}", "-m", version)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GOLDEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    monkeypatch.chdir(tmp_path)
    released(tmp_path / "golden", hundred()[:5], "v1.0.0")
    return tmp_path / "golden"


def test_a_release_is_fetched_by_its_tag_and_stays_what_it_was(repository: Path) -> None:
    first = fetched(str(repository), "v1.0.0")
    released(repository, hundred()[:8], "v1.1.0")
    assert len(fetched(str(repository), "v1.1.0").examples) == 8
    assert len(fetched(str(repository), "main").examples) == 8
    again = fetched(str(repository), "golden@v1.0.0")
    assert (len(again.examples), again.members_sha) == (5, first.members_sha)
    assert sorted(path.name for path in Path().iterdir()) == ["cache", "golden", "site"], "nothing lies where the gate runs"


def test_what_was_fetched_once_needs_no_remote(repository: Path) -> None:
    fetched(str(repository), "v1.0.0")
    for path in (repository / ".dvc" / "cache" / "files").rglob("*"):
        if path.is_file():
            path.chmod(0o600)
            path.unlink()
    assert len(fetched(str(repository), "v1.0.0").examples) == 5


def test_a_dataset_that_was_never_pushed_is_one_line(repository: Path) -> None:
    for path in (repository / ".dvc" / "cache" / "files").rglob("*"):
        if path.is_file():
            path.chmod(0o600)
            path.unlink()
    with pytest.raises(InputError, match=r"cannot fetch data/golden/examples.parquet of \w{10} .*was it pushed by 'dvc push'") as refused:
        fetched(str(repository), "v1.0.0")
    assert "\n" not in str(refused.value)


def test_a_fetched_file_that_was_touched_is_refused(repository: Path) -> None:
    folder = fetched(str(repository), "v1.0.0").folder
    (folder / "expectations/contract.yaml").write_text("version: '2'\n")
    with pytest.raises(InputError, match=r"contract.yaml: not what git and DVC say of it; remove"):
        fetched(str(repository), "v1.0.0")


def test_examples_that_git_does_not_list_are_refused(repository: Path) -> None:
    lay(repository, hundred()[:6])
    git(repository, "add", "data/golden/members.csv")
    git(repository, "commit", "-qm", "members without their examples")
    with pytest.raises(InputError, match=r"not the examples that data/golden/members\.csv lists"):
        fetched(str(repository), "main")


def test_a_version_that_is_not_there_names_those_that_are(repository: Path) -> None:
    with pytest.raises(InputError, match=r"no version 'v9'; the newest are v1\.0\.0"):
        fetched(str(repository), "v9")
    with pytest.raises(InputError, match="git cannot read it"):
        fetched(str(repository / "nowhere"), "v1.0.0")


@pytest.mark.parametrize(
    ("text", "repository", "version"),
    [
        ("https://example.com/team/golden.git@v1.2.0", "https://example.com/team/golden.git", "v1.2.0"),
        ("git@example.com:team/golden.git@main", "git@example.com:team/golden.git", "main"),
        ("git@example.com:team/golden.git@golden@v1", "git@example.com:team/golden.git", "v1"),
        ("/no/such/folder@feature/x", "/no/such/folder", "feature/x"),
    ],
)
def test_a_dataset_is_named_by_repository_and_version(text: str, repository: str, version: str) -> None:
    assert named(text) == (repository, version)


@pytest.mark.parametrize("text", ["git@example.com:team/golden.git", "folder", "@v1", "folder@", "folder@a b"])
def test_a_dataset_without_a_version_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="no version; expected REPOSITORY@VERSION"):
        named(text)


@given(st.permutations(range(4)))
def test_the_hash_of_the_members_knows_no_order_and_sees_every_change(order: list[int]) -> None:
    frame = pd.DataFrame(hundred()[:4])
    assert members_sha(frame.iloc[order]) == members_sha(frame)
    assert members_sha(frame.assign(expectation_sha=["x", "x", "x", "y"])) != members_sha(frame)


def test_only_what_a_gate_needs_is_read_of_the_datasets_params(tmp_path: Path) -> None:
    lay(tmp_path, hundred()[:3])
    content = (tmp_path / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(f"{content}\nof_a_later_golden: true\n")
    read = dataset.read(tmp_path, "v", "somewhere", tmp_path)
    assert list(read.examples.columns) == schema.EXAMPLES.names
    (tmp_path / "params.yaml").write_text(content.replace("timeout_s", "timeout"))
    with pytest.raises(InputError, match=r"params.yaml: evaluate: timeout: unknown key; did you mean 'timeout_s'\?"):
        dataset.read(tmp_path, "v", "somewhere", tmp_path)
