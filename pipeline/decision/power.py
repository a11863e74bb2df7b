"""Catching power: how often the gate would hold a release in which one slice got worse, and how often one in which nothing did.

Caught is held, cry-wolf is held though nothing is worse. The gate is the real one but for P(all clauses met), which is approximate.py's.
What came after is drawn (`worsened`) from the scores of answers that were made worse, or, where none were, from right and wrong alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from pipeline.decision import approximate, familywise, pooled
from pipeline.decision.intervals import jeffreys
from pipeline.decision.joint import ClauseScores, bounds
from pipeline.decision.regression import POOLED_SHARE, combined, state
from pipeline.decision.verdict import decide

REPEATS = 200
NULL_DRAWS = 999
LIFT_DRAWS = 199
"""Fewer, since a lift is read off a hundred releases of many datasets, each with a reference distribution of its own."""
WEIGHED_DRAWS = 10_000
LEVEL = 0.95
TARGET = 0.8
MOST_LIFT = 200


@dataclass(frozen=True)
class Gate:
    """A gate on one dataset, as it stands before an answer comes in."""

    before: np.ndarray
    """(examples,) scores of the system now, means over epochs."""
    clusters: np.ndarray
    members: pd.DataFrame
    """Booleans in the examples' order, a column per slice."""
    costs: Mapping[str, float]
    """Cost of a failure by slice; 1 where it is not named."""
    clauses: Sequence[ClauseScores]
    """Their scores tell only which examples are inside; none where regressions alone are gated."""
    q: float
    level: float = 0.05
    size: float = 0.3
    """The fall that the regression test looks for, whatever the fall it meets."""
    zero_tolerance: np.ndarray | None = None
    """(examples,) booleans."""
    worse: np.ndarray | None = None
    """(examples, ways) scores of its answers when they are made worse, NaN where a way is none for an example; without it a fall is a 0."""


@dataclass(frozen=True)
class After:
    """Scores of some releases on the gate's examples."""

    scores: np.ndarray
    """(releases, examples)"""
    lasting: np.ndarray | None = None
    """(releases, examples) booleans: which failures repeat when asked again; all of them where it is not given."""


@dataclass(frozen=True)
class SlicePower:
    slice: str
    n: int
    right: int
    """Examples that can be lost."""
    cost: float
    releases: int
    caught: int
    undecided: int
    caught_rate: float
    low: float
    high: float


@dataclass(frozen=True)
class Power:
    slices: tuple[SlicePower, ...]
    caught_rate: float
    """Weighted by the slices' costs."""
    low: float
    high: float
    cry_wolf_rate: float
    cry_wolf_low: float
    cry_wolf_high: float
    undecided_rate: float
    """Of releases in which nothing is worse."""
    too_thin: tuple[str, ...]
    """Slices of which less than 80 % is caught."""


def worsened(
    before: np.ndarray,
    inside: np.ndarray,
    size: float,
    background: float,
    releases: int,
    *,
    seed: int,
    worse: np.ndarray | None = None,
) -> After:
    """Accuracy falls by `size` within `inside` (examples,), and of the others `background` come out worse and as many better.

    An answer that is made worse has the score of one of its ways in `worse` (examples, ways), which may be as good as it was: then
    nothing that scores it sees the fall. One that no way fits stays as it is. A fall lasts when it is asked again, the background
    does not.
    """
    rng = np.random.default_rng(seed)
    right = state(before)
    falls = _share(size, inside, right) * (inside & right)
    noise = _share(background, ~inside, right) * (~inside & right) + _share(background, ~inside, ~right) * (~inside & ~right)
    drawn = rng.random((releases, len(before)))
    fell, flipped = drawn < falls, drawn < noise
    lower = np.zeros(fell.shape) if worse is None else _by_some_way(before, worse, rng, releases)
    return After(np.where(fell | (flipped & right), lower, np.where(flipped, 1.0, before)), fell)


def _by_some_way(before: np.ndarray, worse: np.ndarray, rng: np.random.Generator, releases: int) -> np.ndarray:
    """(releases, examples) scores of a way each, any of an example's with the same probability; `before` where it has none."""
    fits = ~np.isnan(worse)
    first = np.argsort(~fits, axis=1, kind="stable")
    scores = np.take_along_axis(np.minimum(worse, before[:, None]), first, axis=1)
    count = fits.sum(axis=1)
    scores[count == 0, 0] = before[count == 0]
    chosen = (rng.random((releases, len(before))) * np.maximum(count, 1)).astype(int)
    return np.asarray(scores[np.arange(len(before)), chosen])


def _share(of_all: float, part: np.ndarray, able: np.ndarray) -> float:
    """The probability for each that is able, so that `of_all` of the part are expected."""
    return min(1.0, of_all * float(part.sum()) / max(1.0, float((part & able).sum())))


def judge(gate: Gate, *, seed: int, draws: int = NULL_DRAWS) -> Callable[[After], np.ndarray]:
    """The gate as a function of releases: (releases,) of ship, hold, undecided. What it computes once it keeps."""
    right, inside = state(gate.before), gate.members.to_numpy(bool)
    costs = np.array([gate.costs.get(name, 1.0) for name in gate.members], float)
    of = pooled.culprits(right, inside, costs, gate.clusters, gate.size)
    nulls: dict[bytes, np.ndarray] = {}
    alone = len(np.unique(gate.clusters)) == len(gate.clusters)

    def p_pooled(lost: np.ndarray, gained: np.ndarray) -> np.ndarray:
        seen, found = pooled.statistic(of, lost, gained), np.ones(len(lost))
        for row in np.flatnonzero(np.isfinite(seen)):
            key = pooled.kept_apart(of, lost[row], gained[row])
            if key not in nulls:
                nulls[key] = pooled.null(of, lost[row], gained[row], seed=seed, draws=draws)
            found[row] = pooled.p_value(seen[row], nulls[key])
        return found

    def p_overall(change: np.ndarray) -> np.ndarray:
        if alone:
            return familywise.net_p((change > 0).sum(axis=1), (change < 0).sum(axis=1))
        one = np.ones((change.shape[1], 1))
        return np.array([familywise.raw_p(familywise.changes(row, one, gate.clusters), seed=seed)[0] for row in change])

    def broke(right_after: np.ndarray) -> np.ndarray:
        overall = p_overall(right.astype(float) - right_after)
        found = overall <= gate.level * (1 - POOLED_SHARE)
        unsure = right_after[~found]
        by_slice = p_pooled((~unsure[:, right]).astype(float), unsure[:, ~right].astype(float))
        found[~found] = [combined(p, o) <= gate.level for p, o in zip(by_slice, overall[~found], strict=True)]
        return found

    def verdicts(after: After) -> np.ndarray:
        right_after = state(after.scores)
        lost = right & ~right_after & (True if after.lasting is None else after.lasting)
        intolerable = np.zeros(len(lost), bool) if gate.zero_tolerance is None else (lost & gate.zero_tolerance).any(axis=1)
        met = probability_all_met(gate.clauses, gate.clusters, after.scores, seed=seed)
        worse = intolerable | broke(right_after)
        return np.array([decide(p, gate.q, bool(is_worse)) for p, is_worse in zip(met, worse, strict=True)], dtype=object)

    return verdicts


def probability_all_met(clauses: Sequence[ClauseScores], clusters: np.ndarray, scores: np.ndarray, *, seed: int) -> np.ndarray:
    """(releases,) of `scores` (releases, examples), approximately; 1 where there is no clause."""
    if not clauses:
        return np.ones(len(scores))
    sizes = np.column_stack([~np.isnan(c.scores) * (1.0 if c.weights is None else c.weights) for c in clauses])
    codes = np.unique(clusters, return_inverse=True)[1].reshape(-1)
    of_cluster = np.stack([np.bincount(codes, column) for column in sizes.T], axis=1)
    sums = of_cluster.sum(axis=0)
    pseudo = np.divide((of_cluster**2).sum(axis=0), sums, out=np.ones_like(sums), where=sums > 0)
    joint = approximate.correlation_of(of_cluster, np.bincount(codes, scores.mean(axis=0)) / np.bincount(codes), pseudo)
    thresholds, at_least = bounds(clauses)
    return approximate.probability_all_met(_marginals(sizes, codes, scores, pseudo), joint, thresholds, at_least, seed=seed)


def _marginals(sizes: np.ndarray, codes: np.ndarray, scores: np.ndarray, pseudo: np.ndarray) -> approximate.Marginals:
    """The sums of bootstrap.rows' rows without making them: over a cluster's weight, two examples succeed together in min(score, score)."""
    of_cluster = np.stack([np.bincount(codes, column) for column in sizes.T], axis=1)
    first, second = np.nonzero(np.triu(codes[:, None] == codes[None, :], 1))
    both = 2 * np.minimum(scores[:, first], scores[:, second]) @ (sizes[first] * sizes[second])
    per_release = np.ones((len(scores), 1))
    return approximate.from_sums(
        scores @ sizes,
        per_release * sizes.sum(axis=0),
        (scores @ sizes**2 + both, scores @ (sizes * of_cluster[codes]), per_release * (of_cluster**2).sum(axis=0)),
        per_release * (of_cluster > 0).sum(axis=0),
        pseudo,
    )


def simulated(gate: Gate, size: float, *, background: float = 0.02, releases: int = REPEATS, seed: int) -> Power:
    """Power against a fall of accuracy by `size` within one slice at a time."""
    return by_size(gate, [size], background=background, releases=releases, quiet=releases, seed=seed)[size]


def by_size(
    gate: Gate, sizes: Sequence[float], *, background: float = 0.02, releases: int = REPEATS, quiet: int, seed: int
) -> dict[float, Power]:
    """The same for each of `sizes`, beside the same `quiet` releases in which nothing is worse."""
    verdicts, nobody = judge(gate, seed=seed), np.zeros(len(gate.before), bool)
    unharmed = verdicts(_releases(gate, 0.0, background, quiet, nobody, seed=seed))
    found = {}
    for size in sizes:
        drawn = partial(_releases, gate, size, background, releases)
        worse = {name: verdicts(drawn(gate.members[name].to_numpy(bool), seed=seed + at)) for at, name in enumerate(gate.members, start=1)}
        found[size] = rates(gate, worse, unharmed, seed=seed)
    return found


def _releases(gate: Gate, size: float, background: float, releases: int, inside: np.ndarray, *, seed: int) -> After:
    return worsened(gate.before, inside, size, background, releases, seed=seed, worse=gate.worse)


def measured(gate: Gate, worse: Mapping[str, After], quiet: After, *, seed: int) -> Power:
    """Power against releases in which one slice each is worse; `quiet` are releases in which none is."""
    verdicts = judge(gate, seed=seed)
    return rates(gate, {name: verdicts(after) for name, after in worse.items()}, verdicts(quiet), seed=seed)


def rates(gate: Gate, worse: Mapping[str, np.ndarray], quiet: np.ndarray, *, seed: int) -> Power:
    """Power from verdicts that any gate gave: by slice, and of releases in which nothing is worse."""
    found = []
    for name, verdicts in worse.items():
        inside, caught = gate.members[name].to_numpy(bool), int(np.sum(verdicts == "hold"))
        low, high = _interval(caught, len(verdicts))
        right, undecided = int((state(gate.before) & inside).sum()), int(np.sum(verdicts == "undecided"))
        cost = float(gate.costs.get(name, 1.0))
        found.append(SlicePower(name, int(inside.sum()), right, cost, len(verdicts), caught, undecided, caught / len(verdicts), low, high))
    costs = np.array([one.cost for one in found])
    low, high = np.quantile(_draws(found, seed) @ costs / costs.sum(), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    held = int(np.sum(quiet == "hold"))
    return Power(
        tuple(found),
        float(np.average([one.caught_rate for one in found], weights=costs)),
        float(low),
        float(high),
        held / len(quiet),
        *_interval(held, len(quiet)),
        float(np.mean(quiet == "undecided")),
        tuple(one.slice for one in found if one.caught_rate < TARGET),
    )


def _interval(caught: int, of: int) -> tuple[float, float]:
    return jeffreys(caught, of - caught, LEVEL)


def _draws(found: Sequence[SlicePower], seed: int) -> np.ndarray:
    """(draws, slices) of the caught rates' posteriors."""
    caught, of = np.array([one.caught for one in found]), np.array([one.releases for one in found])
    return np.random.default_rng(seed).beta(caught + 0.5, of - caught + 0.5, (WEIGHED_DRAWS, len(found)))


@dataclass(frozen=True)
class Difference:
    difference: float
    """Cost-weighted, over the slices that both have."""
    low: float
    high: float


def difference(dataset: Power, control: Power, *, seed: int) -> Difference:
    """How much more the dataset catches than the control sample, paired by slice.

    The interval holds the noise of the releases and that of the slices: each has a weight Gamma(1) beside its cost (Rubin 1981).
    """
    other = {one.slice: one for one in control.slices}
    pairs = [(one, other[one.slice]) for one in dataset.slices if one.slice in other]
    if not pairs:
        raise ValueError("the dataset and the control sample have no slice in common")
    ours, theirs = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    costs = np.array([one.cost for one in ours])
    weights = np.random.default_rng([seed, 2]).standard_gamma(1.0, (WEIGHED_DRAWS, len(pairs))) * costs
    drawn = (weights * (_draws(ours, seed) - _draws(theirs, seed + 1))).sum(axis=1) / weights.sum(axis=1)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    seen = np.average([one.caught_rate - two.caught_rate for one, two in pairs], weights=costs)
    return Difference(float(seen), float(low), float(high))


def lift(gate: Gate, slice_: str, size: float, *, background: float = 0.02, releases: int = REPEATS, seed: int) -> int | None:
    """How many more examples of the slice, like those it has, would catch 80 %; none where 200 would not or it has none."""
    places = np.flatnonzero(gate.members[slice_].to_numpy(bool))
    if not len(places):
        return None
    extra = np.random.default_rng(seed).choice(places, MOST_LIFT)

    def caught(more: int) -> bool:
        larger = _with(gate, np.concatenate([np.arange(len(gate.before)), extra[:more]]))
        after = _releases(larger, size, background, releases, larger.members[slice_].to_numpy(bool), seed=seed)
        return bool(np.mean(judge(larger, seed=seed, draws=LIFT_DRAWS)(after) == "hold") >= TARGET)

    high = 1
    while not caught(high):
        if high == MOST_LIFT:
            return None
        high = min(2 * high, MOST_LIFT)
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if caught(middle) else (middle, high)
    return high


def _with(gate: Gate, places: np.ndarray) -> Gate:
    """The gate on other examples: a repeated one is another example, of a cluster of its own."""
    names = np.char.add(
        gate.clusters[places].astype(str), np.where(np.arange(len(places)) < len(gate.before), "", [f" {i}" for i in range(len(places))])
    )
    clauses = [
        replace(clause, scores=clause.scores[places], weights=None if clause.weights is None else clause.weights[places])
        for clause in gate.clauses
    ]
    tolerance = None if gate.zero_tolerance is None else gate.zero_tolerance[places]
    return replace(
        gate,
        before=gate.before[places],
        clusters=names,
        members=gate.members.iloc[places].reset_index(drop=True),
        clauses=clauses,
        zero_tolerance=tolerance,
        worse=None if gate.worse is None else gate.worse[places],
    )
