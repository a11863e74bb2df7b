import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from pipeline.decision.compare import compare
from pipeline.decision.verdict import strictness


def systems(both: int, a_only: int, b_only: int, neither: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    a = np.array([1.0] * (both + a_only) + [0.0] * (b_only + neither))
    b = np.array([1.0] * both + [0.0] * a_only + [1.0] * b_only + [0.0] * neither)
    return a, b, np.arange(len(a))


def test_the_probability_is_the_beta_of_what_they_differ_in() -> None:
    found = compare(*systems(150, 4, 16, 30), strictness(10, 1), seed=0)
    assert found.probability_b_better == pytest.approx(beta.sf(0.5, 16.5, 4.5), abs=0.002)
    assert (found.take, found.a_wins, found.b_wins, found.n) == ("B", 4, 16, 200)
    assert found.low < found.b - found.a < found.high
    assert found.low > 0


def test_what_is_there_stays_where_the_other_is_worse_and_between_it_is_open() -> None:
    assert compare(*systems(150, 16, 4, 30), strictness(10, 1), seed=0).take == "A"
    open_ = compare(*systems(150, 8, 11, 31), strictness(10, 1), seed=0)
    assert open_.take == "undecided"
    assert open_.more_examples_needed is None or open_.more_examples_needed > 0


def test_equal_costs_always_decide() -> None:
    assert compare(*systems(150, 8, 11, 31), strictness(1, 1), seed=0).take == "B"


def test_costs_of_the_examples_can_turn_it_round() -> None:
    a, b, clusters = systems(60, 6, 14, 20)
    dear = np.where((a == 1) & (b == 0), 20.0, 1.0)
    assert compare(a, b, clusters, 0.5, seed=0).take == "B"
    assert compare(a, b, clusters, 0.5, seed=0, weights=dear).take == "A"


@settings(max_examples=15, deadline=None)
@given(a_only=st.integers(0, 15), b_only=st.integers(0, 15))
def test_the_other_way_round_is_the_complement(a_only: int, b_only: int) -> None:
    a, b, clusters = systems(20, a_only, b_only, 10)
    here, there = compare(a, b, clusters, 0.5, seed=0), compare(b, a, clusters, 0.5, seed=0)
    assert here.probability_b_better + there.probability_b_better == pytest.approx(1, abs=0.01)
    assert (here.low, here.high) == pytest.approx((-there.high, -there.low), abs=0.02)


def test_an_example_without_a_score_is_refused() -> None:
    with pytest.raises(ValueError, match="a score for"):
        compare(np.array([1.0]), np.array([np.nan]), np.arange(1), 0.5, seed=0)
