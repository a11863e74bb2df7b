"""The demo is what it says: made anew byte by byte, true about itself, and readable by the pipeline."""

import csv
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import orjson
import pytest

from demo import assistant, labels, retrieval
from pipeline import expectations, faults, identity, schema, sources
from pipeline.labeling.reading import refusal

ROOT = Path(__file__).parents[2]
LOGS = sorted((ROOT / "demo" / "logs").glob("*.jsonl"))
BATCHES = sorted((ROOT / "data" / "labels").glob("2026-*.csv"))
TAG_LABELS = ROOT / "data" / "labels" / "tags.csv"
ANSWER_KEYS = {"answer", "citations", "confidence", "behaviour", "tool_calls"}


@pytest.fixture(scope="module")
def logged() -> dict[str, dict]:
    """Every readable conversation by id; of an id that stands twice, the first."""
    found: dict[str, dict] = {}
    for path in LOGS:
        for line in path.read_bytes().splitlines():
            try:
                record = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
            turns = record.get("turns")
            if "id" in record and isinstance(turns, list) and turns and all(isinstance(turn["text"], str) for turn in turns):
                found.setdefault(record["id"], record)
    return found


@pytest.fixture(scope="module")
def label_rows() -> list[dict[str, str]]:
    return [row for path in BATCHES for row in csv.DictReader(path.open(encoding="utf-8", newline=""))]


def messages(record: dict) -> list[dict[str, str]]:
    return [{"role": {"customer": "user", "bot": "assistant"}[turn["from"]], "content": turn["text"]} for turn in record["turns"]]


def test_a_rerun_writes_the_same_bytes_whatever_the_hash_seed(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "demo.generate", str(tmp_path)], cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": "17"}, check=True)
    made = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert made == sorted(
        path.relative_to(ROOT) for path in [*LOGS, *BATCHES, TAG_LABELS, ROOT / "data" / "pairs.csv", ROOT / "demo" / "pii-spans.jsonl"]
    )
    assert [path for path in made if (tmp_path / path).read_bytes() != (ROOT / path).read_bytes()] == []


def test_the_logs_have_the_stated_size(logged: dict[str, dict]) -> None:
    assert len(LOGS) == 31
    assert 4000 <= len(logged) <= 4600
    assert sum(path.stat().st_size for path in LOGS) < 6_000_000


def test_some_lines_are_broken_but_fewer_than_ingest_allows() -> None:
    lines = [line for path in LOGS for line in path.read_bytes().splitlines()]
    broken = sum(not _is_whole(line) for line in lines)
    assert 0.005 < broken / len(lines) < 0.03


def _is_whole(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line).get("turns"), list)
    except orjson.JSONDecodeError:
        return False


def test_spans_point_at_their_text_and_at_logged_turns(logged: dict[str, dict]) -> None:
    rows = [orjson.loads(line) for line in (ROOT / "demo" / "pii-spans.jsonl").read_bytes().splitlines()]
    assert len(rows) == 1500
    for row in rows:
        log_id, turn = row["id"].split(":")
        assert logged[log_id]["turns"][int(turn)]["text"] == row["text"]
        ends = [0]
        for span in row["spans"]:
            assert ends[-1] <= span["start"] < span["end"] <= len(row["text"])
            assert row["text"][span["start"] : span["end"]].strip() == row["text"][span["start"] : span["end"]]
            ends.append(span["end"])


def test_every_kind_of_personal_data_occurs_often_enough_to_be_measured() -> None:
    rows = [orjson.loads(line) for line in (ROOT / "demo" / "pii-spans.jsonl").read_bytes().splitlines()]
    kinds = Counter(span["entity_type"] for row in rows for span in row["spans"])
    assert (
        min(
            kinds[kind]
            for kind in ("PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER", "STREET_ADDRESS", "CITY", "ZIP_CODE", "ORDER_ID", "ACCOUNT_ID")
        )
        >= 50
    )
    assert min(kinds[kind] for kind in ("CREDIT_CARD", "IBAN_CODE", "BANK_ACCOUNT", "GOVERNMENT_ID", "IP_ADDRESS", "TRANSACTION_ID")) >= 8


def test_labels_are_of_logged_conversations_as_they_stand(logged: dict[str, dict], label_rows: list[dict[str, str]]) -> None:
    key = identity.load_key(str(labels.KEY_FILE))
    texts = {identity.example_id(key, labels.SYSTEM, log_id): identity.text_sha(key, messages(record)) for log_id, record in logged.items()}
    assert list(label_rows[0]) == schema.LABELS.names
    assert len({row["example_id"] for row in label_rows}) >= 340
    assert [row["example_id"] for row in label_rows if texts.get(row["example_id"]) != row["text_sha"]] == []


def test_labels_follow_the_standard(label_rows: list[dict[str, str]]) -> None:
    standard = expectations.load_labeling()
    assert len({tuple(row[name] for name in schema.LABELS.key) for row in label_rows}) == len(label_rows)
    assert [row for row in label_rows if refusal(row, standard)] == []
    assert {row["annotator"] for row in label_rows} == {*standard.annotators, *standard.adjudicators}
    assert {row["standard_version"] for row in label_rows} == {"1.2", "1.3"}


def test_labelled_answers_say_what_a_scorer_needs(label_rows: list[dict[str, str]]) -> None:
    behaviours = [row for row in label_rows if row["dimension"] == "expected.behaviour"]
    answers = {row["example_id"] for row in behaviours if row["value"] == "answer"}
    answers -= {row["example_id"] for row in behaviours if row["value"] != "answer"}
    judged = {row["example_id"] for row in label_rows if row["dimension"] in ("expected.must_include", "expected.citations")}
    assert answers <= judged
    assert {row["example_id"] for row in label_rows} == {
        row["example_id"] for row in label_rows if row["dimension"] == "expected.behaviour"
    }


def test_labels_and_sources_cite_pages_that_exist(label_rows: list[dict[str, str]]) -> None:
    pages = {path.name for path in retrieval.KNOWLEDGE.glob("*.md")}
    cited = {page for row in label_rows if row["dimension"] == "expected.citations" for page in row["value"].split(" | ")}
    authored = {
        page for entries in sources.load(ROOT / "data" / "sources").values() for _, entry in entries for page in entry.expect.citations
    }
    assert cited | authored <= pages


def test_sources_are_many_enough_for_the_demo_dataset() -> None:
    loaded = sources.load(ROOT / "data" / "sources")
    assert len(loaded["expert"]) >= 46
    assert len(loaded["adversarial"]) >= 28
    assert sum(entry.status == "approved" for _, entry in loaded["synthetic"]) >= 42
    assert {entry.fault for _, entry in loaded["adversarial"]} == {None, *faults.FAULTS}


def test_authored_tags_are_values_of_the_tagging_rules() -> None:
    tagging = expectations.load_tagging()
    for entries in sources.load(ROOT / "data" / "sources").values():
        for _, entry in entries:
            for dimension, values in entry.tags.items():
                assert set([values] if isinstance(values, str) else values) <= set(tagging.dimensions[dimension].values), entry.id
            assert entry.tags["complexity"] == ("multi_turn" if sum(m["role"] == "user" for m in entry.messages) > 1 else "single_turn"), (
                entry.id
            )


def test_expectations_speak_of_dimensions_that_are_tagged() -> None:
    tagged = expectations.load_tagging().dimensions
    coverage, contract = expectations.load_coverage(), expectations.load_contract()
    for dimension, values in coverage.dimensions.items():
        assert set(values) == set(tagged[dimension].values)
    slices = (
        [clause.slice for clause in contract.clauses]
        + [c.slice for c in coverage.combinations]
        + coverage.impossible
        + contract.regressions.zero_tolerance
    )
    for text in slices:
        for part in (p for p in text.split(" & ") if p != "all"):
            dimension, value = part.split("=")
            assert value in tagged[dimension].values


def test_the_assistant_answers_the_same_twice_and_in_the_stated_form(logged: dict[str, dict]) -> None:
    for record in list(logged.values())[:200]:
        history = messages(record)
        while history[-1]["role"] != "user":
            history.pop()
        first = assistant.answer(history, record.get("context", {}))
        assert first == assistant.answer(history, record.get("context", {}))
        assert set(first) == ANSWER_KEYS
        assert 0 <= first["confidence"] <= 1
        assert first["behaviour"] in expectations.BEHAVIOURS
        assert first["answer"]


def test_every_simulated_failure_meets_the_assistant() -> None:
    for _, entry in sources.load(ROOT / "data" / "sources")["adversarial"]:
        if entry.fault:
            with faults.injected(entry.fault) as injection:
                assistant.answer(entry.messages, entry.fixtures)
            assert injection.met, entry.id


def test_without_its_backend_the_assistant_says_so() -> None:
    with faults.injected("timeout"):
        said = assistant.answer([{"role": "user", "content": "Where is my order?"}], {"order": {"id": "HL-900001", "status": "shipped"}})
    assert said["behaviour"] == "degrade"
    assert "on its way" not in said["answer"]
