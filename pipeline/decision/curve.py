"""How probably a gate sees a fall in a slice of n examples: what an example more there is worth, before any system is asked.

The slice is judged alone by the exact binomial test against known noise: a share `background` of answers comes out worse in any rerun,
and b losses among n are a finding where P(Bin(n, background) >= b) <= level, b at least pooled.FEWEST. A fall by `size` is then seen
with P(Bin(n, background + size) >= b). As in the gate, a slice's level is its prior's share of the level that pooled.py has: priors go
with the square root of the cost. The gate estimates the noise instead of knowing it, so real power is lower, most for small n.

Fleiss, J. L., Levin, B. and Paik, M. C. (2003), Statistical Methods for Rates and Proportions, 3rd ed., section 2.5: the exact test
and its power.
"""

from collections.abc import Sequence

import numpy as np
from scipy.stats import binom

from pipeline.decision.pooled import FEWEST
from pipeline.decision.regression import POOLED_SHARE

BACKGROUND = 0.02


def levels(costs: Sequence[float], level: float) -> np.ndarray:
    """(slices,): each slice's own level, of a gate at `level`."""
    prior = np.sqrt(np.asarray(costs, float))
    return np.asarray(level * POOLED_SHARE * prior / prior.sum())


def seen(most: int, size: float, level: float, background: float = BACKGROUND) -> np.ndarray:
    """(most + 1,): how probably a fall by `size` is seen among 0 to `most` examples, rising in steps and not smoothly."""
    n = np.arange(most + 1)
    fewest = np.maximum(binom.isf(level, n, background).astype(int) + 1, FEWEST)
    return np.asarray(binom.sf(fewest - 1, n, min(1.0, background + size)))


def concave(values: np.ndarray) -> np.ndarray:
    """The least concave curve that is nowhere below `values` (upper hull, Andrew's monotone chain)."""
    hull: list[int] = []
    for place in range(len(values)):
        while len(hull) > 1 and _under(values, hull[-2], hull[-1], place):
            hull.pop()
        hull.append(place)
    return np.interp(np.arange(len(values)), hull, values[hull])


def _under(values: np.ndarray, left: int, middle: int, right: int) -> bool:
    return bool((values[middle] - values[left]) * (right - left) <= (values[right] - values[left]) * (middle - left))
