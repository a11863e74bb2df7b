"""How many more examples would decide, if the rates seen are true.

The present examples stay; further ones are drawn like them, cluster by cluster, so that the mix of slices and the rates in it are those
that were seen. Wang, F. and Gelfand, A. E. (2002), A simulation-based approach to Bayesian sample size determination, Statistical
Science 17(2), 193-208.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.decision import approximate
from pipeline.decision.bootstrap import Rows
from pipeline.decision.joint import ClauseScores, bounds, evidence_of
from pipeline.decision.verdict import DIGITS

TARGET = 0.8
SIMULATIONS = 2_000
TIMES = 10
"""More than so many times the dataset is no plan."""
STEPS = 20


def more_examples(
    clauses: Sequence[ClauseScores],
    clusters: np.ndarray,
    q: float,
    *,
    seed: int,
    target: float = TARGET,
    simulations: int = SIMULATIONS,
) -> int | None:
    """The number from which on `target` of the simulations are decided, shipped or held; none where ten times the dataset is too few.

    It is for a dataset that is undecided as it is. Just beside a limit a handful can decide and a handful more undo it again: the
    number is the one from which on it stays decided.
    """
    evidence, (thresholds, at_least) = evidence_of(clauses, clusters), bounds(clauses)
    per_cluster = len(clusters) / int(evidence.counts.sum())
    most = TIMES * len(clusters)

    def decided(more: int) -> bool:
        shapes = _with_more(evidence, round(more / per_cluster), simulations, seed)
        joint = approximate.correlation(evidence, shapes.mean(axis=0))
        found = approximate.probability_all_met(approximate.marginals(evidence, shapes), joint, thresholds, at_least, seed=seed)
        return decided_rate(found, q) >= target

    low, high = 0, most
    for more in sorted({max(1, round(most ** (step / STEPS))) for step in range(STEPS + 1)}, reverse=True):
        if not decided(more):
            low = more
            break
        high = more
    if low == most:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decided(middle) else (middle, high)
    return high


def decided_rate(probabilities: np.ndarray, q: float) -> float:
    """The share of P(all met) that ship or hold."""
    rounded = np.round(probabilities, DIGITS)
    return float(np.mean((rounded >= round(q, DIGITS)) | (rounded <= round(min(q, 1 - q), DIGITS))))


def _with_more(evidence: Rows, clusters: int, simulations: int, seed: int) -> np.ndarray:
    """Shapes (simulations, rows) after so many further clusters."""
    rng = np.random.default_rng([seed, clusters])
    further = rng.multinomial(clusters, evidence.counts / evidence.counts.sum(), simulations)
    return np.asarray((evidence.counts + further) @ evidence.kinds)
