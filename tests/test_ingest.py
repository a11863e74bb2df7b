import contextlib
import csv
import gzip
import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import identity, ingest, tables
from pipeline.errors import InputError
from pipeline.readers import READERS
from pipeline.rejects import HINTS, REASONS
from pipeline.repository import tracked_raw_files
from pipeline.schema import PARTITIONS, RECORDS, REJECTS
from tests.frames import frame

ROOT = Path(__file__).parent.parent
KEY = bytes(32)
CONTENT = "Zanzibar"
"""Stands in every text, id and role of these logs, and must stand in nothing that is printed."""
FIELDS = {
    "log_id": "id",
    "occurred_at": "at",
    "turns": "turns",
    "role": "from",
    "text": "text",
    "fixtures": "context",
    "metadata": {"note": "note"},
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    settle(tmp_path)
    return tmp_path


def settle(folder: Path, kind: str = "local", **settings: Any) -> None:
    """Params and key of an ingest whose logs lie in logs/."""
    chosen: dict[str, Any] = {
        "dataset": {"name": "test"},
        "intake": {"key_file": "test.key"},
        "ingest": {"path": "logs", "system": "shop", "fields": FIELDS, "roles": {f"{CONTENT}-bot": "assistant"}, "max_reject_rate": 0.5}
        | settings,
        "anonymize": {"entities": {"PERSON": {"threshold": 0.3}}},
        "pii_eval": {"spans": "labelled.jsonl"},
        "merge": {"size": 10, "ratios": {"production": 1.0}, "stratify_by": []},
        "validate": {},
        "evaluate": {"target": {"kind": "recorded", "path": "none", "version": "1"}},
        "metrics": {},
        "engine": {"kind": kind},
    }
    (folder / "params.yaml").write_text(json.dumps(chosen), encoding="utf-8")
    (folder / "test.key").write_text(KEY.hex(), encoding="utf-8")
    (folder / "logs").mkdir(exist_ok=True)


def logged(number: int, **other: Any) -> dict[str, Any]:
    turns = [{"from": "user", "text": f"{CONTENT} {number}?"}, {"from": f"{CONTENT}-bot", "text": f"{CONTENT}!"}]
    return {"id": f"{CONTENT}-{number}", "at": "2026-03-01T12:00:00Z", "turns": turns} | other


def put(name: str, *lines: dict[str, Any] | bytes) -> Path:
    path = Path("logs", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
    path.write_bytes(gzip.compress(content, mtime=0) if name.endswith(".gz") else content)
    return path


def records(partition: str = "a") -> pd.DataFrame:
    return tables.read_parquet(ingest.FOLDER / f"{partition}.parquet", RECORDS)


def rejects(partition: str = "a") -> list[tuple[int, str]]:
    frame = tables.read_csv(ingest.FOLDER / f"{partition}.rejects.csv", REJECTS)
    return list(zip(frame["line"], frame["reason"], strict=True))


def refusal(capfd: pytest.CaptureFixture[str]) -> str:
    """The one line with which the stage ends; none of the logs' content is in it or was printed."""
    with pytest.raises(SystemExit) as ended:
        ingest.main()
    line = str(ended.value.code)
    printed = capfd.readouterr()
    assert "\n" not in line
    assert CONTENT not in line + printed.out + printed.err
    assert printed.out == ""
    return line


def written() -> list[str]:
    return sorted(path.name for path in ingest.FOLDER.glob("*"))


def test_a_log_becomes_one_typed_record_a_line(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    settle(place, outcome={"rules": [{"outcome": "error", "when": {"status": "error"}}]}, failures=["error"])
    put("a.jsonl", logged(1, context={"b": 1, "a": 2}, note="n"), b"", logged(2, status="error"))
    ingest.main()
    assert capfd.readouterr().out == "ingest     1 file, 2 records, 1 rejected (blank_line 1)\n"
    first, second = records().to_dict("records")
    messages = [{"role": "user", "content": f"{CONTENT} 1?"}, {"role": "assistant", "content": f"{CONTENT}!"}]
    assert first == {
        "example_id": identity.example_id(KEY, "shop", f"{CONTENT}-1"),
        "text_sha": identity.text_sha(KEY, messages),
        "log_id": f"{CONTENT}-1",
        "system": "shop",
        "occurred_at": pd.Timestamp("2026-03-01T12:00:00Z"),
        "outcome": "unknown",
        "failed": False,
        "messages": messages,
        "fixtures": '{"a":2,"b":1}',
        "metadata": {"note": "n"},
        "inclusion_weight": 1.0,
        "line": 1,
    }
    assert (second["outcome"], second["failed"], second["line"], second["fixtures"]) == ("error", True, 3, "")


def test_the_note_says_what_anonymize_needs(place: Path) -> None:
    path = put("a.jsonl", logged(1), b"{", logged(2))
    ingest.work()
    note = tables.read_note(ingest.FOLDER / "a.parquet")
    assert note.pop("fingerprint")
    assert note == {
        "source_sha256": identity.file_sha(path),
        "read": "3",
        "kept": "2",
        "sampled_out": "0",
        "key_id": identity.key_id(KEY),
        "rejected": "not_json=1",
        "first_lines": "not_json=2",
    }


def test_every_reason_has_a_meaning() -> None:
    sources = [Path(ingest.__file__), ROOT / "pipeline/rejects.py", *(ROOT / "pipeline/readers").glob("*.py")]
    text = "".join(path.read_text(encoding="utf-8") for path in sources)
    assert all(text.count(f'"{reason}"') >= 2 for reason in REASONS)
    assert HINTS.keys() <= REASONS.keys()


BAD_LINES = {
    "blank_line": b"  ",
    "line_too_long": json.dumps(logged(9, note="x" * 5_000_000)).encode(),
    "not_utf8": b'{"id": "' + CONTENT.encode() + b'\xff"}',
    "not_json": b'{"id": "' + CONTENT.encode(),
    "not_an_object": json.dumps([CONTENT]).encode(),
    "missing_log_id": json.dumps({"turns": logged(9)["turns"], "at": "2026-03-01"}).encode(),
    "missing_time": json.dumps({"id": CONTENT, "turns": logged(9)["turns"]}).encode(),
    "bad_time": json.dumps(logged(9, at=CONTENT)).encode(),
    "missing_turns": json.dumps({"id": CONTENT, "at": "2026-03-01"}).encode(),
    "wrong_type": json.dumps(logged(9, turns=CONTENT)).encode(),
    "unknown_role": json.dumps(logged(9, turns=[{"from": CONTENT, "text": CONTENT}])).encode(),
    "no_user_turn": json.dumps(logged(9, turns=[])).encode(),
    "duplicate_id": json.dumps(logged(1)).encode(),
}


@pytest.mark.parametrize("reason", BAD_LINES)
def test_a_bad_line_is_rejected_with_its_number_and_reason(place: Path, capfd: pytest.CaptureFixture[str], reason: str) -> None:
    put("a.jsonl", logged(1), BAD_LINES[reason], logged(2))
    ingest.main()
    printed = capfd.readouterr()
    assert printed.out == f"ingest     1 file, 2 records, 1 rejected ({reason} 1)\n"
    assert CONTENT not in printed.err
    assert rejects() == [(2, reason)]
    assert CONTENT not in (ingest.FOLDER / "a.rejects.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("reason", [reason for reason in BAD_LINES if reason != "blank_line"])
def test_too_many_bad_lines_are_one_line_that_names_file_line_and_reason(
    place: Path, capfd: pytest.CaptureFixture[str], reason: str
) -> None:
    settle(place, max_reject_rate=0.1)
    put("a.jsonl", logged(1), BAD_LINES[reason], BAD_LINES[reason])
    put("b.jsonl", logged(1), *([b"{"] if reason != "not_json" else []))
    line = refusal(capfd)
    assert line.startswith(f"ingest: logs/a.jsonl, line 2: {reason} ({REASONS[reason]})")
    assert "the first of 2 such lines, 2 of 3 in the file are rejected" in line


def test_no_record_at_all_is_refused_whatever_the_allowed_rate(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    settle(place, max_reject_rate=1.0)
    put("a.jsonl", b"", BAD_LINES["not_json"])
    assert refusal(capfd).startswith("ingest: logs/a.jsonl, line 2: not_json")


def test_a_wrong_path_is_asked_about(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    settle(place, fields=FIELDS | {"log_id": "uuid"})
    put("a.jsonl", logged(1), logged(2))
    assert "is ingest.fields.log_id right?" in refusal(capfd)


def test_what_was_written_stays_when_the_reject_rate_is_exceeded(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    settle(place, max_reject_rate=0.3)
    put("a.jsonl", logged(1), b"{")
    put("b.jsonl", logged(2))
    assert "1 of 3 (33.3%), ingest.max_reject_rate is 30.0%" in refusal(capfd)
    assert written() == ["a.parquet", "a.rejects.csv", "b.parquet", "b.rejects.csv"]
    settle(place, max_reject_rate=0.34)
    assert ingest.work() == "2 files (2 unchanged), 2 records, 1 rejected (not_json 1)"


def test_blank_lines_do_not_count_against_the_reject_rate(place: Path) -> None:
    settle(place, max_reject_rate=0.0)
    put("a.jsonl", b"", logged(1), b"", b"")
    assert ingest.work() == "1 file, 1 records, 3 rejected (blank_line 3)"


@pytest.mark.parametrize(
    "prepare", [lambda: None, lambda: put(".gitkeep"), lambda: put("README.md", b"x"), lambda: put(".hidden/a.jsonl", logged(1))]
)
def test_a_folder_without_logs_is_refused(place: Path, capfd: pytest.CaptureFixture[str], prepare: Any) -> None:
    prepare()
    assert refusal(capfd) == "ingest: logs: no log files; put logs there or set ingest.path and ingest.files in params.yaml"


def test_where_every_log_expired_the_pool_stays_and_its_records_go(place: Path) -> None:
    log = put("a.jsonl", logged(1))
    ingest.work()
    row = {"partition": "a", "raw": "present", "kept": 1, "key_id": identity.key_id(KEY)}
    tables.write_csv(ingest.POOL, frame(PARTITIONS, [row]), PARTITIONS)
    log.unlink()
    assert ingest.work() == "no log files in logs, the pool stays as it is (1 partition)"
    assert written() == []


def test_a_missing_folder_is_refused(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    settle(place, path="elsewhere")
    assert refusal(capfd) == "ingest: elsewhere: no such folder; create it and put logs there, or set ingest.path in params.yaml"


def test_an_empty_file_is_refused(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    put("a.jsonl")
    assert refusal(capfd) == "ingest: logs/a.jsonl: empty, a log rotation that failed; copy it again or remove it"
    assert written() == []


def test_files_without_any_record_are_refused(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    put("a.jsonl", b"", b"")
    put("b.csv", b"id,turns")
    assert refusal(capfd).startswith("ingest: logs: no records in 2 files")


def test_a_truncated_gzip_is_refused_and_nothing_of_it_is_written(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = put("a.jsonl.gz", *(logged(number, note=os.urandom(50).hex()) for number in range(1000)))
    path.write_bytes(path.read_bytes()[:-10_000])
    assert refusal(capfd) == "ingest: logs/a.jsonl.gz: the file ends in the middle; copy it again"
    assert written() == []


def test_a_byte_order_mark_is_no_part_of_the_first_line(place: Path) -> None:
    put("a.jsonl", b"\xef\xbb\xbf" + json.dumps(logged(1)).encode())
    assert ingest.work() == "1 file, 1 records, 0 rejected"


def test_another_key_than_the_pools_is_refused(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    put("a.jsonl", logged(1))
    row = dict.fromkeys(PARTITIONS.names, "") | {"partition": "a", "read": 1, "kept": 1, "sampled_out": 0}
    tables.write_csv(ingest.POOL, pd.DataFrame([row | {"key_id": "0badc0de"}]), PARTITIONS)
    line = refusal(capfd)
    assert line.startswith(
        f"ingest: the key is not the one data/pool.csv was made with (key id {identity.key_id(KEY)}, there 0badc0de); restore it"
    )
    assert KEY.hex() not in line
    tables.write_csv(ingest.POOL, pd.DataFrame([row | {"key_id": identity.key_id(KEY)}]), PARTITIONS)
    assert ingest.work() == "1 file, 1 records, 0 rejected"


def test_raw_logs_tracked_by_git_are_refused(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    put("a.jsonl", logged(1))
    Path("data/raw").mkdir(parents=True)
    for name in ("x.jsonl", "y.jsonl"):
        Path("data/raw", name).write_text(CONTENT, encoding="utf-8")
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", "add", "-f", "data/raw"], check=True)
    line = refusal(capfd)
    assert line.startswith("ingest: data/raw/x.jsonl and 1 more: tracked by git")
    assert "git rm --cached -r data/raw" in line


def test_git_names_raw_logs_once_they_are_staged_and_nothing_else(place: Path) -> None:
    for name in (".gitkeep", ".gitignore", "README.md", "a b.jsonl", "week/é.csv"):
        path = Path("data/raw", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x", encoding="utf-8")
    assert tracked_raw_files() == [], "outside of a repository nothing is tracked"
    subprocess.run(["git", "init", "-q"], check=True)
    assert tracked_raw_files() == []
    subprocess.run(["git", "add", "-f", "data"], check=True)
    assert tracked_raw_files() == ["data/raw/a b.jsonl", "data/raw/week/é.csv"]


def test_a_repository_that_git_cannot_read_is_no_all_clear(place: Path) -> None:
    subprocess.run(["git", "init", "-q"], check=True)
    Path(".git/index").write_bytes(b"broken")
    with pytest.raises(InputError, match="git cannot say whether it tracks raw logs"):
        tracked_raw_files()


def test_an_unexpected_error_shows_its_place_and_never_its_message(
    place: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError(f"could not convert '{CONTENT}'")

    monkeypatch.setattr(ingest, "to_record", fail)
    put("a.jsonl", logged(1))
    assert refusal(capfd).startswith("ingest: ValueError at test_ingest.py:")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a.jsonl", "a.csv"], "logs/a.jsonl: would be the same partition as logs/a.csv; rename or remove one of them"),
        (["b/a.jsonl", "b__a.jsonl"], "logs/b__a.jsonl: would be the same partition as logs/b/a.jsonl; rename or remove one of them"),
        (
            ["March 1 (é).jsonl"],
            "logs/March 1 (é).jsonl: a file name may hold letters, digits and ._- only; rename it to logs/March-1-.jsonl",
        ),
        (["a.txt"], f"logs/a.txt: no reader for it ({', '.join(READERS)}, each also .gz); remove it, or narrow ingest.files"),
    ],
)
def test_a_file_that_cannot_be_a_partition_is_refused(
    place: Path, capfd: pytest.CaptureFixture[str], names: list[str], expected: str
) -> None:
    for name in names:
        put(name, logged(1))
    assert refusal(capfd) == f"ingest: {expected}"


@pytest.mark.parametrize("pattern", ["/etc/*", "../*", ""])
def test_a_pattern_stays_inside_of_the_folder(place: Path, capfd: pytest.CaptureFixture[str], pattern: str) -> None:
    settle(place, files=[pattern])
    assert refusal(capfd) == f"ingest: params.yaml: ingest.files: '{pattern}' is no pattern inside of ingest.path"


def test_files_of_sub_folders_are_read_and_named_after_their_path(place: Path) -> None:
    for name in ("a.json", "2026/03/b.ndjson.gz", "2026/c.jsonl"):
        put(name, logged(1))
    ingest.work()
    assert [name for name in written() if name.endswith(".parquet")] == ["2026__03__b.parquet", "2026__c.parquet", "a.parquet"]
    settle(place, files=["2026/*.jsonl"])
    ingest.work()
    assert written() == ["2026__c.parquet", "2026__c.rejects.csv"]


def test_a_file_that_did_not_change_is_not_read_again(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put("a.jsonl", logged(1))
    put("b.jsonl", logged(1))
    ingest.work()
    put("b.jsonl", logged(2))
    monkeypatch.setattr(
        ingest, "to_record", lambda found, mapping: pytest.fail("read again") if found == logged(1) else real(found, mapping)
    )
    assert ingest.work() == "2 files (1 unchanged), 2 records, 0 rejected"


real = ingest.to_record


@pytest.mark.parametrize("change", ["bytes", "params", "key", "name", "version", "rejects", "records"])
def test_whatever_decides_over_the_records_makes_a_file_be_read_again(place: Path, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    path = put("a.jsonl", logged(1))
    ingest.work()
    match change:
        case "bytes":
            put("a.jsonl", logged(2))
        case "params":
            settle(place, system="other")
        case "key":
            Path("test.key").write_text("11" * 32, encoding="utf-8")
        case "name":
            path.rename("logs/a.json")
        case "version":
            monkeypatch.setattr(ingest, "VERSION", "next")
        case "rejects":
            (ingest.FOLDER / "a.rejects.csv").unlink()
        case "records":
            (ingest.FOLDER / "a.parquet").write_bytes(bytes(100))
    assert ingest.work() == "1 file, 1 records, 0 rejected"
    assert ingest.work() == "1 file (1 unchanged), 1 records, 0 rejected"


def test_params_that_decide_over_no_record_let_a_file_be(place: Path) -> None:
    put("a.jsonl", logged(1))
    ingest.work()
    settle(place, max_reject_rate=0.1, files=["a*"])
    assert ingest.work() == "1 file (1 unchanged), 1 records, 0 rejected"


def test_records_go_when_their_raw_file_is_gone(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    a, b = put("a.jsonl", logged(1)), put("b.jsonl", logged(1))
    ingest.work()
    a.unlink()
    ingest.work()
    assert written() == ["b.parquet", "b.rejects.csv"]
    b.unlink()
    refusal(capfd)
    assert written() == []


def test_a_file_that_grows_while_it_is_read_is_refused(
    place: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put("a.jsonl", logged(1))

    def growing(found: dict[str, Any], mapping: Any) -> Any:
        with path.open("ab") as file:
            file.write(b"\n")
        return real(found, mapping)

    monkeypatch.setattr(ingest, "to_record", growing)
    assert refusal(capfd) == "ingest: logs/a.jsonl: changed while it was read; copy it here once its writer is done"
    assert written() == []


@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_kill_leaves_whole_files_only_and_the_next_run_ends_like_an_undisturbed_one(
    place: Path, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    monkeypatch.setattr(ingest, "CHUNK_ROWS", 2)
    for name in ("a.jsonl", "b.jsonl"):
        put(name, *(logged(number) for number in range(4)))
    ingest.work()
    undisturbed = {path.name: path.read_bytes() for path in ingest.FOLDER.iterdir()}
    for path in ingest.FOLDER.iterdir():
        path.unlink()
    killed = (
        "import os, itertools\nfrom pipeline import ingest\ningest.CHUNK_ROWS = 2\nreal, calls = ingest._batch, itertools.count(1)\n"
        f"ingest._batch = lambda *given: os._exit(9) if next(calls) == {call} else real(*given)\ningest.main()\n"
    )
    ended = subprocess.run([sys.executable, "-c", killed], env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, check=False)
    assert ended.returncode == 9
    left = {path.name: path.read_bytes() for path in ingest.FOLDER.iterdir()}
    assert {name: content for name, content in left.items() if not name.endswith(".tmp")}.items() <= undisturbed.items()
    ingest.work()
    assert {path.name: path.read_bytes() for path in ingest.FOLDER.iterdir()} == undisturbed


def test_a_kill_between_a_partitions_two_files_makes_it_be_read_again(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put("a.jsonl", logged(1))
    ingest.work()
    put("a.jsonl", logged(1), b"{")
    placed = []

    def replace(beside: Path, target: Path) -> None:
        if placed:
            raise OSError("killed")
        placed.append(beside.rename(target))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", replace)
        with pytest.raises(OSError, match="killed"):
            ingest.work()
    ingest.work()
    assert rejects() == [(2, "not_json")]
    assert tables.read_note(ingest.FOLDER / "a.parquet")["rejected"] == "not_json=1"


def test_the_engine_and_a_rerun_change_no_byte(place: Path) -> None:
    for name in ("a.jsonl", "b.jsonl.gz", "c.jsonl"):
        put(name, *(logged(number, note="x" * number) for number in range(50)), b"{")
    made = []
    for kind in ("local", "processes"):
        settle(place, kind, sample={"per_file": 20})
        ingest.work()
        made.append({path.name: path.read_bytes() for path in ingest.FOLDER.iterdir()})
        for path in ingest.FOLDER.iterdir():
            path.unlink()
    assert made[0] == made[1]


def test_a_mistake_found_by_a_worker_process_is_one_line_too(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    settle(place, "processes")
    put("a.jsonl", logged(1))
    put("b.jsonl")
    assert refusal(capfd) == "ingest: logs/b.jsonl: empty, a log rotation that failed; copy it again or remove it"


def test_chunks_change_no_record(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(place, max_reject_rate=0.9)
    put("a.jsonl", *(logged(number % 7) for number in range(20)), b"{")
    ingest.work()
    whole, whole_rejects = records(), rejects()
    monkeypatch.setattr(ingest, "CHUNK_CHARACTERS", 40)
    monkeypatch.setattr(ingest, "VERSION", "in small chunks")
    ingest.work()
    pd.testing.assert_frame_equal(records(), whole)
    assert rejects() == whole_rejects == sorted(whole_rejects)


def test_the_same_id_in_another_file_is_no_duplicate_here(place: Path) -> None:
    put("a.jsonl", logged(1), logged(1))
    put("b.jsonl", logged(1))
    assert ingest.work() == "2 files, 2 records, 1 rejected (duplicate_id 1)"
    assert rejects("a") == [(2, "duplicate_id")]


@given(st.lists(st.lists(st.integers(0, 30), max_size=12), max_size=12))
def test_an_id_is_repeated_from_its_second_time_on(calls: list[list[int]]) -> None:
    seen, before = ingest.SeenIds(), set()
    for numbers in calls:
        expected = []
        for number in numbers:
            expected.append(number in before)
            before.add(number)
        assert seen.repeated([f"p-{number:016x}" for number in numbers]) == expected


def test_a_sample_keeps_failures_and_its_weights_give_the_true_counts(place: Path) -> None:
    settle(
        place,
        sample={"per_file": 10},
        outcome={"rules": [{"outcome": "error", "when": {"status": "error"}}], "default": "fine"},
        failures=["error"],
    )
    put("a.jsonl", *(logged(number, status="error" if number % 10 == 0 else "ok") for number in range(40)), b"{")
    assert ingest.work() == "1 file, 10 records, 30 sampled out, 1 rejected (not_json 1)"
    found = records()
    assert found.groupby("outcome")["inclusion_weight"].sum().round(9).to_dict() == {"error": 4, "fine": 36}
    assert found.loc[found["failed"], "inclusion_weight"].tolist() == [1.0] * 4
    assert found["line"].is_monotonic_increasing


def test_a_sample_smaller_than_the_outcomes_is_refused(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    settle(place, sample={"per_file": 1}, outcome={"rules": [{"outcome": "error", "when": {"status": "error"}}]})
    put("a.jsonl", logged(1))
    assert refusal(capfd) == "ingest: params.yaml: ingest.sample.per_file: 1 is fewer than the 2 outcomes; raise it"


@contextlib.contextmanager
def elsewhere() -> Iterator[Path]:
    """A place of its own for each example of Hypothesis."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        settle(Path(folder))
        yield Path(folder)


slow = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
lines = st.lists(
    st.sampled_from([*(line for reason, line in BAD_LINES.items() if reason != "line_too_long"), *range(5)]), min_size=1, max_size=15
)


@slow
@given(st.lists(lines, min_size=1, max_size=3), st.sampled_from([None, {"per_file": 2}]))
def test_every_line_is_counted_once(files: list[list[bytes | int]], sample: dict[str, int] | None) -> None:
    with elsewhere() as folder:
        settle(folder, sample=sample)
        for number, found in enumerate(files):
            put(f"{number}.jsonl", *(logged(line) if isinstance(line, int) else line for line in found))
        with contextlib.suppress(InputError):
            ingest.work()
        for number, found in enumerate(files):
            note = tables.read_note(ingest.FOLDER / f"{number}.parquet")
            assert int(note["read"]) == len(found) == int(note["kept"]) + int(note["sampled_out"]) + len(rejects(str(number)))
            assert int(note["kept"]) == len(records(str(number)))
            assert records(str(number))["inclusion_weight"].sum() == pytest.approx(int(note["read"]) - len(rejects(str(number))))


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ids = texts.filter(str.strip) | st.integers(-(2**63), 2**63 - 1).map(str)
conversations = st.lists(
    st.fixed_dictionaries(
        {
            "id": ids,
            "at": st.datetimes(pd.Timestamp(1990, 1, 1), pd.Timestamp(2099, 12, 31)).map(lambda moment: moment.isoformat()),
            "turns": st.lists(st.fixed_dictionaries({"from": st.sampled_from(["user", "assistant"]), "text": texts}), max_size=4),
            "context": st.fixed_dictionaries({"order": texts, "items": st.lists(st.integers(0, 9), max_size=3)}) | st.none(),
            "note": texts,
        }
    ),
    min_size=1,
    max_size=5,
)


def as_csv(found: list[dict[str, Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(found[0]))
    writer.writeheader()
    writer.writerows(
        log | {"turns": json.dumps(log["turns"]), "context": "" if log["context"] is None else json.dumps(log["context"])} for log in found
    )
    return out.getvalue().encode("utf-8")


@slow
@given(conversations)
def test_the_same_conversations_are_the_same_records_in_every_format(found: list[dict[str, Any]]) -> None:
    with elsewhere() as folder:
        settle(folder, max_reject_rate=1.0)
        put("plain.jsonl", *found)
        put("packed.jsonl.gz", *found)
        put("table.csv", as_csv(found).removesuffix(b"\n"))
        put("packed-table.csv.gz", as_csv(found).removesuffix(b"\n"))
        texts_as_json = [log | {"turns": json.dumps(log["turns"]), "context": json.dumps(log["context"])} for log in found]
        pq.write_table(pa.Table.from_pylist(texts_as_json), "logs/text.parquet")
        pq.write_table(pa.Table.from_pylist(found), "logs/nested.parquet")
        with contextlib.suppress(InputError):
            ingest.work()
        expected, reasons = records("plain").drop(columns="line"), [reason for _, reason in rejects("plain")]
        assert len(expected) + len(reasons) == len(found)
        for other in ("packed", "table", "packed-table", "text", "nested"):
            pd.testing.assert_frame_equal(records(other).drop(columns="line"), expected)
            assert [reason for _, reason in rejects(other)] == reasons


@pytest.mark.skipif("GOLDEN_REAL_DATA" not in os.environ, reason="GOLDEN_REAL_DATA names no folder of real logs")
def test_real_logs_become_records(place: Path) -> None:
    real_logs = Path(os.environ["GOLDEN_REAL_DATA"])
    settle(
        place,
        path=str(real_logs),
        files=["multidogo_airline.jsonl"],
        fields={"log_id": "conversation_id", "turns": "turns", "role": "role", "text": "text"},
        roles={"customer": "user"},
        max_reject_rate=0.0,
    )
    raw = [json.loads(line) for line in (real_logs / "multidogo_airline.jsonl").read_text(encoding="utf-8").splitlines()]
    assert ingest.work() == f"1 file, {len(raw):,} records, 0 rejected"
    found = records("multidogo_airline")
    assert found["log_id"].tolist() == [log["conversation_id"] for log in raw]
    assert [[turn["content"] for turn in turns] for turns in found["messages"]] == [
        [turn["text"] for turn in log["turns"] if turn["text"].strip()] for log in raw
    ]
    assert found["occurred_at"].isna().all()
