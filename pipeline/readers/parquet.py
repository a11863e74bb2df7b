"""Parquet: a row is an object, its number counts from 1. Turns are a nested column, or JSON text."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import InputError
from pipeline.readers.raw import Limits, Reject, is_packed, opened

BATCH_ROWS = 1000


def read(path: Path, limits: Limits) -> Iterator[tuple[int, dict[str, Any] | Reject]]:
    number = 0
    with _seekable(path) as file:
        try:
            source = pq.ParquetFile(file)
            for batch in source.iter_batches(BATCH_ROWS, columns=_columns(source.schema_arrow.names, limits)):
                for row in _rows(batch, limits):
                    number += 1
                    yield number, row
        except (pa.ArrowException, OSError):
            raise InputError(f"{path}: not a whole Parquet file; copy it again") from None


@contextmanager
def _seekable(path: Path) -> Iterator[Any]:
    """Parquet is read from its end: a packed file is unpacked into a file that has no name and goes with this process."""
    with opened(path) as file:
        if not is_packed(path):
            yield file
            return
        with tempfile.TemporaryFile() as unpacked:
            shutil.copyfileobj(file, unpacked, 1 << 20)
            yield unpacked


def _columns(names: list[str], limits: Limits) -> list[str]:
    if limits.paths is None:
        return names
    wanted = limits.paths | {path.partition(".")[0] for path in limits.paths}
    return [name for name in names if name in wanted] or names[:1]


def _rows(batch: pa.RecordBatch, limits: Limits) -> Iterator[dict[str, Any] | Reject]:
    if batch.nbytes <= limits.line_bytes:
        try:
            yield from batch.to_pylist(maps_as_pydicts="strict")
            return
        except (UnicodeDecodeError, KeyError):
            pass
    for place in range(batch.num_rows):
        yield _row(batch.slice(place, 1), limits)


def _row(batch: pa.RecordBatch, limits: Limits) -> dict[str, Any] | Reject:
    if batch.nbytes > limits.line_bytes:
        return Reject("line_too_long")
    try:
        row: dict[str, Any] = batch.to_pylist(maps_as_pydicts="strict")[0]
        return row
    except UnicodeDecodeError:
        return Reject("not_utf8")
    except KeyError:
        return Reject("wrong_type")
