"""`golden <verb>`: the doors. A verb's module holds its help and prints; what it needs to know is imported when it runs.

`golden --help` must answer at once, so nothing here imports pandas, DVC or a model.
"""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from pipeline.cli import (
    anonymize,
    compare,
    contract,
    diff,
    doctor,
    erase,
    export,
    flag,
    gate,
    import_,
    init,
    key,
    label,
    pii_eval,
    power,
    refresh,
    release,
    review,
    status,
    synthesize,
    target,
)
from pipeline.errors import InputError


class Verbs(TyperGroup):
    """A user's mistake is one line on stderr and exit code 1, whatever verb it was met in."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except InputError as error:
            typer.echo(f"golden: {error}", err=True)
            raise typer.Exit(1) from None


app = typer.Typer(
    name="golden",
    cls=Verbs,
    rich_markup_mode="rich",
    add_completion=False,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Begin with [bold]golden status[/bold]: it says what there is and what to do next. Every verb explains itself: [bold]golden status --help[/bold].",
)


@app.callback()
def golden(context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Show the version and leave.")] = False) -> None:
    """Evaluation datasets of AI systems, built, versioned and gated like code.

    [bold]make[/bold] or [bold]dvc repro[/bold] builds the dataset; these verbs look after it.
    """
    if version:
        from importlib.metadata import version as installed

        typer.echo(installed("golden-datasets"))
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


app.command("init")(init.init)
app.command("upgrade")(init.upgrade)
app.command("status")(status.status)
app.command("doctor")(doctor.doctor)
app.command("anonymize")(anonymize.anonymize)
app.command("pii-eval")(pii_eval.pii_eval)
app.command("synthesize")(synthesize.synthesize)
app.command("review")(review.review)
app.command("erase")(erase.erase)
app.command("gate", cls=gate.Deciding)(gate.gate)
app.command("contract")(contract.contract)
app.command("diff")(diff.diff)
app.command("flag")(flag.flag)
app.command("power")(power.power)
app.command("refresh")(refresh.refresh)
app.command("release")(release.release)
app.command("export")(export.export)
app.command("import")(import_.import_)
app.command("compare", cls=gate.Deciding)(compare.compare)
app.add_typer(label.app, name="label")
app.add_typer(key.app, name="key")
app.add_typer(target.app, name="target")


def main() -> None:
    app()
