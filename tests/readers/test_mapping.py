from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.params import Ingest
from pipeline.readers.mapping import EPOCH, Mapping, Record, at, to_record
from pipeline.readers.raw import Reject
from pipeline.rejects import REASONS

TURNS = {"log_id": "id", "turns": "turns", "role": "from", "text": "text"}
HI = [{"from": "user", "text": "hi"}]


def mapped(logged: dict[str, Any], fields: dict[str, Any] | None = None, **ingest: Any) -> Record | Reject:
    given = {"path": "logs", "system": "shop", "fields": TURNS | (fields or {})} | ingest
    return to_record(logged, Mapping(Ingest.model_validate(given)))


def record(logged: dict[str, Any], fields: dict[str, Any] | None = None, **ingest: Any) -> Record:
    found = mapped(logged, fields, **ingest)
    assert isinstance(found, Record)
    return found


def reason(logged: dict[str, Any], fields: dict[str, Any] | None = None, **ingest: Any) -> str:
    found = mapped(logged, fields, **ingest)
    assert isinstance(found, Reject)
    return found.reason


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("id", 1),
        ("customer.id", 7),
        ("choices.0.text", "a"),
        ("choices.-1.text", "b"),
        ("choices.2.text", None),
        ("choices.first.text", None),
        ("packed.inner.0", "c"),
        ("id.deeper", None),
        ("named.like.a.path", 3),
        ("nowhere.at.all", None),
    ],
)
def test_a_path_leads_through_objects_lists_and_json_text(path: str, expected: object) -> None:
    logged = {
        "id": 1,
        "customer": {"id": 7},
        "choices": [{"text": "a"}, {"text": "b"}],
        "packed": '{"inner": ["c"]}',
        "named.like.a.path": 3,
        "named": {"like": {"a": {"path": 4}}},
    }
    assert at(path)(logged) == expected


def test_an_integer_id_becomes_text_and_a_text_id_stays() -> None:
    assert record({"id": 7, "turns": HI}).log_id == "7"
    assert record({"id": "007", "turns": HI}).log_id == "007"


def test_turns_without_text_are_dropped_and_the_text_of_the_others_is_unchanged() -> None:
    turns = [
        {"from": "bot", "text": " "},
        {"from": "customer", "text": "  hi\0\n"},
        {"from": "bot", "text": None},
        {"from": "bot", "text": "é"},
    ]
    assert record({"id": 1, "turns": turns}, roles={"customer": "user", "bot": "assistant"}).messages == [
        {"role": "user", "content": "  hi\0\n"},
        {"role": "assistant", "content": "é"},
    ]


@pytest.mark.parametrize(
    ("logged", "expected"),
    [
        ({"turns": HI}, "missing_log_id"),
        ({"id": " ", "turns": HI}, "missing_log_id"),
        ({"id": True, "turns": HI}, "wrong_type"),
        ({"id": 1.0, "turns": HI}, "wrong_type"),
        ({"id": ["1"], "turns": HI}, "wrong_type"),
        ({"id": "\ud800", "turns": HI}, "not_utf8"),
        ({"id": 1}, "missing_turns"),
        ({"id": 1, "turns": ""}, "missing_turns"),
        ({"id": 1, "turns": "no list"}, "wrong_type"),
        ({"id": 1, "turns": {"from": "user", "text": "hi"}}, "wrong_type"),
        ({"id": 1, "turns": ["hi"]}, "wrong_type"),
        ({"id": 1, "turns": [{"from": "user", "text": 7}]}, "wrong_type"),
        ({"id": 1, "turns": [{"from": "user", "text": "\udc00"}]}, "not_utf8"),
        ({"id": 1, "turns": [{"from": "robot", "text": "hi"}]}, "unknown_role"),
        ({"id": 1, "turns": [{"text": "hi"}]}, "unknown_role"),
        ({"id": 1, "turns": [{"from": 1, "text": "hi"}]}, "wrong_type"),
        ({"id": 1, "turns": []}, "no_user_turn"),
        ({"id": 1, "turns": [{"from": "assistant", "text": "hi"}, {"from": "user", "text": " "}]}, "no_user_turn"),
    ],
)
def test_a_record_that_does_not_fit_is_rejected_for_its_reason(logged: dict[str, Any], expected: str) -> None:
    assert reason(logged) == expected


def test_a_lone_surrogate_matters_only_where_it_is_mapped() -> None:
    assert record({"id": 1, "turns": HI, "other": "\ud800"}).log_id == "1"


def test_one_exchange_in_flat_columns_is_a_conversation() -> None:
    fields = {"turns": None, "user": "question", "assistant": "answer"}
    both = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
    assert record({"id": 1, "question": "hi", "answer": "hello"}, fields).messages == both
    assert record({"id": 1, "question": "hi"}, fields).messages == both[:1]
    assert reason({"id": 1, "answer": "hello"}, fields) == "missing_turns"
    assert reason({"id": 1, "question": " ", "answer": "hello"}, fields) == "no_user_turn"


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-01T12:30:00.250Z",
        "2026-03-01T14:30:00.250+02:00",
        "2026-03-01 12:30:00.250",
        "2026-03-01 12:30:00.250 UTC",
        1772368200.25,
        "1772368200.25",
        1772368200250,
        "1772368200250",
        1772368200250000,
        "1772368200250000000",
        datetime(2026, 3, 1, 12, 30, 0, 250_000),
        datetime(2026, 3, 1, 12, 30, 0, 250_000, tzinfo=UTC),
    ],
)
def test_every_way_to_write_a_time_gives_the_same(value: object) -> None:
    assert record({"id": 1, "at": value, "turns": HI}, {"occurred_at": "at"}).occurred_at == 1772368200250000


@pytest.mark.parametrize("value", ["2026-03-01", "20260301", date(2026, 3, 1)])
def test_a_date_is_its_first_moment(value: object) -> None:
    assert record({"id": 1, "at": value, "turns": HI}, {"occurred_at": "at"}).occurred_at == 1772323200000000


@pytest.mark.parametrize(
    "value", ["yesterday", 5, "1e9", True, float("nan"), float("inf"), 10**400, -1, "9" * 5000, [1], "1890-01-01", "2026-13-01"]
)
def test_what_is_no_time_is_rejected(value: object) -> None:
    assert reason({"id": 1, "at": value, "turns": HI}, {"occurred_at": "at"}) == "bad_time"


@pytest.mark.parametrize("value", [None, "", " "])
def test_a_time_that_is_mapped_must_be_there(value: object) -> None:
    assert reason({"id": 1, "at": value, "turns": HI}, {"occurred_at": "at"}) == "missing_time"


@given(st.datetimes(datetime(1990, 1, 2), datetime(2099, 12, 30), timezones=st.timezones()))
def test_no_microsecond_of_a_time_is_lost(moment: datetime) -> None:
    found = record({"id": 1, "at": moment.isoformat(), "turns": HI}, {"occurred_at": "at"}).occurred_at
    assert found == (moment - EPOCH) // (datetime.resolution)


RULES = [
    {"outcome": "thumbs_down", "when": {"feedback.thumbs": ["down", -1]}},
    {"outcome": "escalated", "when": {"escalated": True, "agent": None}},
    {"outcome": "resolved", "when": {"status": "resolved"}},
]


@pytest.mark.parametrize(
    ("logged", "expected"),
    [
        ({"feedback": {"thumbs": "down"}, "status": "resolved"}, "thumbs_down"),
        ({"feedback": {"thumbs": -1}}, "thumbs_down"),
        ({"feedback": '{"thumbs": "-1"}'}, "thumbs_down"),
        ({"escalated": True}, "escalated"),
        ({"escalated": "True", "agent": ""}, "escalated"),
        ({"escalated": 1, "status": "resolved"}, "resolved"),
        ({"escalated": True, "agent": "Ann", "status": "resolved"}, "resolved"),
        ({"status": "open"}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_the_first_rule_that_holds_gives_the_outcome(logged: dict[str, Any], expected: str) -> None:
    assert record({"id": 1, "turns": HI} | logged, outcome={"rules": RULES}).outcome == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [({"b": 1, "a": [2]}, '{"a":[2],"b":1}'), ('{"b": 1, "a": [2]}', '{"a":[2],"b":1}'), (None, ""), ("", ""), ({}, "{}")],
)
def test_fixtures_are_canonical_json(value: object, expected: str) -> None:
    assert record({"id": 1, "turns": HI, "context": value}, {"fixtures": "context"}).fixtures == expected


@pytest.mark.parametrize(
    ("value", "expected"), [("no object", "wrong_type"), (7, "wrong_type"), ({"a": "\ud800"}, "not_utf8"), ({"a": 10**30}, "wrong_type")]
)
def test_fixtures_that_are_no_json_object_are_rejected(value: object, expected: str) -> None:
    assert reason({"id": 1, "turns": HI, "context": value}, {"fixtures": "context"}) == expected


def test_metadata_is_text_sorted_by_name_and_what_is_missing_has_no_entry() -> None:
    values = {
        "z": "x",
        "whole": 3,
        "same": 3.0,
        "half": 0.5,
        "yes": True,
        "nested": {"b": 1, "a": 2},
        "day": date(2026, 3, 1),
        "gone": None,
        "empty": "",
    }
    assert record({"id": 1, "turns": HI} | values, {"metadata": {name: name for name in [*values, "absent"]}}).metadata == [
        ("day", "2026-03-01"),
        ("half", "0.5"),
        ("nested", '{"a":2,"b":1}'),
        ("same", "3"),
        ("whole", "3"),
        ("yes", "true"),
        ("z", "x"),
    ]


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.sampled_from(["user", "2026-03-01", "1e9", "[{}]", "é"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["from", "text", "a", "0", "\ud800"]), inner, max_size=3),
    max_leaves=8,
)
turns = st.lists(st.fixed_dictionaries({"from": st.just("user"), "text": anything}), min_size=1, max_size=2)


@given(
    st.fixed_dictionaries(
        {"id": st.integers() | anything, "at": st.just(1772368200) | anything, "turns": turns | anything, "context": anything}
    )
)
def test_whatever_a_log_holds_becomes_a_record_or_a_known_reason(logged: dict[str, Any]) -> None:
    fields = {"occurred_at": "at", "fixtures": "context", "metadata": {"any": "context", "deep": "context.a.0"}}
    found = mapped(logged, fields, outcome={"rules": [{"outcome": "error", "when": {"context.a": ["x", 1, None]}}]})
    if isinstance(found, Reject):
        assert found.reason in REASONS
    else:
        assert any(message["role"] == "user" and message["content"].strip() for message in found.messages)
        assert "".join([found.log_id, found.fixtures, *(text for _, text in found.metadata)]).encode("utf-8")
