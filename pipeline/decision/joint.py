"""Whether all clauses hold, judged together: nested and overlapping slices share their examples, hence their luck.

One Bayesian bootstrap (bootstrap.py): a Gamma(1) weight per cluster, shared by all clauses, and for each clause a pseudo-success and a
pseudo-failure of Gamma(1/2). Every clause alone is then judged by Jeffreys's posterior.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.decision import bootstrap
from pipeline.decision.intervals import of_rows
from pipeline.decision.verdict import DIGITS

DRAWS = 100_000


@dataclass(frozen=True)
class ClauseScores:
    """What one clause is about, over the examples of the dataset in their order."""

    name: str
    scores: np.ndarray
    """(examples,) in 0..1, each the mean over epochs; NaN where the example is outside of the slice, or the metric does not apply."""
    threshold: float
    at_least: bool = True
    """False where the clause is met by at most the threshold."""
    weights: np.ndarray | None = None
    """(examples,) above 0, for a metric that is weighted; a mean counts every example alike."""


@dataclass(frozen=True)
class ClausePosterior:
    name: str
    n: int
    """Examples."""
    value: float | None
    """What was seen, without pseudo-observations; none where nothing was."""
    low: float
    high: float
    probability: float
    """That the clause holds, rounded to verdict.DIGITS."""


@dataclass(frozen=True)
class Posterior:
    clauses: tuple[ClausePosterior, ...]
    probability_all_met: float
    """Rounded to verdict.DIGITS."""


def posterior(clauses: Sequence[ClauseScores], clusters: np.ndarray, *, seed: int, level: float = 0.95, draws: int = DRAWS) -> Posterior:
    """The clauses' posteriors, alone and together. `clusters` (examples,) names the conversation or incident of each example."""
    evidence = evidence_of(clauses, clusters)
    alone, together = probabilities(clauses, evidence, seed=seed, draws=draws)
    found = []
    for index, clause in enumerate(clauses):
        low, high = of_rows(evidence, index, level, seed)
        found.append(ClausePosterior(clause.name, *_seen(clause), low, high, float(alone[index])))
    return Posterior(tuple(found), together)


def probabilities(clauses: Sequence[ClauseScores], evidence: bootstrap.Rows, *, seed: int, draws: int = DRAWS) -> tuple[np.ndarray, float]:
    """That each clause holds (k,), and that all do; rounded."""
    thresholds, at_least = bounds(clauses)
    met, all_met = np.zeros(len(clauses)), 0
    for some in bootstrap.draw(evidence, draws, seed):
        holds = np.where(at_least, some >= thresholds, some <= thresholds)
        met += holds.sum(axis=0)
        all_met += int(holds.all(axis=1).sum())
    return np.round(met / draws, DIGITS), round(all_met / draws, DIGITS)


def evidence_of(clauses: Sequence[ClauseScores], clusters: np.ndarray) -> bootstrap.Rows:
    """The clauses' scores as weighted rows. Raises ValueError where there is no clause or lengths differ."""
    if not clauses:
        raise ValueError("no clause to judge")
    scores = np.column_stack([clause.scores for clause in clauses]).astype(float)
    ones = np.ones(len(scores))
    weights = np.column_stack([ones if clause.weights is None else clause.weights for clause in clauses])
    if len(clusters) != len(scores):
        raise ValueError(f"{len(scores)} examples, and clusters of {len(clusters)}")
    return bootstrap.rows(scores, np.asarray(clusters), weights)


def bounds(clauses: Sequence[ClauseScores]) -> tuple[np.ndarray, np.ndarray]:
    """Thresholds and whether each is a least value."""
    return np.array([clause.threshold for clause in clauses]), np.array([clause.at_least for clause in clauses])


def _seen(clause: ClauseScores) -> tuple[int, float | None]:
    inside = ~np.isnan(clause.scores)
    if not inside.any():
        return 0, None
    weights = None if clause.weights is None else clause.weights[inside]
    return int(inside.sum()), round(float(np.average(clause.scores[inside], weights=weights)), bootstrap.DIGITS)
