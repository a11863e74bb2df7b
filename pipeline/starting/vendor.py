"""Golden's own files apart from the team's: a branch `golden` that holds the former alone, so that a newer Golden merges without conflict.

The pattern is that of a vendor branch. `golden` is upstream without the paths in TEAMS. The team's branch begins at it, so what upstream
does to those paths later (the demo's data, its params, its figures) never comes: the branch does not have them.
"""

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path

from pipeline.errors import InputError

BRANCH = "golden"
TEAMS = ("params.yaml", "dvc.lock", "CHANGELOG.md", "expectations/*.yaml", "expectations/pii-spans.jsonl", "metrics/*", "data/*")
"""Paths that are the team's."""
GOLDENS = ("data/.gitignore", "data/README.md", "data/sources/*/README.md")
"""Among them those that are not."""


def is_teams(path: str) -> bool:
    return any(fnmatch(path, pattern) for pattern in TEAMS) and not any(fnmatch(path, pattern) for pattern in GOLDENS)


def split_off(commit: str, parents: Sequence[str], message: str) -> str:
    """Put `commit` without the team's paths onto the branch `golden`, behind `parents`; the new commit."""
    with tempfile.TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        git("read-tree", commit, env=index)
        gone = [path for path in git("ls-files", "-z", env=index).split("\0") if path and is_teams(path)]
        if gone:
            git("update-index", "--force-remove", "-z", "--stdin", env=index, given="\0".join(gone) + "\0")
        tree = git("write-tree", env=index)
    made = git("commit-tree", tree, *(part for parent in parents for part in ("-p", parent)), "-m", message)
    git("update-ref", f"refs/heads/{BRANCH}", made)
    return made


def upgrade(revision: str) -> bool:
    """Put a newer Golden onto the branch; False where it is there already. Raises InputError where there is no branch or no revision."""
    tip = known(BRANCH)
    if tip is None:
        raise InputError(f"git: no branch {BRANCH}; it is made by 'golden init'. In a clone: git branch {BRANCH} origin/{BRANCH}")
    commit = known(revision)
    if commit is None:
        raise InputError(f"{revision}: no such git revision; 'git fetch' the repository that Golden came from and name one of its branches")
    if succeeds("merge-base", "--is-ancestor", commit, tip):
        return False
    split_off(commit, (tip, commit), f"Golden at {revision}")
    return True


def known(revision: str) -> str | None:
    try:
        return git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}") or None
    except InputError:
        return None


def succeeds(*arguments: str) -> bool:
    return subprocess.run(["git", *arguments], capture_output=True, check=False).returncode == 0


def git(*arguments: str, env: Mapping[str, str] | None = None, given: str | None = None) -> str:
    """What git says. Raises InputError with its own line where it fails."""
    try:
        done = subprocess.run(
            ["git", *arguments],
            capture_output=True,
            text=True,
            check=False,
            input=given,
            env=os.environ | {"LC_ALL": "C"} | dict(env or {}),
        )
    except FileNotFoundError:
        raise InputError("git: not installed here; a dataset's repository is a git repository") from None
    if done.returncode:
        raise InputError(f"git {arguments[0]}: {(done.stderr.strip().splitlines() or ['failed'])[0]}")
    return done.stdout.strip()
