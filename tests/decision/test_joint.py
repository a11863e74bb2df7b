import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, kstest

from pipeline.decision import bootstrap
from pipeline.decision.joint import ClauseScores, evidence_of, posterior
from pipeline.decision.verdict import decide, strictness

Q = strictness(10, 1)


def nested(n: int, failures: int, inner: int, inner_failures: int) -> np.ndarray:
    """Scores (n, 2) of all examples and of a slice, the first `inner` of them."""
    scores = np.ones((n, 2))
    scores[:inner_failures] = 0
    scores[inner : inner + failures - inner_failures] = 0
    scores[inner:, 1] = np.nan
    return scores


def clauses(scores: np.ndarray, *thresholds: float) -> list[ClauseScores]:
    return [ClauseScores(str(place), scores[:, place], threshold) for place, threshold in enumerate(thresholds)]


def test_two_nested_clauses_worked_by_hand_are_undecided_at_ten_to_one() -> None:
    """188 of 200 at 0.92 or more and 37 of 40 of them at 0.88 or more; P(all met) by 2,000,000 plain draws is 0.7238."""
    found = posterior(clauses(nested(200, 12, 40, 3), 0.92, 0.88), np.arange(200), seed=0)
    assert found.probability_all_met == pytest.approx(0.7238, abs=0.005)
    for clause, successes, failures, threshold in zip(found.clauses, (188, 37), (12, 3), (0.92, 0.88), strict=True):
        assert clause.probability == pytest.approx(beta.sf(threshold, successes + 0.5, failures + 0.5), abs=0.005)
        expected = beta.ppf([0.025, 0.975], successes + 0.5, failures + 0.5)
        assert (clause.low, clause.high) == pytest.approx(tuple(expected))
    assert [(clause.n, clause.value) for clause in found.clauses] == [(200, 0.94), (40, 0.925)]
    assert decide(found.probability_all_met, Q, False) == "undecided"


def test_the_draws_are_the_plain_bootstrap_of_every_single_example() -> None:
    """Rows that are alike are drawn as one Gamma; example by example it is the same distribution."""
    scores = nested(50, 6, 12, 2)
    rng = np.random.default_rng(1)
    weights = rng.standard_exponential((40_000, 50))
    plain = []
    for column in scores.T:
        inside = ~np.isnan(column)
        success, failure = rng.standard_gamma(0.5, (2, 40_000))
        size = weights[:, inside].sum(axis=1) + success + failure
        plain.append((weights[:, inside] @ column[inside] + success) / size)
    drawn = np.concatenate(list(bootstrap.draw(evidence_of(clauses(scores, 0.9, 0.9), np.arange(50)), 40_000, 2)))
    assert np.corrcoef(drawn.T)[0, 1] == pytest.approx(np.corrcoef(plain)[0, 1], abs=0.02)
    for column, other in zip(drawn.T, plain, strict=True):
        assert kstest(column, other).pvalue > 0.001


SCORE = st.sampled_from([0.0, 0.2, 0.5, 1.0])


@settings(max_examples=20, deadline=None)
@given(st.lists(SCORE, min_size=1, max_size=30))
def test_the_marginal_of_any_scores_is_jeffreys_of_their_sum(scores: list[float]) -> None:
    values = np.array(scores)
    drawn = np.concatenate(list(bootstrap.draw(bootstrap.rows(values[:, None], np.arange(len(values))), 4_000, 3)))[:, 0]
    assert kstest(drawn, beta(values.sum() + 0.5, len(values) - values.sum() + 0.5).cdf).pvalue > 1e-5


def test_a_conversation_of_examples_that_go_together_counts_as_one_example() -> None:
    once = np.array([1.0] * 17 + [0.0] * 3)
    thrice = np.repeat(once, 3)
    alone = posterior([ClauseScores("c", once, 0.8)], np.arange(20), seed=0)
    together = posterior([ClauseScores("c", thrice, 0.8)], np.repeat(np.arange(20), 3), seed=0)
    apart = posterior([ClauseScores("c", thrice, 0.8)], np.arange(60), seed=0)
    assert together.probability_all_met == alone.probability_all_met
    assert together.clauses[0].low == pytest.approx(alone.clauses[0].low)
    assert apart.clauses[0].low > together.clauses[0].low + 0.05


def test_at_most_is_the_mirror_of_at_least() -> None:
    right = np.array([1.0] * 30 + [0.0] * 4)
    least = posterior([ClauseScores("c", right, 0.8)], np.arange(34), seed=0)
    most = posterior([ClauseScores("c", 1 - right, 0.2, at_least=False)], np.arange(34), seed=0)
    assert most.probability_all_met == pytest.approx(least.probability_all_met, abs=0.01)


def test_weights_move_the_value_and_equal_ones_change_nothing() -> None:
    scores = np.array([1.0] * 15 + [0.0] * 5)
    plain = posterior([ClauseScores("c", scores, 0.8)], np.arange(20), seed=0)
    assert posterior([ClauseScores("c", scores, 0.8, weights=np.full(20, 3.0))], np.arange(20), seed=0) == plain
    heavy = np.where(scores == 0, 4.0, 1.0)
    weighted = posterior([ClauseScores("c", scores, 0.8, weights=heavy)], np.arange(20), seed=0).clauses[0]
    assert weighted.value == pytest.approx(15 / 35)
    assert weighted.low < 15 / 35 < weighted.high


def test_a_clause_without_an_example_is_judged_by_the_prior_alone() -> None:
    found = posterior([ClauseScores("c", np.full(5, np.nan), 0.5)], np.arange(5), seed=0).clauses[0]
    assert (found.n, found.value, found.low, found.high) == (0, None, 0.0, 1.0)
    assert found.probability == pytest.approx(0.5, abs=0.01)


@settings(max_examples=25, deadline=None)
@given(scores=st.lists(SCORE, min_size=3, max_size=25), data=st.data())
def test_the_order_of_examples_changes_no_bit(scores: list[float], data: st.DataObject) -> None:
    clusters = np.array(data.draw(st.lists(st.integers(0, 5), min_size=len(scores), max_size=len(scores))))
    order = np.array(data.draw(st.permutations(range(len(scores)))))
    values = np.array(scores)
    inner = np.where(np.arange(len(values)) < 2, values, np.nan)
    both = np.column_stack([values, inner])
    here, there = (
        posterior(clauses(both[places], 0.8, 0.6), clusters[places], seed=1, draws=500) for places in (np.arange(len(values)), order)
    )
    assert here == there


@settings(max_examples=25, deadline=None)
@given(failures=st.integers(1, 30), threshold=st.floats(0.5, 0.95))
def test_one_success_more_never_makes_it_less_probable(failures: int, threshold: float) -> None:
    fewer, more = (nested(40, count, 40, count)[:, :1] for count in (failures, failures - 1))
    low, high = (posterior(clauses(scores, threshold), np.arange(40), seed=0, draws=20_000).probability_all_met for scores in (fewer, more))
    assert high >= low - 0.01


def test_all_together_is_no_more_probable_than_the_least_probable_one() -> None:
    found = posterior(clauses(nested(200, 12, 40, 3), 0.92, 0.88), np.arange(200), seed=5)
    assert found.probability_all_met <= min(clause.probability for clause in found.clauses)


def test_what_is_no_score_or_no_clause_is_refused() -> None:
    with pytest.raises(ValueError, match="scores lie in"):
        posterior([ClauseScores("c", np.array([1.2]), 0.5)], np.arange(1), seed=0)
    with pytest.raises(ValueError, match="no clause"):
        posterior([], np.arange(1), seed=0)
    with pytest.raises(ValueError, match="clusters of 2"):
        posterior([ClauseScores("c", np.array([1.0]), 0.5)], np.arange(2), seed=0)
