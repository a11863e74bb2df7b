"""`golden synthesize`: scenarios for named gaps, pending until somebody approves them."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.errors import InputError

if TYPE_CHECKING:
    from pipeline.grammars import Grammar
    from pipeline.slices import Slice

TRIES = 40
"""So many combinations of a template are looked at for each scenario that is wanted."""


def synthesize(
    cell: Annotated[
        str | None, typer.Option("--cell", metavar="TAGS", help='What to fill: "billing & multi_turn", or a combination of coverage.yaml.')
    ] = None,
    gaps: Annotated[bool, typer.Option("--gaps", help="Fill what metrics/coverage.json says is short, the costliest first.")] = False,
    n: Annotated[int, typer.Option("--n", min=1, help="How many scenarios.")] = 10,
    grammar: Annotated[
        list[Path] | None, typer.Option("--grammar", metavar="FILE", help="Slot grammars to use. Default: all of data/grammars.")
    ] = None,
    model: Annotated[str | None, typer.Option("--model", metavar="NAME", help="Ask this model instead of a grammar.")] = None,
    url: Annotated[str, typer.Option("--url", help="Its address, in the OpenAI chat form.")] = "",
    key_env: Annotated[str, typer.Option("--key-env", metavar="NAME", help="The environment variable that holds its key.")] = "",
    about: Annotated[
        Path | None, typer.Option("--about", metavar="FILE", help="A text the model is given: what the assistant knows.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Another seed, other combinations first.")] = 0,
    on: Annotated[str, typer.Option("--date", metavar="DATE", help="The date to write, as 2026-03-31. Default: today.")] = "",
) -> None:
    """Propose scenarios for a gap: from slot grammars, offline, or from a model that you name.

    They are written to one new file in [bold]data/sources/synthetic[/bold] as [bold]status: pending[/bold] and stay out of the dataset until
    [bold]golden review[/bold]. Refused are near-duplicates of anything in any source or in the pool, and what holds personal data.

    Example: [bold]golden synthesize --cell "billing & multi_turn" --n 12[/bold]
    """
    from pipeline import near_duplicates, params, paths, sources, synthesize, tables
    from pipeline import schema as tables_of
    from pipeline.grammars import scenarios
    from pipeline.yaml_models import dated

    if bool(cell) == gaps:
        raise InputError("name what to fill: --cell TAGS, or --gaps")
    if model and grammar:
        raise InputError("--model and --grammar: give one of them")
    added = dated(on, "--date")
    settings = params.load()
    loaded = {} if model else _grammars(grammar)
    wanted, uncovered = _wanted(cell, n, loaded)
    entries = sources.load()
    candidates = tables.read_parquet(paths.CANDIDATES, tables_of.CANDIDATES)
    there = synthesize.present({**entries, "retired": sources.retired_scenarios()}, candidates)
    kept, refused, lacking = [], Counter[str](), []
    for fills, count in wanted:
        proposals: Iterable[dict[str, Any]] = (
            _by_model(model, url, key_env, fills, count, about) if model else scenarios(loaded, fills, TRIES * count, seed)
        )
        found, why = synthesize.chosen(proposals, fills, count, added, there, settings.merge.near_duplicate, settings.anonymize.allow_list)
        refused += why
        if len(found) < count:
            lacking.append(f"{len(found)} of {count} for {fills}")
        kept += found
        texts = [near_duplicates.asked(entry.messages) for entry in found]
        there = synthesize.Present([*there.texts, *texts], there.pooled, there.ids | {entry.id for entry in found})
    told = ", ".join(f"{count} {why}" for why, count in sorted(refused.items()))
    if not kept or (lacking and not gaps and not model):
        raise InputError(
            f"only {'; '.join(lacking)} that are new ({told or 'no more combinations'} refused); nothing was written: "
            "ask for fewer, or add templates or wordings to the grammar"
        )
    lacking += [f"no template for {'; '.join(uncovered)}"] if uncovered else []
    path = synthesize.file_for(paths.SOURCES / "synthetic", [fills for fills, _ in wanted], added)
    head = f"# Proposed for {'; '.join(dict.fromkeys(entry.fills for entry in kept))}. 'golden review' decides.\n\n"
    tables.write_text(path, head + "\n".join(synthesize.as_yaml(entry) for entry in kept))
    typer.echo(
        f"{path}: {len(kept)} pending" + (f"; refused: {told}" if told else "") + (f"; short: {'; '.join(lacking)}" if lacking else "")
    )
    typer.echo(f"next: golden review --file {path} --reviewer NAME")


def _wanted(cell: str | None, n: int, loaded: "dict[str, Grammar]") -> "tuple[list[tuple[Slice, int]], list[str]]":
    """Slices and how many for each, and the gaps that no grammar of `loaded` can fill (none is asked where there are none: a model can)."""
    from pipeline import expectations, paths, synthesize, tables

    tagging, coverage = expectations.load_tagging(), expectations.load_coverage()
    if cell:
        return [(synthesize.cell(cell, tagging, coverage), n)], []
    lacks = synthesize.gaps(tables.read_json(paths.COVERAGE), coverage, tagging)
    if not lacks:
        raise InputError(f"--gaps: {paths.COVERAGE} says that no slice is short; name one with --cell")
    templates = [template for grammar in loaded.values() for template in grammar.templates]
    covered = [(fills, count) for fills, count in lacks if not loaded or any(template.fits(fills) for template in templates)]
    uncovered = [str(fills) for fills, _ in lacks if fills not in dict(covered)]
    if not covered:
        raise InputError(f"--gaps: no template for {'; '.join(uncovered)} in {', '.join(loaded)}; write one with these tags")
    return synthesize.shared_out(covered, n), uncovered


def _grammars(files: list[Path] | None) -> "dict[str, Grammar]":
    from pipeline import grammars, paths

    loaded = grammars.load(files or sorted(paths.GRAMMARS.glob("*.yaml")))
    if not loaded:
        raise InputError(f"{paths.GRAMMARS}: no grammar there; write one (docs/synthetic.md), or name a --model")
    return loaded


def _by_model(model: str, url: str, key_env: str, fills: "Slice", count: int, about: Path | None) -> list[dict[str, Any]]:
    from pipeline import expectations, model_writer

    if about is not None and not about.is_file():
        raise InputError(f"--about {about}: not there")
    address = model_writer.open_model(model, url, key_env)
    told = about.read_text(encoding="utf-8") if about else ""
    return model_writer.proposals(address, model, fills, count, expectations.load_tagging(), told)
