import contextlib
import gzip
import tempfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.readers import READERS, find
from pipeline.readers.raw import Limits, Reject, lines
from pipeline.rejects import REASONS


def written(folder: Path, content: bytes, name: str = "a.jsonl") -> Path:
    (folder / name).write_bytes(content)
    return folder / name


def test_lines_are_numbered_from_one_and_a_byte_order_mark_is_no_part_of_them(tmp_path: Path) -> None:
    assert list(lines(written(tmp_path, b"\xef\xbb\xbfone\n\nthree"), 100)) == [(1, b"one\n"), (2, b"\n"), (3, b"three")]


def test_a_longer_line_is_none_and_the_next_keeps_its_number(tmp_path: Path) -> None:
    path = written(tmp_path, b"a\n" + b"x" * 200_000 + b"\nc\n")
    assert list(lines(path, 100_000)) == [(1, b"a\n"), (2, None), (3, b"c\n")]


def test_a_line_without_an_end_is_never_held_whole(tmp_path: Path) -> None:
    path = written(tmp_path, b"x" * 30_000_000)
    tracemalloc.start()
    try:
        assert list(lines(path, 1_000_000)) == [(1, None)]
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_a_quoted_line_break_does_not_end_a_line(tmp_path: Path) -> None:
    path = written(tmp_path, b'a,"b\nc"\nd\n')
    assert list(lines(path, 100, quoted=True)) == [(1, b'a,"b\nc"\n'), (3, b"d\n")]


def test_a_quote_that_is_never_closed_refuses_the_file_instead_of_swallowing_it(tmp_path: Path) -> None:
    path = written(tmp_path, b'a\n"b\n' + b"c\n" * 1000)
    with pytest.raises(InputError, match="line 2: a quote that opens here is never closed"):
        list(lines(path, 100, quoted=True))


@pytest.mark.parametrize("content", [b"", gzip.compress(b"")], ids=["plain", "packed"])
def test_an_empty_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = written(tmp_path, content, "a.jsonl.gz" if content else "a.jsonl")
    with pytest.raises(InputError, match="empty, a log rotation that failed"):
        list(lines(path, 100))


def test_damaged_gzip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not an undamaged gzip file"):
        list(lines(written(tmp_path, b"this was never packed", "a.jsonl.gz"), 100))


def test_every_reader_is_found_by_its_suffix_packed_or_not() -> None:
    for suffix, read in READERS.items():
        assert find(f"2026/day-1{suffix}") == find(f"2026/day-1{suffix}.gz") == ("2026/day-1", read)
    assert find("day-1.txt") is None


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from([b"id", b",", b'"', b"\n", b"\r", b"{", b"}", b":", b"1", b"\xff", b"\0", b"\xef\xbb\xbf", b"PAR1"]), max_size=30
    )
)
def test_whatever_bytes_a_file_has_each_line_is_an_object_or_a_known_reason_or_the_file_is_refused(pieces: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for suffix, read in READERS.items():
            path = written(Path(folder), b"".join(pieces), f"a{suffix}")
            with contextlib.suppress(InputError):
                for _, logged in read(path, Limits(20)):
                    assert logged.reason in REASONS if isinstance(logged, Reject) else isinstance(logged, dict)
