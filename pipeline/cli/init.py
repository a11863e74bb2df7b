"""`golden init` and `golden upgrade`: a repository of your own from a clone of Golden, and a newer Golden for it."""

import re
import shutil
from pathlib import Path
from typing import Annotated

import typer

from pipeline.errors import InputError

BUILT = ("data/pool", "data/golden", "data/interim", "data/responses", "metrics", "reports", "logs", ".golden/responses")
"""What stages made of the demo and git does not know."""
KEY_FILE = "golden.key"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


def init(
    log: Annotated[Path | None, typer.Option("--log", metavar="FILE", help="A file of your logs; asked for where it is not given.")] = None,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="The dataset's name: small letters, digits, - and _.")] = "",
    target: Annotated[
        str | None,
        typer.Option("--target", metavar="TARGET", help="Who answers: module:function or an address. Empty: answers recorded later."),
    ] = None,
    target_version: Annotated[str, typer.Option("--target-version", metavar="VERSION", help="The build behind it.")] = "1",
    annotators: Annotated[str, typer.Option("--annotators", metavar="NAMES", help="Who labels, separated by commas.")] = "",
    adjudicators: Annotated[str, typer.Option("--adjudicators", metavar="NAMES", help="Who decides where they differ.")] = "",
) -> None:
    """Make this clone your own: your logs' mapping, a key, a contract, coverage and labelling files with the questions to answer.

    The demo's data, labels, scenarios, figures and history go, its code in demo/ stays. What is shown of your logs are keys, kinds,
    lengths and the values of short fields, never a text. Commits both steps; the branch golden keeps Golden's files apart, for golden upgrade.

    Example: [bold]golden init --log ~/logs/may.jsonl --name help-desk --target bot:answer --annotators ana,ben[/bold]
    """
    from pipeline.starting import files, vendor
    from pipeline.starting.sniffing import sniff
    from pipeline.tables import write_text

    _check_clone()
    log = log or Path(_asked("A file of your logs (.jsonl, .csv, .parquet)"))
    name = name or _asked("The dataset's name", "my-assistant")
    if not NAME.fullmatch(name):
        raise InputError(f"--name {name}: small letters, digits, - and _, beginning with a letter or digit, such as help-desk")
    target = target if target is not None else _asked("Who answers, module:function or an address (empty: recorded later)", "")
    if target and not re.fullmatch(r"[\w.]+:[\w.]+|https?://\S+", target):
        raise InputError(f"--target {target}: expected module:function or http(s)://...; other kinds are in docs/targets.md")
    people = [one.strip() for one in (annotators or _asked("Who labels, separated by commas", "me")).split(",") if one.strip()]
    found, shapes = sniff(log)
    _tell(log, found, shapes)
    made = files.everything(
        name, "data/raw", _pattern(log), KEY_FILE, found, (target, target_version),
        (people, [one.strip() for one in adjudicators.split(",") if one.strip()] or people[:1]),
    )  # fmt: skip
    for path in made:
        if not vendor.is_teams(str(path)):
            raise AssertionError(path)
    raw = Path("data/raw") / re.sub(r"[^A-Za-z0-9._-]+", "-", log.name)
    head = vendor.git("rev-parse", "HEAD")
    vendor.split_off(head, (head,), "Golden without its demo's data")
    vendor.git("merge", "--quiet", "--ff-only", vendor.BRANCH)
    for folder in BUILT:
        shutil.rmtree(folder, ignore_errors=True)
    for path, content in made.items():
        write_text(path, content)
    raw.parent.mkdir(parents=True, exist_ok=True)
    if log.resolve() != raw.resolve():
        shutil.copyfile(log, raw)
    _key()
    vendor.git("add", "--all", "--", *(str(path) for path in made))
    vendor.git("commit", "--quiet", "--message", f"{name}: a repository of our own")
    typer.echo(
        f"{name}: {len(made)} files written and committed, {raw} is the first log, the key is {KEY_FILE}: copy it to your secret store"
    )
    if found.lacks:
        typer.echo(f"params.yaml lacks {' and '.join(found.lacks)}: ingest.fields says where records have them")
    typer.echo("next: answer the lines with '# ?' in params.yaml and expectations/, then dvc repro; golden status says what comes then")


def upgrade(
    revision: Annotated[str, typer.Argument(metavar="REVISION", help="Golden's branch or tag, after git fetch: upstream/main.")],
) -> None:
    """Put a newer Golden onto the branch golden, without the demo's data; [bold]git merge golden[/bold] then brings it to yours.

    Your params, expectations, data and figures are on no side of that merge, so it has no conflict there.

    Example: [bold]golden upgrade upstream/main[/bold] after git fetch upstream, then git merge golden
    """
    from pipeline.starting import vendor

    if not vendor.upgrade(revision):
        typer.echo(f"{revision}: the branch {vendor.BRANCH} has it already")
        return
    typer.echo(f"{revision}: on the branch {vendor.BRANCH} now; 'git merge {vendor.BRANCH}' brings it to this one, then 'make install'")


def _check_clone() -> None:
    from pipeline.starting import vendor

    if not Path("params.yaml").is_file() or not Path("dvc.yaml").is_file():
        raise InputError("params.yaml: not there; run this at the root of a clone of Golden")
    if vendor.known(vendor.BRANCH):
        raise InputError(
            f"git: the branch {vendor.BRANCH} is there, so this is a repository of your own already; 'golden status' says the next step"
        )
    if dirty := vendor.git("status", "--porcelain", "--untracked-files=no"):
        raise InputError(f"{dirty.splitlines()[0].split(maxsplit=1)[-1]}: changed and not committed; run this in a fresh clone")


def _asked(question: str, default: str | None = None) -> str:
    import sys

    if not sys.stdin.isatty():
        if default is not None:
            return default
        raise InputError(f"{question}: not given; see golden init --help")
    return str(typer.prompt(question, default=default)).strip()


def _pattern(log: Path) -> str:
    """Files like this one: `*.jsonl`, with and without .gz."""
    return "*" + "".join(log.suffixes[-2:] if log.suffix == ".gz" else log.suffixes[-1:])


def _tell(log: Path, found: object, shapes: list[list[str]]) -> None:
    for number, shape in enumerate(shapes, 1):
        typer.echo(f"record {number}:  " + "; ".join(shape))
    told = {key: value for key, value in vars(found).items() if value and key not in ("others", "records")}
    typer.echo(f"understood of {log.name}:")
    for key, value in told.items():
        shown = "; ".join(f"{path}: {', '.join(map(str, values))}" for path, values in value.items()) if key == "outcomes" else value
        if key == "roles":
            shown = ", ".join(f"{name} is {role}" for name, role in value.items())
        typer.echo(f"  {key:<12} {shown}")


def _key() -> None:
    from pipeline import identity
    from pipeline.cli.key import HEADER, _write

    if not Path(KEY_FILE).exists():
        _write(Path(KEY_FILE), f"{HEADER}{identity.new_key()}\n")
