"""`golden diff`: what is between two revisions of the dataset."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def diff(
    a: Annotated[str, typer.Argument(metavar="A", help="The earlier state: a release's tag, a branch, a commit.")] = "HEAD",
    b: Annotated[str | None, typer.Argument(metavar="B", help="The later one. Default: the work tree as it stands.")] = None,
    text: Annotated[
        Literal["none", "surrogate"] | None,
        typer.Option("--text", help="Show the texts of what came and changed, with surrogates in them. Default: params.yaml's diff.text."),
    ] = None,
    as_json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write everything as JSON, for scripts.")] = None,
    as_markdown: Annotated[Path | None, typer.Option("--markdown", metavar="FILE", help="Write a comment for a pull request.")] = None,
) -> None:
    """Say who came, who went, what changed and why, and which part of a figure's change is the dataset's and which the system's.

    Reads what git keeps; only --text surrogate asks DVC for the examples.

    Example: [bold]golden diff golden@v1.0.0[/bold] compares a release with the work tree, [bold]golden diff main HEAD[/bold] a branch with main.
    """
    from pipeline import difference_page, params, revisions
    from pipeline.difference import as_json as content
    from pipeline.difference import difference
    from pipeline.tables import write_json, write_text

    found = difference(revisions.at(a), revisions.at(b))
    wanted = text or params.load().diff.text
    texts = revisions.texts(b, {*found.added["example_id"], *found.changed}) if wanted == "surrogate" else {}
    if as_json is not None:
        write_json(as_json, content(found, texts if wanted == "surrogate" else None))
    if as_markdown is not None:
        write_text(as_markdown, difference_page.markdown(found, texts))
    typer.echo("\n".join(difference_page.lines(found, texts)))
