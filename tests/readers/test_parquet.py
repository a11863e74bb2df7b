import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import InputError
from pipeline.readers import parquet
from pipeline.readers.raw import Limits, Reject


def read(path: Path, limits: Limits | None = None) -> list[tuple[int, object]]:
    return list(parquet.read(path, limits or Limits(1_000_000)))


def test_rows_are_objects_with_nested_values(tmp_path: Path) -> None:
    table = pa.table(
        {"id": [7, 8], "turns": [[{"role": "user"}], None], "tags": pa.array([[("a", "b")], []], pa.map_(pa.string(), pa.string()))}
    )
    pq.write_table(table, tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet") == [
        (1, {"id": 7, "turns": [{"role": "user"}], "tags": {"a": "b"}}),
        (2, {"id": 8, "turns": None, "tags": {}}),
    ]


def test_only_columns_on_a_path_are_read(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1], "customer": [{"id": 2}], "audio": ["x" * 1000]}), tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet", Limits(500, frozenset({"id", "customer.id"}))) == [(1, {"id": 1, "customer": {"id": 2}})]
    assert read(tmp_path / "a.parquet", Limits(500, frozenset({"nowhere"}))) == [(1, {"id": 1})]


def test_a_bad_row_is_rejected_for_its_reason_and_costs_no_other_row(tmp_path: Path) -> None:
    bytes_as_text = pa.array([b"a", b"\xff", b"c", b"x" * 2000]).view(pa.string())
    twice = pa.array([[], [], [("k", "1"), ("k", "2")], []], pa.map_(pa.string(), pa.string()))
    pq.write_table(pa.table({"text": bytes_as_text, "tags": twice}), tmp_path / "a.parquet")
    assert [row for _, row in read(tmp_path / "a.parquet", Limits(1000))] == [
        {"text": "a", "tags": {}},
        Reject("not_utf8"),
        Reject("wrong_type"),
        Reject("line_too_long"),
    ]
    assert [isinstance(row, Reject) for _, row in read(tmp_path / "a.parquet")] == [False, True, True, False]


def test_a_packed_file_is_read_like_a_plain_one(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["1"]}), tmp_path / "a.parquet")
    (tmp_path / "b.parquet.gz").write_bytes(gzip.compress((tmp_path / "a.parquet").read_bytes()))
    assert read(tmp_path / "b.parquet.gz") == read(tmp_path / "a.parquet") == [(1, {"id": "1"})]


def test_a_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["1"]}), tmp_path / "a.parquet")
    (tmp_path / "a.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:-20])
    with pytest.raises(InputError, match="not a whole Parquet file; copy it again"):
        read(tmp_path / "a.parquet")
