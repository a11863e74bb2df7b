"""`golden key`: the secret that turns log ids into example ids."""

import os
import subprocess
from pathlib import Path
from typing import Annotated

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
def new(note: Annotated[str, typer.Option("--note", metavar="TEXT", help="Why, kept in git: no personal data.")] = "") -> None:
    """Write a fresh key to intake.key_file, readable by you alone; a key that is there is never overwritten.

    Where there is a pool, the key in use is kept beside it, as <key file>.<key id>: the partitions that are there keep their key and
    their ids, also when they are made anew, and so need it. Logs that come later get the new one, under which the same log id is
    another id. [bold]data/keys.csv[/bold] lists the new key's id, or intake would refuse it: commit it.

    Example: [bold]golden key new[/bold]
    """
    from pipeline import door, identity, params

    key_file = params.load().intake.key_file
    path, pool = Path(key_file), _pool_keys()
    door.check([door.Written("--note", note)], [])
    if path.exists() and not pool:
        raise InputError(
            f"{path}: a key is there and would be lost; for another one, name a new file in intake.key_file (params.yaml) and run this again"
        )
    places = [path, identity.kept_key_file(key_file, "0" * 8)] if pool else [path]
    if tracked := [place for place in places if not _is_ignored(place)]:
        how = "end its name in .key, or add it to .gitignore" if tracked[0] == path else f"add {path.name}.* to .gitignore"
        raise InputError(f"{tracked[0]}: git does not ignore it; {how}, and run this again")
    made = identity.new_key()
    new_id = identity.key_id(bytes.fromhex(made))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = _keep(path) if path.exists() else None
        if pool:
            _register(new_id, note)
        _write(path, f"{HEADER}{made}\n")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); name another file in intake.key_file") from None
    typer.echo(f"{path}: written, key id {new_id}; copy it to your secret store now, since without it no later log gets a matching id")
    if kept:
        typer.echo(f"{kept}: the key so far; keep both, its partitions are made with it. Commit data/keys.csv")
    if lost := sorted(pool - set(identity.load_keys(key_file))):
        typer.echo(f"key {', '.join(lost)} made partitions of the pool and is not here: they stay, and cannot be made anew", err=True)
    if "GOLDEN_KEY" in os.environ:
        typer.echo("GOLDEN_KEY is set and takes precedence over the file: unset it to use the new key", err=True)


def _pool_keys() -> set[str]:
    """The keys that made the pool's partitions; none where there is no pool."""
    from pipeline import paths, schema, tables

    return set(tables.read_csv(paths.POOL_CSV, schema.PARTITIONS)["key_id"]) if paths.POOL_CSV.is_file() else set()


def _keep(path: Path) -> Path:
    """Move the key in use beside, under its id. A kill leaves it there or here, never nowhere."""
    from pipeline import identity

    kept = identity.kept_key_file(str(path), identity.key_id(identity.read_key(path)))
    if not kept.exists():
        path.chmod(0o600)
        path.rename(kept)
    else:
        path.unlink()
    return kept


def _register(key_id: str, note: str) -> None:
    """List the new key, so that intake takes it although it made no partition."""
    import pandas as pd

    from pipeline import paths, schema, tables

    since = max(tables.read_csv(paths.POOL_CSV, schema.PARTITIONS)["last"], default="")
    listed = tables.read_csv(paths.KEYS, schema.KEYS) if paths.KEYS.is_file() else tables.empty(schema.KEYS)
    row = pd.DataFrame([{"key_id": key_id, "since": since, "note": note}])
    tables.write_csv(paths.KEYS, tables.concat([listed, row], schema.KEYS), schema.KEYS)


def _write(path: Path, content: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w", encoding="utf-8") as out:
        out.write(content)


@app.command("show-id")
def show_id() -> None:
    """Print the id of the key in use: it tells keys apart and reveals nothing of them.

    data/pool.csv names the key id of every partition; intake refuses a key that made none of them and is not in data/keys.csv.

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
