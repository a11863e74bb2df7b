import pytest

from pipeline import schema, slices
from tests.frames import frame


def test_a_slice_is_read_and_written():
    assert str(slices.parse("complexity=multi_turn&category = billing")) == "category=billing & complexity=multi_turn"
    assert str(slices.parse("all")) == "all"


@pytest.mark.parametrize("text", ["", "billing", "category=", "=billing", "category=billing &"])
def test_what_is_no_slice_says_how_one_is_written(text):
    with pytest.raises(ValueError, match="write all, dimension=value"):
        slices.parse(text)


def test_members_carry_every_tag_of_the_slice():
    rows = [("a", "c", "x"), ("a", "t", "1"), ("b", "c", "x"), ("b", "t", "2"), ("b", "t", "1")]
    tags = frame(schema.TAGS, [dict(zip(("example_id", "dimension", "value"), row, strict=True)) for row in rows])
    ids = frame(schema.MEMBERS, [{"example_id": i} for i in "abc"])["example_id"]
    assert list(slices.members(slices.parse("c=x & t=2"), tags, ids)) == [False, True, False]
    assert list(slices.members(slices.parse("t=1"), tags, ids)) == [True, True, False]
    assert list(slices.members(slices.parse("all"), tags, ids)) == [True, True, True]


def test_keys_of_metrics_are_made_of_names_and_lead_back_to_the_slice() -> None:
    assert slices.metrics_keys(slices.parse("category=billing & tone=very angry")) == ("category_x_tone", "billing_x_very_angry")
    assert slices.metrics_keys(slices.parse("all")) == ("all", "all")
    for text in ("all", "tone=calm", "category=billing & tone=calm"):
        assert slices.of_metrics_keys(*slices.metrics_keys(slices.parse(text))) == text
