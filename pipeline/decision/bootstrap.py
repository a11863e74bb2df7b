"""The Bayesian bootstrap behind every posterior: one weight per cluster, shared by all proportions that are judged together.

Rubin, D. B. (1981), The Bayesian bootstrap, Annals of Statistics 9(1), 130-134: weights Dirichlet(1, ..., 1), here as Gamma(1) each.
Owen, A. B. and Eckles, D. (2012), Bootstrapping data arrays of arbitrary order, Annals of Applied Statistics 6(3), 895-927: a weight
per cluster where examples of one conversation are alike.
Brown, L. D., Cai, T. T. and DasGupta, A. (2001), Interval Estimation for a Binomial Proportion, Statistical Science 16(2), 101-133:
half a success and half a failure beside the data make a Beta(s + 1/2, f + 1/2), Jeffreys's posterior.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

DIGITS = 12
"""Sums over a cluster are rounded, so that the order of examples changes nothing."""
CELLS = 4_000_000
"""Weights in memory at a time."""


@dataclass(frozen=True)
class Rows:
    """Weighted evidence about k proportions: equal rows of it are one row, whose weight is Gamma(shape).

    A proportion is sum(weight * hits) / sum(weight * sizes), with the pseudo-observations among the summands.
    """

    hits: np.ndarray
    """(rows, k): how much of the row's size is success."""
    sizes: np.ndarray
    """(rows, k): how much the row counts; 0 where it is outside of the proportion."""
    kinds: np.ndarray
    """(kinds, rows): the shapes that one cluster of each kind adds. They sum to 1."""
    counts: np.ndarray
    """(kinds,): how many clusters are of each kind."""
    pseudo: np.ndarray
    """(k,): size of a pseudo-observation: that of a typical cluster, 1 where every cluster is one example."""

    @property
    def shapes(self) -> np.ndarray:
        return np.asarray(self.counts @ self.kinds)


def rows(scores: np.ndarray, clusters: np.ndarray, weights: np.ndarray | None = None) -> Rows:
    """Evidence from `scores` (examples, k) in 0..1, NaN where an example is outside of a proportion.

    A score that is a fraction, such as a mean over epochs, is that much of a success and the rest of a failure: the cluster's Gamma(1)
    falls into Gammas that sum to it, and the marginal of every proportion of examples with clusters of their own is exactly
    Beta(s + 1/2, f + 1/2). Where a cluster has several scores, they succeed together as far as they can.
    """
    inside = ~np.isnan(scores)
    if np.any((scores < 0) | (scores > 1)):
        raise ValueError("scores lie in 0..1")
    size = inside * (np.ones_like(scores) if weights is None else weights)
    filled = np.round(np.where(size > 0, scores, 0.0), DIGITS)
    codes = np.unique(clusters, return_inverse=True)[1].reshape(-1)
    sizes, hits = _by_code(size, codes), _by_code(size * filled, codes)
    in_parts = np.zeros(len(sizes), bool)
    in_parts[codes[((filled > 0) & (filled < 1)).any(axis=1)]] = True
    whole = np.unique(np.hstack([sizes, hits])[~in_parts], axis=0, return_counts=True)
    parts = _in_parts(filled, size, codes, np.flatnonzero(in_parts))
    sums = sizes.sum(axis=0)
    pseudo = np.divide((sizes**2).sum(axis=0), sums, out=np.ones_like(sums), where=sums > 0)
    return _together(whole, parts, np.round(pseudo, DIGITS))


def _by_code(values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    return np.round(np.stack([np.bincount(codes, column) for column in values.T], axis=1), DIGITS)


Parts = tuple[np.ndarray, np.ndarray]
"""Rows (rows, 2 k) of sizes and hits, and how many clusters are each of them, or (clusters, rows) how much of each cluster is."""


def _in_parts(scores: np.ndarray, size: np.ndarray, codes: np.ndarray, of: np.ndarray) -> Parts:
    """Clusters with fractions in them. One succeeds in a score s on the part [0, s) of its weight: a row lies between two scores."""
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes))
    owners, shapes, found = [], [], [np.empty((0, 2 * size.shape[1]))]
    for place, cluster in enumerate(of):
        examples = order[(ends[cluster - 1] if cluster else 0) : ends[cluster]]
        score, count = scores[examples], size[examples]
        for low, high in pairwise(np.unique(np.concatenate(([0.0, 1.0], score[count > 0])))):
            owners.append(place)
            shapes.append(high - low)
            found.append(np.concatenate([count.sum(axis=0), (count * (score >= high)).sum(axis=0)])[None])
    distinct, which = np.unique(np.round(np.concatenate(found), DIGITS), axis=0, return_inverse=True)
    per_cluster = np.zeros((len(of), len(distinct)))
    np.add.at(per_cluster, (np.array(owners, int), which.reshape(-1)), shapes)
    return distinct, np.round(per_cluster, DIGITS)


def _together(whole: Parts, parts: Parts, pseudo: np.ndarray) -> Rows:
    """Rows that both have are one; a cluster that is whole is of a kind that has one row."""
    distinct, which = np.unique(np.concatenate([whole[0], parts[0]]), axis=0, return_inverse=True)
    of_whole, of_parts = np.split(which.reshape(-1), [len(whole[0])])
    split, split_counts = np.unique(parts[1], axis=0, return_counts=True)
    kinds = np.zeros((len(of_whole) + len(split), len(distinct)))
    kinds[np.arange(len(of_whole)), of_whole] = 1.0
    kinds[len(of_whole) :, of_parts] = split
    k = len(pseudo)
    return Rows(distinct[:, k:], distinct[:, :k], kinds, np.concatenate([whole[1], split_counts]), pseudo)


def draw(evidence: Rows, draws: int, seed: int) -> Iterator[np.ndarray]:
    """Joint draws of the proportions from their posterior, in arrays (some, k) that sum to `draws` rows."""
    rng = np.random.default_rng(seed)
    used = evidence.sizes.any(axis=1)
    shapes, hits, sizes = evidence.shapes[used], evidence.hits[used], evidence.sizes[used]
    k, left = len(evidence.pseudo), draws
    while left:
        some = min(left, max(1, CELLS // (len(shapes) + 2 * k)))
        weights = rng.standard_gamma(shapes, (some, len(shapes)))
        success, failure = evidence.pseudo * rng.standard_normal((2, some, k)) ** 2 / 2  # Gamma(1/2) is half a chi-squared
        yield (weights @ hits + success) / (weights @ sizes + success + failure)
        left -= some
