"""Did something break? One test over all slices, which overlap: one of them is the culprit, or none is.

The statistic is log sum_s prior_s LR_s. Priors go with the square root of a slice's cost; slices with 80 % of the examples or more are
left out, since nothing remains to compare them with. LR_s compares

- "s is the culprit": of its examples that were right, s loses at the others' rate and what a fall of the stated size adds, or at the
  rate that was seen if that is higher; the others lose at their own; s gains as the others do, with
- "none is": all lose at one rate and gain alike (weight 0.9), or s is a slice where answers come and go, as many of them better as
  worse (weight 0.1). That is what a harmless change does to questions of which the system is unsure.

Rates of loss are smoothed as (lost + 1/2) / (right + 25), as if 2 % were known beforehand, rates of gain as (gained + 1/2) / (wrong +
2.5). Its p-value: losses shuffled over what was right and gains over what was wrong, clusters together with clusters of their size.

Berk, R. H. and Jones, D. H. (1979), Goodness-of-fit test statistics that dominate the Kolmogorov statistics, Z. Wahrsch. 47, 47-59.
Gangnon, R. E. and Clayton, M. K. (2001), A weighted average likelihood ratio test for spatial clustering of disease, Statistics in
Medicine 20(19), 2977-2987: the mixture over where something is.
Phipson, B. and Smyth, G. K. (2010), Permutation P-values should never be zero, Stat. Appl. Genet. Mol. Biol. 9(1), 39.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp, xlog1py, xlogy

DRAWS = 9_999
DIGITS = 9
"""The statistic is rounded, so that equal ones are equal."""
WIDE = 0.8
"""From this share of the examples on a slice is left out."""
VOLATILE = 0.1
"""How probable it is that a slice without a culprit is one where answers come and go."""
MOST = 0.95
"""The highest rate of loss that is thought of."""
FEWEST = 2
"""One loss is no pattern, however rare the slices that it is in: zero tolerance is for those that must not lose one."""
CHUNK = 2_000
"""Shuffles in memory at a time."""


@dataclass(frozen=True)
class Side:
    """The examples that can be lost, or those that can be gained."""

    members: np.ndarray
    """(examples, slices), 0 or 1."""
    sizes: np.ndarray
    """(slices,): the sums of `members`."""
    strata: tuple[np.ndarray, ...]
    """Their clusters by size: (clusters, size) places in the examples."""
    smoothing: float
    """How many examples' worth is known beforehand; half a change among them."""


@dataclass(frozen=True)
class Culprits:
    """What can be to blame on one dataset before one baseline; it does not depend on what came after."""

    right: Side
    wrong: Side
    prior: np.ndarray
    """(slices,), 0 where a slice is left out."""
    excess: np.ndarray
    """(slices,): the share of its right examples that a culprit loses beyond the others' rate."""
    volatile: float = VOLATILE


def culprits(right: np.ndarray, members: np.ndarray, costs: np.ndarray, clusters: np.ndarray, size: float) -> Culprits:
    """Right (examples,) before; members (examples, slices); costs (slices,) of a failure; size: the fall of accuracy to look for."""
    to_lose, to_gain = (_side(members[part], clusters[part], known) for part, known in ((right, 25.0), (~right, 2.5)))
    considered = (members.mean(axis=0) < WIDE) & (to_lose.sizes > 0)
    prior = np.where(considered, np.sqrt(costs), 0.0)
    excess = size * members.sum(axis=0) / np.maximum(to_lose.sizes, 1)
    return Culprits(to_lose, to_gain, prior / prior.sum() if prior.any() else prior, excess)


def _side(members: np.ndarray, clusters: np.ndarray, smoothing: float) -> Side:
    codes = np.unique(clusters, return_inverse=True)[1].reshape(-1)
    order, sizes = np.argsort(codes, kind="stable"), np.bincount(codes)
    starts = np.cumsum(sizes) - sizes
    strata = tuple(order[starts[sizes == size][:, None] + np.arange(size)] for size in np.unique(sizes))
    inside = members.astype(float)
    return Side(inside, inside.sum(axis=0), strata, smoothing)


def suspicions(of: Culprits, lost: np.ndarray, gained: np.ndarray) -> np.ndarray:
    """Each slice's share of the blame (slices,), given that one of them is to blame: prior times the likelihood that it is.

    0 for all where none can be. Not prior times LR: what LR_s compares with is another hypothesis for every slice (answers that come
    and go in s), and a slice that looks innocent of that is no likelier to be the culprit.
    """
    gains_elsewhere = _elsewhere(of.wrong, gained, g := gained @ of.wrong.members)
    gained_outside = _likelihood(gained.sum() - g, len(of.wrong.members) - of.wrong.sizes, gains_elsewhere)
    with np.errstate(divide="ignore"):
        weighed = _culprit(of, lost, gained) + gained_outside + np.log(of.prior)
    shares = np.exp(weighed - weighed.max()) if np.isfinite(weighed).any() else np.zeros(len(weighed))
    return np.asarray(shares / max(shares.sum(), 1e-300))


def statistic(of: Culprits, lost: np.ndarray, gained: np.ndarray) -> np.ndarray:
    """log sum_s prior_s LR_s of each row: lost (some, right examples) and gained (some, wrong examples), 0 or 1.

    -inf where fewer than two clusters lost anything.
    """
    found = np.round(logsumexp(_weighed(of, lost, gained), axis=-1), DIGITS)
    losers = sum((lost[:, places].any(axis=2).sum(axis=1) for places in of.right.strata), np.zeros(len(lost)))
    return np.asarray(np.where(losers >= FEWEST, found, -np.inf))


def _weighed(of: Culprits, lost: np.ndarray, gained: np.ndarray) -> np.ndarray:
    """log prior_s LR_s of each row and slice."""
    right, wrong = of.right, of.wrong
    k, b, g = lost.sum(axis=-1, keepdims=True), lost @ right.members, gained @ wrong.members
    n, n_s, w_s = len(right.members), right.sizes, wrong.sizes
    one_rate = _likelihood(k, n, (k + 0.5) / (n + right.smoothing)) + _likelihood(g, w_s, _elsewhere(wrong, gained, g))
    each_way = (b + g + 1) / 2
    comes = _likelihood(b, n_s, np.minimum(each_way / (n_s + 1), MOST))
    goes = _likelihood(g, w_s, np.minimum(each_way / (w_s + 1), MOST))
    others = _likelihood(k - b, n - n_s, _elsewhere(right, lost, b))
    none = np.logaddexp(np.log1p(-of.volatile) + one_rate, np.log(of.volatile) + comes + goes + others)
    with np.errstate(divide="ignore"):
        return np.asarray(_culprit(of, lost, gained) - none + np.log(of.prior))


def _culprit(of: Culprits, lost: np.ndarray, gained: np.ndarray) -> np.ndarray:
    """The log-likelihood of all losses, and of the gains in s, where s is the culprit: of each row and slice."""
    right, wrong = of.right, of.wrong
    k, b, g = lost.sum(axis=-1, keepdims=True), lost @ right.members, gained @ wrong.members
    elsewhere = _elsewhere(right, lost, b)
    here = np.minimum(np.maximum(elsewhere + of.excess, (b + 0.5) / (right.sizes + 1)), MOST)
    others = _likelihood(k - b, len(right.members) - right.sizes, elsewhere)
    gain = _likelihood(g, wrong.sizes, _elsewhere(wrong, gained, g))
    return _likelihood(b, right.sizes, here) + others + gain


def _elsewhere(side: Side, changed: np.ndarray, inside: np.ndarray) -> np.ndarray:
    outside = changed.sum(axis=-1, keepdims=True) - inside
    return np.asarray((outside + 0.5) / (len(side.members) - side.sizes + side.smoothing))


def _likelihood(changed: np.ndarray, of: np.ndarray | int, rate: np.ndarray) -> np.ndarray:
    return np.asarray(xlogy(changed, rate) + xlog1py(of - changed, -rate))


def null(of: Culprits, lost: np.ndarray, gained: np.ndarray, *, seed: int, draws: int = DRAWS) -> np.ndarray:
    """The statistic where the same changes fall anywhere, sorted. All it knows of `lost` and `gained` is in `kept_apart`."""
    rng = np.random.default_rng(seed)
    drawn = []
    for start in range(0, draws, CHUNK):
        some = min(CHUNK, draws - start)
        drawn.append(statistic(of, _shuffled(of.right, lost, some, rng), _shuffled(of.wrong, gained, some, rng)))
    return np.sort(np.concatenate(drawn))


def _shuffled(side: Side, changed: np.ndarray, draws: int, rng: np.random.Generator) -> np.ndarray:
    shuffled = np.empty((draws, len(changed)))
    for places, values in zip(side.strata, _by_size(side, changed), strict=True):
        order = rng.permuted(np.broadcast_to(np.arange(len(values)), (draws, len(values))), axis=1)
        shuffled[:, places] = rng.permuted(values[order], axis=2) if values.shape[1] > 1 else values[order]
    return shuffled


def _by_size(side: Side, changed: np.ndarray) -> list[np.ndarray]:
    """The changes of each cluster, by size of cluster, in an order that does not tell which cluster it was."""
    inner = [np.sort(changed[places], axis=1) for places in side.strata]
    return [values[np.lexsort(values.T)] for values in inner]


def kept_apart(of: Culprits, lost: np.ndarray, gained: np.ndarray) -> bytes:
    """What the reference distribution depends on: two comparisons that have it in common can share theirs."""
    return b"|".join(values.tobytes() for side, changed in ((of.right, lost), (of.wrong, gained)) for values in _by_size(side, changed))


def p_value(seen: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """The share of the sorted `reference` that is as extreme as what was seen, which is counted among it."""
    below = np.searchsorted(reference, seen, side="left")
    return np.asarray((len(reference) - below + 1) / (len(reference) + 1))
