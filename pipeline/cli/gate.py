"""`golden gate`: may this build ship?"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from pipeline.errors import InputError

if TYPE_CHECKING:
    from pipeline.gating.verdict import Outcome

NO_VERDICT = 3
USAGE_ERROR = 2
"""What a wrong option ends with elsewhere. Here it would say "undecided"."""


class Deciding(TyperCommand):
    """Exit codes 0, 1 and 2 are verdicts: whatever goes wrong, a wrong option or Ctrl-C among it, is 3."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            if getattr(error, "exit_code", None) == USAGE_ERROR:
                error.exit_code = NO_VERDICT  # type: ignore[attr-defined]
            raise

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except typer.Exit:
            raise
        except InputError as error:
            typer.echo(f"golden: {error}", err=True)
        except (KeyboardInterrupt, typer.Abort):
            typer.echo("golden: interrupted; the same command goes on where it was", err=True)
        except SystemExit as error:  # a target that is imported may say so
            typer.echo(f"golden: ended from inside ({error.code}); no verdict", err=True)
        except Exception:
            sys.excepthook(*sys.exc_info())
        raise typer.Exit(NO_VERDICT)


def gate(
    target: Annotated[
        str | None,
        typer.Option(
            "--target",
            metavar="TARGET",
            help="Who is asked: module:function, URL, program, .yaml that describes it. Default: params.yaml's.",
        ),
    ] = None,
    version: Annotated[
        str | None,
        typer.Option("--target-version", metavar="VERSION", help="The build that answers, such as a commit. Default: params.yaml's."),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option("--dataset", metavar="REPOSITORY@VERSION", help="The dataset's repository and release. Default: this repository."),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            "--against", metavar="BUILD", help="Compare with this version in the ledger, file of scores or git revision; none for nothing."
        ),
    ] = None,
    ledger: Annotated[
        str | None, typer.Option("--ledger", metavar="PATH|branch", help="Where reruns are pooled: a CSV, or the branch golden-ledger.")
    ] = None,
    recorded: Annotated[
        bool, typer.Option("--recorded", help="Decide by the dataset's own metrics/scores.csv; asks nothing, and tries no failure again.")
    ] = False,
    as_json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write everything as JSON, for scripts.")] = None,
    as_markdown: Annotated[Path | None, typer.Option("--markdown", metavar="FILE", help="Write a comment for a pull request.")] = None,
    as_junit: Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit, for a CI's test view.")] = None,
) -> None:
    """Ask one build every example and decide by the written costs: ship (exit 0), hold (1), undecided (2), no verdict (3).

    A rerun of a version is pooled with what the ledger holds of it, so that nobody ships by trying again. Without --against it is
    compared with the dataset's own metrics/scores.csv.

    Example: [bold]golden gate --dataset https://git.example.com/golden@v1.2.0 --target bot:answer --target-version $SHA --ledger branch[/bold]
    """
    from pipeline.gating import report
    from pipeline.tables import write_bytes, write_json, write_text

    try:
        outcome = (
            _recorded(dataset, against, target or version or ledger) if recorded else _outcome(target, version, dataset, against, ledger)
        )
    except InputError as error:
        reason = str(error)
        _write(as_json, lambda path: write_json(path, report.refused_json(reason)))
        _write(as_markdown, lambda path: write_text(path, report.refused_markdown(reason)))
        _write(as_junit, lambda path: write_bytes(path, report.refused_junit(reason)))
        raise
    _write(as_json, lambda path: write_json(path, report.as_json(outcome)))
    _write(as_markdown, lambda path: write_text(path, report.markdown(outcome)))
    _write(as_junit, lambda path: write_bytes(path, report.junit(outcome)))
    typer.echo("\n".join(report.lines(outcome)))
    raise typer.Exit(report.EXIT_CODES[outcome.decision])


def _outcome(target: str | None, version: str | None, dataset: str | None, against: str | None, ledger: str | None) -> "Outcome":
    from pipeline.gating import verdict
    from pipeline.gating.dataset import opened
    from pipeline.gating.ledger import opened as opened_ledger
    from pipeline.targets import naming

    asked = opened(dataset)
    own = asked.evaluate.target
    if target is not None and version is None:
        raise InputError("--target-version: missing; name the build behind --target, such as its commit")
    chosen = (
        naming.named(target, version or own.version, own)
        if target is not None
        else own.model_copy(update={"version": version or own.version})
    )
    return verdict.gate(asked, chosen, against, opened_ledger(ledger))


def _recorded(dataset: str | None, against: str | None, asking: str | None) -> "Outcome":
    from pipeline import schema, tables
    from pipeline.gating import verdict
    from pipeline.gating.dataset import opened
    from pipeline.paths import SCORES

    if asking is not None:
        raise InputError("--recorded: asks nothing, so it takes no --target, --target-version or --ledger")
    asked = opened(dataset)
    return verdict.recorded(asked, tables.read_csv(asked.folder / SCORES, schema.SCORES), against)


def _write(path: Path | None, write: Callable[[Path], None]) -> None:
    if path is None:
        return
    try:
        write(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from None
