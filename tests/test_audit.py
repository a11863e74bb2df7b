import pandas as pd
import pytest

from pipeline import audit as stage
from pipeline import schema, tables
from pipeline.errors import InputError
from pipeline.pii.audit import POOL_KINDS
from pipeline.rejects import LEFT_OUT
from tests.conftest import ROOT
from tests.frames import NOON, frame, said

SECRET = "jo@corp.io"


def examples(*rows):
    plain = {
        "source": "expert", "input": said("where is it"), "fixtures": "", "fault": "", "canary": "", "expected_behaviour": "answer", "must_include": [],
        "must_not_include": [], "answer": "", "citations": [], "tags": {}, "spans": [], "surrogates": {}, "cluster": "c", "occurred_at": NOON,
        "input_sha": "i", "expectation_sha": "e", "text_sha": "t", "answer_match": "", "answer_tolerance": 0.0, "regex": [], "json_schema": "",
        "inclusion_weight": 0.0,
    }  # fmt: skip
    return pd.DataFrame([{**plain, "example_id": f"e-{place}", **row} for place, row in enumerate(rows)], columns=schema.EXAMPLES.names)


def responses(*rows):
    plain = {
        "input_sha": "i", "target_version": "1", "epoch": 1, "answer": "", "citations": [], "confidence": 0.5, "behaviour": "answer", "tool_calls": "",
        "error": "",
    }  # fmt: skip
    return pd.DataFrame([{**plain, **row} for row in rows], columns=schema.RESPONSES.names)


FOUND = examples(
    {"input": said(f"{SECRET} or {SECRET}")}, {"source": "production", "fixtures": '{"id": "CU-9123456"}'}, {"source": "synthetic"}
)
CONTROL = examples({"source": "production", "answer": SECRET})
PARTITIONS = frame(
    schema.PARTITIONS,
    [
        {"partition": "w1", "kept": 80, "rejected": "bad_time=1 leak_email=2 leak_name=1"},
        {"partition": "w2", "kept": 9, "rejected": "leak_email=1 recognizer_timed_out=1"},
        {"partition": "w3", "kept": 1, "rejected": "blank_line=1"},
    ],
)
MASKED = pd.DataFrame([("p-1", "name", "messages"), ("p-1", "name", "fixtures"), ("p-2", "email", "messages")], columns=schema.MASKED.names)
ANSWERED = responses({"example_id": "e-0", "answer": SECRET}, {"example_id": "e-2", "answer": SECRET}, {"example_id": "e-2", "epoch": 2})
OF_CONTROL = responses({"example_id": "e-0", "answer": "ask mia@corp.io"})


def test_every_example_control_and_response_is_looked_at_and_counted():
    leaks = stage.audit(FOUND, CONTROL, ANSWERED, OF_CONTROL)
    assert leaks.values.tolist() == [
        ["control", "production", "e-0", "email", "expectation", 1],
        ["control_responses", "production", "e-0", "email", "answer", 1],
        ["examples", "expert", "e-0", "email", "input", 2],
        ["examples", "production", "e-1", "number", "fixtures", 1],
        ["responses", "synthetic", "e-2", "email", "answer", 1],
    ]
    figures = stage.figures(leaks, FOUND, CONTROL, ANSWERED, OF_CONTROL, PARTITIONS, MASKED)
    assert figures["leaks"] == 6 == sum(figures["kinds"].values()) == sum(figures["fields"].values())
    assert figures["examples"] == {
        "expert": {"n": 1, "findings": 2},
        "production": {"n": 1, "findings": 1},
        "synthetic": {"n": 1, "findings": 0},
    }
    assert (figures["control"], figures["responses"]) == ({"n": 1, "findings": 1}, {"n": 3, "findings": 1})
    assert figures["control_responses"] == {"n": 1, "findings": 1}


def test_what_anonymize_left_out_is_summed_over_the_partitions():
    sums = stage.pool_figures(PARTITIONS, MASKED)
    assert (sums["kept"], sums["left_out"], sums["partitions_with_left_out"]) == (90, 5, 2)
    assert {reason: count for reason, count in sums["reasons"].items() if count} == {
        "leak_email": 3,
        "leak_name": 1,
        "recognizer_timed_out": 1,
    }
    assert {name: count for name, count in sums["masked"].items() if count} == {"conversations": 2, "name": 1, "email": 1}
    assert stage.pool_figures(PARTITIONS.iloc[:0], MASKED.iloc[:0])["left_out"] == 0


def test_every_kind_of_leak_has_a_reason():
    assert {f"leak_{kind}" for kind in POOL_KINDS} < set(LEFT_OUT)


def test_nothing_found_is_zeros_under_the_same_keys():
    clean = examples({}, {"source": "production"}, {"source": "synthetic"})
    figures = stage.figures(
        stage.audit(clean, clean, responses(), responses()), clean, clean, responses(), responses(), PARTITIONS.iloc[:0], MASKED.iloc[:0]
    )
    assert figures["leaks"] == 0
    assert set(figures) == set(
        stage.figures(stage.audit(FOUND, CONTROL, ANSWERED, OF_CONTROL), FOUND, CONTROL, ANSWERED, OF_CONTROL, PARTITIONS, MASKED)
    )
    assert set(figures["kinds"].values()) == {0}


def test_a_response_to_no_example_is_refused():
    foreign = responses({"example_id": "e-9"})
    for answers in ((foreign, OF_CONTROL), (ANSWERED, foreign)):
        with pytest.raises(InputError, match="answer to e-9, which is no example"):
            stage.audit(FOUND, CONTROL, *answers)


def test_the_stage_writes_no_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tables.write_parquet(stage.EXAMPLES, FOUND, schema.EXAMPLES)
    tables.write_csv(stage.POOL_CSV, PARTITIONS, schema.PARTITIONS)
    tables.write_parquet(stage.CONTROL, CONTROL, schema.EXAMPLES)
    tables.write_parquet(stage.RESPONSES / "1.0.0.parquet", ANSWERED, schema.RESPONSES)
    tables.write_parquet(stage.CONTROL_RESPONSES / "1.0.0.parquet", OF_CONTROL, schema.RESPONSES)
    wanted = stage.params.load(ROOT / "params.yaml")
    monkeypatch.setattr(stage.params, "load", lambda: wanted)
    assert stage.work() == "3 examples, 1 of the control sample and 4 responses looked at: 6 leaks; which: reports/leaks.csv"
    written = stage.FIGURES.read_text() + stage.LEAKS.read_text()
    assert "corp.io" not in written
    assert "9123456" not in written
    assert stage.LEAKS.read_text().splitlines()[1] == "control,production,e-0,email,expectation,1"
