"""`golden refresh`: what the dataset lacks of its production, and what production shows no more."""

from typing import Annotated, Any

import typer

from pipeline.errors import InputError


def refresh(
    plan: Annotated[bool, typer.Option("--plan", help="Write the plan and change nothing. The default.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Do what the plan says: list what to label, retire what is unseen.")] = False,
    restore: Annotated[
        list[str] | None, typer.Option("--restore", metavar="ID", help="Bring a retired example back. May be given several times.")
    ] = None,
) -> None:
    """Plan a refresh: reports/refresh.md for people, reports/refresh.json for programs; ids and tags, no text.

    It names the tag combinations in which production fails most and the dataset is thin, with conversations to label for each; the
    examples that production has not shown for long, to retire; and the adversarial scenarios that this quarter owes. --apply
    writes data/wanted.csv, which annotators get first, and moves what retires to data/sources/retired, each with its reason.

    Example: [bold]golden refresh --plan[/bold]
    """
    if (plan and apply) or (restore and (plan or apply)):
        raise InputError("give one of --plan, --apply and --restore")
    if restore:
        _restore(restore)
        return
    from pipeline.stage import alone

    with alone("refresh"):
        made, settings = _plan()
        _write(made, settings)
        if apply:
            _apply(made)


def _plan() -> Any:
    from pipeline import params, paths, schema, sources, tables
    from pipeline.refreshing import plan

    settings = params.load()
    members = tables.read_csv(paths.MEMBERS, schema.MEMBERS)
    seen = tables.read_csv(paths.LAST_SEEN, schema.LAST_SEEN) if paths.LAST_SEEN.is_file() else None
    made = plan.make(
        tables.read_parquet(
            paths.CANDIDATES, schema.CANDIDATES, ["example_id", "source", "occurred_at", "failed", "inclusion_weight", "input"]
        ),
        tables.read_parquet(paths.TAGS, schema.TAGS),
        # What was retired since the last build is still among the members.
        members[~members["example_id"].isin(sources.retired())],
        _labelled(),
        seen,
        sources.load()["adversarial"],
        settings.refresh,
        settings.merge.near_duplicate,
        settings.merge.seed,
    )
    return made, settings


def _labelled() -> frozenset[str]:
    from pipeline import paths, schema, tables

    return frozenset(tables.read_parquet(paths.EXPECTATIONS, schema.EXPECTATIONS, ["example_id"])["example_id"])


def _write(made: Any, settings: Any) -> None:
    from pipeline import paths, tables
    from pipeline.refreshing import plan

    tables.write_json(paths.REPORTS / "refresh.json", made.as_json())
    tables.write_text(paths.REPORTS / "refresh.md", plan.page(made, settings.dataset.name))
    due = made.adversarial
    typer.echo(
        f"{len(made.combinations)} combinations, {len(made.wanted)} conversations to label, {len(made.retire)} examples to retire, "
        f"{due['owed_at_least']} to {due['owed_at_most']} adversarial scenarios owed for {due['cycle']}: {paths.REPORTS}/refresh.md"
    )
    if made.retirement:
        typer.echo(f"nothing can be retired: {made.retirement}")


def _apply(made: Any) -> None:
    from pipeline import paths, schema, sources, tables
    from pipeline.refreshing import asked_for, retiring

    files = retiring.retired_files(made.retire, sources.load(), made.as_of, paths.SOURCES)
    before = asked_for.listed()
    there = tables.read_parquet(paths.CANDIDATES, schema.CANDIDATES, ["example_id"])["example_id"]
    # Labelled, retired, or erased since: nothing to label.
    done = _labelled() | {one.example_id for one in made.retire} | (frozenset(before["example_id"]) - frozenset(there))
    wanted = asked_for.with_(before, made.wanted, made.as_of, done)
    files[paths.WANTED] = tables.as_csv(wanted, schema.WANTED).decode()
    retiring.write(files)
    typer.echo(
        f"applied: {len(wanted)} in {paths.WANTED}, {len(made.retire)} moved to {paths.RETIRED}; now run 'dvc repro', then 'golden label next'"
    )


def _restore(ids: list[str]) -> None:
    from pipeline import paths, sources
    from pipeline.refreshing import retiring
    from pipeline.stage import alone

    with alone("refresh"):
        retiring.write(retiring.restored_files(ids, sources.retired(), paths.SOURCES))
    typer.echo(
        f"{len(ids)} restored; list what production does not show in refresh.keep of params.yaml, or the next refresh retires it again; "
        "now run 'dvc repro'"
    )
