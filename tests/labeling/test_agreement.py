"""Figures of agreement, held against worked examples that were published."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import schema
from pipeline.expectations import LabelDimension
from pipeline.labeling import agreement
from tests.frames import frame

KRIPPENDORFF = (
    "1 2 3 3 2 1 4 1 2 . . .",
    "1 2 3 3 2 2 4 1 2 5 . 3",
    ". 3 3 3 2 3 4 2 2 5 1 .",
    "1 2 3 3 2 4 4 1 2 5 1 .",
)
"""Four observers of twelve units: Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, section C."""
FLEISS = (
    "0 0 0 6 0", "0 3 0 0 3", "0 1 4 0 1", "0 0 0 0 6", "0 3 0 3 0", "2 0 4 0 0", "0 0 4 0 2", "2 0 3 1 0", "2 0 0 4 0", "0 0 0 0 6",
    "1 0 0 5 0", "1 1 0 4 0", "0 3 3 0 0", "1 0 0 5 0", "0 2 0 3 1", "0 0 5 0 1", "3 0 0 1 2", "5 1 0 0 0", "0 2 0 4 0", "1 0 2 0 3",
    "0 0 0 0 6", "0 1 0 5 0", "0 2 0 1 3", "2 0 0 4 0", "1 0 0 4 1", "0 5 0 1 0", "4 0 0 0 2", "0 2 0 4 0", "1 0 5 0 0", "0 0 0 0 6",
)  # fmt: skip
"""Six psychiatrists' diagnoses of thirty patients in five categories: Fleiss (1971), Measuring nominal scale agreement, table 1."""


def dimension(*values, scale="nominal", **more):
    plain = {"kind": "judgement", "criteria": "c", "decision_rule": "majority", "scale": scale}
    return LabelDimension.model_validate({**plain, "values": dict.fromkeys(values, "v"), **more})


def labels(*given, dates="2026-01-01"):
    """Labels of `(annotator, values of examples 0, 1, ...)`; a dot is no label."""
    rows = [
        {"example_id": f"p-{place:04}", "dimension": "d", "value": value, "annotator": annotator, "labelled_at": dates}
        for annotator, values in given
        for place, value in enumerate(values)
        if value != "."
    ]
    return frame(schema.LABELS, rows)


def measure(found, of, tags=(), least=2):
    return agreement.measure(found, frame(schema.TAGS, list(tags)), of, least, 200, 7)


@pytest.mark.parametrize(("scale", "alpha"), [("nominal", 0.743), ("ordinal", 0.815)])
def test_alpha_is_krippendorffs_to_three_decimals(scale, alpha):
    found = measure(labels(*zip("abcd", (row.split() for row in KRIPPENDORFF), strict=True)), dimension(*"12345", scale=scale))
    assert (round(found["alpha"], 3), found["n"]) == (alpha, 11)


def test_alpha_of_two_observers_is_krippendorffs():
    """Krippendorff (2011), section B: two observers, twelve articles, five values, no missing ones: 0.692."""
    found = measure(labels(("ben", "aabbdcccedda"), ("gerry", "babbbccceddd")), dimension(*"abcde"))
    assert round(found["alpha"], 3) == 0.692
    assert found["raw"] == pytest.approx(9 / 12)


def test_fleiss_kappa_is_fleiss_s_to_three_decimals():
    kappa, n = agreement.fleiss(np.array([row.split() for row in FLEISS], dtype=int))
    assert (round(kappa, 3), n) == (0.430, 30)


def test_kappa_of_a_pair_is_cohens_to_three_decimals():
    """Cohen (1960), A coefficient of agreement for nominal scales, table 2: 200 cases, three categories, kappa .492."""
    cells = {"aa": 88, "ab": 14, "ac": 18, "ba": 10, "bb": 40, "bc": 10, "ca": 2, "cb": 6, "cc": 12}
    first, second = ("".join(pair[side] * count for pair, count in cells.items()) for side in (0, 1))
    found = measure(labels(("x", first), ("y", second)), dimension(*"abc"))["pairs"]["x_y"]
    assert (found["n"], found["raw"], round(found["kappa"], 3)) == (200, 0.7, 0.492)


def test_annotators_who_agree_by_chance_have_no_agreement():
    generator = np.random.default_rng(3)
    found = measure(labels(("a", generator.choice([*"yn"], 2000)), ("b", generator.choice([*"yn"], 2000))), dimension(*"yn"))
    assert abs(found["alpha"]) < 0.05
    assert found["low"] < 0 < found["high"]
    assert found["raw"] == pytest.approx(0.5, abs=0.05)


def test_a_skewed_scale_has_a_high_raw_agreement_and_a_low_alpha_side_by_side():
    found = measure(labels(("a", "y" * 97 + "nyy"), ("b", "y" * 97 + "yny")), dimension(*"yn", min_agreement=0.7), least=20)
    assert found["raw"] == pytest.approx(0.98)
    assert found["alpha"] < 0.01
    assert found["reached"] is False


def test_where_everybody_says_the_same_there_is_no_alpha_and_nothing_is_judged():
    found = measure(labels(("a", "yyyy"), ("b", "yyyy")), dimension(*"yn", min_agreement=0.7))
    assert found == {"n": 4, "raw": 1.0, "needed": 0.7, "pairs": {"a_b": {"n": 4, "raw": 1.0}}}


def test_too_few_examples_are_shown_and_not_judged():
    found = measure(labels(("a", "yn"), ("b", "ny")), dimension(*"yn", min_agreement=0.7), least=3)
    assert "reached" not in found
    assert found["alpha"] < 0
    assert "pairs" not in found


def test_the_values_that_are_confused_most_come_first():
    found = measure(labels(("a", "aabbcc"), ("b", "bbabcc"), ("c", "aabcaa")), dimension(*"abc"))
    assert list(found["confused"].items()) == [("a_or_b", 3), ("a_or_c", 2), ("b_or_c", 1)]


def test_the_first_label_counts_for_agreement_and_the_second_for_agreement_with_oneself():
    again = labels(("a", "yyn"), dates="2026-02-01")
    found = measure(pd.concat([labels(("a", "nyn"), ("b", "nyy")), again]), dimension(*"yn"))
    assert found["raw"] == pytest.approx(2 / 3)
    assert found["repeats"]["n"] == 3
    assert found["repeats"]["raw"] == pytest.approx(2 / 3)


def test_slices_are_the_values_of_the_required_tags_with_enough_examples():
    tags = [{"example_id": f"p-{n:04}", "dimension": "tone", "value": "calm" if n < 3 else "angry"} for n in range(4)]
    found = measure(labels(("a", "ynyn"), ("b", "ynny")), dimension(*"yn", metadata_tags=["tone", "none"]), tags)
    assert set(found["slices"]) == {"tone"}
    assert set(found["slices"]["tone"]) == {"calm"}
    assert found["slices"]["tone"]["calm"]["n"] == 3


@settings(deadline=None, max_examples=20)
@given(st.permutations(range(8)), st.lists(st.sampled_from(["yy", "yn", "nn"]), min_size=8, max_size=8))
def test_the_order_of_labels_changes_no_figure(order, rows):
    both = labels(("a", [row[0] for row in rows]), ("b", [row[1] for row in rows]))
    shuffled = pd.concat([both.iloc[[place]] for place in (*order, *range(8, 16))])
    of = dimension(*"yn")
    assert agreement.measure(both, frame(schema.TAGS, []), of, 2, 5, 1) == agreement.measure(shuffled, frame(schema.TAGS, []), of, 2, 5, 1)
