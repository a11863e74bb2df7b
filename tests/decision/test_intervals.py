import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from pipeline.decision.intervals import clustered, jeffreys, resampled, wilson

COUNT = st.floats(0, 1000)


def test_jeffreys_is_the_published_one() -> None:
    """Brown, Cai and DasGupta (2001), table 5: n = 10, 95 %, three successes."""
    low, high = jeffreys(3, 7, 0.95)
    assert (round(low, 3), round(high, 3)) == (0.093, 0.606)


def test_wilson_is_the_published_one() -> None:
    """The same authors' running example: 3 of 10 at 95 %."""
    low, high = wilson(3, 7, 0.95)
    assert (round(low, 4), round(high, 4)) == (0.1078, 0.6032)


def test_nothing_seen_says_nothing() -> None:
    assert jeffreys(0, 0, 0.95) == (0.0, 1.0)
    assert wilson(0, 0, 0.95) == (0.0, 1.0)


def test_it_reaches_the_end_where_nothing_failed_and_where_nothing_succeeded() -> None:
    assert jeffreys(20, 0, 0.95)[1] == 1.0
    assert jeffreys(0, 20, 0.95)[0] == 0.0


@given(successes=COUNT, failures=COUNT, level=st.floats(0.5, 0.999))
def test_it_holds_the_level_of_its_beta_and_mirrors(successes: float, failures: float, level: float) -> None:
    low, high = jeffreys(successes, failures, level)
    assert 0 <= low <= high <= 1
    mirrored = jeffreys(failures, successes, level)
    assert (1 - mirrored[1], 1 - mirrored[0]) == pytest.approx((low, high), abs=1e-9)
    if successes and failures:
        inside = beta.cdf(high, successes + 0.5, failures + 0.5) - beta.cdf(low, successes + 0.5, failures + 0.5)
        assert inside == pytest.approx(level, abs=1e-6)


@given(successes=st.floats(0.1, 100), failures=st.floats(0.1, 100))
def test_more_of_the_same_makes_it_narrower(successes: float, failures: float) -> None:
    once, twice = jeffreys(successes, failures, 0.95), jeffreys(10 * successes, 10 * failures, 0.95)
    assert twice[1] - twice[0] < once[1] - once[0]


def test_what_cannot_be_a_count_is_refused() -> None:
    with pytest.raises(ValueError, match="no interval"):
        jeffreys(-1, 2, 0.95)
    with pytest.raises(ValueError, match="no interval"):
        wilson(1, 2, 1.0)


def test_a_mean_of_examples_on_their_own_has_jeffreys_s_interval() -> None:
    scores = np.array([1.0] * 17 + [0.0] * 3)
    assert clustered(scores, np.arange(20), 0.95, seed=0) == jeffreys(17, 3, 0.95)
    assert clustered(np.array([0.5, 1.0, 0.25]), np.arange(3), 0.9, seed=0) == pytest.approx(jeffreys(1.75, 1.25, 0.9))


def test_conversations_and_unequal_weights_make_it_wider() -> None:
    scores = np.tile([1.0, 1.0, 1.0, 0.0], 20)
    alone = clustered(scores, np.arange(80), 0.95, seed=0)
    apart = clustered(np.sort(scores), np.arange(80) // 4, 0.95, seed=0)
    weighted = clustered(scores, np.arange(80), 0.95, seed=0, weights=np.repeat([10.0, 1.0, 1.0, 1.0, 1.0], 16))
    width = alone[1] - alone[0]
    assert apart[1] - apart[0] > 1.5 * width
    assert weighted[1] - weighted[0] > 1.2 * width


def test_resampled_sums_are_of_whole_rows() -> None:
    sums = resampled(np.array([[1.0, 10.0], [2.0, 20.0]]), 50, 0)
    assert set(map(tuple, sums)) == {(2.0, 20.0), (3.0, 30.0), (4.0, 40.0)}
