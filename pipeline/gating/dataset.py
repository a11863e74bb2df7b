"""The dataset that a gate asks: this repository's own, or that of another one at a version, fetched through DVC.

What is fetched lies in a cache outside of any repository, a folder per commit, and is compared with what git knows of it each time.
"""

import hashlib
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline import params, schema, stage, tables
from pipeline.errors import InputError
from pipeline.expectations import Contract, Coverage
from pipeline.paths import EXAMPLES, GRADER, MEMBERS, SCORES
from pipeline.scorers import Criteria, criteria, graded
from pipeline.yaml_models import M, build_model, read_model, read_yaml

CONTRACT, COVERAGE = Path("expectations/contract.yaml"), Path("expectations/coverage.yaml")
NEEDED = (EXAMPLES, MEMBERS, CONTRACT, COVERAGE, params.PARAMS)
WHERE_THERE_ARE = (SCORES, GRADER)
RELEASES = "golden@"
"""What a release's tag begins with; a version may leave it out, and the v behind it."""
FORM = "expected REPOSITORY@VERSION, such as https://example.com/team/golden.git@v1.2.0"
HASHES = "fetched.json"
"""What each fetched file's MD5 is, DVC's hash."""
IDENTITY = ["example_id", "input_sha", "expectation_sha"]


@dataclass(frozen=True)
class Dataset:
    version: str
    members_sha: str
    """Hash of its examples' ids, inputs and expectations: the same dataset, whatever its version is called."""
    examples: pd.DataFrame
    """schema.EXAMPLES"""
    contract: Contract
    coverage: Coverage
    evaluate: params.Evaluate
    interval: float
    """The level of intervals that are shown."""
    allow_list: list[str]
    criteria: Criteria
    folder: Path
    repository: str
    """Where its other revisions are."""
    state: Path
    """Where answers are kept until a verdict is reached."""


def here() -> Dataset:
    """The dataset of the repository that the gate runs in."""
    if not EXAMPLES.is_file():
        raise InputError(f"{EXAMPLES}: not there; run 'dvc pull' or 'dvc repro', or name a dataset by --dataset REPOSITORY@VERSION")
    return read(Path(), _described(), ".", stage.STATE / "gate")


def opened(text: str | None) -> Dataset:
    """The dataset that `--dataset` names; this repository's where it names none."""
    return here() if text is None else fetched(*named(text))


def read(folder: Path, version: str, repository: str, state: Path) -> Dataset:
    """What lies in `folder` as a dataset repository lays it. Of its params.yaml only what a gate needs is read."""
    examples = tables.read_parquet(folder / EXAMPLES, schema.EXAMPLES)
    if examples.empty:
        raise InputError(f"{folder / EXAMPLES}: holds no example; run 'dvc repro merge'")
    content = read_yaml(folder / params.PARAMS)
    wanted = content if isinstance(content, dict) else {}
    score = _section(folder, wanted, "score", params.Score)
    may_decide = score.graded is not None and graded.may_decide(score.graded, tables.read_json(folder / GRADER))
    return Dataset(
        version,
        members_sha(examples),
        examples,
        read_model(folder / CONTRACT, Contract),
        read_model(folder / COVERAGE, Coverage),
        _section(folder, wanted, "evaluate", params.Evaluate),
        _section(folder, wanted, "metrics", params.Metrics).interval,
        list((wanted.get("anonymize") or {}).get("allow_list") or []),
        criteria(score, may_decide),
        folder,
        repository,
        state,
    )


def _section(folder: Path, content: dict[str, Any], name: str, model: type[M]) -> M:
    return build_model(f"{folder / params.PARAMS}: {name}", content.get(name) or {}, model)


def members_sha(examples: pd.DataFrame) -> str:
    """A hash of the examples' ids, inputs and expectations, in no order."""
    rows = sorted("\t".join(row) for row in zip(*(examples[name] for name in IDENTITY), strict=True))
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()[:16]


def _described() -> str:
    """The release tag of this work tree's commit, or how far it is from one; `worktree` outside of git."""
    found = _git("describe", "--tags", "--always", "--dirty", "--match", f"{RELEASES}*")
    return found.removeprefix(RELEASES) if found else "worktree"


def _git(*arguments: str) -> str | None:
    try:
        asked = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, check=False, env=os.environ | {"GIT_TERMINAL_PROMPT": "0"}
        )
    except FileNotFoundError:
        raise InputError("git: not installed here; a dataset's version is a git revision") from None
    return asked.stdout.strip() if asked.returncode == 0 else None


def named(text: str) -> tuple[str, str]:
    """The repository and the version of REPOSITORY@VERSION. Raises InputError for anything else."""
    repository, release, version = text.rpartition(f"@{RELEASES}")
    if not release:
        repository, _, version = text.rpartition("@")
    if not repository or not version or re.search(r"[:\s~^?*\[\\]", version):
        raise InputError(f"--dataset {text}: no version; {FORM}")
    local = Path(repository).expanduser()
    return (str(local.resolve()) if local.exists() else repository), version


def fetched(repository: str, version: str) -> Dataset:
    """The dataset of `repository` at `version`: a release, tag, branch or commit.

    Raises InputError where it cannot be had, or is not what git says that it is.
    """
    home = cache_home()
    of_repository = home / "datasets" / hashlib.sha256(repository.encode()).hexdigest()[:12]
    commit = revision(repository, version)
    folder = of_repository / commit
    if not folder.is_dir():
        of_repository.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=of_repository, prefix=".unfinished-") as beside:
            _download(repository, commit, Path(beside))
            try:
                Path(beside).rename(folder)
            except OSError:  # another gate was faster
                if not folder.is_dir():
                    raise
            Path(beside).mkdir(exist_ok=True)  # which the block's end removes
    _verify(folder)
    return read(folder, version, repository, of_repository / "gate")


def cache_home() -> Path:
    """GOLDEN_CACHE, or `golden` in the user's cache."""
    named = os.environ.get("GOLDEN_CACHE")
    return Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "golden"


def revision(repository: str, version: str) -> str:
    """The commit of a version. Raises InputError where the repository cannot be reached or has no such version."""
    listed = _git("ls-remote", repository)
    if listed is None:
        raise InputError(f"--dataset {repository}: git cannot read it; is the address right, and may this machine read it?")
    refs = {name: commit for commit, _, name in (line.partition("\t") for line in listed.splitlines())}
    for name in (
        f"refs/tags/{RELEASES}{version}",
        f"refs/tags/{RELEASES}v{version}",
        f"refs/tags/{version}",
        f"refs/heads/{version}",
        version,
    ):
        if commit := refs.get(f"{name}^{{}}") or refs.get(name):  # an annotated tag's commit is behind it
            return commit
    if re.fullmatch(r"[0-9a-f]{7,40}", version):
        return version
    tags = [name.removeprefix("refs/tags/").removeprefix(RELEASES) for name in refs if name.startswith("refs/tags/") and name[-1] != "}"]
    raise InputError(
        f"--dataset {repository}: no version '{version}'; {'the newest are ' + ', '.join(tags[-5:]) if tags else 'it has no tag'}"
    )


def _download(repository: str, commit: str, folder: Path) -> None:
    """Bring the files a gate needs into `folder`; those in DVC must have the hash that dvc.lock gives them."""
    from dvc.api import DVCFileSystem

    path, hashes = Path("dvc.lock"), {}
    try:
        files = DVCFileSystem(repository, rev=commit)
        for path in (*NEEDED, *WHERE_THERE_ARE):
            if path in WHERE_THERE_ARE and not files.exists(str(path)):
                continue
            content = files.read_bytes(str(path))
            tables.write_bytes(folder / path, content)
            known = (files.info(str(path)).get("dvc_info") or {}).get("md5")
            hashes[str(path)] = known or _md5(content)
    except Exception as error:  # DVC and its file systems raise dozens of types, a storage's own among them
        said = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(
            f"--dataset {repository}: cannot fetch {path} of {commit[:10]} ({said}); "
            "was it pushed by 'dvc push', and may this machine read the remote?"
        ) from None
    tables.write_json(folder / HASHES, hashes)


def _verify(folder: Path) -> None:
    """Every file is what it was, or what dvc.lock says; and the examples are those that git's members.csv lists."""
    for name, known in tables.read_json(folder / HASHES).items():
        if not (folder / name).is_file() or _md5((folder / name).read_bytes()) != known:
            raise InputError(f"{folder / name}: not what git and DVC say of it; remove {folder} and run this again")
    listed = tables.read_csv(folder / MEMBERS, schema.MEMBERS)["example_id"]
    if sorted(listed) != sorted(tables.read_parquet(folder / EXAMPLES, schema.EXAMPLES, ["example_id"])["example_id"]):
        raise InputError(f"{folder / EXAMPLES}: not the examples that {MEMBERS} lists; run 'dvc repro' there, commit and push both")


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def scores_at(dataset: Dataset, version: str) -> pd.DataFrame | None:
    """metrics/scores.csv of the dataset's repository at a git revision; None where there is no such revision."""
    if dataset.repository == ".":
        if _git("rev-parse", "--verify", "--quiet", f"{version}^{{commit}}") is None:
            return None
        content = _git("show", f"{version}:{SCORES}")
        content = None if content is None else content + "\n"
    else:
        content = _scores_of(dataset.repository, version)
    if content is None:
        raise InputError(f"--against {version}: that revision has no {SCORES}")
    with tempfile.TemporaryDirectory() as folder:
        tables.write_text(Path(folder) / SCORES, content)
        return tables.read_csv(Path(folder) / SCORES, schema.SCORES)


def _scores_of(repository: str, version: str) -> str | None:
    from dvc.api import DVCFileSystem

    try:
        return str(DVCFileSystem(repository, rev=revision(repository, version)).read_text(str(SCORES)))
    except (FileNotFoundError, OSError):
        return None
