from csv import field_size_limit
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.readers import csv
from pipeline.readers.raw import Limits, Reject


def read(folder: Path, content: bytes) -> list[tuple[int, object]]:
    (folder / "a.csv").write_bytes(content)
    return list(csv.read(folder / "a.csv", Limits(1000)))


def test_cells_stay_text_and_empty_ones_are_missing(tmp_path: Path) -> None:
    assert read(tmp_path, b"id,text,note\n007,hello,\n") == [(2, {"id": "007", "text": "hello"})]


def test_quoted_line_breaks_and_quotes_are_part_of_a_cell(tmp_path: Path) -> None:
    assert read(tmp_path, b'id,text\r\n1,"say ""hi""\r\nagain"\r\n2,x\r\n') == [
        (2, {"id": "1", "text": 'say "hi"\r\nagain'}),
        (4, {"id": "2", "text": "x"}),
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_header_tells_what_separates_cells(tmp_path: Path, separator: str) -> None:
    assert read(tmp_path, f"\ufeffid{separator}text\n1{separator}x".encode()) == [(2, {"id": "1", "text": "x"})]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"", "blank_line"),
        (b"1,2,3", "not_csv"),
        (b"1", "not_csv"),
        (b'1,"a"b', "not_csv"),
        (b"1,\xff", "not_utf8"),
        (b'1,"' + b"x\n" * 1000 + b'"', "line_too_long"),
    ],
)
def test_a_bad_row_is_rejected_for_its_reason_and_costs_no_other_row(tmp_path: Path, row: bytes, reason: str) -> None:
    found = [logged for _, logged in read(tmp_path, b"id,text\n1,a\n" + row + b"\n3,c\n")]
    assert found == [{"id": "1", "text": "a"}, Reject(reason), {"id": "3", "text": "c"}]


@pytest.mark.parametrize("header", [b"id,id\n", b"\xef\xbb\xbf", b"\n1,2\n"], ids=["twice", "nothing", "blank"])
def test_a_header_must_name_its_columns(tmp_path: Path, header: bytes) -> None:
    with pytest.raises(InputError, match="line 1: expected a header with a different name for every column"):
        read(tmp_path, header)


def test_other_readers_of_csv_keep_the_room_they_had(tmp_path: Path) -> None:
    before = field_size_limit()
    read(tmp_path, b"id,text\n1,hello\n")
    assert field_size_limit() == before
