"""CSV in UTF-8 with a header; cells may be quoted and then hold line breaks. An empty cell is a missing value.

Commas, semicolons or tabs separate cells: whichever the header has most of. Turns stand in a cell as JSON, and a dotted path
looks into such a cell.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.errors import InputError
from pipeline.readers.raw import Limits, Reject, lines


def read(path: Path, limits: Limits) -> Iterator[tuple[int, dict[str, Any] | Reject]]:
    # It is the process's: another reader of CSV may need more than this one.
    csv.field_size_limit(max(csv.field_size_limit(), limits.line_bytes))
    records = lines(path, limits.line_bytes, quoted=True)
    names, separator = _header(path, next(records, (1, None))[1])
    for number, record in records:
        yield number, Reject("line_too_long") if record is None else _row(record, names, separator)


def _header(path: Path, line: bytes | None) -> tuple[list[str], str]:
    try:
        text = (line or b"").decode("utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{path}, line 1: not UTF-8; save the file as UTF-8") from None
    separator = max(",;\t", key=text.count)
    names = _cells(text, separator)
    if not names or len(set(names)) < len(names):
        raise InputError(f"{path}, line 1: expected a header with a different name for every column")
    return names, separator


def _row(record: bytes, names: list[str], separator: str) -> dict[str, Any] | Reject:
    if not record or record.isspace():
        return Reject("blank_line")
    try:
        cells = _cells(record.decode("utf-8"), separator)
    except UnicodeDecodeError:
        return Reject("not_utf8")
    if cells is None or len(cells) != len(names):
        return Reject("not_csv")
    return {name: cell for name, cell in zip(names, cells, strict=True) if cell}


def _cells(text: str, separator: str) -> list[str] | None:
    try:
        return next(csv.reader((text,), delimiter=separator, strict=True), None)
    except csv.Error:
        return None
