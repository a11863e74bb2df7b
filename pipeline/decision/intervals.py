"""Intervals of a proportion. The only place that makes one.

Brown, L. D., Cai, T. T. and DasGupta, A. (2001), Interval Estimation for a Binomial Proportion, Statistical Science 16(2), 101-133.
"""

import numpy as np
from scipy.special import betaincinv

from pipeline.decision import bootstrap

DRAWS = 20_000


def jeffreys(successes: float, failures: float, level: float) -> tuple[float, float]:
    """The equal-tailed interval of Beta(successes + 1/2, failures + 1/2), Brown et al. section 4.3: the marginal that the gate uses.

    As there, it begins at 0 where nothing succeeded and ends at 1 where nothing failed. Successes may be fractions: an example's
    score is its mean over epochs.
    """
    _check(successes, failures, level)
    a, b, tail = successes + 0.5, failures + 0.5, (1 - level) / 2
    low = 0.0 if successes == 0 else float(betaincinv(a, b, tail))
    high = 1.0 if failures == 0 else float(betaincinv(a, b, 1 - tail))
    return low, high


def wilson(successes: float, failures: float, level: float) -> tuple[float, float]:
    """Wilson's score interval, Brown et al. section 3.1.1, for display beside Jeffreys's."""
    from statsmodels.stats.proportion import proportion_confint  # takes a second to import, and few ask for it

    _check(successes, failures, level)
    if successes + failures == 0:
        return 0.0, 1.0
    low, high = proportion_confint(successes, successes + failures, alpha=1 - level, method="wilson")
    return float(low), float(high)


def clustered(
    scores: np.ndarray, clusters: np.ndarray, level: float, *, seed: int, weights: np.ndarray | None = None
) -> tuple[float, float]:
    """The interval of a mean of `scores` (examples,) in 0..1, where examples of one cluster are alike: bootstrap.py's posterior.

    It is jeffreys's where every example is a cluster of its own and none is weighted.
    """
    columns = None if weights is None else np.asarray(weights, float)[:, None]
    return of_rows(bootstrap.rows(np.asarray(scores, float)[:, None], np.asarray(clusters), columns), 0, level, seed)


def of_rows(evidence: bootstrap.Rows, proportion: int, level: float, seed: int) -> tuple[float, float]:
    """The interval of one of the proportions in `evidence`: exact where it is a Beta, else from draws."""
    sizes, hits, shapes = evidence.sizes[:, proportion], evidence.hits[:, proportion], evidence.shapes
    one_size = np.unique(sizes[sizes > 0])
    if len(one_size) <= 1 and np.isin(hits, [0.0, *one_size]).all():
        succeeds = (hits > 0) & (sizes > 0)
        successes = round(float(shapes[succeeds].sum()), bootstrap.DIGITS - 3)
        failures = round(float(shapes[(sizes > 0) & ~succeeds].sum()), bootstrap.DIGITS - 3)
        return jeffreys(successes, failures, level)
    alone = bootstrap.Rows(
        evidence.hits[:, [proportion]], evidence.sizes[:, [proportion]], evidence.kinds, evidence.counts, evidence.pseudo[[proportion]]
    )
    drawn = np.concatenate(list(bootstrap.draw(alone, DRAWS, seed)))[:, 0]
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def resampled(sums: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """The column sums of `resamples` draws of as many rows (clusters) as there are, with replacement: for figures that are no mean.

    Efron, B. and Tibshirani, R. (1993), An Introduction to the Bootstrap, section 13.3: their percentiles are an interval.
    """
    rng = np.random.default_rng(seed)
    return np.array([sums[rng.integers(0, len(sums), len(sums))].sum(axis=0) for _ in range(resamples)])


def _check(successes: float, failures: float, level: float) -> None:
    if successes < 0 or failures < 0 or not 0 < level < 1:
        raise ValueError(f"no interval of {successes} successes and {failures} failures at level {level}")
