import logging
from collections import Counter
from dataclasses import replace

import pandas as pd
import pytest
from presidio_analyzer import PatternRecognizer, pattern_recognizer

from pipeline import admission, anonymize, schema, tables
from pipeline.errors import InputError
from pipeline.params import Anonymize, Recognizer
from pipeline.pii import recognizers, timeouts
from tests.frames import frame, said

KEY = bytes(range(32))
NOTHING = Anonymize(entities={}, metadata={"channel": "keep"})
SECRET = "flimflam"


def records(*texts, **columns):
    return frame(schema.RECORDS, [{"example_id": f"p-{n}", "log_id": f"c-{n}", "line": n, "messages": said(text), **columns} for n, text in enumerate(texts)])  # fmt: skip


def as_pooled(some: pd.DataFrame, missed=()) -> pd.DataFrame:
    """Recognizers that find nothing, mask nothing, and fail where a text asks for it."""
    for (message,) in some["messages"]:
        if message["content"].startswith("boom"):
            raise ValueError(f"cannot look at {message['content']}")
        if message["content"].startswith("slow"):
            raise timeouts.TimedOut("our codes")
    return some.assign(spans=[[]] * len(some), metadata=[{}] * len(some))[schema.POOL.names]


def left_out(found: pd.DataFrame) -> list[list[str]]:
    return found[schema.LEFT_OUT.names].values.tolist()


def test_each_conversation_is_either_in_or_left_out_with_a_reason_and_without_its_text():
    some = records("hello", f"boom {SECRET}", "415-867-2093", f"slow {SECRET}", "ok")
    pool, found, _ = admission.admit(some, as_pooled, NOTHING)
    assert list(pool["example_id"]) == ["p-0", "p-4"]
    assert sorted(left_out(found)) == [
        ["p-1", "recognizer_failed", f"ValueError at test_admission.py:{as_pooled.__code__.co_firstlineno + 4}"],
        ["p-2", "leak_number", "messages"],
        ["p-3", "recognizer_timed_out", "our codes"],
    ]
    assert SECRET not in found.to_csv()
    tables.to_arrow(pool, schema.POOL)


def test_what_is_hidden_is_metadata_that_is_not_kept():
    some = records("I wrote from the zanzibar app", metadata={"channel": "zanzibar"})
    assert len(admission.admit(some, as_pooled, NOTHING)[0]) == 1
    pool, found, _ = admission.admit(some, as_pooled, NOTHING.model_copy(update={"metadata": {"channel": "hash"}}))
    assert (len(pool), left_out(found)) == (0, [["p-0", "leak_metadata", "messages"]])


def test_all_at_once_and_one_by_one_give_the_same_rows():
    some = records("hello", "415-867-2093", "ok", "boom")
    pool, found, _ = admission.admit(some, as_pooled, NOTHING)
    whole_pool, whole, _ = admission.admit(some.iloc[:3], as_pooled, NOTHING)
    assert pool.equals(whole_pool)
    assert left_out(found)[1:] == left_out(whole)


def test_a_user_s_mistake_is_not_taken_for_a_bad_text():
    def make(_):
        raise InputError("params.yaml: anonymize: wrong")

    with pytest.raises(InputError, match="anonymize: wrong"):
        admission.admit(records("hello"), make, NOTHING)


def test_a_partition_whose_raw_file_is_gone_is_kept_as_it_is_until_a_person_says_what_to_do():
    pool = frame(schema.POOL, [{"example_id": f"p-{n}", "messages": said(text)} for n, text in enumerate(["hello", f"slow {SECRET}"])])
    with pytest.raises(InputError, match=r"^w1: 1 of its .* p-1, recognizer_timed_out, our codes.* --example-id p-1'$") as caught:
        list(admission.look_again([pool, pool.iloc[:1]], as_pooled, "w1"))
    assert SECRET not in str(caught.value)
    (again,) = admission.look_again([pool.iloc[:1]], as_pooled, "w1")
    assert again.equals(as_pooled(pool.iloc[:1]))


def test_too_many_that_stay_out_fail_the_stage_with_the_reason_met_most():
    counts = Counter(leak_number=2, recognizer_failed=4)
    admission.check(counts, kept=94, max_rate=0.06)
    with pytest.raises(InputError, match=r"6 of 99 conversations stay out .* is 6\.0%; most often recognizer_failed \(4: a recognizer"):
        admission.check(counts, kept=93, max_rate=0.06)
    admission.check(Counter(), kept=0, max_rate=0.0)


# The stage with recognizers that fail


@pytest.fixture
def broken(anonymize_params, monkeypatch):
    """The demo's recognizers, and one pattern that takes too long on `aaa...!`, one whose check raises on `boom`."""
    monkeypatch.setattr(pattern_recognizer, "REGEX_TIMEOUT_SECONDS", 0.2)
    check = PatternRecognizer.validate_result

    def raising(self, pattern_text):
        if pattern_text == "boom":
            raise ValueError(f"cannot check {SECRET}")
        return check(self, pattern_text)

    monkeypatch.setattr(PatternRecognizer, "validate_result", raising)
    planted = [
        Recognizer(name=name, entity_type="ORDER_ID", patterns=[pattern], surrogate="#")
        for name, pattern in (("too slow", r"(a|a)+$"), ("raises", "boom"))
    ]
    params = anonymize_params.model_copy(update={"recognizers": [*anonymize_params.recognizers, *planted]})
    return recognizers.build(params)


@pytest.fixture
def stage(tmp_path, monkeypatch, broken):
    """The stage over one partition of three conversations, two of which cannot be looked at."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(anonymize, "_finder", lambda params, optimization: broken)
    path = anonymize.RECORDS / "w1.parquet"
    note = {"fingerprint": "f", "source_sha256": "s", "read": "4", "kept": "3", "sampled_out": "0", "key_id": "k"}
    some = records("I am Ana Bell", f"{SECRET} {'a' * 40}!", f"{SECRET} boom")
    tables.write_parquet(path, some, schema.RECORDS, note)
    rejected = pd.DataFrame([("w1.jsonl", 9, "not_json")], columns=schema.REJECTS.names)
    tables.write_csv(path.with_suffix(".rejects.csv"), rejected, schema.REJECTS)
    (job,) = anonymize.plan([path], tables.empty(schema.PARTITIONS), broken.params, KEY)
    return job


def test_a_recognizer_that_raises_or_times_out_leaves_its_text_out_and_the_rest_is_made(stage, capfd, caplog):
    caplog.set_level(logging.DEBUG)
    anonymize.run_job(stage)
    pool = tables.read_parquet(anonymize.POOL / "w1.parquet", schema.POOL)
    assert [row[0]["content"] for row in pool["messages"]] == ["I am <PERSON_1>"]
    assert [row[:2] for row in left_out(admission.read("w1"))] == [["p-1", "recognizer_timed_out"], ["p-2", "recognizer_failed"]]
    assert admission.read("w1")["where"][0] == "too slow"
    row = anonymize.partition_row(stage, {})
    assert (row["read"], row["kept"], row["rejected"]) == (4, 1, "not_json=1 recognizer_failed=1 recognizer_timed_out=1")
    out, err = capfd.readouterr()
    assert SECRET not in out + err + caplog.text + admission.file_of("w1").read_text()


def test_how_many_are_looked_at_at_a_time_changes_nothing(stage, monkeypatch):
    made = []
    for chunk in (1000, 1):
        monkeypatch.setattr(anonymize, "CHUNK", chunk)
        anonymize.run_job(stage)
        rows = tables.read_parquet(anonymize.POOL / "w1.parquet", schema.POOL).to_dict("records")
        made.append((rows, left_out(admission.read("w1")), admission.is_whole("w1"), anonymize.partition_row(stage, {})))
    assert made[0] == made[1]
    expired = replace(stage, records=None)
    anonymize.run_job(expired)
    assert tables.read_parquet(anonymize.POOL / "w1.parquet", schema.POOL).to_dict("records") == made[0][0]


def test_what_could_not_be_looked_at_is_tried_again_and_what_leaks_is_not(stage, finder, monkeypatch):
    anonymize.run_job(stage)
    assert not anonymize.is_done(stage)
    monkeypatch.setattr(anonymize, "_finder", lambda params, optimization: finder)
    anonymize.run_job(stage)
    assert anonymize.is_done(stage)
    assert not admission.file_of("w1").exists()
    left_out = pd.DataFrame([("p-1", "leak_email", "messages")], columns=schema.LEFT_OUT.names)
    with admission.listing("w1") as listed:
        listed(admission.Admitted(tables.empty(schema.POOL), left_out, tables.empty(schema.MASKED)))
    assert not admission.masked_file("w1").exists()
    assert anonymize.is_done(stage)
