import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from pipeline.decision.intervals import jeffreys, wilson

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
