import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.pii import lexicon


@pytest.mark.parametrize(
    "word",
    ["coffee", "burgar", "mozarella", "thankyou", "howmuch", "toyota", "hii", "okkk", "The", "claim", "cliam", "biryani", "hope", "may"],
)
def test_everyday_words_also_misspelt_brands_and_greetings_are_common(word):
    assert lexicon.is_common(word)


@pytest.mark.parametrize("word", ["daniel", "priya", "john", "oksana", "xylquo", "casey"])
def test_names_and_unknown_words_are_not(word):
    assert not lexicon.is_common(word)


def test_names_come_from_many_cultures():
    assert {"priya", "mehmet", "giulia", "sven", "aadam"} <= set(lexicon.names())


def test_a_misspelling_is_common_but_not_known():
    assert lexicon.is_known("claim")
    assert not lexicon.is_known("cliam")


@given(st.one_of(st.sampled_from(sorted(lexicon.names())), st.sampled_from(["claim", "coffee", "fettucine", "please", "toyota", "zibbel"])))
def test_what_a_word_may_be_a_misspelling_of_is_a_common_word_that_is_no_name_or_a_brand(word):
    for enough in (lexicon.COMMON, lexicon.COMMON + 0.3, lexicon.VERY_COMMON):
        is_common = lexicon.frequency(word) >= enough and (word not in lexicon.names() or enough == lexicon.VERY_COMMON)
        assert (word in lexicon._could_be_meant(enough)) == (is_common or word in lexicon.BRANDS)
