"""A release, from a clean tree to a tag: written, rebuilt until nothing changes, committed, tagged, or put back as it was.

What can never happen: a release of what was not built or not committed; one that the gate does not ship without a written reason; a
tag on a commit whose rebuild would change it; a tree that a failed release leaves changed.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline import expectations, params, schema, tables
from pipeline.difference import WHY_GONE, difference
from pipeline.errors import InputError
from pipeline.gating import report
from pipeline.gating.dataset import here
from pipeline.gating.verdict import Outcome, recorded
from pipeline.merge import UNRELEASED
from pipeline.params import LOGGED
from pipeline.paths import CANDIDATES, CARD, CHANGELOG, HISTORY, MEMBERS, METRICS, RELEASED, SCORES
from pipeline.releasing import card, changelog, history, versions
from pipeline.revisions import at

ARTIFACT = "golden"
"""The dataset's name under `artifacts` of dvc.yaml."""
ROUNDS = 3
"""So often is it rebuilt at most."""
MEASURED = ("metrics", "power", "pii", "labels", "monitor", "coverage")


@dataclass(frozen=True)
class Wanted:
    version: str
    forced_why: str = ""
    """Why it is released though the gate does not say ship; empty where it must."""
    notes: str = ""
    """What people should know of it, for the changelog."""


@dataclass(frozen=True)
class Released:
    tag: str
    row: dict[str, object]


def release(wanted: Wanted, say: Callable[[str], None]) -> Released:
    """Release the dataset as it stands. Raises InputError, and leaves everything as it was, where it cannot be."""
    before = tables.read_csv(HISTORY, schema.HISTORY) if HISTORY.is_file() else tables.empty(schema.HISTORY)
    versions.check(wanted.version, list(before["version"]))
    check_tree(wanted.version)
    head = git("rev-parse", "HEAD")
    with put_back(head):
        say("rebuilding, so that what is released is what would be built")
        rebuild()
        if changed():
            raise InputError(f"{changed()[0]}: not what is committed; run 'dvc repro', look at 'git diff' and commit it first")
        last = f"{versions.TAG}{before['version'].iloc[-1]}" if len(before) else None
        check_verdict(verdict(last), wanted)
        members = settled(wanted.version)
        found = verdict(last)
        check_verdict(found, wanted)
        say("writing history, changelog and card")
        row = write(wanted, members, before, found)
        rebuild()
        unexpected = [
            path for path in changed() if not path.startswith(("data/golden/", "data/releases/", "metrics/", "dvc.lock", str(CHANGELOG)))
        ]
        if unexpected:
            raise InputError(f"{unexpected[0]}: changed while the release was built; commit or undo that first")
        git("add", "--all", "--", *changed())
        git("commit", "--quiet", "--message", f"Release {ARTIFACT} {wanted.version}")
        return Released(tagged(wanted), row)


def check_tree(version: str) -> None:
    """Raises InputError where this is no clone that can be released from."""
    if git("rev-parse", "--is-shallow-repository") == "true":
        raise InputError("this clone is shallow, so the releases before are not known: run 'git fetch --unshallow --tags'")
    if dirty := changed():
        raise InputError(f"{dirty[0]}: changed and not committed ({len(dirty)} such files); commit or undo it, then release")
    if git("tag", "--list", f"{versions.TAG}{version}"):
        raise InputError(f"{version}: the tag {versions.TAG}{version} is there already; choose a greater version")


def verdict(last: str | None) -> Outcome:
    """The gate's verdict on the recorded answers, beside the last release's where another build gave those."""
    scores = tables.read_csv(SCORES, schema.SCORES)
    if last is None:
        return recorded(here(), scores)
    then = set(at(last).scores["target_version"])
    return recorded(here(), scores, last if then != set(scores["target_version"]) else None)


def check_verdict(found: Outcome, wanted: Wanted) -> None:
    """Raises InputError where the gate does not ship and nobody wrote why it is released all the same."""
    if found.decision != "ship" and not wanted.forced_why:
        why = "; ".join(report.sentences(found)[-2:])
        raise InputError(f"the gate says {found.decision}: {why}; mend that, or release with --force --why '...', which is recorded")


def settled(version: str) -> pd.DataFrame:
    """The members once the release counts as the last one: rebuilt until a rebuild changes none of them."""
    for _ in range(ROUNDS):
        members = tables.read_csv(MEMBERS, schema.MEMBERS)
        members = members.assign(since=members["since"].replace(UNRELEASED, version))
        tables.write_csv(RELEASED, members, schema.MEMBERS)
        rebuild()
        if tables.read_csv(MEMBERS, schema.MEMBERS).equals(members):
            return members
    raise InputError(f"{MEMBERS}: still changing after {ROUNDS} builds with the release as the last one; see 'merge' in params.yaml")


def write(wanted: Wanted, members: pd.DataFrame, before: pd.DataFrame, found: Outcome) -> dict[str, object]:
    """History, changelog and card; the history's new row."""
    figures = {name: tables.read_json(path) for name in MEASURED if (path := METRICS / f"{name}.json").is_file()}
    last = at(f"{versions.TAG}{before['version'].iloc[-1]}") if len(before) else None
    times = tables.read_parquet(CANDIDATES, schema.CANDIDATES, ["source", "occurred_at"])
    day = times.loc[times["source"].isin(LOGGED), "occurred_at"].max()
    facts = {
        "released_on": "" if pd.isna(day) else day.strftime("%Y-%m-%d"),
        "target_version": found.run.target_version,
        "verdict": found.decision,
        "forced_why": wanted.forced_why if found.decision != "ship" else "",
    }
    row = history.row(wanted.version, members, tables.empty(schema.MEMBERS) if last is None else last.members, figures, facts)
    came, went = members["source"].value_counts().sort_index(), {}
    if last is not None:
        change = difference(last, at(None))
        came = change.added["source"].value_counts().sort_index()
        went = {WHY_GONE[str(why)]: int(count) for why, count in change.removed["why"].value_counts().sort_index().items()}
    settings = params.load()
    contract = expectations.load_contract()
    written = CHANGELOG.read_text(encoding="utf-8") if CHANGELOG.is_file() else ""
    counts = {str(source): int(count) for source, count in came.items()}
    tables.write_csv(HISTORY, history.with_row(before, row), schema.HISTORY)
    tables.write_text(CHANGELOG, changelog.with_entry(written, changelog.entry(wanted.version, row, went, counts, wanted.notes)))
    tables.write_text(CARD, card.card(settings.dataset.name, row, figures, contract, settings.dataset.language))
    return row


def tagged(wanted: Wanted) -> str:
    """The annotated tag on this commit, as GTO and DVC's artifact registry read it."""
    from gto.api import register
    from gto.exceptions import GTOException

    try:
        register(
            repo=".", name=ARTIFACT, ref="HEAD", version=f"v{wanted.version}", message=wanted.notes or f"Release {wanted.version}",
            stdout=False,
        )  # fmt: skip
    except GTOException as error:
        raise InputError(f"{wanted.version}: cannot be tagged ({str(error).splitlines()[0]})") from None
    return f"{versions.TAG}{wanted.version}"


@contextmanager
def put_back(head: str) -> Iterator[None]:
    """The tree was clean; whatever fails within leaves it at `head` and clean again."""
    try:
        yield
    except BaseException:
        git("reset", "--quiet", "--hard", head)
        git("clean", "--quiet", "--force", "-d")
        dvc("checkout", "--quiet", "--allow-missing")
        raise


def rebuild() -> None:
    """Raises InputError, with the last line of the failing stage, where it does not build."""
    done = dvc("repro", "--quiet", "--allow-missing")
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip() and not line.startswith("ERROR:")]
        raise InputError(f"the dataset does not build: {said[-1] if said else 'run dvc repro'}")


def dvc(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dvc", *arguments], capture_output=True, text=True, check=False,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"},
    )  # fmt: skip


def changed() -> list[str]:
    """Files that differ from the last commit, untracked ones too."""
    listed = git("status", "--porcelain", "--untracked-files=all", "-z", strip=False)
    return [entry[3:] for entry in listed.split("\0") if entry]


def git(*arguments: str, strip: bool = True) -> str:
    """What git says. Raises InputError with its own line where it fails."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False, env=os.environ | {"LC_ALL": "C"})
    except FileNotFoundError:
        raise InputError("git: not installed here; a release is a git tag") from None
    if done.returncode:
        raise InputError(f"git {arguments[0]}: {(done.stderr.strip().splitlines() or ['failed'])[0]}")
    return done.stdout.strip() if strip else done.stdout
