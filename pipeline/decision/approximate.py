"""P(all clauses met) of thousands of simulated datasets: joint.py's probability without its draws, for planning alone.

Each clause's marginal is the Beta with the mean and variance of its Bayesian bootstrap, which is exact where every example counts alike
and is a cluster of its own; clauses are joined by a Gaussian copula with the bootstrap's correlations. No verdict uses this.

Nelsen, R. B. (2006), An Introduction to Copulas, section 2.3; the variance of a weighted Dirichlet mean to first order: Owen, A. B.
(2001), Empirical Likelihood, section 9.5.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, ndtri

from pipeline.decision.bootstrap import Rows

POINTS = 4_000
CHUNK = 500


@dataclass(frozen=True)
class Marginals:
    mean: np.ndarray
    """(datasets, k)"""
    variance: np.ndarray
    """(datasets, k)"""


def marginals(evidence: Rows, shapes: np.ndarray) -> Marginals:
    """Of datasets that have the evidence's rows with other `shapes` (datasets, rows)."""
    hits, sizes = evidence.hits, evidence.sizes
    return from_sums(
        shapes @ hits, shapes @ sizes, (shapes @ hits**2, shapes @ (hits * sizes), shapes @ sizes**2), shapes @ (sizes > 0), evidence.pseudo
    )


def from_sums(
    hits: np.ndarray, sizes: np.ndarray, squares: tuple[np.ndarray, np.ndarray, np.ndarray], clusters: np.ndarray, pseudo: np.ndarray
) -> Marginals:
    """From sums over clusters (datasets, k): hits, sizes, (hits^2, hits * sizes, sizes^2) and how many clusters count."""
    total = sizes + pseudo
    mean = (hits + pseudo / 2) / total
    of_data = squares[0] - 2 * mean * squares[1] + mean**2 * squares[2]
    of_pseudo = pseudo**2 * ((1 - mean) ** 2 + mean**2) / 2
    return Marginals(mean, (of_data + of_pseudo) / total**2 * (clusters + 1) / (clusters + 2))


def correlation(evidence: Rows, shapes: np.ndarray) -> np.ndarray:
    """(k, k) correlations between the proportions of one dataset with these `shapes` (rows,)."""
    total = shapes @ evidence.sizes + evidence.pseudo
    mean = (shapes @ evidence.hits + evidence.pseudo / 2) / total
    residuals = (evidence.hits - mean * evidence.sizes) / total
    covariance = (residuals * shapes[:, None]).T @ residuals
    return _scaled(covariance, mean, evidence.pseudo, total)


def correlation_of(sizes: np.ndarray, scores: np.ndarray, pseudo: np.ndarray) -> np.ndarray:
    """The same from the sizes (clusters, k) and mean scores (clusters,) of clusters that succeed or fail as a whole."""
    total = sizes.sum(axis=0) + pseudo
    mean = (scores @ sizes + pseudo / 2) / total
    won, lost = sizes * (1 - mean) / total, sizes * mean / total
    return _scaled((won * scores[:, None]).T @ won + (lost * (1 - scores[:, None])).T @ lost, mean, pseudo, total)


def _scaled(covariance: np.ndarray, mean: np.ndarray, pseudo: np.ndarray, total: np.ndarray) -> np.ndarray:
    covariance = covariance + np.diag(pseudo**2 * ((1 - mean) ** 2 + mean**2) / 2 / total**2)
    spread = np.sqrt(np.diag(covariance))
    return np.asarray(covariance / np.outer(spread, spread))


def probability_all_met(of: Marginals, joint: np.ndarray, thresholds: np.ndarray, at_least: np.ndarray, *, seed: int) -> np.ndarray:
    """(datasets,) P(all met), with the correlations `joint` (k, k)."""
    alone = _alone(of, thresholds, at_least)
    k = alone.shape[1]
    if k == 1:
        return alone[:, 0]
    signs = np.where(at_least, 1.0, -1.0)
    factor = np.linalg.cholesky(joint * np.outer(signs, signs) + 1e-9 * np.eye(k))
    points = np.random.default_rng(seed).standard_normal((POINTS, k)) @ factor.T
    limits = ndtri(alone)
    found = np.empty(len(alone))
    for start in range(0, len(alone), CHUNK):
        some = limits[start : start + CHUNK]
        met = np.ones((len(some), POINTS), bool)
        for clause in range(k):
            met &= points[:, clause] <= some[:, [clause]]
        found[start : start + CHUNK] = met.mean(axis=1)
    return found


def _alone(of: Marginals, thresholds: np.ndarray, at_least: np.ndarray) -> np.ndarray:
    strength = of.mean * (1 - of.mean) / of.variance - 1
    below = betainc(of.mean * strength, (1 - of.mean) * strength, thresholds)
    return np.where(at_least, 1 - below, below)
