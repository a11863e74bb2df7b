"""What broke? A test of each slice that holds the rate of any false name, overlapping slices and clusters included.

Each slice: McNemar's test, exact and one-sided towards losses; where scores are fractions or clusters have several examples, its
generalisation, which flips the sign of a cluster's change. Names: step-down minP over joint sign flips.

McNemar, Q. (1947), Note on the sampling error of the difference between correlated proportions or percentages, Psychometrika 12(2).
Westfall, P. H. and Young, S. S. (1993), Resampling-Based Multiple Testing, algorithm 2.8 (step-down minP).
"""

import numpy as np
from scipy.stats import binom

DRAWS = 9_999
DIGITS = 9
P_DIGITS = 6


def changes(change: np.ndarray, members: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """Loss minus gain of each cluster that changed at all, in each slice: (clusters, slices). `change` is before minus after."""
    codes = np.unique(clusters, return_inverse=True)[1].reshape(-1)
    sums: np.ndarray = np.round(np.stack([np.bincount(codes, change * column) for column in members.T], axis=1), DIGITS)
    return np.asarray(sums[sums.any(axis=1)])


def raw_p(by_cluster: np.ndarray, *, seed: int, draws: int = DRAWS) -> np.ndarray:
    """Each slice's own p-value, towards losses: exact where every change is by one, or all flips can be tried."""
    flipped = _flips(by_cluster, draws, seed)
    return _p(by_cluster, flipped[:1], flipped)[0]


def adjusted_p(by_cluster: np.ndarray, *, seed: int, draws: int = DRAWS) -> tuple[np.ndarray, np.ndarray]:
    """Raw and adjusted p-values (slices,). An adjusted one is never below the raw one, nor out of its order."""
    flipped = _flips(by_cluster, draws, seed)
    drawn = np.round(_p(by_cluster, flipped, flipped), DIGITS)
    raw = drawn[0]
    order = np.argsort(-raw, kind="stable")
    least, adjusted = np.ones(len(drawn)), np.empty_like(raw)
    for slice_ in order:
        least = np.minimum(least, drawn[:, slice_])
        adjusted[slice_] = max(np.mean(least <= raw[slice_]), raw[slice_])
    adjusted[order[::-1]] = np.maximum.accumulate(adjusted[order[::-1]])
    return np.round(raw, P_DIGITS), np.round(adjusted, P_DIGITS)


def _flips(by_cluster: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Sums of changes (flips, slices): first as they are, then with every combination of signs, or with random ones."""
    clusters = len(by_cluster)
    if 2**clusters <= draws + 1:
        signs = 1 - 2 * (np.arange(2**clusters)[:, None] >> np.arange(clusters) & 1)
    else:
        drawn = np.random.default_rng(seed).integers(0, 2, (draws, clusters)) * 2 - 1
        signs = np.vstack([np.ones((1, clusters), int), drawn])
    return np.asarray(np.round(signs @ by_cluster, DIGITS))


def _p(by_cluster: np.ndarray, sums: np.ndarray, flipped: np.ndarray) -> np.ndarray:
    """p-values of `sums` (some, slices)."""
    found = np.ones(sums.shape)
    changed = (by_cluster != 0).sum(axis=0)
    by_one = (np.abs(by_cluster) == (by_cluster != 0)).all(axis=0)
    for slice_, count in enumerate(changed):
        if by_one[slice_]:
            found[:, slice_] = binom.sf((sums[:, slice_] + count) / 2 - 1, count, 0.5)
        else:
            below = np.searchsorted(np.sort(flipped[:, slice_]), sums[:, slice_], side="left")
            found[:, slice_] = 1 - below / len(flipped)
    return found


def net_p(losses: np.ndarray | int, gains: np.ndarray | int) -> np.ndarray:
    """Exact one-sided McNemar of counts: how probable as many losses are among the changes, were either as likely."""
    return np.asarray(binom.sf(np.asarray(losses) - 1, np.asarray(losses) + np.asarray(gains), 0.5))
