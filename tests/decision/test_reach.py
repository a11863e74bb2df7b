import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binom

from pipeline.decision.joint import ClauseScores
from pipeline.decision.reach import best_case, least_examples, reach
from pipeline.decision.verdict import strictness

Q = strictness(10, 1)


def test_twelve_examples_cannot_meet_nine_tenths_at_ten_to_one() -> None:
    found = reach(12, 0.9, Q)
    assert not found.can_ship
    assert found.least_examples == 14
    assert beta.sf(0.9, 13.5, 0.5) < Q <= beta.sf(0.9, 14.5, 0.5)
    assert found.ships_from is None


def test_a_system_at_its_threshold_ships_as_often_as_counted_by_hand() -> None:
    found = reach(40, 0.88, Q)
    shipping = [s for s in range(41) if beta.sf(0.88, s + 0.5, 40 - s + 0.5) >= Q]
    assert found.ships_at_threshold == pytest.approx(binom.pmf(shipping, 40, 0.88).sum(), abs=1e-4)
    assert found.ships_from == pytest.approx(0.9614, abs=1e-4)
    assert binom.sf(min(shipping) - 1, 40, found.ships_from) == pytest.approx(0.8, abs=0.002)


def test_at_most_mirrors_at_least() -> None:
    least, most = reach(40, 0.88, Q), reach(40, 0.12, Q, at_least=False)
    assert (most.ships_at_threshold, most.least_examples) == (least.ships_at_threshold, least.least_examples)
    assert least.ships_from is not None
    assert most.ships_from == pytest.approx(1 - least.ships_from)


@given(n=st.integers(1, 300), threshold=st.floats(0.05, 0.95), ratio=st.floats(1, 50))
def test_it_ships_from_above_the_threshold_and_holds_below(n: int, threshold: float, ratio: float) -> None:
    found = reach(n, threshold, strictness(ratio, 1))
    assert found.ships_at_threshold + found.holds_at_threshold <= 1 + 1e-6
    assert found.can_ship == (found.ships_from is not None)
    if found.ships_from is not None and found.holds_to is not None:
        assert found.holds_to < found.ships_from
    assert found.can_ship == (found.least_examples is not None and n >= found.least_examples)


def test_nothing_meets_a_certainty() -> None:
    assert least_examples(1.0, Q) is None


def test_a_contract_whose_clauses_are_too_thin_together_ships_nothing() -> None:
    thin = [ClauseScores(str(i), np.where(np.arange(80) // 16 == i, 0.0, np.nan), 0.9) for i in range(5)]
    assert all(reach(16, 0.9, Q).can_ship for _ in thin)
    assert best_case(thin, np.arange(80), seed=0) < Q
