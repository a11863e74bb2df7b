"""Intervals of a proportion. The only place that makes one.

Brown, L. D., Cai, T. T. and DasGupta, A. (2001), Interval Estimation for a Binomial Proportion, Statistical Science 16(2), 101-133.
"""

from scipy.special import betaincinv


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


def _check(successes: float, failures: float, level: float) -> None:
    if successes < 0 or failures < 0 or not 0 < level < 1:
        raise ValueError(f"no interval of {successes} successes and {failures} failures at level {level}")
