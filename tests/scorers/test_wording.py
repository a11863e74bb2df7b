import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.scorers.wording import normalised, says


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("You have 30 Days.", "30 days"),
        ("You’ll get it — “soon”", 'you\'ll get it - "soon"'),
        ("within\n  30\u00a0days", "30 days"),
        ("within **30** days", "30 days"),
        ("It costs $49.00 in all", "$49"),
        ("That is 49.", "49"),
        ("(refund)", "refund"),
        ("价格是50元", "50"),
        ("返金は30日以内です", "30日以内"),
        ("See kb-12, please", "kb-12"),
    ],
)
def test_it_is_said_however_it_is_typed(text: str, phrase: str) -> None:
    assert says(normalised(text), phrase)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("insurance", "sure"),
        ("refunds", "refund"),
        ("130 days", "30 days"),
        ("It costs $49.99", "$49"),
        ("It costs $49,000", "$49"),
        ("in 3.30 minutes", "30"),
        ("see kb-123", "kb-12"),
    ],
)
def test_a_part_of_a_word_or_number_is_not_said(text: str, phrase: str) -> None:
    assert not says(normalised(text), phrase)


def test_a_phrase_of_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="empty"):
        says("text", " ")


@given(st.text(max_size=30))
def test_normalising_twice_changes_nothing_more_than_once_and_every_text_says_itself(text: str) -> None:
    once = normalised(text)
    if once:
        assert says(f"before {once} after", text)
