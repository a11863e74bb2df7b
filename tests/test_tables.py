import pandas as pd
import pytest

from pipeline import schema, tables
from pipeline.errors import InputError
from tests.frames import frame, said


def test_nested_columns_come_back_as_they_were_written(tmp_path):
    pool = frame(schema.POOL, [{"example_id": "p-1", "messages": said("hi", "hello"), "metadata": {"channel": "chat"}}])
    tables.write_parquet(tmp_path / "a.parquet", pool, schema.POOL)
    back = tables.read_parquet(tmp_path / "a.parquet", schema.POOL)
    assert back.to_dict("records") == pool.to_dict("records")


def test_rows_are_stored_in_the_order_of_the_key_and_bytes_do_not_depend_on_theirs(tmp_path):
    rows = [{"example_id": f"p-{i}", "messages": said("hi")} for i in (3, 1, 2)]
    for name, order in (("a", rows), ("b", rows[::-1])):
        tables.write_parquet(tmp_path / name, frame(schema.POOL, order), schema.POOL, {"fingerprint": "f"})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert tables.read_note(tmp_path / "a") == {"fingerprint": "f"}


def test_a_frame_with_another_column_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="unknown"):
        tables.write_parquet(tmp_path / "a", frame(schema.TAGS, []).assign(extra=1), schema.TAGS)
    assert not list(tmp_path.iterdir())


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), tables.replacing(path) as beside:  # noqa: PT012 - the body is what fails
        beside.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_csv_keeps_ids_as_text(tmp_path):
    labels = frame(schema.LABELS, [{"example_id": "007", "dimension": "resolved", "value": 'a, "b"\nc'}])
    tables.write_csv(tmp_path / "l.csv", labels, schema.LABELS)
    assert tables.read_csv(tmp_path / "l.csv", schema.LABELS).to_dict("records") == labels.to_dict("records")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "empty"),
        (b"a,b\n1,2\n", "line 1: expected the columns"),
        (b"example_id,dimension\np-1,caf\xe9\n", "not readable as CSV in UTF-8"),
    ],
)
def test_a_csv_that_is_not_one_of_ours_is_refused_in_a_line(content, expected, tmp_path):
    (tmp_path / "l.csv").write_bytes(content)
    with pytest.raises(InputError, match=expected):
        tables.read_csv(tmp_path / "l.csv", schema.LABELS)


def test_a_table_of_another_version_is_refused(tmp_path):
    tables.write_parquet(tmp_path / "a", frame(schema.TAGS, []), schema.TAGS)
    with pytest.raises(InputError, match="not the columns of pool"):
        tables.read_parquet(tmp_path / "a", schema.POOL)
    with pytest.raises(InputError, match="dvc pull"):
        tables.read_parquet(tmp_path / "b", schema.POOL)


def test_metrics_are_rounded_and_finite(tmp_path):
    tables.write_json(tmp_path / "m.json", {"b": 0.123456, "a": {"n": 3, "x": -0.00001}})
    assert (tmp_path / "m.json").read_text() == '{\n  "a": {\n    "n": 3,\n    "x": 0.0\n  },\n  "b": 0.1235\n}\n'
    with pytest.raises(ValueError, match="finite"):
        tables.write_json(tmp_path / "m.json", {"a": float("nan")})
    assert pd.notna(tables.read_json(tmp_path / "m.json")["b"])


def test_a_csv_in_parts_has_the_rows_of_all_and_is_there_only_where_one_has_a_row(tmp_path):
    path = tmp_path / "a.csv"
    parts = [
        frame(schema.LEFT_OUT, [{"example_id": i, "reason": "leak_name", "where": 'a "b", c'} for i in ids])
        for ids in (["p-2"], [], ["p-1", "p-3"])
    ]
    with tables.csv_in_parts(path, schema.LEFT_OUT) as add:
        for part in parts:
            add(part)
        assert not path.exists()
    assert list(tables.read_csv(path, schema.LEFT_OUT)["example_id"]) == ["p-2", "p-1", "p-3"]
    assert tables.count_csv(path, schema.LEFT_OUT, "where") == {'a "b", c': 3}
    with pytest.raises(KeyboardInterrupt), tables.csv_in_parts(path, schema.LEFT_OUT) as add:  # noqa: PT012 - the body is what fails
        add(parts[1])
        raise KeyboardInterrupt
    assert [one.name for one in tmp_path.iterdir()] == ["a.csv"]
    with tables.csv_in_parts(path, schema.LEFT_OUT) as add:
        add(parts[1])
    assert not list(tmp_path.iterdir())


def test_a_csv_that_is_counted_is_refused_as_one_that_is_read(tmp_path):
    (tmp_path / "a.csv").write_text("example_id,why\n")
    for read in (tables.read_csv, lambda path, table: tables.count_csv(path, table, "reason")):
        with pytest.raises(InputError, match=r"a\.csv, line 1: expected the columns example_id, reason, where; found example_id, why$"):
            read(tmp_path / "a.csv", schema.LEFT_OUT)
        with pytest.raises(InputError, match=r"b\.csv: not there"):
            read(tmp_path / "b.csv", schema.LEFT_OUT)
