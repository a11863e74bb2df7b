from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.near_duplicates import drop, grams, jaccard, normalized, repeats


def test_copies_with_other_ids_case_and_blanks_are_duplicates():
    assert drop(["Where is order HL-123456?", "where is  order hl-999999?", "How do I return a tent?"], 0.8) == [None, 0, None]


def test_the_first_of_several_copies_stays():
    assert drop(["a b c d e f g"] * 4, 0.8) == [None, 0, 0, 0]


def test_a_text_is_no_duplicate_of_one_that_was_dropped_itself():
    chain = ["abcdefghijklmnopqrst", "abcdefghijklmnopqrstuvw", "abcdefghijklmnopqrstuvwxyz"]
    similar = [jaccard(grams(one), grams(other)) for one, other in ((chain[0], chain[1]), (chain[1], chain[2]), (chain[0], chain[2]))]
    assert similar[0] > 0.8 > similar[2]
    assert drop(chain, 0.8) == [None, 0, None]


def test_short_and_empty_texts_are_compared_whole():
    assert drop(["ok", "ok", "no", ""], 0.8) == [None, 0, None, None]


def test_hundreds_of_copies_are_dropped():
    assert sum(kept is None for kept in drop([f"please cancel order {i}" for i in range(300)], 0.8)) == 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("abc d", min_size=3, max_size=40), max_size=20))
def test_what_stays_equals_a_comparison_of_all_with_all(texts):
    kept: list[int] = []
    for index, text in enumerate(texts):
        if not any(jaccard(grams(normalized(texts[other])), grams(normalized(text))) >= 0.9 for other in kept):
            kept.append(index)
    assert [index for index, twin in enumerate(drop(texts, 0.9)) if twin is None] == kept


def test_a_new_text_repeats_what_is_there_or_an_earlier_new_one_and_what_is_there_is_left_alone():
    there = ["where is my parcel from last week", "where is my parcel from last week?"]
    new = ["Where is my parcel from last week", "can I return the lamp I bought", "can i return the lamp i bought!", "hello"]
    assert repeats(new, there, 0.8) == [True, False, True, False]
    assert repeats([], there, 0.8) == []
