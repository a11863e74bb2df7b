"""Read and write the pipeline's files, whole or not at all. Nothing else does I/O on tables, metrics and authored text.

A file is written beside its place and renamed into it, so that a kill leaves the old one or the new one, never half of one.
"""

import csv
import io
import math
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from pipeline.errors import InputError
from pipeline.schema import Table

METRIC_DIGITS = 4


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; renamed into place when the block ends well, removed when it does not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def clear_unfinished(folder: Path) -> None:
    """Remove what a killed process left beside its target in `folder`."""
    for left in folder.glob(".*.tmp"):
        left.unlink()


def write_bytes(path: Path, content: bytes) -> None:
    with replacing(path) as beside:
        beside.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    write_bytes(path, content.encode("utf-8"))


def to_arrow(frame: pd.DataFrame, table: Table) -> pa.Table:
    """`frame` as `table`'s Arrow schema, rows in the order of its key.

    Raises ValueError where a column is missing, is not in the schema or has another type: a defect of the stage, not of its input.
    """
    if set(frame.columns) != set(table.names):
        raise ValueError(
            f"{table.name}: missing {sorted(set(table.names) - set(frame.columns))}, unknown {sorted(set(frame.columns) - set(table.names))}"
        )
    ordered = frame.sort_values(list(table.key), kind="stable") if len(frame) else frame
    return pa.Table.from_pandas(ordered[table.names], schema=table.arrow, preserve_index=False).replace_schema_metadata(None)


def write_parquet(path: Path, frame: pd.DataFrame | pa.Table, table: Table, note: dict[str, str] | None = None) -> None:
    """Write `frame` as Parquet; `note` goes into the file's metadata (fingerprints)."""
    write_parquet_in_parts(path, [frame], table, note)


def write_parquet_in_parts(path: Path, frames: Iterable[pd.DataFrame | pa.Table], table: Table, note: dict[str, str] | None = None) -> None:
    """The same of many frames, one after the other, of which no two are in memory. Each is sorted by itself."""
    with replacing(path) as beside, pq.ParquetWriter(beside, table.arrow.with_metadata(note), compression="zstd") as out:
        for frame in frames:
            arrow = frame.cast(table.arrow) if isinstance(frame, pa.Table) else to_arrow(frame, table)
            out.write_table(arrow.replace_schema_metadata(note))


def read_note(path: Path) -> dict[str, str]:
    """The note of a Parquet file; empty where there is no such file or no note."""
    if not path.is_file():
        return {}
    metadata = pq.read_schema(path).metadata or {}
    return {k.decode(): v.decode() for k, v in metadata.items() if not k.startswith(b"ARROW:")}


def read_parquet(path: Path, table: Table, columns: list[str] | None = None, only: Iterable[str] | None = None) -> pd.DataFrame:
    """A table as a frame: nested columns as Python lists and dicts, text never null; of the examples `only`, where they are given.

    Raises InputError where the file is missing or its columns are not `table`'s.
    """
    _check_schema(path, table)
    some = None if only is None else pc.field("example_id").isin(pa.array(list(only), pa.string()))
    return to_frame(pq.read_table(path, columns=columns, filters=some))


def to_frame(arrow: pa.Table) -> pd.DataFrame:
    return pd.DataFrame({name: _column(arrow.column(name)) for name in arrow.column_names})


def _column(column: pa.ChunkedArray) -> pd.Series:
    if pa.types.is_map(column.type):
        return pd.Series([dict(pairs or ()) for pairs in column.to_pylist()], dtype=object)
    if pa.types.is_nested(column.type):
        return pd.Series(column.to_pylist(), dtype=object)
    return column.to_pandas()


def _check_schema(path: Path, table: Table) -> None:
    if not path.is_file():
        raise InputError(f"{path}: not there; run 'dvc pull', or 'dvc repro' to build it")
    found = pq.read_schema(path)
    if found.names != table.names or found.remove_metadata() != table.arrow:
        raise InputError(f"{path}: not the columns of {table.name}; it was made by another version: run 'dvc repro'")


def frames(path: Path, table: Table, rows: int) -> Iterator[pd.DataFrame]:
    """The same in pieces of so many rows, in the order of the file."""
    _check_schema(path, table)
    for batch in pq.ParquetFile(path).iter_batches(rows):
        yield to_frame(pa.Table.from_batches([batch]))


def empty(table: Table) -> pd.DataFrame:
    return to_frame(table.arrow.empty_table())


def concat(frames: list[pd.DataFrame], table: Table) -> pd.DataFrame:
    """The rows of all frames; `table`'s columns where there are none."""
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else empty(table)


def write_csv(path: Path, frame: pd.DataFrame, table: Table) -> None:
    """Write `frame` as CSV (UTF-8, `\\n`), rows in the order of the key, so that git shows who came and went."""
    write_bytes(path, as_csv(frame, table))


def as_csv(frame: pd.DataFrame, table: Table) -> bytes:
    """What `write_csv` writes."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.names)
    writer.writerows(_csv_rows(frame, table))
    return out.getvalue().encode("utf-8")


def _csv_rows(frame: pd.DataFrame, table: Table) -> Iterator[tuple[Any, ...]]:
    arrow = to_arrow(frame, table)
    return zip(*(["" if v is None else v for v in arrow.column(n).to_pylist()] for n in table.names), strict=True)


@contextmanager
def csv_in_parts(path: Path, table: Table) -> Iterator[Callable[[pd.DataFrame], None]]:
    """A function that adds a frame's rows to the CSV at `path`, which is in place when the block ends well. Each frame is sorted by
    itself. Where none has a row, no file is there."""
    rows = 0

    def add(frame: pd.DataFrame) -> None:
        nonlocal rows
        rows += len(frame)
        writer.writerows(_csv_rows(frame, table))

    with replacing(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.names)
        yield add
    if not rows:
        path.unlink()


def read_csv(path: Path, table: Table, missing: str = "run 'dvc repro' to build it") -> pd.DataFrame:
    """A CSV of `table`, every text as it stands ("007" stays "007").

    Raises InputError where the file is missing, is not UTF-8, has other columns or a value of another type.
    """
    if not path.is_file():
        raise InputError(f"{path}: not there; {missing}")
    return parse_csv(path, path.read_bytes(), table)


def count_csv(path: Path, table: Table, column: str) -> Counter[str]:
    """How often each value of a column stands in a CSV of `table`, which is read piece by piece. Raises as `read_csv` does."""
    if not path.is_file():
        raise InputError(f"{path}: not there; run 'dvc repro' to build it")
    counts = Counter[str]()
    with _csv_errors(path, table), pyarrow.csv.open_csv(path, **_csv_options(table)) as pieces:
        _check_columns(path, pieces.schema.names, table)
        for piece in pieces:
            counts.update(piece.column(column).to_pylist())
    return counts


def parse_csv(path: Path | str, content: bytes, table: Table) -> pd.DataFrame:
    """The same of a file's bytes, which were read from `path`."""
    with _csv_errors(path, table):
        arrow = pyarrow.csv.read_csv(pa.BufferReader(content), **_csv_options(table))
    _check_columns(path, arrow.column_names, table)
    return to_frame(arrow)


def _csv_options(table: Table) -> dict[str, Any]:
    types = {name: kind for name, kind, _ in table.columns}
    return {
        "parse_options": pyarrow.csv.ParseOptions(newlines_in_values=True),
        "convert_options": pyarrow.csv.ConvertOptions(column_types=types, strings_can_be_null=False),
    }


@contextmanager
def _csv_errors(path: Path | str, table: Table) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        if "empty csv" in str(error).lower():
            raise InputError(f"{path}: empty; expected the columns {', '.join(table.names)}") from None
        raise InputError(f"{path}: not readable as CSV in UTF-8 with the columns {', '.join(table.names)}") from None


def _check_columns(path: Path | str, found: list[str], table: Table) -> None:
    if found != table.names:
        raise InputError(f"{path}, line 1: expected the columns {', '.join(table.names)}; found {', '.join(found)}")


def rounded(value: Any) -> Any:
    """Metrics as DVC can compare them: floats at four digits, no NaN, keys as given."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(inner) for inner in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("a metric is not finite")
        return round(value, METRIC_DIGITS) + 0.0
    return value


def write_json(path: Path, value: Any) -> None:
    write_bytes(path, orjson.dumps(rounded(value), option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY) + b"\n")


def read_json(path: Path) -> Any:
    if not path.is_file():
        raise InputError(f"{path}: not there; run 'dvc repro' to build it")
    try:
        return orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError:
        raise InputError(f"{path}: not JSON; run 'dvc repro' to build it anew") from None


def write_jsonl(path: Path, rows: Iterator[dict[str, Any]], default: Callable[[Any], Any] | None = None) -> None:
    """One JSON object a line, keys in the order given."""
    with replacing(path) as beside, beside.open("wb") as out:
        for row in rows:
            out.write(orjson.dumps(row, default=default, option=orjson.OPT_UTC_Z) + b"\n")
