import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from pipeline.decision.curve import concave, levels, seen


def test_a_fall_is_seen_as_the_binomial_test_sees_it():
    found = seen(20, 0.3, 0.01, background=0.02)
    fewest = next(b for b in range(21) if binom.sf(b - 1, 20, 0.02) <= 0.01)
    assert found[20] == pytest.approx(sum(binom.pmf(b, 20, 0.32) for b in range(fewest, 21)))
    assert found[0] == found[1] == 0


def test_a_costlier_slice_has_a_larger_part_of_the_level():
    found = levels([1, 4], 0.04)
    assert found.tolist() == pytest.approx([0.01, 0.02])


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30))
def test_the_hull_lies_above_is_concave_and_touches_its_ends(values):
    curve = concave(np.array(values))
    assert (curve >= np.array(values) - 1e-9).all()
    assert (np.diff(curve, 2) <= 1e-9).all()
    assert (curve[0], curve[-1]) == (values[0], values[-1])
