import numpy as np

from pipeline.decision import approximate
from pipeline.decision.joint import ClauseScores, bounds, evidence_of, posterior, probabilities
from pipeline.decision.needed import decided_rate, more_examples
from pipeline.decision.verdict import decide, strictness

Q = strictness(10, 1)


def nested() -> list[ClauseScores]:
    """91 of 100, and 19 of 20 among them."""
    scores = np.ones(100)
    scores[[0, *range(20, 28)]] = 0
    return [ClauseScores("all", scores, 0.88), ClauseScores("inner", np.where(np.arange(100) < 20, scores, np.nan), 0.8)]


def test_the_number_it_asks_for_decides_in_four_of_five_cases() -> None:
    clauses, clusters = nested(), np.arange(100)
    assert decide(posterior(clauses, clusters, seed=0).probability_all_met, Q, False) == "undecided"
    more = more_examples(clauses, clusters, Q, seed=0)
    assert more is not None
    rng, decided = np.random.default_rng(1), 0
    for _ in range(400):
        places = np.concatenate([clusters, rng.integers(0, 100, more)])
        larger = [ClauseScores(c.name, c.scores[places], c.threshold) for c in clauses]
        found = probabilities(larger, evidence_of(larger, np.arange(len(places))), seed=2, draws=4_000)[1]
        decided += decide(found, Q, False) != "undecided"
    assert 0.73 <= decided / 400 <= 0.87


def test_a_rate_on_its_threshold_is_never_decided() -> None:
    scores = np.array([1.0] * 90 + [0.0] * 10)
    assert more_examples([ClauseScores("c", scores, 0.9)], np.arange(100), Q, seed=0) is None


def test_conversations_are_asked_for_whole_and_in_examples() -> None:
    scores = np.repeat([1.0] * 27 + [0.0] * 3, 2)
    alone = more_examples([ClauseScores("c", scores[::2], 0.82)], np.arange(30), Q, seed=0)
    in_twos = more_examples([ClauseScores("c", scores, 0.82)], np.repeat(np.arange(30), 2), Q, seed=0)
    assert alone is not None
    assert in_twos is not None
    assert abs(in_twos - 2 * alone) <= 0.25 * in_twos


def test_the_approximation_is_the_bootstrap_s_probability() -> None:
    clauses, clusters = nested(), np.repeat(np.arange(50), 2)
    for of in (np.arange(100), clusters):
        evidence, (thresholds, at_least) = evidence_of(clauses, of), bounds(clauses)
        shapes = evidence.shapes
        close = approximate.probability_all_met(
            approximate.marginals(evidence, shapes[None]), approximate.correlation(evidence, shapes), thresholds, at_least, seed=0
        )
        assert abs(close[0] - probabilities(clauses, evidence, seed=0)[1]) < 0.025


def test_decided_is_shipped_or_held() -> None:
    assert decided_rate(np.array([0.95, 0.5, 0.01, Q - 1e-9]), Q) == 0.75
