"""Readers of raw logs, one file each, registered by how a file's name ends.

A reader is `read(path, limits)`, a generator of (line, object) in the file's order, or (line, Reject) where a line is no object.
It streams: what it holds is bounded by `limits`, whatever the file's size. It raises InputError where the whole file is unusable.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipeline.readers import csv, jsonl, parquet
from pipeline.readers.raw import Limits, Reject

Read = Callable[[Path, Limits], Iterator[tuple[int, dict[str, Any] | Reject]]]

READERS: dict[str, Read] = {
    ".jsonl": jsonl.read,
    ".ndjson": jsonl.read,
    ".json": jsonl.read,
    ".csv": csv.read,
    ".parquet": parquet.read,
}
"""Each of these may be followed by `.gz`."""


def find(name: str) -> tuple[str, Read] | None:
    """A file name without its endings, and the reader for it; None where no reader is registered."""
    plain = name[:-3] if name.lower().endswith(".gz") else name
    for suffix, read in READERS.items():
        if plain.lower().endswith(suffix):
            return plain[: -len(suffix)], read
    return None
