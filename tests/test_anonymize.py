from functools import partial

import pandas as pd
import pytest

from pipeline import admission, schema, tables
from pipeline import anonymize as stage
from pipeline.errors import InputError
from pipeline.params import Anonymize
from pipeline.pii.recognizers import Finder
from pipeline.pii.spans import Span
from tests.frames import frame, said

KEY = bytes(range(32))


def anonymized(finder, *records):
    return stage.anonymize(frame(schema.RECORDS, records), finder.params, KEY, finder).to_dict("records")


def record(number=1, **columns):
    return {"example_id": f"p-{number}", "log_id": f"c-{number}", "line": number, "messages": said("hi"), **columns}


def test_a_conversation_keeps_its_words_and_loses_its_people(finder):
    (row,) = anonymized(finder, record(messages=said("my name is Priya Sharma", "Hello Priya, how can I help?")))
    assert [m["content"] for m in row["messages"]] == ["my name is <PERSON_1>", "Hello <PERSON_1>, how can I help?"]
    assert [(span["turn"], span["placeholder"], span["form"]) for span in row["spans"]] == [
        (0, "<PERSON_1>", "full"),
        (1, "<PERSON_1>", "given"),
    ]


def test_fixtures_share_the_conversation_s_placeholders(finder):
    (row,) = anonymized(
        finder,
        record(messages=said("where is HL-123456?"), fixtures='{"order":{"id":"HL-123456","status":"shipped","phone":4479460958123}}'),
    )
    assert '"id":"<ORDER_ID_1>"' in row["fixtures"]
    assert '"status":"shipped"' in row["fixtures"]
    assert "4479460958123" not in row["fixtures"]


def test_metadata_is_redacted_unless_params_say_otherwise(finder):
    (row,) = anonymized(finder, record(metadata={"channel": "chat", "customer_id": "CU-7654321", "email": "a@b.example", "not_named": "x"}))
    assert row["metadata"]["channel"] == "chat"
    assert set(row["metadata"]) == {"channel", "customer_id"}
    assert "7654321" not in row["metadata"]["customer_id"]


def test_ids_hashes_and_rows_do_not_depend_on_the_recognizers(finder):
    records = [record(i, messages=said(f"I am Ana Bell {i}"), text_sha=f"sha{i}") for i in range(3)]
    blind = Finder(finder.engine, finder.params.model_copy(update={"entities": {"IP_ADDRESS": finder.params.entities["IP_ADDRESS"]}}), None)
    keep = ["example_id", "text_sha", "occurred_at", "outcome", "failed", "inclusion_weight"]
    seen, unseen = (pd.DataFrame(anonymized(f, *records)) for f in (finder, blind))
    assert seen[keep].equals(unseen[keep])
    assert "Ana Bell" in unseen["messages"][0][0]["content"]
    assert "Ana Bell" not in seen["messages"][0][0]["content"]


def test_a_stricter_recognizer_reads_pooled_text_whose_raw_file_is_gone(finder):
    pool = frame(
        schema.POOL,
        [{
            "example_id": "p-1",
            "messages": said("<PERSON_1> here, call my wife Priya Sharma, not <PERSON_1>"),
            "spans": [
                {"turn": 0, "start": 0, "end": 10, "entity_type": "PERSON", "placeholder": "<PERSON_1>", "letter_case": "title", "form": "full"},
                {"turn": 0, "start": 48, "end": 58, "entity_type": "PERSON", "placeholder": "<PERSON_1>", "letter_case": "title", "form": "full"},
            ],
        }],
    )  # fmt: skip
    again = partial(stage.anonymize_again, params=finder.params, key=KEY, finder=finder)
    (row,) = again(pool).to_dict("records")
    text = row["messages"][0]["content"]
    assert text == "<PERSON_1> here, call my wife <PERSON_2>, not <PERSON_1>"
    assert [text[span["start"] : span["end"]] for span in row["spans"]] == ["<PERSON_1>", "<PERSON_2>", "<PERSON_1>"]
    (twice,) = again(again(pool)).to_dict("records")
    assert twice == row


def admitted(finder, *records):
    """What becomes of the records with the recognizers of `finder`."""
    make = partial(stage.anonymize, params=finder.params, key=KEY, finder=finder)
    return admission.admit(frame(schema.RECORDS, records), make, finder.params)


def test_what_the_recognizers_missed_is_masked_wherever_it_stands_numbered_as_if_they_had_found_it(finder):
    blind = Finder(finder.engine, finder.params.model_copy(update={"entities": {"ORDER_ID": finder.params.entities["ORDER_ID"]}}), None)
    texts = ("I am at ana.bell@corp.io, HL-123456", "415-867-2093 or ANA.BELL@corp.io?", "cu7654321 here")
    given = record(messages=said(*texts), fixtures='{"phone":"415-867-2093"}', metadata={"customer_id": "CU-7654321"})
    pool, left_out, masked = admitted(blind, given)
    assert len(left_out) == 0
    assert [m["content"] for m in pool["messages"][0]] == [
        "I am at <EMAIL_ADDRESS_1>, <ORDER_ID_1>",
        "<REFERENCE_ID_1> or <EMAIL_ADDRESS_1>?",
        "<REFERENCE_ID_2> here",
    ]
    assert pool["fixtures"][0] == '{"phone":"<REFERENCE_ID_1>"}'
    assert [span["placeholder"] for span in pool["spans"][0]] == [
        "<EMAIL_ADDRESS_1>", "<ORDER_ID_1>", "<REFERENCE_ID_1>", "<EMAIL_ADDRESS_1>", "<REFERENCE_ID_2>",
    ]  # fmt: skip
    assert masked.values.tolist() == [
        ["p-1", "email", "messages"],
        ["p-1", "metadata", "messages"],
        ["p-1", "number", "fixtures"],
        ["p-1", "number", "messages"],
    ]


def test_half_a_name_that_was_missed_becomes_one_name_with_the_other_half():
    text = "Regards, Mi-rae Umbrasco. MI-RAE"
    spans = [Span(16, 24, "PERSON", 0.9)]
    assert stage._with_missed(text, spans, {"mi-rae": "PERSON"}) == [Span(9, 24, "PERSON", 1.0), Span(26, 32, "PERSON", 1.0)]
    assert stage._with_missed("Umbrasco's", [], {"umbra": "PERSON"}) == []


def test_what_cannot_be_masked_stays_out(finder):
    pool, left_out, masked = admitted(finder, record(fixtures='{"ana.bell@corp.io":"x"}'), record(2, messages=said("my name is Ana Bell")))
    assert list(pool["example_id"]) == ["p-2"]
    assert left_out.values.tolist() == [["p-1", "leak_email", "fixtures"]]
    assert len(masked) == 0


def write_records(folder, partition, text, sha="s"):
    path = folder / "data/interim/records" / f"{partition}.parquet"
    note = {"fingerprint": f"{partition}{sha}", "source_sha256": sha, "read": "1", "kept": "1", "sampled_out": "0", "key_id": "k"}
    tables.write_parquet(path, frame(schema.RECORDS, [record(messages=said(text), example_id=f"p-{partition}")]), schema.RECORDS, note)
    tables.write_csv(path.with_suffix(".rejects.csv"), frame(schema.REJECTS, []), schema.REJECTS)
    return path


@pytest.fixture
def repository(tmp_path, monkeypatch, finder):
    """A folder with one raw partition, and the loaded recognizers in place of those of a worker."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(stage, "_finder", lambda params, optimization: finder)
    write_records(tmp_path, "w1", "I am Ana Bell")
    return tmp_path


def run(params: Anonymize, listed: pd.DataFrame | None = None) -> tuple[list[str], pd.DataFrame]:
    """Which partitions were made, and data/pool.csv afterwards."""
    listed = tables.empty(schema.PARTITIONS) if listed is None else listed
    jobs = stage.plan(sorted(stage.RECORDS.glob("*.parquet")), listed, params, KEY)
    to_do = [job for job in jobs if not stage.is_done(job)]
    made = [stage.run_job(job) for job in to_do]
    before = {row["partition"]: row for row in listed.to_dict("records")}
    return made, pd.DataFrame([stage.partition_row(job, before) for job in jobs], columns=schema.PARTITIONS.names)


def test_only_a_new_file_is_anonymized_and_the_pool_equals_that_of_a_full_rebuild(repository, anonymize_params):
    made, listed = run(anonymize_params)
    assert made == ["w1"]
    write_records(repository, "w2", "I am Bo Carr")
    made, listed = run(anonymize_params, listed)
    assert made == ["w2"]
    grown = {path.name: path.read_bytes() for path in stage.POOL.iterdir()}
    for path in stage.POOL.iterdir():
        path.unlink()
    made, rebuilt = run(anonymize_params)
    assert made == ["w1", "w2"]
    assert {path.name: path.read_bytes() for path in stage.POOL.iterdir()} == grown
    assert rebuilt.equals(listed)


def test_a_partition_begins_and_ends_with_the_times_that_its_conversations_carry(repository):
    days = [pd.Timestamp(f"2026-03-{day:02}T12:00:00.5Z").as_unit("us") for day in (4, 2, 9)]
    parts = [
        frame(schema.POOL, [{"example_id": f"p-{n}", "messages": said("hi"), "occurred_at": day}]) for n, day in enumerate([pd.NaT, *days])
    ]
    tables.write_parquet_in_parts(stage.POOL / "w1.parquet", parts, schema.POOL)
    assert stage.first_and_last(stage.POOL / "w1.parquet") == ("2026-03-02T12:00:00.500000+00:00", "2026-03-09T12:00:00.500000+00:00")
    tables.write_parquet_in_parts(stage.POOL / "w1.parquet", parts[:1], schema.POOL)
    assert stage.first_and_last(stage.POOL / "w1.parquet") == ("", "")


def test_a_partition_stays_when_its_raw_file_expired(repository, anonymize_params):
    _, listed = run(anonymize_params)
    content = (stage.POOL / "w1.parquet").read_bytes()
    (stage.RECORDS / "w1.parquet").unlink()
    made, listed = run(anonymize_params, listed)
    assert made == []
    assert list(listed["raw"]) == ["expired"]
    assert (stage.POOL / "w1.parquet").read_bytes() == content


def test_a_pool_that_lacks_a_listed_partition_is_refused(repository, anonymize_params):
    _, listed = run(anonymize_params)
    (stage.RECORDS / "w1.parquet").unlink()
    (stage.POOL / "w1.parquet").unlink()
    with pytest.raises(InputError, match=r"data/pool\.csv: 1 listed partitions are not in data/pool \(first: w1\); run 'dvc pull'"):
        run(anonymize_params, listed)


def test_a_pool_file_that_nothing_accounts_for_is_refused_and_left_alone(repository, anonymize_params):
    run(anonymize_params)
    (stage.RECORDS / "w1.parquet").unlink()
    with pytest.raises(InputError, match=r"w1\.parquet: not listed"):
        run(anonymize_params)
    assert (stage.POOL / "w1.parquet").is_file()


def test_a_changed_raw_file_is_anonymized_again(repository, anonymize_params):
    _, listed = run(anonymize_params)
    write_records(repository, "w1", "I am Cy Dunn", sha="other")
    made, listed = run(anonymize_params, listed)
    assert made == ["w1"]
    assert list(listed["source_sha256"]) == ["other"]
