"""`golden export`: the dataset in the form that another tool reads."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from pipeline.exports.rows import Rows


def export(
    to: Annotated[str, typer.Option("--to", metavar="TOOL", help="promptfoo, deepeval, inspect, langfuse or huggingface.")],
    out: Annotated[Path | None, typer.Option("--out", metavar="FOLDER", help="Where to. Default: exports/TOOL.")] = None,
    dataset: Annotated[
        str | None,
        typer.Option("--dataset", metavar="REPO@VERSION", help="Another dataset, or this one at a version. Default: the work tree's."),
    ] = None,
) -> None:
    """Write the dataset as another tool reads it, with every example's id, version, source, tags and expectation.

    The folder ignores itself in git: examples may stem from production. Earlier exports in it are replaced.

    Example: [bold]golden export --to inspect[/bold]
    """
    from pipeline import exports

    if to not in exports.TOOLS:
        raise InputError(f"--to {to}: no such tool; {did_you_mean(to, exports.TOOLS, 'known are ' + ', '.join(exports.TOOLS))}")
    written = exports.write(to, _rows(dataset), (out or Path("exports") / to))
    typer.echo(f"{written.folder}: {written.examples} examples in {', '.join(written.files)}")


def _rows(dataset: str | None) -> "Rows":
    from pipeline import exports, paths, schema, tables

    if dataset is not None:
        from pipeline.gating import dataset as datasets

        repository, version = datasets.named(dataset)
        return exports.rows(datasets.fetched(repository, version).examples, version, [])
    examples = tables.read_parquet(paths.EXAMPLES, schema.EXAMPLES)
    if examples.empty:
        raise InputError(f"{paths.EXAMPLES}: holds no example; run 'dvc repro merge'")
    released = tables.read_csv(paths.RELEASED, schema.MEMBERS)["example_id"] if paths.RELEASED.is_file() else []
    return exports.rows(examples, "unreleased", sorted(set(released) - set(examples["example_id"])))
