import gzip
import io
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import admission, erasure, identity, ingest, purge, schema, tables
from pipeline.errors import InputError
from pipeline.labeling.reading import read_labels
from pipeline.paths import ERASED, POOL, POOL_CSV
from pipeline.sources import load
from tests.frames import frame, said
from tests.test_ingest import CONTENT, KEY, logged, put, records, rejects, settle
from tests.test_label import standard

GONE = "p-00000000000000aa"
STAYS = "p-00000000000000bb"


# Files


def test_a_labels_file_loses_the_rows_of_the_erased_and_no_other_byte():
    kept = b'\xef\xbb\xbfexample_id,note\r\np-1,"two\r\nlines, ""quoted"""\r\n'
    before = kept + f'{GONE},"also\ntwo"\r\n'.encode() + b"p-2,\xff\n\np-3,last without a line break"
    after, gone = erasure.without_lines(before, frozenset([GONE]))
    assert after == kept + b"p-2,\xff\n\np-3,last without a line break"
    assert gone == 1


ENTRY = """\
- id: {id}
  incident_id: INC-{id}   # as filed
  reason: >
    not helped

    # no comment but text
  flagged_by: Dana
  flagged_at: 2026-03-05
  expect: {{behaviour: escalate}}
"""


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_regression_entry_goes_and_what_stands_between_the_others_stays(place, tmp_path):
    ids = ["p-0000000000000001", "p-0000000000000002"]
    ids.insert(place, GONE)
    texts = [ENTRY.format(id=i) for i in ids]
    between = ["# This file's own comment.\n", "\n# Of the second.\n", "\n", "# The end.\n"]
    before = "".join(between[i] + (texts[i] if i < 3 else "") for i in range(4))
    texts[place] = ""
    after = erasure.without_entries(before, frozenset([GONE]), "f.yaml")
    assert after == "".join(between[i] + (texts[i] if i < 3 else "") for i in range(4))
    (tmp_path / "regression").mkdir()
    (tmp_path / "regression/f.yaml").write_text(after)
    assert [entry.id for _, entry in load(tmp_path)["regression"]] == [i for i in ids if i != GONE]


def test_an_entry_whose_lines_cannot_be_told_from_others_is_refused():
    with pytest.raises(InputError, match=r"^f\.yaml, p-00000000000000aa: .* with a dash"):
        erasure.without_entries(f"[{{id: {GONE}}}, {{id: p-0000000000000001}}]\n", frozenset([GONE]), "f.yaml")


def parquet(*ids, **more):
    sink = pa.BufferOutputStream()
    rows = [{"example_id": "p", "nested": [{"said": f"of {i}"}], "input_sha": f"sha of {i}", **more} for i in ids]
    pq.write_table(pa.Table.from_pylist(rows), sink, compression="zstd")
    return sink.getvalue().to_pybytes()


def zipped(content):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside", content)
    return out.getvalue()


PLANTED = b"x" * (purge.CHUNK - 5) + GONE.encode() + b"x" * 10
HOLDING = {
    "plain, over the border of two chunks": PLANTED,
    "gzip": gzip.compress(PLANTED),
    "zstd": pa.Codec("zstd").compress(PLANTED, asbytes=True),
    "zip": zipped(PLANTED),
    "parquet, nested": parquet(STAYS, GONE),
    "parquet, cut off": b"PAR1" + PLANTED,
}


@pytest.mark.parametrize("content", HOLDING.values(), ids=HOLDING)
def test_an_id_is_found_in_decoded_content(content):
    assert purge.holds(io.BytesIO(content), frozenset([GONE, STAYS + "0"])) == {GONE}


def test_a_table_says_what_was_asked_of_an_erased_example():
    asked = set()
    table = pa.table({"example_id": [GONE, STAYS], "input_sha": ["s1", "s2"]})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    assert purge.holds(io.BytesIO(sink.getvalue().to_pybytes()), frozenset([GONE]), asked) == {GONE}
    assert asked == {"s1"}


# The pool


@pytest.fixture
def pool(tmp_path, monkeypatch):
    """A pool of one expired partition with two conversations, one of which was erased elsewhere."""
    monkeypatch.chdir(tmp_path)
    rows = [{"example_id": i, "messages": said(f"by {i}"), "metadata": {"channel": "app"}} for i in (GONE, STAYS)]
    rows[0]["occurred_at"] = pd.Timestamp("2026-03-01T12:00:00Z").as_unit("us")
    tables.write_parquet(POOL / "w1.parquet", frame(schema.POOL, rows), schema.POOL, {"recognizers": "r"})
    row = {"partition": "w1", "raw": "expired", "read": 4, "kept": 2, "rejected": "bad_time=1 erased=1"}
    tables.write_csv(POOL_CSV, frame(schema.PARTITIONS, [row, {"partition": "w2"}]), schema.PARTITIONS)
    erasure.add_tombstones([GONE], "2026-03-31", "")
    return tmp_path


def listed():
    return tables.read_csv(POOL_CSV, schema.PARTITIONS)


def test_what_was_erased_elsewhere_leaves_the_pool_and_its_counts_still_add_up(pool):
    other = listed().iloc[1].to_dict()
    row = erasure.forget(listed()).iloc[0]
    assert (row["kept"], row["rejected"]) == (1, "bad_time=1 erased=2")
    assert row["first"] == row["last"] == "2026-03-02T12:00:00+00:00"
    assert list(tables.read_parquet(POOL / "w1.parquet", schema.POOL)["example_id"]) == [STAYS]
    assert tables.read_note(POOL / "w1.parquet") == {"recognizers": "r"}
    assert listed().iloc[1].to_dict() == other
    before = (POOL / "w1.parquet").read_bytes()
    erasure.forget(listed())
    assert (POOL / "w1.parquet").read_bytes() == before


def test_what_was_left_out_or_masked_of_an_erased_one_is_listed_no_longer(pool):
    for path, table in ((admission.file_of("w1"), schema.LEFT_OUT), (admission.masked_file("w1"), schema.MASKED)):
        tables.write_csv(path, frame(table, [{"example_id": i} for i in (GONE, STAYS)]), table)
    assert erasure.known([GONE]) == {GONE}
    erasure.forget(listed())
    assert list(admission.read("w1")["example_id"]) == list(admission.masked()["example_id"]) == [STAYS]


def test_a_kill_between_the_list_and_the_partition_counts_nothing_twice(pool, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(tables, "write_parquet_in_parts", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            erasure.forget(listed())
    assert erasure.forget(listed())["rejected"].iloc[0] == "bad_time=1 erased=2"


def test_a_tombstone_is_written_once():
    frames = []
    for on in ("2026-03-31", "2026-04-01"):
        erasure.add_tombstones([GONE], on, "asked for")
        frames.append(ERASED.read_text())
    assert frames == [f"example_id,erased_on,reason\n{GONE},2026-03-31,asked for\n"] * 2


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


# Ingest and label


def id_of(number, key=KEY):
    return identity.example_id(key, "shop", f"{CONTENT}-{number}")


def counts():
    note = tables.read_note(ingest.FOLDER / "a.parquet")
    return [int(note[name]) for name in ("read", "kept", "sampled_out")]


def test_an_erased_conversation_is_not_read_again_and_is_counted(tmp_path, capsys):
    settle(tmp_path, max_reject_rate=0.0)
    put("a.jsonl", *(logged(number) for number in range(3)))
    put("b.jsonl", logged(9))
    ingest.main()
    before = records()
    erasure.add_tombstones([id_of(1)], "2026-03-31", "")
    ingest.main()
    assert "2 files (1 unchanged), 3 records, 1 rejected (erased 1)" in capsys.readouterr().out
    assert (rejects(), counts()) == ([(2, "erased")], [3, 2, 0])
    assert records().equals(before.drop(1).reset_index(drop=True))
    ingest.main()
    assert "2 files (2 unchanged)" in capsys.readouterr().out
    ERASED.unlink()
    ingest.work()
    assert records().equals(before)


def test_an_erased_conversation_changes_nothing_else_in_a_sample(tmp_path):
    settle(tmp_path, sample={"per_file": 3})
    put("a.jsonl", *(logged(number) for number in range(10)))
    ingest.work()
    before = records()
    erasure.add_tombstones([before["example_id"][0]], "2026-03-31", "")
    ingest.work()
    assert records().equals(before.drop(0).reset_index(drop=True))
    assert (counts(), rejects()) == ([10, 2, 7], [(before["line"][0], "erased")])


def test_a_conversation_erased_under_an_earlier_key_does_not_come_back_under_the_next(tmp_path):
    settle(tmp_path)
    Path("test.key").rename(f"test.key.{identity.key_id(KEY)}")
    Path("test.key").write_text("ab" * 32)
    put("a.jsonl", logged(1), logged(2))
    ingest.work()
    erasure.add_tombstones([id_of(1)], "2026-03-31", "")
    ingest.work()
    assert list(records()["example_id"]) == [id_of(2, bytes.fromhex("ab" * 32))]
    ingest.work()
    assert rejects() == [(1, "erased")]


def test_a_label_of_an_erased_conversation_is_refused_with_file_and_line(tmp_path):
    row = {"example_id": GONE, "dimension": "resolved", "value": "yes"}
    tables.write_csv(tmp_path / "l.csv", frame(schema.LABELS, [row]), schema.LABELS)
    assert len(read_labels(tmp_path, standard())) == 1
    with pytest.raises(InputError, match=r"l\.csv, line 2: p-00000000000000aa was erased; run 'golden erase"):
        read_labels(tmp_path, standard(), frozenset([GONE]))
