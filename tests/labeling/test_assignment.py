from collections import Counter

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import schema
from pipeline.expectations import Coverage
from pipeline.labeling import assignment
from pipeline.merge import control
from tests.frames import frame, said
from tests.labeling.standards import STANDARD, candidates, labels

COVERAGE = Coverage.model_validate(
    {
        "version": "1",
        "dimensions": {"category": {"money": {"cost": 5}, "other": {"cost": 1}}},
        "combinations": [{"name": "both", "slice": "category=money & tone=angry", "cost": 9}],
    }
)


def tagged(*rows):
    """Rows of (example_id, dimension, value) or with confidence behind."""
    names = ("example_id", "dimension", "value", "confidence")
    return frame(schema.TAGS, [dict(zip(names, row, strict=False)) for row in rows])


def choose(found, tags, count, labelled=(), aside=(), random_share=0.0, coverage=COVERAGE):
    return assignment.choose(found, tags, frozenset(labelled), frozenset(aside), coverage, count, random_share, 7)


def test_the_costliest_slice_that_is_thin_comes_first():
    tags = tagged(*((f"p-{n}", "category", "money" if n in (2, 4) else "other") for n in range(6)), ("p-4", "tone", "angry"))
    assert choose(candidates(response=""), tags, 2) == ["p-4", "p-2"]


def test_a_slice_that_is_labelled_much_comes_last():
    tags = tagged(*((f"p-{n}", "category", "money" if n < 9 else "other") for n in range(10)))
    assert choose(candidates(10), tags, 1, labelled=[f"p-{n}" for n in range(8)]) == ["p-9"]


def test_a_failure_a_new_topic_and_an_uncertain_tag_are_worth_more():
    same = [("p-0", "category", "other"), ("p-1", "category", "other"), ("p-2", "category", "other")]
    found = candidates(3, input=said("where is my parcel"))
    assert choose(found.assign(failed=[False, False, True]), tagged(*same), 1) == ["p-2"]
    texts = [said("where is my parcel"), said("the lantern explodes"), said("where is my parcel")]
    assert choose(found.assign(input=texts), tagged(*same), 1, labelled=["p-0"]) == ["p-1"]
    assert choose(found, tagged(same[0], (*same[1], 0.2), same[2]), 1) == ["p-1"]


def test_what_is_labelled_given_out_or_authored_is_not_chosen():
    found = candidates().assign(source=["production"] * 5 + ["expert"])
    assert sorted(choose(found, tagged(), 9, labelled=["p-0"], aside=["p-1"])) == ["p-2", "p-3", "p-4"]


def test_the_random_share_is_the_next_of_the_control_sample_s_order():
    found = candidates(40)
    order = list(control(found, 40, 7)["example_id"])
    chosen = choose(found, tagged(), 10, labelled=order[:3], random_share=0.3)
    assert len(set(chosen)) == 10
    assert chosen[-3:] == order[3:6]


@settings(deadline=None, max_examples=20)
@given(st.permutations(range(12)))
def test_the_order_of_records_changes_no_choice(order):
    found = candidates(12)
    tags = tagged(*((f"p-{n}", "category", "money" if n % 3 else "other") for n in range(12)))
    assert choose(found.iloc[list(order)].reset_index(drop=True), tags, 5, random_share=0.2) == choose(found, tags, 5, random_share=0.2)


@pytest.mark.parametrize("overlap", [1, 2, 3])
def test_each_record_goes_to_so_many_annotators_and_all_get_as_many(overlap):
    asked = list(assignment.questions([f"p-{n}" for n in range(12)], ["amara", "bjorn", "chen"], overlap, STANDARD, 7))
    nominal = [(i, a) for i, name, a in asked if name == "resolved"]
    assert set(Counter(i for i, _ in nominal).values()) == {overlap}
    assert len(set(Counter(a for _, a in nominal).values())) == 1
    texts = [(i, a) for i, name, a in asked if name == "expected.must_include"]
    assert Counter(i for i, _ in texts) == Counter({f"p-{n}": 1 for n in range(12)}), "one writes a text, another approves it later"
    assert {a for _, a in texts} == {"amara", "bjorn", "chen"}


def test_open_questions_go_to_those_who_have_not_answered_them():
    given_ = labels(("p-1", "resolved", "yes", "amara"), ("p-2", "expected.must_include", "90 days", "bjorn"))
    rows = [
        ("p-1", "resolved", "too_few_annotators"),
        ("p-2", "expected.must_include", "not_approved"),
        ("p-3", "resolved", "disagreement"),
    ]
    open_ = frame_of_queue(rows)
    asked = list(assignment.reopened(given_, open_, ["amara", "bjorn", "chen"], 2, STANDARD))
    assert asked == [("p-1", "resolved", "bjorn"), ("p-2", "expected.must_include", "amara")]


def test_a_question_of_an_older_standard_goes_to_as_many_as_a_new_one():
    asked = list(assignment.reopened(labels(), frame_of_queue([("p-1", "resolved", "stale_standard")]), ["amara", "bjorn"], 2, STANDARD))
    assert [annotator for _, _, annotator in asked] == ["amara", "bjorn"]


def frame_of_queue(rows):
    return pd.DataFrame(rows, columns=["example_id", "dimension", "why"])


def test_what_a_refresh_wants_is_given_out_first():
    found, tags = candidates(6), tagged()
    chosen = assignment.choose(found, tags, frozenset(), frozenset(), COVERAGE, 3, 0.0, 7, frozenset({"p-4", "p-5", "p-gone"}))
    assert chosen[:2] == ["p-4", "p-5"]
    assert len(set(chosen)) == 3
