"""What a clause can decide with the examples that it has: before a system is asked anything.

Exact: the verdict of every count of successes (joint.py's marginal, a Beta), weighted by the binomial probability of that count.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import betainc, betaincinv
from scipy.stats import binom

from pipeline.decision.joint import ClauseScores, posterior
from pipeline.decision.verdict import DIGITS

SURE = 0.8
RATE_DIGITS = 4


@dataclass(frozen=True)
class Reach:
    """Rates are of the metric itself: of failures where the clause says at most."""

    n: int
    least_examples: int | None
    """The fewest examples, all of them right, that would meet the clause; none where no number would."""
    can_ship: bool
    can_hold: bool
    ships_at_threshold: float
    """How often a system whose true rate is exactly the threshold would be called good enough."""
    holds_at_threshold: float
    ships_from: float | None
    """The true rate from which on that happens in 80 % of cases; none where it never does."""
    holds_to: float | None
    """The true rate that is found missed in 80 % of cases; none where none is."""


def reach(n: int, threshold: float, q: float, *, at_least: bool = True) -> Reach:
    """Of one clause on its own, with `n` examples that are each a cluster of their own."""
    need = threshold if at_least else 1 - threshold
    met = probabilities(n, need)
    ships, holds = met >= round(q, DIGITS), (met <= round(min(q, 1 - q), DIGITS)) & (met < round(q, DIGITS))
    counts = np.arange(n + 1)
    at_threshold = binom.pmf(counts, n, need)
    ships_from = holds_to = None
    if ships.any():
        fewest = int(counts[ships][0])
        ships_from = float(betaincinv(fewest, n - fewest + 1, SURE)) if fewest else 0.0
    if holds.any():
        most = int(counts[holds][-1])
        holds_to = float(betaincinv(most + 1, n - most, 1 - SURE)) if most < n else 1.0
    return Reach(
        n,
        least_examples(need, q),
        bool(ships.any()),
        bool(holds.any()),
        round(float(at_threshold[ships].sum()), DIGITS),
        round(float(at_threshold[holds].sum()), DIGITS),
        _as_metric(ships_from, at_least),
        _as_metric(holds_to, at_least),
    )


def probabilities(n: int, threshold: float) -> np.ndarray:
    """(n + 1,): how probably the rate is at least the threshold, after 0 to n successes; rounded as a verdict's."""
    counts = np.arange(n + 1)
    return np.asarray(np.round(1 - betainc(counts + 0.5, n - counts + 0.5, threshold), DIGITS))


def least_examples(threshold: float, q: float) -> int | None:
    """The fewest examples that meet "at least `threshold`" with q where all of them are right."""

    def meets(n: int) -> bool:
        return bool(round(float(1 - betainc(n + 0.5, 0.5, threshold)), DIGITS) >= round(q, DIGITS))

    high = 1
    while not meets(high):
        high *= 2
        if high > 1_000_000:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if meets(middle) else (middle, high)
    return high


def best_case(clauses: Sequence[ClauseScores], clusters: np.ndarray, *, seed: int) -> float:
    """P(all met) were every example right: a contract that does not reach q so can ship nothing on this dataset."""
    return posterior([_all_right(clause) for clause in clauses], clusters, seed=seed).probability_all_met


def _all_right(clause: ClauseScores) -> ClauseScores:
    return replace(clause, scores=np.where(np.isnan(clause.scores), np.nan, 1.0 if clause.at_least else 0.0))


def _as_metric(rate: float | None, at_least: bool) -> float | None:
    return None if rate is None else round(rate if at_least else 1 - rate, RATE_DIGITS)
