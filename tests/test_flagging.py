from pathlib import Path

import pandas as pd
import pytest

from pipeline import flagging, schema, sources
from pipeline.errors import InputError
from pipeline.flagging import Flag, append, as_yaml, entries, expectation, from_file, ids, may_be_in_git
from pipeline.identity import example_id
from tests.frames import NOON, said

BURNT = "the stove I bought caught fire and burned my hand, what do I do now"
ONE, TWO, THREE = (f"p-{'0' * 15}{place}" for place in "123")


def candidates(**texts: str) -> pd.DataFrame:
    """Rows of schema.CANDIDATES with what of it counts here, by id."""
    rows = [
        dict.fromkeys(schema.CANDIDATES.names, "")
        | {"example_id": i.replace("_", "-"), "source": "production", "partition": "w1", "occurred_at": NOON, "input": said(text)}
        for i, text in texts.items()
    ]
    return pd.DataFrame(rows, columns=schema.CANDIDATES.names)


def flag(log_id: str, **given: object) -> Flag:
    return Flag.model_validate({"log_id": log_id, "reason": "told about returns", "expect": {"behaviour": "escalate"}, **given})


def made(flags: list[Flag], found: pd.DataFrame, known: pd.DataFrame | None = None) -> list[flagging.Flagged]:
    return entries(flags, found, candidates() if known is None else known, "Dana", "2026-08-03", 0.8)


def test_an_entry_holds_id_reason_expectation_and_no_text():
    (one,) = made([flag("c-1", tags={"risk": "safety"})], candidates(**{ONE: BURNT}))
    text = as_yaml([one])
    assert "stove" not in text
    assert sources.Regression.model_validate(one.entry.model_dump()).expect.behaviour == "escalate"
    assert (one.entry.id, one.entry.flagged_by, one.entry.tags, one.twin) == (ONE, "Dana", {"risk": "safety"}, "")


def test_a_failure_that_reads_like_a_flagged_one_is_the_same_incident():
    known = candidates(**{ONE: BURNT}).assign(incident_id="INC-7")
    (one,) = made([flag("c-2")], candidates(**{TWO: f"{BURNT}?"}), known)
    assert (one.entry.incident_id, one.twin) == ("INC-7", ONE)


def test_two_that_are_flagged_together_and_read_alike_are_one_incident():
    first, second, third = made(
        [flag("c-1"), flag("c-2"), flag("c-3")],
        candidates(**{ONE: BURNT, TWO: f"{BURNT}!", THREE: "where is my parcel, it was due on Monday"}),
    )
    assert first.entry.incident_id == second.entry.incident_id != third.entry.incident_id
    assert (second.twin, third.twin) == (ONE, "")


def test_a_named_incident_stands_whatever_the_texts_say():
    known = candidates(**{ONE: BURNT}).assign(incident_id="INC-7")
    (one,) = made([flag("c-2", incident_id="INC-8")], candidates(**{TWO: BURNT}), known)
    assert one.entry.incident_id == "INC-8"


def test_an_incidents_own_name_is_let_through_the_door():
    number = "p-1234567890123456"
    (one,) = made([flag("c-1")], candidates(**{number: BURNT}))
    may_be_in_git(candidates(**{number: BURNT}), None, [])({"regression": [(Path("f"), one.entry)]})


def test_what_is_right_is_said_by_keys():
    assert expectation(["behaviour=answer", "must_include=5 days / five days | refund", "citations=a.md", "citations=b.md", "answer_tolerance=0.5"]) == {
        "behaviour": "answer", "must_include": [["5 days", "five days"], ["refund"]], "citations": ["a.md", "b.md"], "answer_tolerance": 0.5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "message"),
    [(["behavior=refuse"], "--expect behavior: expected KEY=VALUE with one of behaviour"), (["behaviour"], "expected KEY=VALUE"), (["answer=a", "answer=b"], "given twice")],
)  # fmt: skip
def test_what_is_no_expectation_is_one_line(given: list[str], message: str):
    with pytest.raises(InputError, match=message):
        expectation(given)


def test_a_log_id_has_an_example_id_under_every_key_and_an_example_id_is_its_own():
    keys = {"a": b"k" * 32, "b": b"l" * 32}
    assert ids("c-1", "shop", keys) == [example_id(key, "shop", "c-1") for key in keys.values()]
    assert ids(ONE, "shop", {}) == [ONE]


def test_entries_are_added_behind_those_that_are_there(tmp_path: Path):
    path = tmp_path / "2026-08.yaml"
    path.write_text(
        "# by hand\n- id: p-ffffffffffffffff\n  incident_id: i\n  reason: r\n  flagged_by: D\n  flagged_at: 2026-08-01\n  expect: {behaviour: refuse}\n"
    )
    before = path.read_text()
    append(path, made([flag("c-1"), flag("c-2")], candidates(**{ONE: BURNT, TWO: "where is my parcel"})), lambda new: None)
    assert path.read_text().startswith(before)
    (tmp_path / "regression").mkdir()
    path.rename(tmp_path / "regression" / path.name)
    assert [entry.id for _, entry in sources.load(tmp_path)["regression"]] == ["p-ffffffffffffffff", ONE, TWO]


@pytest.mark.parametrize(("reason", "says"), [(BURNT, "repeats 8 words"), ("told jo@corp.io so", "looks like an e-mail address")])
def test_what_may_not_be_in_git_leaves_the_file_as_it_was(tmp_path: Path, reason: str, says: str):
    path, pool = tmp_path / "2026-08.yaml", candidates(**{ONE: BURNT})
    with pytest.raises(InputError, match=says):
        append(path, made([flag("c-1", reason=reason)], pool), may_be_in_git(pool, None, []))
    assert not path.exists()


def test_many_flags_stand_in_one_file(tmp_path: Path):
    path = tmp_path / "flags.yaml"
    path.write_text("- log_id: c-1\n  reason: r\n  expect: {behaviour: refuse}\n- log_id: c-2\n  reason: r\n  expekt: {}\n")
    with pytest.raises(InputError, match=r"flags\.yaml, flag 2: expekt: unknown key; did you mean 'expect'\?"):
        from_file(path)
    path.write_text(path.read_text().replace("expekt: {}", "expect: {citations: [a.md]}"))
    assert [one.log_id for one in from_file(path)] == ["c-1", "c-2"]
