"""How many of which source, and which ones: exact ratios, then an integer program over kinds of example.

A kind is what examples have in common: source, failed in production or not, in the last release or not, and the set of slices they lie
in. The program takes so many of each kind that, one after the other and each without giving up the ones before,

1. `shortfall`: the cost-weighted lack of explicit floors and targets is least,
2. `mix`: production's failures are as near to their share as can be,
3. `power`: the cost-weighted catching power is greatest (a concave curve per slice in the number of its examples, see coverage.py),
4. `churn`: most members of the last release stay,
5. `draw`: the sum of the examples' draws is least. A draw is a permanent random number: it belongs to the example and does not move
   when others come or go, so that without a release, too, like is replaced by like only where a newcomer's draw is lower.

Every coefficient is an integer and every value is computed from the rounded counts, so no result hangs on a tolerance. HiGHS stops by
nodes, never by the clock; where it stops early the best solution so far stands and its gap is reported. The first solution is the
greedy one: step by step the kind with the largest sum of cost / (have + 1) over its slices.

Ohlsson, E. (1995), Coordination of samples using permanent random numbers, in Business Survey Methods, chapter 9.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from pipeline.errors import InputError
from pipeline.identity import stable_order

DRAWS = 1_000
"""A draw is a whole number below it."""
NODE_LIMIT = 500
"""Branch-and-bound nodes for each of the five steps."""
ALL_UP_TO = 1_000
"""Up to so many candidates all are looked at; of more, those with the lowest draws of every source in every slice."""
OF_EACH = 10
STEPS = ("shortfall", "mix", "power", "churn", "draw")


@dataclass(frozen=True)
class Goal:
    """What a slice is to hold, in whole numbers."""

    slice: str
    cost: float
    floor: int
    """Examples that it must have: an explicit target or floor."""
    weight: int
    """What each one that lacks costs."""
    gains: np.ndarray
    """(most,) whole numbers, none larger than the one before: what the n-th example adds to catching power; nothing beyond."""


@dataclass(frozen=True)
class Kind:
    source: str
    failed: bool
    released: bool
    slices: tuple[int, ...]
    """Places among the goals."""
    ids: tuple[str, ...]
    """In the order of their draws."""
    draws: np.ndarray


@dataclass(frozen=True)
class Allocation:
    ids: tuple[str, ...]
    have: tuple[int, ...]
    """Examples in each goal's slice, those that were there before included."""
    values: dict[str, int]
    """Step to its value; power is what is caught, in the goals' units."""
    gaps: dict[str, float]
    """Step to its relative gap, where the node limit came first."""
    method: str
    """program, or greedy where the program found nothing better."""


def quotas(size: int, ratios: Mapping[str, float]) -> dict[str, int]:
    """Whole numbers that sum to `size`, by the largest remainder (Hamilton's method); equal remainders go by name."""
    exact = {source: size * ratio for source, ratio in ratios.items()}
    counts = {source: int(value + 1e-9) for source, value in exact.items()}
    by_remainder = sorted(ratios, key=lambda source: (-round(exact[source] - counts[source], 9), source))
    for source in by_remainder[: size - sum(counts.values())]:
        counts[source] += 1
    return counts


def fit(size: int, ratios: Mapping[str, float], available: Mapping[str, int], shortfall: str) -> dict[str, int]:
    """The number of examples of each source, given how many there are.

    `shortfall`: `fail` raises InputError; `scale` gives the largest dataset that keeps the ratios; `fill` takes what is missing
    from the other sources, in the order of their names.
    """
    wanted = quotas(size, ratios)
    short = {source: count - available.get(source, 0) for source, count in wanted.items() if count > available.get(source, 0)}
    if not short:
        return wanted
    if shortfall == "fail":
        needs = "; ".join(f"{source} is {missing} short of {wanted[source]}" for source, missing in sorted(short.items()))
        raise InputError(needs)
    if shortfall == "scale":
        while size > 0 and any(count > available.get(source, 0) for source, count in quotas(size, ratios).items()):
            size -= 1
        return quotas(size, ratios)
    filled = {source: min(count, available.get(source, 0)) for source, count in wanted.items()}
    missing = size - sum(filled.values())
    for source in sorted(filled):
        more = min(missing, available.get(source, 0) - filled[source])
        filled[source] += more
        missing -= more
    if missing:
        raise InputError(f"{missing} short of {size} examples from all sources together")
    return filled


def draw(seed: int, example_id: str) -> int:
    """An example's permanent random number, below DRAWS."""
    return stable_order(seed, example_id) * DRAWS >> 64


def kinds_of(candidates: pd.DataFrame, inside: np.ndarray, seed: int) -> list[Kind]:
    """Candidates that have the same in common, in an order that does not depend on theirs.

    candidates: example_id, source, failed, released. inside: (candidates, goals) booleans.
    """
    order = np.array([stable_order(seed, example_id) for example_id in candidates["example_id"]], np.uint64)
    by_draw = np.lexsort((candidates["example_id"].to_numpy(str), order))
    ids, draws = candidates["example_id"].to_numpy(str), [draw(seed, example_id) for example_id in candidates["example_id"]]
    found: dict[tuple[str, bool, bool, bytes], list[int]] = {}
    packed = np.packbits(inside, axis=1)
    columns = [candidates[name].tolist() for name in ("source", "failed", "released")]
    for place in by_draw.tolist():
        found.setdefault((*(column[place] for column in columns), packed[place].tobytes()), []).append(place)
    return [
        Kind(
            *(source, failed, released),
            tuple(np.flatnonzero(inside[places[0]]).tolist()),
            tuple(ids[places].tolist()),
            np.array([draws[place] for place in places], np.int64),
        )
        for (source, failed, released, _), places in sorted(found.items())
    ]


def shortlist(candidates: pd.DataFrame, inside: np.ndarray, counts: Mapping[str, int], seed: int) -> np.ndarray:
    """Places of the candidates that the program looks at: bounded, however many there are, and hardly moved by others that come.

    Members of the last release are on it; of every source, failed or not, those with the lowest draws: as many as the source gives to
    the dataset, and OF_EACH of every slice.
    """
    if len(candidates) <= ALL_UP_TO:
        return np.arange(len(candidates))
    order = np.array([stable_order(seed, example_id) for example_id in candidates["example_id"]], np.uint64)
    on = candidates["released"].to_numpy(bool).copy()
    for (source, _), places in candidates.groupby(["source", "failed"]).indices.items():
        by_draw = places[np.argsort(order[places], kind="stable")]
        on[by_draw[: counts.get(source, 0)]] = True
        for column in inside.T:
            on[by_draw[column[by_draw]][:OF_EACH]] = True
    return np.flatnonzero(on)


@dataclass(frozen=True)
class Problem:
    kinds: Sequence[Kind]
    goals: Sequence[Goal]
    counts: Mapping[str, int]
    """Source to how many are taken of it."""
    before: np.ndarray
    """(goals,): how many each slice has already, from pinned examples."""
    failures: int | None = None
    """How many failures production's part should hold; any number where it is not given."""
    node_limit: int = NODE_LIMIT

    @cached_property
    def room(self) -> np.ndarray:
        """(kinds,): how many may be taken of each."""
        return np.array([min(len(kind.ids), self.counts.get(kind.source, 0)) for kind in self.kinds], np.int64)

    @cached_property
    def inside(self) -> sparse.csr_array:
        """(goals, kinds), 0 or 1."""
        pairs = [(goal, place) for place, kind in enumerate(self.kinds) for goal in kind.slices]
        rows, columns = zip(*pairs, strict=True) if pairs else ((), ())
        return sparse.csr_array((np.ones(len(pairs), np.int64), (rows, columns)), shape=(len(self.goals), len(self.kinds)))

    @cached_property
    def is_failure(self) -> np.ndarray:
        return np.array([kind.failed and kind.source == "production" for kind in self.kinds], np.int64)

    @cached_property
    def is_released(self) -> np.ndarray:
        return np.array([kind.released for kind in self.kinds], np.int64)

    @cached_property
    def worth(self) -> list[np.ndarray]:
        """Per goal the sum of its gains by number of examples."""
        return [np.concatenate([[0], np.cumsum(goal.gains)]).astype(np.int64) for goal in self.goals]

    def have(self, taken: np.ndarray) -> np.ndarray:
        """(goals,): examples in each slice where `taken` (kinds,) are taken."""
        return np.asarray(self.before + self.inside @ taken)

    def values(self, taken: np.ndarray) -> tuple[int, ...]:
        """What each of STEPS minimises, exactly."""
        have = self.have(taken)
        lacking = sum(goal.weight * max(0, goal.floor - int(n)) for goal, n in zip(self.goals, have, strict=True))
        off = abs(int(self.is_failure @ taken) - self.failures) if self.failures is not None else 0
        power = sum(int(worth[min(int(n), len(worth) - 1)]) for worth, n in zip(self.worth, have, strict=True))
        draws = sum(int(kind.draws[:count].sum()) for kind, count in zip(self.kinds, taken.tolist(), strict=True))
        return lacking, off, -power, -int(self.is_released @ taken), draws


def allocate(problem: Problem) -> Allocation:
    """So many of each kind as are best by STEPS. Each source must have as many examples as `counts` says."""
    best = first = greedy(problem)
    gaps: dict[str, float] = {}
    for place, step in enumerate(STEPS):
        if (step == "mix" and problem.failures is None) or (step == "churn" and not problem.is_released.any()):
            continue
        taken, gap = _minimise(problem, place, problem.values(best))
        if taken is not None:
            best = min(best, taken, key=problem.values)
        if gap:
            gaps[step] = gap
    values = dict(zip(STEPS, problem.values(best), strict=True))
    return Allocation(
        tuple(i for kind, count in zip(problem.kinds, best.tolist(), strict=True) for i in kind.ids[:count]),
        tuple(problem.have(best).tolist()),
        values | {"power": -values["power"], "churn": -values["churn"]},
        gaps,
        "greedy" if gaps and best is first else "program",
    )


def greedy(problem: Problem) -> np.ndarray:
    """(kinds,) how many of each: source by source, the scarcest first, the kind whose slices are thinnest for what a failure costs there."""
    taken, have = np.zeros(len(problem.kinds), np.int64), problem.before.astype(float)
    costs, per_kind = np.array([goal.cost for goal in problem.goals]), problem.inside.T.tocsr()
    sources = np.array([kind.source for kind in problem.kinds])
    for source in sorted(problem.counts, key=lambda source: (problem.counts[source], source)):
        for _ in range(problem.counts[source]):
            worth = np.round(per_kind @ (costs / (have + 1)), 9)
            open_ = np.flatnonzero((sources == source) & (taken < problem.room))
            best = open_[worth[open_] == worth[open_].max()]
            one = min(best, key=lambda k: (not problem.kinds[k].released, problem.kinds[k].draws[taken[k]], k))
            taken[one] += 1
            have[list(problem.kinds[one].slices)] += 1
    return taken


def _minimise(problem: Problem, step: int, best: tuple[int, ...]) -> tuple[np.ndarray | None, float]:
    """Counts that are least in `step` and no worse than `best` in the steps before; the gap where the node limit came first."""
    program = _Program(problem, of_examples=STEPS[step] == "draw")
    constraints = program.structure()
    for earlier in range(step):
        row = program.objective(earlier)
        constraints.append(LinearConstraint(sparse.csr_array(row[None]), -np.inf, best[earlier] + 0.5))
    found = milp(
        program.objective(step),
        integrality=program.integrality(),
        bounds=Bounds(0, program.upper()),
        constraints=constraints,
        options={"node_limit": problem.node_limit, "mip_rel_gap": 0.0},
    )
    if found.x is None:
        return None, 1.0
    taken = program.taken(found.x)
    gap = 0.0 if found.status == 0 else float(abs(found.fun - found.mip_dual_bound) / max(1.0, abs(found.fun)))
    return (taken if _fits(problem, taken) else None), gap


def _fits(problem: Problem, taken: np.ndarray) -> bool:
    of_source = dict.fromkeys(problem.counts, 0)
    for kind, count in zip(problem.kinds, taken.tolist(), strict=True):
        of_source[kind.source] = of_source.get(kind.source, 0) + count
    return bool((taken >= 0).all() and (taken <= problem.room).all()) and of_source == dict(problem.counts)


class _Program:
    """The columns: counts taken | slices' examples | shortfall of slices | power of slices | mix.

    A count is of a kind, but `of_examples` each example has its own, of those that may be taken.
    """

    def __init__(self, problem: Problem, *, of_examples: bool) -> None:
        self.problem = problem
        goals = len(problem.goals)
        self.kind_of = np.repeat(np.arange(len(problem.kinds)), problem.room) if of_examples else np.arange(len(problem.kinds))
        self.upper_counts = np.ones(len(self.kind_of)) if of_examples else problem.room.astype(float)
        self.draws = [draw_ for kind, room in zip(problem.kinds, problem.room.tolist(), strict=True) for draw_ in kind.draws[:room]]
        counts = len(self.kind_of)
        self.have, self.lacks, self.power = (slice(counts + goals * place, counts + goals * (place + 1)) for place in range(3))
        self.mix = counts + 3 * goals
        self.width = self.mix + 1

    def objective(self, step: int) -> np.ndarray:
        row, problem, counts = np.zeros(self.width), self.problem, len(self.kind_of)
        match STEPS[step]:
            case "shortfall":
                row[self.lacks] = [goal.weight for goal in problem.goals]
            case "mix":
                row[self.mix] = 1
            case "power":
                row[self.power] = -1
            case "churn":
                row[:counts] = -problem.is_released[self.kind_of]
            case "draw":
                row[:counts] = self.draws
        return row

    def integrality(self) -> np.ndarray:
        whole = np.zeros(self.width)
        whole[: len(self.kind_of)] = 1
        return whole

    def upper(self) -> np.ndarray:
        most = np.full(self.width, np.inf)
        most[: len(self.kind_of)] = self.upper_counts
        return most

    def taken(self, solution: np.ndarray) -> np.ndarray:
        """(kinds,) counts of a solution."""
        counts = np.rint(solution[: len(self.kind_of)]).astype(np.int64)
        return np.bincount(self.kind_of, counts, len(self.problem.kinds)).astype(np.int64)

    def structure(self) -> list[LinearConstraint]:
        """What holds in every step: the sources' counts, and what shortfall, power and mix are of the counts taken."""
        problem, counts = self.problem, len(self.kind_of)
        sources, goals = sorted(problem.counts), len(problem.goals)
        source_of = np.array([sources.index(kind.source) for kind in problem.kinds], int)[self.kind_of]
        of_source = sparse.csr_array((np.ones(counts), (source_of, np.arange(counts))), shape=(len(sources), counts))
        wanted = [problem.counts[source] for source in sources]
        found = [LinearConstraint(self._wide((0, of_source)), wanted, wanted)]
        if goals:
            inside, each = problem.inside.astype(float)[:, self.kind_of], sparse.eye_array(goals)
            floors = np.array([goal.floor for goal in problem.goals])
            found += [
                LinearConstraint(self._wide((0, inside), (self.have.start, -each)), -problem.before, -problem.before),
                LinearConstraint(self._wide((self.have.start, each), (self.lacks.start, each)), floors, np.inf),
                self._under_the_curves(),
            ]
        if problem.failures is not None:
            failures, one = sparse.csr_array(problem.is_failure[self.kind_of][None].astype(float)), sparse.csr_array([[1.0]])
            found += [
                LinearConstraint(self._wide((0, failures), (self.mix, one)), problem.failures, np.inf),
                LinearConstraint(self._wide((0, failures), (self.mix, -one)), -np.inf, problem.failures),
            ]
        return found

    def _under_the_curves(self) -> LinearConstraint:
        """power <= worth(n) + gain(n + 1) * (have - n), one row for each n at which a goal's gain changes."""
        rows, slopes, limits = [], [], []
        for place, (goal, worth) in enumerate(zip(self.problem.goals, self.problem.worth, strict=True)):
            gains = np.append(goal.gains, 0)
            for n in np.flatnonzero(np.diff(gains, prepend=gains[0] + 1)).tolist():
                rows.append(place)
                slopes.append(float(gains[n]))
                limits.append(float(worth[n]) - gains[n] * n)
        shape = (len(rows), len(self.problem.goals))
        ones = sparse.csr_array((np.ones(len(rows)), (np.arange(len(rows)), rows)), shape=shape)
        steep = sparse.csr_array((-np.array(slopes), (np.arange(len(rows)), rows)), shape=shape)
        return LinearConstraint(self._wide((self.have.start, steep), (self.power.start, ones)), -np.inf, limits)

    def _wide(self, *blocks: tuple[int, sparse.csr_array]) -> sparse.csr_array:
        """Blocks of columns set at their places in rows of full width."""
        parts = [block.tocoo() for _, block in blocks]
        rows, values = np.concatenate([part.row for part in parts]), np.concatenate([part.data for part in parts])
        columns = np.concatenate([part.col + start for (start, _), part in zip(blocks, parts, strict=True)])
        return sparse.csr_array((values, (rows, columns)), shape=(blocks[0][1].shape[0], self.width))


def needed_for(problem: Problem, have: Sequence[int], slices: Sequence[int]) -> str:
    """The slice that would lose most by one example less: one at or below its floor first, then by power; nothing where none would."""
    lost = [
        (
            goal.weight if have[place] <= goal.floor else 0,
            int(goal.gains[have[place] - 1]) if have[place] <= len(goal.gains) else 0,
            goal.slice,
        )
        for place, goal in ((place, problem.goals[place]) for place in slices)
    ]
    most = max(lost, default=(0, 0, ""))
    return most[2] if most[:2] > (0, 0) else ""
