import pytest

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
