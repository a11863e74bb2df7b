"""`golden flag`: a production failure becomes a regression example, the same day."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.flagging import Flag, Flagged

TEMPLATE = """\
# {log_id}: say what went wrong and what a correct response is. Your own words: git keeps this text for ever, so no sentence of the
# conversation and nobody's data; people and ids by their placeholders, such as <PERSON_1>. An empty file changes nothing.
- log_id: {log_id}
  reason:
  expect:
    behaviour:                # answer, refuse, escalate, ask_back or degrade
    must_include: []          # each occurs; a list in it holds several accepted wordings
"""


def flag(
    log_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[LOG_ID]...", help="The conversation's id in its logs, or its id here (p-...).")
    ] = None,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="What went wrong, in your own words: git keeps it for ever.")
    ] = "",
    expect: Annotated[
        list[str] | None,
        typer.Option(
            "--expect", metavar="KEY=VALUE", help="What is right: behaviour=escalate, must_include='5 days / five days'. Several times."
        ),
    ] = None,
    edit: Annotated[bool, typer.Option("--edit", help="Write reason and expectation in $EDITOR.")] = False,
    incident: Annotated[
        str,
        typer.Option(
            "--incident", metavar="ID", help="The incident it belongs to. Default: that of a flagged failure that reads nearly the same."
        ),
    ] = "",
    tags: Annotated[
        list[str] | None, typer.Option("--tag", metavar="NAME=VALUE", help="A tag that the rules get wrong. Several times.")
    ] = None,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who flags it. Default: git's user.name.")] = "",
    on: Annotated[str, typer.Option("--on", metavar="DATE", help="When, such as 2026-03-31. Default: today.")] = "",
    log: Annotated[
        Path | None, typer.Option("--log", metavar="FILE", help="A raw log that is not here yet: it is put beside the others first.")
    ] = None,
    from_file: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="Many at once: a YAML list of log_id, reason, expect, incident_id, tags.")
    ] = None,
    suggest: Annotated[int, typer.Option("--suggest", metavar="N", help="Flag nothing; list N failures that are worth it.")] = 0,
    run: Annotated[bool, typer.Option("--run", help="Build what is needed and gate: the exit code is that of golden gate.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be written, and write nothing.")] = False,
) -> None:
    """Make production failures regression examples: pinned, one for each incident, in the dataset with the next build.

    Written to [bold]data/sources/regression/[/bold]: id, incident, reason, expectation and tags. The text stays in the pool, and is
    refused here. A conversation whose log was not taken in yet goes through ingest and anonymize first.

    Example: [bold]golden flag chat-20931 --reason "promised a refund after 90 days" --expect behaviour=refuse --run[/bold]
    """
    if suggest:
        _suggest(suggest)
        return
    from pipeline.yaml_models import dated

    flagged_at = dated(on, "--on")
    flags = _flags(log_ids or [], reason, expect or [], edit, incident, tags or [], from_file)
    flagged, found = _look_up(flags, by or _git_user(), flagged_at, log)
    _write(flagged, found, flagged_at, dry_run)
    if run and not dry_run:
        _build()
        raise typer.Exit(subprocess.run([sys.executable, "-m", "pipeline.cli", "gate"], check=False).returncode)


def _flags(
    log_ids: list[str], reason: str, expect: list[str], edit: bool, incident: str, tags: list[str], from_file: Path | None
) -> "list[Flag]":
    from pipeline import flagging
    from pipeline.yaml_models import build_model

    if from_file is not None:
        if log_ids:
            raise InputError("--from FILE names the conversations; give no LOG_ID beside it")
        return flagging.from_file(from_file)
    if not log_ids:
        raise InputError("no conversation named; give a LOG_ID, --from FILE, or --suggest 10 for what to flag")
    if edit:
        return _edited(log_ids)
    if not reason or not expect:
        raise InputError("what went wrong and what is right must be said: give --reason and --expect, or --edit")
    content = {"reason": reason, "expect": flagging.expectation(expect), "incident_id": incident, "tags": _pairs(tags)}
    return [build_model(log_id, {"log_id": log_id, **content}, flagging.Flag) for log_id in log_ids]


def _edited(log_ids: list[str]) -> "list[Flag]":
    from pipeline import flagging
    from pipeline.cli.editor import edited
    from pipeline.yaml_models import build_model, parse_yaml

    template = "".join(TEMPLATE.format(log_id=log_id) for log_id in log_ids)
    written = edited(template)
    content = parse_yaml("what you wrote", written.encode())
    if not content or written == template:
        raise InputError("nothing was written, so nothing was flagged")
    kept = [{**one, "expect": {k: v for k, v in (one.get("expect") or {}).items() if v not in (None, [], "")}} for one in content]
    return [build_model(f"what you wrote, flag {place}", one, flagging.Flag) for place, one in enumerate(kept, 1)]


def _pairs(given: list[str]) -> dict[str, str | list[str]]:
    found: dict[str, list[str]] = {}
    for text in given:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise InputError(f"--tag {name}: expected NAME=VALUE, such as category=billing")
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _git_user() -> str:
    name = subprocess.run(["git", "config", "user.name"], capture_output=True, text=True, check=False).stdout.strip()
    if not name:
        raise InputError("who flags it is not known: give --by NAME, or set git's user.name")
    return name


def _look_up(flags: "list[Flag]", flagged_by: str, flagged_at: str, log: Path | None) -> "tuple[list[Flagged], pd.DataFrame]":
    """The entries, and the candidates that they are of."""
    from pipeline import flagging, identity, params, sources

    settings = params.load()
    if log is not None:
        _take_in(log, Path(settings.ingest.path))
    needs_key = any(not flagging.EXAMPLE_ID.fullmatch(one.log_id) for one in flags)
    keys = identity.load_keys(settings.intake.key_file) if needs_key else {}
    wanted = [flagging.ids(one.log_id, settings.ingest.system, keys) for one in flags]
    before = {entry.id: (path, entry) for path, entry in sources.load()["regression"]}
    everything = {*before, *(one for ids in wanted for one in ids)}
    held = flagging.partitions_of(everything)
    if log is not None or any(not held.keys() & set(ids) for ids in wanted):
        _intake(Path(settings.ingest.path))
        held = flagging.partitions_of(everything)
    found = flagging.candidates_of(
        {one: held[one] for one in _example_ids(flags, wanted, held, {i: path for i, (path, _) in before.items()})}
    )
    known = flagging.candidates_of({one: held[one] for one in before if one in held})
    known = known.assign(incident_id=[before[i][1].incident_id for i in known["example_id"]])  # type: ignore[union-attr]
    return flagging.entries(flags, found, known, flagged_by, flagged_at, settings.merge.near_duplicate), found


def _example_ids(flags: "list[Flag]", wanted: list[list[str]], held: dict[str, str], before: dict[str, Path]) -> list[str]:
    """The example each flag is about. Raises InputError for one that is nowhere, flagged already, or named twice."""
    from pipeline import erasure, flagging

    found: list[str] = []
    for one, ids in zip(flags, wanted, strict=True):
        example_id = next((i for i in ids if i in held), None)
        if example_id is None:
            raise InputError(flagging.why_not_there(one.log_id, ids, erasure.erased()))
        if example_id in before:
            raise InputError(f"{one.log_id}: flagged already, as {example_id} in {before[example_id]}; edit that entry")
        if example_id in found:
            raise InputError(f"{one.log_id}: named twice; flag it once")
        found.append(example_id)
    return found


def _take_in(log: Path, folder: Path) -> None:
    """Put a log beside the others, whole or not at all."""
    from pipeline.tables import replacing

    if not log.is_file():
        raise InputError(f"--log {log}: no such file")
    there = folder / log.name
    if there.resolve() == log.resolve():
        return
    if there.is_file() and there.read_bytes() != log.read_bytes():
        raise InputError(f"--log {log}: {there} is there and holds something else; rename one of them")
    with replacing(there) as beside:
        shutil.copyfile(log, beside)


def _intake(folder: Path) -> None:
    """Bring the pool up to date where raw logs are here."""
    if not folder.is_dir():
        return
    typer.echo("not in the pool yet: taking in the logs", err=True)
    done = subprocess.run([sys.executable, "-m", "dvc", "repro", "--quiet", "anonymize"], check=False, stdout=sys.stderr)
    if done.returncode:
        raise InputError("the intake failed (see above); nothing was flagged")


def _write(flagged: "list[Flagged]", found: "pd.DataFrame", flagged_at: str, dry_run: bool) -> None:
    from pipeline import expectations, flagging, params, schema, tables
    from pipeline.paths import CANDIDATES

    known = tables.read_parquet(CANDIDATES, schema.CANDIDATES) if CANDIDATES.is_file() else tables.empty(schema.CANDIDATES)
    check = flagging.may_be_in_git(
        tables.concat([known, found], schema.CANDIDATES), expectations.load_tagging(), params.load().anonymize.allow_list
    )
    path = flagging.file_for(flagged_at)
    if dry_run:
        check({"regression": [(path, one.entry) for one in flagged]})
    else:
        flagging.append(path, flagged, check)
    typer.echo(flagging.as_yaml(flagged).rstrip("\n"))
    for one in flagged:
        same = f", the same incident as {one.twin}: one of them is an example" if one.twin else ""
        typer.echo(f"{one.entry.id}: {one.entry.incident_id}{same}")
    what = "would be written to" if dry_run else "written to"
    typer.echo(f"{what} {path}; " + ("nothing was changed" if dry_run else "'dvc repro' puts it into the dataset"))


def _build() -> None:
    if subprocess.run([sys.executable, "-m", "dvc", "repro"], check=False, stdout=sys.stderr).returncode:
        raise InputError("the build failed (see above); the flag stays, run 'dvc repro' again")


def _suggest(count: int) -> None:
    from pipeline import difference, expectations, measures, params, revisions, schema, suggesting, tables
    from pipeline.paths import CANDIDATES, SCORES, TAGS
    from pipeline.tabular import in_columns

    candidates = tables.read_parquet(CANDIDATES, schema.CANDIDATES)
    tags = tables.read_parquet(TAGS, schema.TAGS)
    wrong: set[str] = set()
    if SCORES.is_file():
        scores = difference.judged(now := revisions.at(None), now)
        wrong = {str(i) for i in scores.index[scores < 1]}
    costs = measures.example_costs(candidates["example_id"], tags, expectations.load_coverage())
    found = suggesting.suggestions(candidates, tags, costs, wrong, params.load().merge.near_duplicate)
    shown = found.head(count)
    rows = [[r.example_id, str(r.n), f"{r.weight:,.0f}", f"{r.cost:g}", f"{r.newest:%Y-%m-%d}", r.why, r.tags] for r in shown.itertuples()]
    typer.echo("\n".join(in_columns([["example", "alike", "logged", "cost", "newest", "why", "tags"], *rows])))
    typer.echo(f"{len(shown)} of {len(found)} groups of failures that are not flagged, the costliest first; flag one by its id")
