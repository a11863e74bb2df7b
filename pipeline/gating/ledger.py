"""What gates judged before, kept so that nobody ships by trying again.

A ledger is a CSV of schema.LEDGER at a path, or the branch `golden-ledger` of the repository that the gate runs in, with a file per
target version. An epoch from CONFIRMATIONS on is no epoch of the whole dataset: it asked new failures of a zero-tolerance slice again.
"""

import hashlib
import os
import re
import secrets
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pandas as pd

from pipeline import schema, stage, tables
from pipeline.errors import InputError
from pipeline.gating.dataset import cache_home

BRANCH = "golden-ledger"
CONFIRMATIONS = 1_000
TRIES = 8
WAIT_S = 0.25


class Ledger(Protocol):
    def read(self, versions: list[str]) -> pd.DataFrame:
        """The rows of these target versions, as schema.LEDGER."""

    def append(self, rows: pd.DataFrame) -> None:
        """Add the rows of one target version, whole or not at all. Raises InputError where that cannot be done."""


def confirmations_of(epochs: int) -> range:
    """The two epochs in which what failed newly after `epochs` epochs was asked again."""
    return range(CONFIRMATIONS + 2 * epochs - 1, CONFIRMATIONS + 2 * epochs + 1)


def joined(known: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """`rows` behind `known`. Where another gate of the same version was faster, their epochs are counted on from its last one."""
    same = known.loc[known["target_version"].isin(rows["target_version"]), "epoch"]
    taken, ours = same[same < CONFIRMATIONS], rows["epoch"] < CONFIRMATIONS
    if len(taken) and ours.any() and (late := int(taken.max()) - int(rows.loc[ours, "epoch"].min()) + 1) > 0:
        rows = rows.assign(epoch=rows["epoch"].where(~ours, rows["epoch"] + late))
    both = tables.concat([known, rows], schema.LEDGER)
    return both.drop_duplicates(list(schema.LEDGER.key), ignore_index=True)


@dataclass(frozen=True)
class LedgerFile:
    path: Path

    def read(self, versions: list[str]) -> pd.DataFrame:
        rows = self._all()
        return rows[rows["target_version"].isin(versions)].reset_index(drop=True)

    def append(self, rows: pd.DataFrame) -> None:
        try:
            name = hashlib.sha256(str(self.path.resolve()).encode()).hexdigest()[:16]
            with stage.alone(name, cache_home()):
                tables.write_csv(self.path, joined(self._all(), rows), schema.LEDGER)
        except OSError as error:
            raise InputError(f"--ledger {self.path}: cannot be written ({error.strerror})") from None

    def _all(self) -> pd.DataFrame:
        return tables.read_csv(self.path, schema.LEDGER) if self.path.is_file() else tables.empty(schema.LEDGER)


@dataclass(frozen=True)
class LedgerBranch:
    """Written with git's plumbing: no file of the work tree, and no branch that is checked out, is touched."""

    remote: str | None
    """Where the branch is kept; none where the repository has no remote, and keeps it itself."""

    def read(self, versions: list[str]) -> pd.DataFrame:
        tip = self._tip()
        parts = [self._file(tip, version) for version in dict.fromkeys(versions)] if tip else []
        return tables.concat(parts, schema.LEDGER)

    def append(self, rows: pd.DataFrame) -> None:
        version = str(rows["target_version"].iloc[0])
        # Two gates that judge alike in one second would make one and the same commit, and the second push be no push.
        message = f"{version} on {rows['dataset_version'].iloc[0]}\n\nrun {secrets.token_hex(8)}"
        for attempt in range(TRIES):
            tip = self._tip()
            known = self._file(tip, version) if tip else tables.empty(schema.LEDGER)
            commit = _commit(tip, _name(version), tables.as_csv(joined(known, rows), schema.LEDGER), message)
            if self._move(tip, commit):
                return
            time.sleep(WAIT_S * 2**attempt * (0.5 + os.getpid() % 100 / 100))  # two gates must not meet again
        raise InputError(
            f"--ledger branch: {BRANCH} could not be pushed in {TRIES} tries; may this job write to the repository's contents?"
        )

    def _tip(self) -> str:
        """The branch's commit, empty where there is no such branch."""
        if self.remote is None:
            return _git("rev-parse", "--verify", "--quiet", f"refs/heads/{BRANCH}", may_fail=True)
        listed = _git("ls-remote", self.remote, f"refs/heads/{BRANCH}").partition("\t")[0]
        if listed:
            # Only a repository that is shallow, as CI's are, may be cut further.
            depth = ("--depth", "1") if _git("rev-parse", "--is-shallow-repository") == "true" else ()
            _git("fetch", "--quiet", *depth, "--no-tags", self.remote, f"refs/heads/{BRANCH}")
        return listed

    def _move(self, tip: str, commit: str) -> bool:
        """Whether the branch, still at `tip`, now is at `commit`."""
        if self.remote is None:
            moved = _run("update-ref", f"refs/heads/{BRANCH}", commit, tip or "0" * 40)
        else:
            moved = _run("push", "--quiet", f"--force-with-lease=refs/heads/{BRANCH}:{tip}", self.remote, f"{commit}:refs/heads/{BRANCH}")
        return moved.returncode == 0

    def _file(self, tip: str, version: str) -> pd.DataFrame:
        found = _run("show", f"{tip}:{_name(version)}")
        if found.returncode:
            return tables.empty(schema.LEDGER)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{BRANCH}, {_name(version)}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(found.stdout)
            return tables.read_csv(path, schema.LEDGER)


def opened(named: str | None) -> Ledger | None:
    """The ledger that `--ledger` names: `branch`, or a path. None where it names none."""
    if named is None:
        return None
    if named != "branch":
        return LedgerFile(Path(named))
    remotes = _git("remote").split()
    return LedgerBranch("origin" if "origin" in remotes else remotes[0] if remotes else None)


def _name(version: str) -> str:
    return f"scores/{re.sub(r'[^A-Za-z0-9._-]', '_', version)}.csv"


def _commit(parent: str, name: str, content: bytes, message: str) -> str:
    """A commit on `parent` in which the file `name` is `content` and everything else as it was."""
    blob = _git("hash-object", "-w", "--stdin", given=content)
    with tempfile.TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        if parent:
            _git("read-tree", parent, environment=index)
        _git("update-index", "--add", "--cacheinfo", f"100644,{blob},{name}", environment=index)
        tree = _git("write-tree", environment=index)
    who = {
        f"GIT_{role}_{part}": value
        for role in ("AUTHOR", "COMMITTER")
        for part, value in (("NAME", "golden gate"), ("EMAIL", "gate@golden.invalid"))
    }
    return _git("commit-tree", tree, "-m", message, *(("-p", parent) if parent else ()), environment=who)


def _git(*arguments: str, given: bytes | None = None, environment: dict[str, str] | None = None, may_fail: bool = False) -> str:
    done = _run(*arguments, given=given, environment=environment)
    if done.returncode and not may_fail:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise InputError(f"--ledger branch: git {arguments[0]} failed ({said[-1] if said else 'it gave no reason'})")
    return done.stdout.decode().strip()


def _run(*arguments: str, given: bytes | None = None, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    own = os.environ | {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"} | (environment or {})
    try:
        return subprocess.run(["git", *arguments], input=given, capture_output=True, check=False, env=own)
    except FileNotFoundError:
        raise InputError("--ledger branch: git is not installed here; name a path instead") from None
