"""What the readers share: a raw file's bytes, its lines in bounded memory, and what a line that is no object becomes."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

from pipeline.errors import InputError

BOM = b"\xef\xbb\xbf"
PIECE = 1 << 16
"""A line is taken from the file in pieces of at most so many bytes, so that one without an end is never held whole."""


@dataclass(frozen=True)
class Limits:
    """What a reader may hold, and what it need not read."""

    line_bytes: int
    """A longer line (row, in Parquet) is rejected."""
    paths: frozenset[str] | None = None
    """The dotted paths that will be looked up; a reader of columns skips the others. None means all."""


class Reject(NamedTuple):
    """What stands in the place of a line's object or record: why it has none."""

    reason: str
    """A code of `pipeline.rejects.REASONS`."""


def is_packed(path: Path) -> bool:
    return path.name.lower().endswith(".gz")


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader | gzip.GzipFile]:
    """The file's bytes, unpacked where its name ends in .gz. InputError where it is empty or cut off."""
    try:
        with gzip.open(path) if is_packed(path) else path.open("rb") as file:
            if not file.peek(1):
                raise InputError(f"{path}: empty, a log rotation that failed; copy it again or remove it")
            yield file
    except EOFError:
        raise InputError(f"{path}: the file ends in the middle; copy it again") from None
    except (gzip.BadGzipFile, zlib.error):
        raise InputError(f"{path}: not an undamaged gzip file; copy it again") from None


def lines(path: Path, limit: int, quoted: bool = False) -> Iterator[tuple[int, bytes | None]]:
    """(number, bytes) of every line, from 1 and without a byte order mark; None for one of more than `limit` bytes.

    Where `quoted`, a line break between double quotes does not end the line (CSV), and its number is that of its first line.
    InputError where a quote is never closed: the rest of the file would pass as one cell.
    """
    number = first = 1
    held, size, in_quotes = b"", 0, False
    with opened(path) as file:
        while piece := file.readline(PIECE):
            if number == 1 and not size:
                piece = piece.removeprefix(BOM)
            size += len(piece)
            held = held + piece if size <= limit else b""
            if quoted and piece.count(b'"') % 2:
                in_quotes = not in_quotes
            if not piece.endswith(b"\n"):
                continue
            number += 1
            if not in_quotes:
                yield first, held if size <= limit else None
                first, held, size = number, b"", 0
    if in_quotes:
        raise InputError(f"{path}, line {first}: a quote that opens here is never closed; close or double it")
    if size:
        yield first, held if size <= limit else None
