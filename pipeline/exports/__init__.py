"""The dataset in the forms that other tools read: each example with its id, version, source, tags and expectation.

An exporter is a function from rows to files, one module each, registered here by name. What a tool has no field for stands in its
metadata, so that no part of an expectation is dropped. What can never happen: half an export (a folder is written beside and
renamed), a file that git takes (each folder ignores itself: examples may stem from production), raw text (only surrogates are here).
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pandas as pd

from pipeline import schema, tables
from pipeline.errors import InputError
from pipeline.exports import deepeval, huggingface, inspect, langfuse, promptfoo
from pipeline.exports.rows import Rows

MARK = ".golden-export"
"""Stands in every folder that an export wrote: only such a one is ever replaced."""
TOOLS: dict[str, Callable[[Rows], dict[str, bytes]]] = {
    "promptfoo": promptfoo.files,
    "deepeval": deepeval.files,
    "inspect": inspect.files,
    "langfuse": langfuse.files,
    "huggingface": huggingface.files,
}


@dataclass(frozen=True)
class Written:
    folder: Path
    files: list[str]
    examples: int


def rows(examples: pd.DataFrame, version: str, retired: list[str]) -> Rows:
    """`examples` (schema.EXAMPLES) in the order of their ids; `retired` are ids of earlier releases that are in it no more."""
    expectation = [name for name, _, _ in schema.EXPECTATION]
    found: list[dict[str, Any]] = []
    for row in examples.sort_values("example_id").to_dict("records"):
        expects = {name: row[name] for name in expectation if row[name]}
        known = {name: row[name] for name in ("fixtures", "fault", "canary") if row[name]}
        found.append(
            {
                "id": row["example_id"],
                "messages": row["input"],
                "expectation": expects,
                "metadata": {
                    "example_id": row["example_id"],
                    "version": version,
                    "source": row["source"],
                    "tags": row["tags"],
                    "cluster": row["cluster"],
                    "inclusion_weight": row["inclusion_weight"],
                    "expectation": expects,
                    **known,
                },
            }
        )
    return Rows(version, found, sorted(retired))


def write(tool: str, rows: Rows, folder: Path) -> Written:
    """Write the files of `tool` to `folder`, whole or not at all. Raises InputError where something else stands there."""
    if folder.exists() and not (folder / MARK).is_file():
        raise InputError(f"--out {folder}: there already, and no export; name a folder that is not there")
    files = TOOLS[tool](rows) | {".gitignore": b"*\n", MARK: orjson.dumps({"to": tool, "version": rows.version}) + b"\n"}
    beside, old = (folder.with_name(f".{folder.name}.{os.getpid()}.{end}") for end in ("tmp", "old"))
    try:
        for name, content in files.items():
            tables.write_bytes(beside / name, content)
        if folder.exists():
            folder.rename(old)
        beside.rename(folder)
    finally:
        if old.exists() and not folder.exists():
            old.rename(folder)
        for left in (beside, old):
            shutil.rmtree(left, ignore_errors=True)
    return Written(folder, sorted(name for name in files if not name.startswith(".")), len(rows.examples))
