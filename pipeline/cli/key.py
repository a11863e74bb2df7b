"""`golden key`: the secret that turns log ids into example ids."""

import os
import subprocess
from pathlib import Path

import typer

from pipeline.errors import InputError

app = typer.Typer(rich_markup_mode="rich", no_args_is_help=True)

HEADER = "# Golden's key: it makes example ids from log ids. Never in git; who has it can test whether a known log is in the dataset.\n"


@app.callback()
def key() -> None:
    """The secret that turns log ids into example ids: make one, or tell which one is in use.

    Only intake (raw logs to pool) needs it. Keep it in your secret store, and give it to a machine as the file
    [bold]intake.key_file[/bold] or as GOLDEN_KEY.

    Example: [bold]golden key show-id[/bold]
    """


@app.command()
def new() -> None:
    """Write a fresh key to intake.key_file, readable by you alone; a key that is there is never overwritten.

    A new key gives every future log another id. Partitions of the pool that are there keep the ids they have.

    Example: [bold]golden key new[/bold]
    """
    from pipeline import identity, params

    path = Path(params.load().intake.key_file)
    if path.exists():
        raise InputError(
            f"{path}: a key is there and would be lost; for another one, name a new file in intake.key_file (params.yaml) and run this again"
        )
    if not _is_ignored(path):
        raise InputError(f"{path}: git does not ignore it; end its name in .key, or add it to .gitignore, and run this again")
    made = identity.new_key()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "w", encoding="utf-8") as out:
            out.write(f"{HEADER}{made}\n")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); name another file in intake.key_file") from None
    typer.echo(
        f"{path}: written, key id {identity.key_id(bytes.fromhex(made))}; copy it to your secret store now, since without it no later log gets a matching id"
    )
    if "GOLDEN_KEY" in os.environ:
        typer.echo("GOLDEN_KEY is set and takes precedence over the file: unset it to use the new key", err=True)


@app.command("show-id")
def show_id() -> None:
    """Print the id of the key in use: it tells keys apart and reveals nothing of them.

    data/pool.csv names the key id of every partition; intake refuses a key that made none of them.

    Example: [bold]golden key show-id[/bold]
    """
    from pipeline import identity, params

    typer.echo(identity.key_id(identity.load_key(params.load().intake.key_file)))


def _is_ignored(path: Path) -> bool:
    """Whether git would leave `path` alone; so it does where there is no repository."""
    try:
        return subprocess.run(["git", "check-ignore", "-q", "--", str(path)], capture_output=True, check=False).returncode != 1
    except FileNotFoundError:
        return True
