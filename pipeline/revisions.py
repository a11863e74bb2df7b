"""The dataset as it stood at a git revision, or as it stands in the work tree: who was in it and how it was judged.

All of it comes from what git keeps, so no DVC cache is asked and no text of an example is seen; `texts` alone fetches those.
"""

import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pyarrow.parquet as pq

from pipeline import params, schema, tables
from pipeline.errors import InputError
from pipeline.expectations import FOLDER, Contract
from pipeline.paths import ERASED, EXAMPLES, GRADER, MEMBERS, RETIRED, SCORES
from pipeline.scorers import Criteria, criteria, graded
from pipeline.yaml_models import build_model, parse_yaml

CONTRACT = FOLDER / "contract.yaml"
_BEFORE_A_TAG = re.compile(r" (?=[^ =]+=)")


@dataclass(frozen=True)
class Revision:
    """What git knows of the dataset at one revision."""

    name: str
    """As people call it: a tag, a branch, a commit, or `the work tree`."""
    members: pd.DataFrame
    """schema.MEMBERS"""
    scores: pd.DataFrame
    """schema.SCORES"""
    contract: Contract
    criteria: Criteria
    retired: frozenset[str]
    """Ids in data/sources/retired."""
    erased: frozenset[str]

    @property
    def tags(self) -> pd.DataFrame:
        """example_id, dimension, value: what members.csv says of every example."""
        rows = [
            (example_id, *tag.split("=", 1))
            for example_id, text in zip(self.members["example_id"], self.members["slices"], strict=True)
            for tag in (_BEFORE_A_TAG.split(text) if text else ())
        ]
        return pd.DataFrame(rows, columns=["example_id", "dimension", "value"], dtype="str")


def at(revision: str | None) -> Revision:
    """The dataset at a git revision; in the work tree where none is given.

    Raises InputError where there is no such revision, or no dataset in it.
    """
    name = revision or "the work tree"
    read = _in_work_tree if revision is None else _of_commit(revision, _commit(revision))
    members = _needed(read, MEMBERS, name)
    settings = parse_yaml(f"{params.PARAMS} at {name}", _needed(read, params.PARAMS, name))
    score = build_model(f"{params.PARAMS} at {name}: score", settings.get("score") or {}, params.Score)
    measured = read(GRADER)
    may_decide = score.graded is not None and measured is not None and graded.may_decide(score.graded, orjson.loads(measured))
    erased = read(ERASED)
    return Revision(
        name,
        tables.parse_csv(f"{MEMBERS} at {name}", members, schema.MEMBERS),
        tables.parse_csv(f"{SCORES} at {name}", _needed(read, SCORES, name), schema.SCORES),
        build_model(f"{CONTRACT} at {name}", parse_yaml(f"{CONTRACT} at {name}", _needed(read, CONTRACT, name)), Contract),
        criteria(score, may_decide),
        frozenset(_retired(revision)),
        frozenset(tables.parse_csv(f"{ERASED} at {name}", erased, schema.ERASED)["example_id"]) if erased else frozenset(),
    )


Read = Callable[[Path], bytes | None]
"""A tracked file's bytes; None where it is not there."""


def _needed(read: Read, path: Path, name: str) -> bytes:
    content = read(path)
    if content is None:
        raise InputError(f"{name}: holds no dataset, {path} is not in it; name a revision that has one, or run 'dvc repro'")
    return content


def _in_work_tree(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _of_commit(revision: str, commit: str) -> Read:
    def read(path: Path) -> bytes | None:
        shown = _git("show", f"{commit}:./{path}")
        return shown.stdout if shown.returncode == 0 else None

    return read


def _commit(revision: str) -> str:
    """The commit that `revision` names. Raises InputError where none does."""
    found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if found.returncode == 0:
        return found.stdout.decode().strip()
    if _git("rev-parse", "--git-dir").returncode:
        raise InputError(f"{revision}: this folder is no git repository; run this in the dataset's clone")
    shallow = _git("rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
    remedy = (
        "this clone is shallow: run 'git fetch --unshallow --tags'" if shallow else "'git tag' and 'git log --oneline' list what there is"
    )
    raise InputError(f"{revision}: no such git revision; {remedy}")


def _git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", *arguments], capture_output=True, check=False, env=os.environ | {"LC_ALL": "C"})
    except FileNotFoundError:
        raise InputError("git: not installed here; a dataset's version is a git revision") from None


def _retired(revision: str | None) -> list[str]:
    """Ids of the scenarios in data/sources/retired."""
    if revision is None:
        contents = {path: path.read_bytes() for path in sorted(RETIRED.rglob("*.yaml"))}
    else:
        listed = _git("ls-tree", "-r", "--name-only", "-z", _commit(revision), f"{RETIRED}/")
        read = _of_commit(revision, _commit(revision))
        names = [Path(name) for name in listed.stdout.decode().split("\0") if name.endswith(".yaml")]
        contents = {path: read(path) or b"" for path in names}
    entries = [entry for path, content in contents.items() for entry in parse_yaml(path, content) or []]
    return [str(entry["id"]) for entry in entries if isinstance(entry, dict) and "id" in entry]


def texts(revision: str | None, ids: set[str]) -> dict[str, list[dict[str, Any]]]:
    """The messages of these examples, surrogates in place, from DVC. Raises InputError where they cannot be had."""
    if revision is None:
        frame = tables.read_parquet(EXAMPLES, schema.EXAMPLES, ["example_id", "input"])
    else:
        from dvc.api import DVCFileSystem

        try:
            with DVCFileSystem(".", rev=_commit(revision)).open(str(EXAMPLES)) as file:
                frame = tables.to_frame(pq.read_table(file, columns=["example_id", "input"]))
        except Exception as error:  # DVC and its file systems raise dozens of types, a storage's own among them
            said = (str(error) or type(error).__name__).splitlines()[0]
            raise InputError(f"{EXAMPLES} at {revision}: cannot be fetched ({said}); was it pushed by 'dvc push'?") from None
    return {i: list(messages) for i, messages in zip(frame["example_id"], frame["input"], strict=True) if i in ids}
