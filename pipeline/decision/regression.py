"""What came out worse than before, from the scores of the same examples before and after.

Two questions, two tests. *Did something break*: pooled.py takes three quarters of the level, McNemar's test of all examples a quarter,
which sees what hits all slices alike. *What broke*: familywise.py names slices; where it names none, the suspects are the slices that
pooled.py would blame. An example's state is the majority of its epochs, a tie a failure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from pipeline.decision import familywise, pooled
from pipeline.slices import ALL

POOLED_SHARE = 0.75
P_DIGITS = 6
SUSPICION_DIGITS = 4
SUSPECTED = 0.8
"""Suspects are the fewest slices that share this much of the blame."""


@dataclass(frozen=True)
class SliceChange:
    slice: str
    n: int
    before: float
    """Mean score, over the examples that both sides have."""
    after: float
    lost: tuple[str, ...]
    """Ids of the examples that were right and are wrong."""
    gained: tuple[str, ...]
    p: float
    """McNemar's, exact and one-sided towards losses."""
    p_adjusted: float
    """The same among all slices, family-wise."""
    suspicion: float
    """Its share of the blame where one slice is to blame, 0..1; 0 for slices that hold nearly all examples."""
    role: Literal["named", "suspect", "cleared"]
    """named: family-wise, at the level. suspect: something broke, nothing has a name, and this is likely it."""


@dataclass(frozen=True)
class Regressions:
    found: bool
    """Whether something broke: `p` is at most the level."""
    p: float
    p_pooled: float
    p_overall: float
    slices: tuple[SliceChange, ...]
    """Every slice: named ones first, then by suspicion."""

    @property
    def blamed(self) -> tuple[SliceChange, ...]:
        """What to show of a regression."""
        return tuple(change for change in self.slices if change.role != "cleared")


def state(scores: np.ndarray) -> np.ndarray:
    """Whether an example is right in the majority of its epochs, from its mean of right answers; a tie is a failure."""
    return np.asarray(np.round(scores, pooled.DIGITS) > 0.5)


def regressions(
    paired: pd.DataFrame,
    members: pd.DataFrame,
    costs: Mapping[str, float],
    *,
    level: float = 0.05,
    size: float = 0.3,
    seed: int,
    draws: int = pooled.DRAWS,
) -> Regressions:
    """Compare `before` with `after` of `paired`.

    paired: example_id, cluster, before, after: mean scores over epochs, 0..1, of examples that are equal on both sides.
    members: booleans, a column per slice, in the rows' order; a slice of all examples is added where there is none.
    costs: cost of a failure by slice, 1 where it is not named. size: the fall of accuracy to look for.
    """
    if paired.empty:
        return Regressions(False, 1.0, 1.0, 1.0, ())
    order = np.argsort(paired["example_id"].to_numpy(str), kind="stable")
    paired, members = paired.iloc[order], _with_all(members).iloc[order]
    if paired[["before", "after"]].isna().to_numpy().any():
        raise ValueError("a pair without a score on either side compares nothing; leave it out")
    inside, clusters = members.to_numpy(bool), paired["cluster"].to_numpy(str)
    right, right_after = state(paired["before"].to_numpy(float)), state(paired["after"].to_numpy(float))
    of = pooled.culprits(right, inside, np.array([costs.get(name, 1.0) for name in members], float), clusters, size)
    lost, gained = (~right_after[right]).astype(float), right_after[~right].astype(float)
    seen = pooled.statistic(of, lost[None], gained[None])
    p_pooled = float(pooled.p_value(seen, pooled.null(of, lost, gained, seed=seed, draws=draws))[0])
    by_cluster = familywise.changes(right.astype(float) - right_after, inside, clusters)
    raw, adjusted = familywise.adjusted_p(by_cluster, seed=seed, draws=draws)
    p_overall = float(raw[list(members).index(ALL)])
    p = combined(p_pooled, p_overall)
    blame = np.round(pooled.suspicions(of, lost, gained), SUSPICION_DIGITS)
    ids, before, after = (paired[name].to_numpy() for name in ("example_id", "before", "after"))
    changes = [
        SliceChange(
            str(name),
            int(part.sum()),
            float(before[part].mean()),
            float(after[part].mean()),
            tuple(map(str, ids[part & right & ~right_after])),
            tuple(map(str, ids[part & ~right & right_after])),
            float(raw[place]),
            float(adjusted[place]),
            float(blame[place]),
            "cleared",
        )
        for place, (name, part) in enumerate(zip(members, inside.T, strict=True))
        if part.any()
    ]
    found = p <= level
    return Regressions(found, p, round(p_pooled, P_DIGITS), p_overall, _with_roles(changes, found, level))


def combined(p_pooled: float, p_overall: float) -> float:
    """One p-value of both tests, by Bonferroni with unequal shares."""
    return round(min(p_pooled / POOLED_SHARE, p_overall / (1 - POOLED_SHARE), 1.0), P_DIGITS)


def _with_all(members: pd.DataFrame) -> pd.DataFrame:
    return members if ALL in members else members.assign(**{ALL: True})


def _with_roles(changes: list[SliceChange], found: bool, level: float) -> tuple[SliceChange, ...]:
    by_suspicion = sorted(changes, key=lambda change: (-change.suspicion, change.p_adjusted, change.slice))
    if not found:
        return tuple(by_suspicion)
    named = [replace(change, role="named") for change in by_suspicion if change.p_adjusted <= level]
    others = [change for change in by_suspicion if change.p_adjusted > level]
    return tuple(named + (others if named else _suspected(others)))


def _suspected(by_suspicion: list[SliceChange]) -> list[SliceChange]:
    blamed_before = np.cumsum([0.0] + [change.suspicion for change in by_suspicion[:-1]])
    return [
        replace(change, role="suspect") if blamed < SUSPECTED and change.lost else change
        for change, blamed in zip(by_suspicion, blamed_before, strict=True)
    ]


def new_failures(paired: pd.DataFrame, inside: np.ndarray) -> tuple[str, ...]:
    """Ids that zero tolerance must ask again: inside of its slices (examples,), right before and wrong after."""
    right, right_after = state(paired["before"].to_numpy(float)), state(paired["after"].to_numpy(float))
    return tuple(sorted(map(str, paired["example_id"].to_numpy(str)[right & ~right_after & inside])))


def repeated(confirmations: pd.DataFrame, times: int = 2) -> tuple[str, ...]:
    """Ids that failed in every confirmation epoch.

    confirmations: example_id, epoch, right (0 or 1) of what `new_failures` named. Raises ValueError where an id has fewer than `times`.
    """
    asked = confirmations.groupby("example_id")["right"].agg(["size", "max"])
    if (asked["size"] < times).any():
        raise ValueError(f"a new failure is confirmed by {times} epochs; {asked.index[asked['size'] < times][0]} has fewer")
    return tuple(sorted(map(str, asked.index[asked["max"] == 0])))
