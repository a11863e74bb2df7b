import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import params, schema
from pipeline.difference import Difference, as_json, difference
from pipeline.difference_page import lines, markdown
from pipeline.expectations import Contract
from pipeline.revisions import Revision
from pipeline.scorers import criteria

CONTRACT = Contract.model_validate(
    {
        "version": "1",
        "decision": {"kind": "ship", "question": "?", "cost_of_shipping_bad": 10, "cost_of_blocking_good": 1},
        "scope": {"answer": {"counts": True, "correct": "It says yes."}},
        "clauses": [{"name": "billing", "slice": "category=billing", "at_least": 0.5, "why": "money"}],
    }
)


def revision(*examples: dict, retired: tuple[str, ...] = (), erased: tuple[str, ...] = (), target: str = "1.0.0") -> Revision:
    """A dataset of examples such as {"id": "e-1", "right": True}; text, expectation, scorer, slices and source have defaults."""
    whole = [{"text": "t", "expectation": "x", "scorer": "must_include-1", "slices": "", "source": "expert", **one} for one in examples]
    members = [(one["id"], one["source"], one["slices"], "needed", "unreleased") for one in whole]
    scores = [
        (
            one["id"],
            one["text"],
            one["expectation"],
            one["scorer"],
            target,
            1,
            "must_include",
            float(one["right"]),
            "timeout" if math.isnan(one["right"]) else "",
        )
        for one in whole
    ]
    return Revision(
        "v",
        pd.DataFrame(members, columns=schema.MEMBERS.names),
        pd.DataFrame(scores, columns=schema.SCORES.names),
        CONTRACT,
        criteria(params.Score()),
        frozenset(retired),
        frozenset(erased),
    )


def test_who_came_and_who_went_with_the_reason_why():
    before = revision({"id": "a", "right": 1}, {"id": "b", "right": 1}, {"id": "c", "right": 1}, {"id": "d", "right": 1})
    after = revision({"id": "a", "right": 1}, {"id": "n", "right": 1}, retired=("b",), erased=("c",))
    found = difference(before, after)
    assert list(found.added["example_id"]) == ["n"]
    assert dict(zip(found.removed["example_id"], found.removed["why"], strict=True)) == {"b": "retired", "c": "erased", "d": "not_chosen"}


def test_what_changed_of_an_example_that_stayed_is_named():
    before = revision(*({"id": i, "right": 1} for i in "abcde"))
    after = revision(
        {"id": "a", "right": 1},
        {"id": "b", "right": 1, "text": "t2"},
        {"id": "c", "right": 1, "expectation": "x2"},
        {"id": "d", "right": 1, "slices": "tone=urgent"},
        {"id": "e", "right": 1, "source": "adversarial"},
    )
    found = difference(before, after)
    assert found.changed == {"b": ["text"], "c": ["expectation"], "d": ["tags"], "e": ["source"]}
    assert found.sources == {"adversarial": (0, 1), "expert": (5, 4)}
    assert found.slices == {"tone=urgent": (0, 1)}


def test_a_worse_system_on_an_unchanged_dataset_is_the_systems_part_alone():
    before = revision(*({"id": i, "right": 1} for i in "abcd"))
    after = revision({"id": "a", "right": 0}, *({"id": i, "right": 1} for i in "bcd"), target="2.0.0")
    found = difference(before, after)
    overall = found.figures["all"]
    assert (overall.system, overall.dataset, overall.scorers) == (-0.25, 0.0, 0.0)
    assert (found.lost, found.gained, found.targets) == (["a"], [], ("1.0.0", "2.0.0"))


def test_harder_examples_are_the_datasets_part_alone():
    before = revision({"id": "a", "right": 1}, {"id": "b", "right": 1})
    after = revision({"id": "a", "right": 1}, {"id": "n", "right": 0})
    overall = difference(before, after).figures["all"]
    assert (overall.before, overall.after, overall.dataset, overall.system) == (1.0, 0.5, -0.5, 0.0)


def test_another_scorer_is_a_part_of_its_own():
    before = revision({"id": "a", "right": 1}, {"id": "b", "right": 1})
    after = revision({"id": "a", "right": 0, "scorer": "must_include-2"}, {"id": "b", "right": 1})
    found = difference(before, after)
    overall = found.figures["all"]
    assert (overall.dataset, overall.scorers, overall.system) == (0.0, -0.5, 0.0)
    assert (found.rejudged, found.lost) == (["a"], [])


def test_a_clauses_slice_has_its_own_split():
    before = revision({"id": "a", "right": 1, "slices": "category=billing tone=calm"}, {"id": "b", "right": 1})
    after = revision({"id": "a", "right": 0, "slices": "category=billing tone=calm"}, {"id": "b", "right": 1})
    found = difference(before, after)
    assert found.figures["category=billing"].system == -1.0
    assert found.figures["all"].system == -0.5


def test_a_side_that_judged_nothing_has_no_split():
    before = revision({"id": "a", "right": float("nan")})
    found = difference(before, revision({"id": "a", "right": 1}))
    assert (found.figures["all"].before, found.figures["all"].system) == (None, None)
    assert any("judged nothing" in line for line in lines(found, {}))


some = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.fixed_dictionaries({"right": st.booleans(), "text": st.sampled_from("tu"), "scorer": st.sampled_from(["must_include-1", "must_include-2"])}),
    min_size=1,
)  # fmt: skip


def made(examples: dict) -> Revision:
    return revision(*({"id": i, **one} for i, one in sorted(examples.items())))


@settings(max_examples=40, deadline=None)
@given(some, some)
def test_every_example_is_accounted_for_and_the_parts_add_up(then: dict, now: dict):
    found = difference(made(then), made(now))
    assert len(then) - len(found.removed) + len(found.added) == len(now)
    overall = found.figures["all"]
    assert math.isclose(overall.dataset + overall.scorers + overall.system, overall.after - overall.before, abs_tol=1e-12)


@settings(max_examples=20, deadline=None)
@given(some)
def test_nothing_is_between_a_dataset_and_itself(examples: dict):
    found = difference(made(examples), made(examples))
    assert not len(found.added)
    assert not len(found.removed)
    assert not found.changed
    assert found.figures["all"].dataset == found.figures["all"].system == 0


@pytest.fixture
def harder() -> Difference:
    before = revision(*({"id": f"e-{i:02}", "right": 1, "slices": "category=billing"} for i in range(12)))
    after = revision({"id": "e-00", "right": 0, "slices": "category=billing"}, {"id": "n|1", "right": 1, "slices": "category=billing"})
    return difference(before, after)


def test_the_comment_says_what_the_screen_says(harder: Difference):
    screen, comment = "\n".join(lines(harder, {})), markdown(harder, {})
    for told in ("12 examples, 11 went, 1 came: 2", "not chosen any more", "-1.000"):
        assert told in screen
        assert told in comment
    assert "n\\|1" in comment  # a cell cannot break the table
    assert "<summary>Went (11)</summary>" in comment


def test_no_text_is_shown_unless_it_is_asked_for(harder: Difference):
    text = {"n|1": [{"role": "user", "content": "where is my\nparcel"}]}
    assert "parcel" not in markdown(harder, {}) + "\n".join(lines(harder, {}))
    assert "where is my parcel" in markdown(harder, text)
    assert as_json(harder, text)["texts"] == text
    assert "texts" not in as_json(harder)
