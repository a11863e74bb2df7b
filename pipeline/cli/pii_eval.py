"""`golden pii-eval`: how much of the labelled personal data in a file the recognizers find, and how much else they take for it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli.anonymize import settings
from pipeline.errors import InputError

RESAMPLES = 1000
SEED = 7


def pii_eval(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Span-labelled texts, one JSON object a line.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON, for scripts.")] = False,
    by_type: Annotated[bool, typer.Option("--by-type", help="Show recall per labelled type and precision per found type.")] = False,
    worst: Annotated[
        int, typer.Option("--misses", metavar="N", min=0, help="Show the N worst shapes of misses and of false alarms, never a text.")
    ] = 0,
    empty_weight: Annotated[
        float, typer.Option("--empty-weight", metavar="W", min=0, help="How many turns one without any span stands for, in a thinned file.")
    ] = 1.0,
) -> None:
    """Measure the recognizers on span-labelled texts: recall, precision and F2, by character and by span, with 95 % intervals.

    A line is {"id": "conversation:turn", "text": "...", "spans": \\[{"start": 0, "end": 4, "entity_type": "PERSON"}]}, and may have
    "optional" spans, which count neither as hit nor as false alarm, a "role" (user) and a "weight" (1). Letters and digits are counted.
    What is looked for says the section [bold]anonymize[/bold] of params.yaml, or, where there is none, every built-in type.

    Example: [bold]golden pii-eval demo/pii-spans.jsonl --by-type --misses 10[/bold]
    """
    from pipeline import pii_eval as stage
    from pipeline.pii import recognizers
    from pipeline.pii.evaluation import evaluate, false_alarms, misses
    from pipeline.tables import rounded

    labelled = list(stage.read(file, empty_weight))
    if not labelled:
        raise InputError(f"{file}: empty; {stage.EXPECTED}")
    turns = stage.mark(labelled, recognizers.build(settings()[0]))
    figures = evaluate(turns, RESAMPLES, SEED)
    if worst:
        figures |= {"misses": misses(turns, worst), "false_alarms": false_alarms(turns, worst)}
    if as_json:
        import json

        typer.echo(json.dumps(rounded({"file": str(file), "empty_weight": empty_weight, **figures}), indent=2, ensure_ascii=False))
        return
    typer.echo(f"{file}: {figures['turns']:,} turns of {figures['conversations']:,} conversations")
    for line in [*_overall(figures), *(_types(figures) if by_type else ()), *(_worst(figures) if worst else ())]:
        typer.echo(line)


def _overall(figures: dict[str, Any]) -> list[str]:
    shown = [f"{'':<14}{'recall':<24}{'precision':<24}F2"]
    for name, what in (("by character", figures["characters"]), ("by span", figures["spans"])):
        shown.append(f"{name:<14}" + "".join(f"{_interval(what, figure):<24}" for figure in ("recall", "precision", "f2")).rstrip())
    return shown


def _interval(of: dict[str, Any], name: str) -> str:
    return f"{of[name]:.3f} [{of[f'{name}_low']:.3f}, {of[f'{name}_high']:.3f}]" if name in of else "-"


def _types(figures: dict[str, Any]) -> list[str]:
    shown = []
    for title, rate, table in (("labelled", "recall", figures["types"]), ("found", "precision", figures["found_types"])):
        shown += ["", f"{title:<20}{rate:>9}{'by span':>9}{'spans':>8}"]
        shown += [f"{kind:<20}{row.get(rate, 0):>9.3f}{row.get(f'span_{rate}', 0):>9.3f}{row['n']:>8,}" for kind, row in table.items()]
    return shown


def _worst(figures: dict[str, Any]) -> list[str]:
    shown = []
    for title, flag, rows in (
        ("misses, by shape", "whole span", figures["misses"]),
        ("false alarms, by shape", "in a turn without personal data", figures["false_alarms"]),
    ):
        shown += ["", f"{title:<62}{'type':<20}{'characters':>10}{'count':>7}  {flag}"]
        shown += [
            f"{row['shape']:<62}{row['entity_type']:<20}{row['characters']:>10,}{row['count']:>7,}  "
            f"{row['whole' if 'whole' in row else 'without_gold']:,}"
            for row in rows
        ]
    return shown
