"""Which of two systems to take at the written costs, from their scores on the same examples.

Only examples on which they differ tell anything: B is better where it wins more of that difference than it loses. Its probability is
joint.py's for "B wins at least half", whose marginal, with one answer an example, is Beta(wins + 1/2, losses + 1/2). For comparison:
McNemar's mid-p; Fagerland, M. W., Lydersen, S. and Laake, P. (2013), The McNemar test for binary matched-pairs data, BMC Medical
Research Methodology 13:91.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from pipeline.decision import bootstrap
from pipeline.decision.joint import ClauseScores, posterior
from pipeline.decision.needed import more_examples
from pipeline.decision.verdict import status

DRAWS = 20_000


@dataclass(frozen=True)
class Comparison:
    take: Literal["A", "B", "undecided"]
    probability_b_better: float
    """Rounded to verdict.DIGITS."""
    n: int
    a: float
    """Mean score, weighted where weights are given."""
    b: float
    low: float
    """The interval of b - a."""
    high: float
    b_wins: int
    """Examples on which B scores higher."""
    a_wins: int
    more_examples_needed: int | None
    """0 where it is decided, none where more than ten times the dataset is needed."""


def compare(
    a: np.ndarray, b: np.ndarray, clusters: np.ndarray, q: float, *, seed: int, weights: np.ndarray | None = None, level: float = 0.95
) -> Comparison:
    """Scores (examples,) of A, which is there, and B, which would replace it; `weights` are the examples' costs of failure.

    q is verdict.strictness: how sure to be that B is better before it replaces A. A is kept where B is better with 1 - q at most (or q,
    if that is smaller). Raises ValueError where an example lacks a score.
    """
    if len(a) == 0 or np.isnan(a).any() or np.isnan(b).any():
        raise ValueError("two systems are compared on examples that both have a score for")
    costs = np.ones(len(a)) if weights is None else np.asarray(weights, float)
    difference = np.round(b - a, bootstrap.DIGITS)
    differs = difference != 0
    wins = ClauseScores(
        "b better", np.where(differs, difference > 0, np.nan), 0.5, weights=np.where(differs, np.abs(difference) * costs, 1.0)
    )
    probability = posterior([wins], clusters, seed=seed).probability_all_met
    found = status(probability, q)
    take: dict[str, Literal["A", "B", "undecided"]] = {"met": "B", "missed": "A", "undecided": "undecided"}
    drawn = _differences(difference, costs, clusters, seed)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Comparison(
        take[found],
        probability,
        len(a),
        float(np.average(a, weights=costs)),
        float(np.average(b, weights=costs)),
        float(low),
        float(high),
        int(np.sum(difference > 0)),
        int(np.sum(difference < 0)),
        0 if found != "undecided" else more_examples([wins], clusters, q, seed=seed),
    )


def _differences(difference: np.ndarray, costs: np.ndarray, clusters: np.ndarray, seed: int) -> np.ndarray:
    """Draws of b - a from the same bootstrap: half an example is won and half a one lost beside the data."""
    codes = np.unique(clusters, return_inverse=True)[1].reshape(-1)
    sums = np.stack([np.bincount(codes, difference * costs), np.bincount(codes, costs)], axis=1)
    kinds, counts = np.unique(np.round(sums, bootstrap.DIGITS), axis=0, return_counts=True)
    rng = np.random.default_rng(seed)
    weights = rng.standard_gamma(counts, (DRAWS, len(counts)))
    won, lost = (kinds[:, 1] ** 2 @ counts / (kinds[:, 1] @ counts)) * rng.standard_gamma(0.5, (2, DRAWS))
    change, size = (weights @ kinds).T
    return np.asarray((change + won - lost) / (size + won + lost))
