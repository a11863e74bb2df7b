"""Weights of the Bayesian bootstrap for figures that are no proportion: one weight a cluster, shared by everything measured at once.

Rubin, D. B. (1981), The Bayesian bootstrap, Annals of Statistics 9(1), 130-134.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

CELLS = 4_000_000
"""Weights in memory at a time."""


@dataclass(frozen=True)
class Draws:
    """How intervals are drawn."""

    level: float
    """What they shall hold, such as 0.95."""
    resamples: int
    seed: int


def weights(clusters: np.ndarray, draws: int, seed: int) -> Iterator[np.ndarray]:
    """Chunks of (draws, rows): a Gamma(1) weight for each row's cluster."""
    names, codes = np.unique(clusters, return_inverse=True)
    rng = np.random.default_rng(seed)
    step = max(1, CELLS // max(1, len(codes)))
    for start in range(0, draws, step):
        yield rng.standard_gamma(1.0, (min(step, draws - start), len(names)))[:, codes.reshape(-1)]


def weighted_rates(hits: np.ndarray, inside: np.ndarray, mass: np.ndarray, clusters: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """(resamples, slices) of the weighted share of `hits` (rows,) in each slice. `inside` is (rows, slices), `mass` what a row stands for.

    Half a hit and half a miss beside the data, as in pipeline.decision.bootstrap, so that a slice in which nothing failed is not sure
    never to fail; one counts as much as a typical row of its slice.
    """
    of_slice = inside * mass[:, None]
    sums = of_slice.sum(axis=0)
    typical = np.divide((of_slice**2).sum(axis=0), sums, out=np.ones_like(sums), where=sums > 0)
    rng = np.random.default_rng([seed, 1])
    rates = []
    for drawn in weights(clusters, resamples, seed):
        failing, all_ = drawn @ (of_slice * hits[:, None]), drawn @ of_slice
        more, less = (rng.standard_gamma(0.5, failing.shape) * typical for _ in range(2))
        rates.append((failing + more) / (all_ + more + less))
    return np.concatenate(rates) if rates else np.empty((0, inside.shape[1]))


def interval(drawn: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Equal-tailed limits of each column, NaN draws left out."""
    low, high = np.nanquantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high
