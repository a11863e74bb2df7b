"""`golden compare`: which of two builds to take."""

from pathlib import Path
from typing import Annotated

import typer


def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="The system that is there: a target as --target of gate, or a CSV of its scores.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The one that would replace it.")],
    dataset: Annotated[
        str | None,
        typer.Option("--dataset", metavar="REPOSITORY@VERSION", help="The dataset's repository and release. Default: this repository."),
    ] = None,
    as_json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write everything as JSON, for scripts.")] = None,
) -> None:
    """Ask two builds the same examples and say which to take at the contract's costs: B (exit 0), A (1), undecided (2), no answer (3).

    Examples count by what a failure of each costs (expectations/coverage.yaml).

    Example: [bold]golden compare metrics/scores.csv demo.variants:v01[/bold]
    """
    from pipeline.gating import comparing
    from pipeline.gating.dataset import opened
    from pipeline.tables import write_json

    found = comparing.compared(opened(dataset), a, b)
    if as_json is not None:
        write_json(as_json, comparing.as_json(found))
    typer.echo("\n".join(comparing.lines(found)))
    raise typer.Exit(comparing.EXIT_CODES[found.by_cost.take])
