import numpy as np
import pandas as pd
import pytest

from pipeline import tag_classifier
from tests.frames import said

SUBJECTS = {"billing": "invoice total charged card", "shipping": "parcel courier delivery late"}


def labelled(count=24):
    """Texts of two subjects, no two alike."""
    rows = [
        (f"question {word} about the {part} of number {'abcdefghijklmnopqrstuvwxyz'[n % 26]}{n}", value)
        for n in range(count // 2)
        for value, words in SUBJECTS.items()
        for word, part in [(words.split()[n % 4], words.split()[(n + 1) % 4] + " x" * n)]
    ]
    return tag_classifier.texts([said(text) for text, _ in rows]), pd.Series([value for _, value in rows])


def test_what_is_read_is_the_user_s_words_without_placeholders():
    read = tag_classifier.texts([said("where is <ORDER_ID_1>", "which one?", "the lamp")])
    assert read.to_dict("records") == [{"last": "the lamp", "earlier": "where is  "}]


def test_it_learns_the_subjects_and_is_sure_of_them():
    read, values = labelled(48)
    found = tag_classifier.guess(
        tag_classifier.learn(read, values), tag_classifier.texts([said("the courier was late"), said("the invoice total")])
    )
    assert found.values == ["shipping", "billing"]
    assert (found.confidence > 0.5).all()


def test_the_same_labels_in_another_order_give_the_same_probabilities():
    read, values = labelled()
    order = np.random.default_rng(1).permutation(len(read))
    asked = tag_classifier.texts([said("my parcel"), said("charged twice"), said("a question")])
    one = tag_classifier.guess(tag_classifier.learn(read, values), asked)
    other = tag_classifier.guess(
        tag_classifier.learn(read.iloc[order].reset_index(drop=True), values.iloc[order].reset_index(drop=True)), asked
    )
    assert one.values == other.values
    assert one.confidence == pytest.approx(other.confidence, abs=0.001)


def test_a_text_is_judged_by_a_classifier_that_never_saw_it_or_its_copy():
    """Labels that only memory could know: out of fold they are not known."""
    read = tag_classifier.texts([said(f"same words {'abcdefghijklmnop'[n // 2] * 9}") for n in range(32)])
    values = pd.Series([["a", "b"][(n // 2) % 2] for n in range(32)])
    found = tag_classifier.out_of_fold(read, values)
    assert np.mean(np.array(found.values) == values) < 0.7


def test_a_value_with_few_different_texts_is_not_learnt():
    read = tag_classifier.texts([said(f"text {'x' * n}") for n in range(10)] + [said("copy 1"), said("copy 2")] * 5)
    known = tag_classifier.learnable(read, pd.Series(["often"] * 10 + ["copied"] * 10))
    assert known.tolist() == [True] * 10 + [False] * 10
