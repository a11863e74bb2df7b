"""`golden label`: what to label next, to whom it is given, and how it comes back."""

from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.errors import InputError

app = typer.Typer(rich_markup_mode="rich", no_args_is_help=True)


@app.callback()
def label() -> None:
    """What annotators get and what comes back from them: next, export, import, and spec, their guide.

    Example: [bold]golden label next --n 50 --annotators amara,bjorn,chen --overlap 2[/bold]
    """


@app.command("next")
def next_(
    annotators: Annotated[str, typer.Option("--annotators", metavar="A,B,C", help="Who is asked.")],
    n: Annotated[int, typer.Option("--n", metavar="N", min=1, help="How many conversations.")] = 50,
    overlap: Annotated[
        int | None,
        typer.Option("--overlap", metavar="K", min=1, help="How many label each, blind. Default: the standard's min_annotators."),
    ] = None,
    still_open: Annotated[
        bool,
        typer.Option("--open", help="Give out what is open instead: too few annotators, texts to approve, another text or standard since."),
    ] = False,
) -> None:
    """Write a sheet for each annotator: the conversations that a refresh wants, then those whose labels are worth most, a share of them random.

    Worth is the cost of failures in the slices that a conversation fills, more so where it failed, where nothing like it is labelled
    and where its tags are uncertain. Sheets lie in data/interim/tasks, which git ignores; they hold anonymized text. What is given out
    is not given out again. Nobody sees another's labels, nor the order of another's sheet.

    Example: [bold]golden label next --n 50 --annotators amara,bjorn,chen --overlap 2[/bold]
    """
    from pipeline import expectations, params
    from pipeline.labeling import assignment, tasks
    from pipeline.refreshing import asked_for

    standard, settings = expectations.load_labeling(), params.load()
    names = [name.strip() for name in annotators.split(",") if name.strip()]
    overlap = overlap or standard.min_annotators
    _check_names(names, overlap, standard)
    work = _Present(standard, settings)
    if still_open:
        asked = list(assignment.reopened(work.counting(), work.open_, names, overlap, standard))
        pending = set(zip(*(work.waiting[name] for name in ("example_id", "dimension", "annotator")), strict=True))
        kept = list(dict.fromkeys(i for i, _, _ in (one for one in asked if one not in pending)))[:n]
        questions = [one for one in asked if one[0] in kept and one not in pending]
    else:
        aside = frozenset(work.waiting["example_id"])
        chosen = assignment.choose(
            *(work.candidates, work.tags, frozenset(work.labels["example_id"]), aside, expectations.load_coverage()),
            *(n, settings.label.random_share, settings.merge.seed, asked_for.load()),
        )
        questions = list(assignment.questions(chosen, names, overlap, standard, settings.label.seed))
    if not questions:
        raise InputError(
            "nothing to give out: " + ("no open question waits for labels" if still_open else "every conversation is labelled or given out")
        )
    written = tasks.texts_to_approve(work.counting(), standard) if still_open else {}
    made = tasks.sheets(questions, work.candidates, written, standard, settings.label.seed)
    batch = tasks.next_batch()
    tasks.write(batch, made)
    told = ", ".join(f"{name} {sheet['example_id'].nunique()}" for name, sheet in made.items())
    typer.echo(f"{batch}: {len({i for i, _, _ in questions})} conversations to {told}")
    typer.echo(f"fill in value and note of each sheet, then: golden label import {batch}/{next(iter(made))}.csv")


def _check_names(names: list[str], overlap: int, standard: Any) -> None:
    from pipeline.labeling.reading import nearest

    if len(set(names)) < max(1, overlap):
        raise InputError(f"--annotators: {len(set(names))} named, but each conversation goes to {overlap}; name more or lower --overlap")
    for name in names:
        if standard.annotators and name not in standard.annotators:
            raise InputError(f"--annotators: {name} is not in expectations/labeling.yaml; {nearest(name, standard.annotators)}")


class _Present:
    """The state of labelling, as the last build and data/labels have it."""

    def __init__(self, standard: Any, settings: Any) -> None:
        from pipeline import erasure, paths, schema, tables
        from pipeline.labeling import tasks
        from pipeline.labeling.reading import read_labels
        from pipeline.labeling.resolving import resolve

        self.standard = standard
        self.candidates = tables.read_parquet(paths.CANDIDATES, schema.CANDIDATES)
        self.tags = tables.read_parquet(paths.TAGS, schema.TAGS)
        self.labels = read_labels(paths.LABELS, standard, erasure.erased())
        self.waiting = tasks.unanswered(tasks.given_out(), self.labels, standard)
        self.open_ = resolve(self.labels, self.candidates, standard)[1]

    def counting(self) -> Any:
        """The labels that are of the present text and meaning."""
        from pipeline.labeling.resolving import is_current, is_fresh

        known = self.labels[self.labels["example_id"].isin(self.candidates["example_id"])]
        return known[is_fresh(known, self.candidates) & is_current(known, self.standard)]


@app.command("export")
def export(
    to: Annotated[str, typer.Option("--to", metavar="FORM", help="label-studio or csv.")] = "label-studio",
    annotator: Annotated[
        list[str] | None, typer.Option("--annotator", metavar="NAME", help="Only this one's tasks; again for another.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where to write.")] = Path("data/interim/tasks/export"),
) -> None:
    """Write what is given out and not yet labelled: one file for each annotator, for Label Studio or as CSV.

    Label Studio shows every task of a project to everybody in it, so each annotator needs a project of their own. labeling.xml is its
    labelling interface, made from labeling.yaml.

    Example: [bold]golden label export --to label-studio --annotator amara[/bold]
    """
    import orjson

    from pipeline import expectations, params, tables
    from pipeline.labeling import tasks

    if to not in ("label-studio", "csv"):
        raise InputError(f"--to {to}: expected label-studio or csv")
    standard = expectations.load_labeling()
    work = _Present(standard, params.load())
    known = work.waiting[work.waiting["example_id"].isin(work.candidates["example_id"])]
    found = tasks.open_sheets(known, annotator or [])
    if not found:
        raise InputError("nothing is given out; run 'golden label next' first")
    _check_is_private(out)
    for name, sheet in found.items():
        if to == "csv":
            tables.write_bytes(out / f"{name}.csv", tasks.as_csv(sheet))
        else:
            tables.write_bytes(
                out / f"{name}.json", orjson.dumps(list(tasks.label_studio(sheet, work.candidates)), option=orjson.OPT_INDENT_2)
            )
        typer.echo(f"{out / name}.{'csv' if to == 'csv' else 'json'}: {sheet['example_id'].nunique()} conversations")
    if to == "label-studio":
        tables.write_text(out / tasks.CONFIGURATION, tasks.configuration(standard))
        typer.echo(f"{out / tasks.CONFIGURATION}: the labelling interface; a project for each annotator")


def _check_is_private(folder: Path) -> None:
    """Tasks hold pooled text, which git must not keep."""
    import subprocess

    inside = subprocess.run(["git", "rev-parse", "--is-inside-work-tree"], capture_output=True, check=False).returncode == 0
    ignored = subprocess.run(["git", "check-ignore", "--quiet", str(folder / "x.json")], capture_output=True, check=False).returncode
    if inside and ignored == 1:
        raise InputError(f"--out {folder}: git does not ignore it, and tasks hold customers' words; use data/interim/tasks/export")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A filled-in sheet (CSV) or Label Studio's export (JSON).")],
    into: Annotated[
        Path | None,
        typer.Option("--into", metavar="FILE", help="The file of labels to add to. Default: data/labels/<batch or name of FILE>.csv"),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option("--by", metavar="USER=NAME", help="Label Studio's id or mail address of a user, and which annotator it is."),
    ] = None,
    repeat: Annotated[
        bool, typer.Option("--repeat", help="Take second labels of the same annotators, to see whether they agree with themselves.")
    ] = False,
) -> None:
    """Check labels and add them to data/labels: all of the file, or nothing.

    Refused by line or task: unknown conversations, texts that changed, values, annotators and versions that the standard does not know,
    double labels, and text that git must not keep. Rows without a value are passed over.

    Example: [bold]golden label import data/interim/tasks/001/amara.csv[/bold]
    """
    import datetime

    from pipeline import erasure, expectations, params, paths
    from pipeline.labeling import incoming
    from pipeline.stage import alone

    standard, settings = expectations.load_labeling(), params.load()
    people = dict(_person(one) for one in by or [])
    target = into or paths.LABELS / f"{_batch(file)}.csv"
    if target.parent.resolve() != paths.LABELS.resolve() or target.suffix != ".csv":
        raise InputError(f"--into {target}: expected a CSV in {paths.LABELS}/")
    with alone("label_import"):
        found = incoming.read(file, standard, datetime.date.today(), people)
        if not found:
            raise InputError(f"{file}: holds no label; fill in the column value, or submit annotations before you export")
        work = _Present(standard, settings)
        incoming.check(found, work.labels, work.candidates, standard, settings.anonymize.allow_list, erasure.erased(), repeat)
        taken = incoming.append(target, found)
    typer.echo(f"{target}: {taken} labels of {len({one.row['example_id'] for one in found})} conversations added; now run 'dvc repro'")


def _person(text: str) -> tuple[str, str]:
    user, equals, name = text.rpartition("=")
    if not (user and equals and name):
        raise InputError(f"--by {text}: expected USER=NAME, such as --by 3=amara or --by amara@example.com=amara")
    return user, name


def _batch(file: Path) -> str:
    """A sheet's batch and name, since every batch has a sheet of each annotator."""
    return f"{file.parent.name}-{file.stem}" if file.parent.name.isdigit() else file.stem


@app.command("spec")
def spec(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write the page.")] = Path("reports/labeling.html"),
) -> None:
    """Write the annotator's guide: the labelling standard as one page to read and print.

    Example: [bold]golden label spec --out reports/labeling.html[/bold]
    """
    from pipeline import expectations, params, tables
    from pipeline.labeling import guide

    standard = expectations.load_labeling()
    tables.write_text(out, guide.render(standard, params.load().dataset.name))
    typer.echo(f"{out}: standard {standard.version}, {len(standard.dimensions)} dimensions")
