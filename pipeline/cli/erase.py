"""`golden erase`: a conversation leaves this repository, its cache and its remotes, and never comes back."""

import logging
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.errors import InputError

if TYPE_CHECKING:
    from pipeline.erasure import Change
    from pipeline.purge import Found

OUT_OF_REACH = (
    "the raw logs themselves: remove it there too (it is not read again, but it is there)",
    "git history: its pseudonymous id, labels' values and notes; no text of its own is in git",
    "clones, their caches, exports and copies elsewhere: run the same command there after 'git pull'",
    "a bucket's old versions, and backups of a remote or of a machine",
    "a model that was trained on it: train it anew",
)


def erase(
    log_ids: Annotated[list[str] | None, typer.Argument(metavar="[LOG_ID]...", help="The conversation's id in its logs.")] = None,
    example_ids: Annotated[
        list[str] | None, typer.Option("--example-id", metavar="ID", help="Its id here (p-...); needs no key. May be given several times.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, kept in git: no personal data.")] = "",
    on: Annotated[
        str, typer.Option("--on", metavar="DATE", help="The date to list, as 2026-03-31; else that of the pool's newest record.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    run: Annotated[bool, typer.Option("--run", help="Run 'dvc repro' afterwards.")] = False,
) -> None:
    """Erase conversations: from pool, labels, sources, answers, logs, and from DVC's cache and every remote of this repository.

    What stays is a line in [bold]data/erased.csv[/bold] with the pseudonymous id, so that ingest never takes it in again. Every cached and
    pushed object that holds the conversation is deleted, older versions' too; the released versions that can no longer be
    rebuilt are listed, and what is out of reach. Then [bold]dvc repro[/bold] builds everything else anew. Killed in the middle, the same
    command completes it.

    Example: [bold]golden erase chat-20931 --reason "request of 2026-03-30"[/bold]
    """
    erased_on = _date(on)
    _check_reason(reason)
    with _alone() as repo:
        todo = _look(repo, log_ids or [], example_ids or [])
        if todo.is_nothing:
            typer.echo(f"{', '.join(sorted(todo.ids))}: already erased, nothing of it is left here")
            return
        for line in (*_what(todo), *_what_stays(todo)):
            typer.echo(line)
        if dry_run:
            typer.echo("nothing was changed (--dry-run)")
            return
        _confirm(yes)
        _carry_out(todo, erased_on, reason)
    typer.echo(f"erased; commit data/erased.csv and what else git shows after {'the build' if run else 'dvc repro'}, then 'dvc push'")
    if run:
        raise typer.Exit(subprocess.run([sys.executable, "-m", "dvc", "repro"], check=False).returncode)


@dataclass(frozen=True)
class Erasure:
    """What there is to erase, and where."""

    ids: frozenset[str]
    changes: "list[Change]"
    found: "Found"
    raw_lines: list[tuple[str, int]]
    """Partition and line of their raw records."""
    is_listed: bool
    """Whether data/erased.csv names all of them."""

    @property
    def is_nothing(self) -> bool:
        return self.is_listed and not self.changes and not self.found.paths and not self.found.unreached


def _look(repo: Any, log_ids: list[str], example_ids: list[str]) -> Erasure:
    """Everything that holds the conversations. Raises InputError for one that is nowhere."""
    from pipeline import erasure, purge

    ids = _ids(log_ids, example_ids)
    pending = erasure.Pending.read()
    found = purge.find(repo, ids, pending.objects)
    if unknown := sorted(ids - erasure.known(ids) - found.ids):
        raise InputError(f"--example-id {unknown[0]}: in no pool, cache or remote of this repository; nothing was changed")
    found.input_shas |= pending.input_shas | erasure.asked(ids) | purge.asked_before(ids, "metrics/scores.csv")
    found.input_shas.discard("")
    changes = erasure.changes(ids, frozenset(found.input_shas))
    return Erasure(ids, changes, found, erasure.raw_lines(ids), ids <= erasure.erased())


def _carry_out(todo: Erasure, erased_on: str, reason: str) -> None:
    """The tombstones come first: whatever happens then, the conversations are not read again."""
    from pipeline import erasure, purge

    erasure.add_tombstones(todo.ids, erased_on, reason)
    erasure.Pending(frozenset(todo.found.input_shas), frozenset(todo.found.objects)).write()
    for change in todo.changes:
        change.apply()
    purge.delete(todo.found)
    if todo.found.unreached:
        raise InputError(f"not erased from {'; '.join(todo.found.unreached)}; run the same command again once it can be")
    erasure.Pending.PATH.unlink(missing_ok=True)


def _date(on: str) -> str:
    from datetime import date

    from pipeline import erasure

    if not on:
        if not (newest := erasure.newest_date()):
            raise InputError("data/pool.csv: no record there to take a date from; give one with --on, such as --on 2026-03-31")
        return newest
    try:
        return date.fromisoformat(on).isoformat()
    except ValueError:
        raise InputError(f"--on {on}: no date; write it as 2026-03-31") from None


def _check_reason(reason: str) -> None:
    from pipeline import door

    door.check([door.Written("--reason", reason)], [])


def _ids(log_ids: list[str], example_ids: list[str]) -> frozenset[str]:
    """The ids of the conversations, under every key and system of the pool. Raises InputError for a log id that is not there."""
    from pipeline import erasure, identity, params

    if not log_ids and not example_ids:
        raise InputError("nothing to erase; give a log id, or --example-id p-...")
    if wrong := [i for i in example_ids if not re.fullmatch(r"p-[0-9a-f]{16}", i)]:
        raise InputError(f"--example-id {wrong[0]}: expected p- and 16 hex digits")
    if not log_ids:
        return frozenset(example_ids)
    settings = params.load()
    keys = identity.load_keys(settings.intake.key_file)
    systems = {settings.ingest.system} | erasure.systems()
    could_be = [{identity.example_id(key, system, log_id) for key in keys.values() for system in systems} for log_id in log_ids]
    known = erasure.known(set().union(*could_be))
    for place, candidates in enumerate(could_be, 1):
        if not candidates & known:
            raise InputError(
                f"log id {place} of {len(log_ids)}: no such conversation in the pool; an id is made of the system and the log id with the"
                f" key, and was looked for with key {', '.join(keys)} and system {', '.join(sorted(systems))}; nothing was changed"
            )
    return frozenset(known.union(example_ids))


@contextmanager
def _alone() -> Iterator[Any]:
    """The DVC repository, while neither DVC nor a stage works in it."""
    import fcntl

    from dvc.exceptions import DvcException
    from dvc.lock import LockError
    from dvc.repo import Repo

    from pipeline.stage import STATE

    logging.getLogger("dvc").setLevel(logging.CRITICAL)
    with ExitStack() as held:
        try:
            repo = held.enter_context(Repo("."))
            held.enter_context(repo.lock)
            for path in sorted((STATE / "locks").glob("*")):
                fcntl.flock(held.enter_context(path.open("w")), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (LockError, BlockingIOError):
            raise InputError("a build is running here; wait for it, then run this again") from None
        except DvcException as error:
            raise InputError(
                f"no DVC repository to erase from ({type(error).__name__}); go to the root of a dataset's repository"
            ) from None
        yield repo


def _what(todo: Erasure) -> Iterator[str]:
    yield f"to erase: {', '.join(sorted(todo.ids))}"
    for change in todo.changes:
        yield f"  {change.path}: {change.what}"
    for name, count in Counter(store.name for store, _ in todo.found.paths).items():
        yield f"  {name}: {count} object{'s' * (count != 1)} that hold it or list one that does"
    for remote in todo.found.unreached:
        yield f"  not reached: {remote}"


def _what_stays(todo: Erasure) -> Iterator[str]:
    from pipeline import purge

    tags, commits = purge.cannot_be_rebuilt(todo.found.objects)
    if commits or tags:
        released = f"; released versions among them: {', '.join(tags)}" if tags else "; no released version is among them"
        yield f"can no longer be rebuilt: {commits} commit{'s' * (commits != 1)} whose dvc.lock names a deleted object{released}"
    yield "out of reach, for you to see to:"
    yield from (f"  the raw log of {partition}, line {line}" for partition, line in todo.raw_lines)
    yield from (f"  {what}" for what in OUT_OF_REACH)


def _confirm(yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise InputError("deleting cannot be undone; look with --dry-run, then add --yes")
    typer.confirm("Deleting cannot be undone. Erase?", abort=True)
