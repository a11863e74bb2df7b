"""`golden release`: the dataset as it stands becomes a version that others fetch."""

from typing import Annotated

import typer

from pipeline.errors import InputError


def release(
    version: Annotated[str, typer.Argument(metavar="VERSION", help="Three numbers: major where examples went, minor where some came.")],
    force: Annotated[bool, typer.Option("--force", help="Release though the gate does not say ship. Needs --why.")] = False,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason, which history, changelog and card keep.")] = "",
    notes: Annotated[str, typer.Option("--notes", metavar="TEXT", help="What people should know of it, for the changelog.")] = "",
) -> None:
    """Write members, history, changelog and dataset card, rebuild until nothing changes, commit and tag golden@vVERSION.

    Needs a clean tree and a gate that says ship on the recorded answers. Whatever fails leaves everything as it was. Pushes nothing.

    Example: [bold]golden release 1.2.0 --notes "refresh of 2026-Q3"[/bold]
    """
    from pipeline.params import PARAMS
    from pipeline.releasing.procedure import Wanted
    from pipeline.releasing.procedure import release as released

    if not PARAMS.is_file():
        raise InputError("params.yaml: not there; go to the root of a dataset's repository and run this again")
    if force != bool(why.strip()):
        raise InputError("--force and --why: give both, or neither; the reason is recorded")
    found = released(Wanted(version, why.strip(), notes.strip()), lambda line: typer.echo(line, err=True))
    row = found.row
    typer.echo(f"{found.tag}: {row['examples']} examples, {row['added']} came, {row['removed']} went; verdict {row['verdict']}")
    typer.echo("publish    git push --follow-tags && dvc push")
    typer.echo(f"fetch      dvc get REPOSITORY data/golden/examples.jsonl --rev {found.tag}")
    typer.echo(f"gate       golden gate --dataset REPOSITORY@{version} --target TARGET --target-version BUILD")
