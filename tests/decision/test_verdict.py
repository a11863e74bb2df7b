import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.decision.verdict import decide, status, strictness


def test_q_is_the_share_of_the_costs_that_a_bad_release_has() -> None:
    assert strictness(10, 1) == pytest.approx(10 / 11)
    assert strictness(1, 1) == 0.5


def test_between_the_limits_it_is_undecided_and_a_regression_always_holds() -> None:
    q = strictness(10, 1)
    assert [decide(p, q, False) for p in (0.95, 0.73, 0.05)] == ["ship", "undecided", "hold"]
    assert [decide(p, q, True) for p in (0.95, 0.73, 0.05)] == ["hold"] * 3


def test_a_float_that_misses_its_limit_by_a_bit_does_not_miss_it() -> None:
    q = strictness(10, 1)
    assert decide(q - 1e-9, q, False) == "ship"
    assert decide(1 - q + 1e-9, q, False) == "hold"
    assert status(q - 1e-9, q) == "met"


def test_where_blocking_costs_more_nothing_is_undecided() -> None:
    q = strictness(1, 4)
    assert [decide(p, q, False) for p in (0.19, 0.2, 0.21)] == ["hold", "ship", "ship"]


@given(p=st.floats(0, 1), bad=st.floats(0.01, 100), block=st.floats(0.01, 100))
def test_what_is_decided_is_the_cheaper_error(p: float, bad: float, block: float) -> None:
    verdict = decide(p, strictness(bad, block), False)
    slack = 2e-4 * (bad + block)
    if verdict == "ship":
        assert (1 - p) * bad <= p * block + slack
    if verdict == "hold":
        assert p * block <= (1 - p) * bad + slack


def test_a_cost_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        strictness(0, 1)
