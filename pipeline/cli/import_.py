"""`golden import`: another tool's tests become expert scenarios."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from pipeline.expectations import Tagging


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The tool's tests: YAML, JSON or JSON lines.")],
    tool: Annotated[str, typer.Option("--from", metavar="TOOL", help="promptfoo, deepeval or inspect.")],
    author: Annotated[str, typer.Option("--author", metavar="NAME", help="Who answers for these scenarios.")],
    asked: Annotated[str, typer.Option("--asked", metavar="TEXT", help="The question that elicited them.")],
    tags: Annotated[list[str] | None, typer.Option("--tags", metavar="DIMENSION=VALUE", help="A tag that all of them get.")] = None,
    match: Annotated[
        str, typer.Option("--answer-match", metavar="HOW", help="How a reference answer is compared. Default: it must occur as it stands.")
    ] = "",
    on: Annotated[str, typer.Option("--date", metavar="DATE", help="The date to write, as 2026-03-31. Default: today.")] = "",
) -> None:
    """Write another tool's tests to [bold]data/sources/expert/imported-FILE.yaml[/bold], and say what was left out and why.

    Left out are near-duplicates of what is there, what repeats the pool or holds personal data, and what nothing could judge.

    Example: [bold]golden import tests.yaml --from promptfoo --author "A. Name" --asked "What must never fail?"[/bold]
    """
    from pipeline import door, expectations, imports, params, paths, schema, sources, synthesize, tables
    from pipeline.expected import MATCHES
    from pipeline.yaml_models import dated

    if tool not in imports.TOOLS:
        raise InputError(f"--from {tool}: no such tool; {did_you_mean(tool, imports.TOOLS, 'known are ' + ', '.join(imports.TOOLS))}")
    if match and match not in MATCHES:
        raise InputError(f"--answer-match {match}: {did_you_mean(match, MATCHES, 'known are ' + ', '.join(MATCHES))}")
    if not author.strip() or not asked.strip():
        raise InputError("--author and --asked: say who answers for the scenarios, and what question elicited them")
    path = paths.SOURCES / "expert" / f"imported-{imports.slug(file.stem)}.yaml"
    if path.exists():
        raise InputError(f"{path}: there already; remove it, or give the file that you import another name")
    added, settings, tagging = dated(on, "--date"), params.load(), expectations.load_tagging()
    given = _given(tags or [], tagging)
    found = imports.TOOLS[tool](file, match)
    there = synthesize.present(sources.load(), tables.read_parquet(paths.CANDIDATES, schema.CANDIDATES))
    allowed = settings.anonymize.allow_list
    door.check([door.Written("--asked", asked)], there.pooled, allowed)
    by = {"author": author, "asked": asked, "added": added}
    done = imports.scenarios(found, file.stem, by, given, tagging, there, settings.merge.near_duplicate, allowed)
    told = ", ".join(f"{count} {why}" for why, count in sorted(done.left_out.items()) if count) or "none"
    if not done.kept:
        raise InputError(f"{file}: no scenario can be taken from it (left out: {told}); nothing was written")
    tables.write_text(path, f"# Imported from {tool}.\n\n" + "\n".join(synthesize.as_yaml(entry) for entry in done.kept))
    typer.echo(f"{path}: {len(done.kept)} scenarios; left out: {told}")
    if lost := ", ".join(f"{count} {kind}" for kind, count in sorted(done.unmapped.items()) if count):
        typer.echo(f"not taken over: {lost}")
    typer.echo("next: read them, then dvc repro")


def _given(tags: list[str], tagging: "Tagging") -> dict[str, str | list[str]]:
    """--tags as a mapping. Raises InputError for a dimension or value that tagging.yaml has not."""
    found: dict[str, str | list[str]] = {}
    dimensions = tagging.dimensions
    for text in tags:
        name, _, value = text.partition("=")
        if name not in dimensions:
            raise InputError(f"--tags {text}: no such dimension; {did_you_mean(name, dimensions, 'known are ' + ', '.join(dimensions))}")
        if value not in dimensions[name].values:
            known = dimensions[name].values
            raise InputError(f"--tags {text}: no value of {name}; {did_you_mean(value, known, 'known are ' + ', '.join(known))}")
        found[name] = value
    return found
