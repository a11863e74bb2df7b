import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import grammars
from pipeline.errors import InputError
from pipeline.grammars import Grammar
from pipeline.slices import parse
from pipeline.yaml_models import build_model

EXPECT = {"behaviour": "answer", "must_include": ["{days} days"]}


def grammar(**slots):
    templates = [
        {"input": "Can I return {item} after {days} days?", "tags": {"category": "returns"}, "expect": EXPECT},
        {
            "input": [{"user": "{item} broke"}, {"assistant": "Oh."}, {"user": "And now?"}],
            "tags": {"category": "returns", "risk": ["safety", "legal"]},
            "expect": {"behaviour": "escalate"},
        },
    ]
    return build_model(
        "g.yaml", {"slots": {"item": ["a lamp", "a rug"], "days": ["20", "80", "95"]} | slots, "templates": templates}, Grammar
    )


def made(cell, most=100, seed=0):
    return list(grammars.scenarios({"g": grammar()}, parse(cell), most, seed))


def test_a_slot_has_one_wording_throughout_a_scenario():
    for one in made("category=returns"):
        if isinstance(one["input"], str):
            assert one["expect"]["must_include"][0] in one["input"]


def test_every_combination_comes_once_and_templates_take_turns():
    found = made("category=returns")
    assert len({str(one["input"]) for one in found}) == len(found) == 2 * 3 + 2
    assert [type(one["input"]) for one in found[:4]] == [str, list, str, list]


def test_only_templates_with_all_of_a_gap_s_tags_fill_it():
    assert {type(one["input"]) for one in made("category=returns & risk=legal")} == {list}
    with pytest.raises(InputError, match="no template for category=billing in g; write one"):
        made("category=billing")


@given(st.integers(1, 8), st.integers(0, 5))
def test_a_seed_gives_the_same_scenarios_again_and_more_of_them_begin_the_same(most, seed):
    assert made("risk=safety", most, seed) == made("risk=safety", most, seed)
    assert len(made("risk=safety", most, seed)) == min(most, 2)


@pytest.mark.parametrize(
    ("slots", "message"), [({"item": []}, "slots.item: without a wording"), ({"days": []}, "slots.days: without a wording")]
)
def test_a_slot_without_a_wording_is_refused(slots, message):
    with pytest.raises(InputError, match=message):
        grammar(**slots)


def test_an_unknown_slot_is_refused_by_its_template():
    with pytest.raises(InputError, match=r"g\.yaml: .*templates: number 1 names the slot \{colour\}; known: none"):
        build_model("g.yaml", {"templates": [{"input": "{colour}?", "tags": {"a": "b"}, "expect": EXPECT}]}, Grammar)
