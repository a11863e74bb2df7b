"""`golden review`: a named person accepts, edits or rejects what was proposed."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.errors import InputError

if TYPE_CHECKING:
    from pipeline.sources import Synthetic


def review(
    file: Annotated[Path | None, typer.Option("--file", help="Only what is pending in this file.")] = None,
    reviewer: Annotated[str, typer.Option("--reviewer", metavar="NAME", help="Who decides.")] = "",
    accept: Annotated[
        list[str] | None, typer.Option("--accept", metavar="ID", help="Approve this one. May be given several times.")
    ] = None,
    reject: Annotated[list[str] | None, typer.Option("--reject", metavar="ID", help="Reject this one. May be given several times.")] = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; a rejection needs one.")] = "",
    on: Annotated[str, typer.Option("--date", metavar="DATE", help="The date to write, as 2026-03-31. Default: today.")] = "",
    list_: Annotated[bool, typer.Option("--list", help="Only say what is pending.")] = False,
) -> None:
    """Decide on pending synthetic scenarios: one by one, or by id with [bold]--accept[/bold] and [bold]--reject[/bold].

    The file carries the name and the date. A rejected scenario stays in it with its reason, never enters the dataset and is not
    proposed again. [bold]e[/bold] opens $EDITOR; what comes back passes the same checks as what is proposed.

    Example: [bold]golden review --reviewer "Sven Lindgren"[/bold]
    """
    from pipeline import review, sources
    from pipeline.yaml_models import dated

    waiting = review.pending(sources.load()["synthetic"], file)
    if list_:
        for path, entry in waiting:
            typer.echo(f"{entry.id}  {entry.fills}  {path}")
        return
    decided_on = dated(on, "--date")
    if both := sorted(set(accept or ()) & set(reject or ())):
        raise InputError(f"{both[0]}: both accepted and rejected; decide")
    by_status = {"approved": accept or [], "rejected": reject or []}
    if not accept and not reject:
        if not sys.stdin.isatty():
            raise InputError("no terminal to ask on; decide with --accept ID and --reject ID, see --list")
        _walk(waiting, reviewer, decided_on)
        return
    # Everything is looked at before anything is written.
    todo = [
        (*review.named(waiting, i), review.decision(status, reviewer, decided_on, reason)) for status, ids in by_status.items() for i in ids
    ]
    for path, entry, keys in todo:
        _write(path, entry.id, keys)
    typer.echo(f"{len(accept or ())} approved, {len(reject or ())} rejected, {len(waiting) - len(todo)} pending" + _then(accept))


def _walk(waiting: "list[tuple[Path, Synthetic]]", reviewer: str, decided_on: str) -> None:
    from pipeline import review

    review.decision("approved", reviewer, decided_on, "")  # without a name nothing is asked
    for number, (path, entry) in enumerate(waiting, 1):
        where = str(path)
        while True:
            typer.echo(
                f"\n[{number} of {len(waiting)}, for {entry.fills}]\n{review.block(path.read_text(encoding='utf-8'), entry.id, where)}"
            )
            answer = typer.prompt("[a]ccept, [e]dit, [r]eject, [s]kip, [q]uit", default="s").strip().lower()[:1]
            if answer == "e":
                _edit(path, entry.id)
            elif answer == "r":
                _write(path, entry.id, review.decision("rejected", reviewer, decided_on, typer.prompt("Why")))
            elif answer == "a":
                _write(path, entry.id, review.decision("approved", reviewer, decided_on, ""))
            if answer == "q":
                return
            if answer in ("a", "r", "s"):
                break


def _write(path: Path, example_id: str, keys: dict[str, str]) -> None:
    from pipeline import door, params, review, tables

    door.check([door.Written(f"{name} of {example_id}", value) for name, value in keys.items()], [], params.load().anonymize.allow_list)
    after = review.decided(path.read_text(encoding="utf-8"), example_id, keys, str(path))
    review.still_reads(path, after, example_id)
    tables.write_text(path, after)


def _edit(path: Path, example_id: str) -> None:
    """Open the scenario in $EDITOR; what does not pass the checks changes nothing and is told in one line."""
    from pipeline import review, tables
    from pipeline.cli.editor import edited

    text = path.read_text(encoding="utf-8")
    try:
        new = edited(review.block(text, example_id, str(path)))
        after, entry = review.edited(text, example_id, new, str(path))
        _check(entry, path)
        review.still_reads(path, after, example_id)
    except InputError as error:
        typer.echo(f"golden: {error}", err=True)
        return
    tables.write_text(path, after)


def _check(entry: "Synthetic", path: Path) -> None:
    from pipeline import params, paths, schema, sources, synthesize, tables

    settings = params.load()
    there = synthesize.present(
        {**sources.load(), "retired": sources.retired_scenarios()}, tables.read_parquet(paths.CANDIDATES, schema.CANDIDATES), but=entry.id
    )
    (why,) = synthesize.refusals([entry], there, settings.merge.near_duplicate, settings.anonymize.allow_list)
    if why:
        raise InputError(f"{path}, {entry.id}: refused, one of those {why}; nothing was changed")


def _then(accepted: list[str] | None) -> str:
    return "; next: dvc repro" if accepted else ""
