"""`golden doctor`: whether this machine and this repository can do the work, with a remedy for whatever cannot."""

from typing import Annotated

import typer

MARKS = {"ok": ("✓", "green"), "hint": ("!", "yellow"), "error": ("✗", "red")}


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON, for scripts.")] = False) -> None:
    """Check this machine and repository: packages, model, settings, key, raw logs that git must not see, missing pool files.

    Each finding is one line with its remedy. Exits 1 if any is an error; a hint (!) is not one.

    Example: [bold]golden doctor[/bold]
    """
    import json
    from dataclasses import asdict

    from rich.console import Console
    from rich.text import Text

    from pipeline.cli.findings import examine

    findings = examine()
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        console = Console(highlight=False, soft_wrap=True)
        for finding in findings:
            mark, colour = MARKS[finding.level]
            console.print(Text(f"{mark} {finding.level:<5} ", style=colour) + Text(f"{finding.subject}: {finding.says}"))
            if finding.remedy:
                console.print(Text(f"          {finding.remedy}", style="bold" if finding.level == "error" else ""))
    if any(finding.level == "error" for finding in findings):
        raise typer.Exit(1)
