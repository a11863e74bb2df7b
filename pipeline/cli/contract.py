"""`golden contract`: what is agreed, as a page to sign."""

from pathlib import Path
from typing import Annotated

import typer


def contract(
    as_html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a page to print and sign instead.")] = None,
    dataset: Annotated[
        str | None, typer.Option("--dataset", metavar="REPOSITORY@VERSION", help="Another repository's contract. Default: this one's.")
    ] = None,
) -> None:
    """Print the contract as Markdown: clauses, costs, and for each clause whether the dataset has the examples to decide it.

    It also says how often a system exactly at a threshold would pass. Nothing is asked and nothing is changed.

    Example: [bold]golden contract --html contract.html[/bold]
    """
    from pipeline.gating import signing
    from pipeline.gating.dataset import opened
    from pipeline.tables import write_text

    of = opened(dataset)
    page = signing.signable(of.contract, of.examples, of.version, of.criteria)
    if as_html is None:
        typer.echo(signing.markdown(page), nl=False)
    else:
        write_text(as_html, signing.html(page))
        typer.echo(
            f"{as_html}: {len(page.clauses)} clauses; "
            + ("the dataset can let a build pass" if page.can_ship else "the dataset can let no build pass")
        )
