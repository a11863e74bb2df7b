"""Several epochs of one target: pooled, so that nobody ships by trying again, and compared, so that no other system hides behind a name.

Epochs of an unchanged target are exchangeable for each example: any of them could have been the newest. Good, P. (2005), Permutation,
Parametric and Bootstrap Tests of Hypotheses, section 3.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.decision.familywise import P_DIGITS

LEVEL = 0.001
"""Below it the newest epoch is of another system."""
DRAWS = 19_999
DIGITS = 9
IDENTITY = ["example_id", "input_sha", "expectation_sha"]
NET_SHARE, SLICES_SHARE, ANY_SHARE = 0.5, 0.25, 0.25


@dataclass(frozen=True)
class Pooled:
    scores: pd.DataFrame
    """schema.SCORES: the fresh rows and the earlier ones that are of the same examples, target and scorers, epochs counted on."""
    epochs: int
    """How many there now are."""
    earlier: int
    """How many of them had been asked before."""


def pool(earlier: pd.DataFrame, fresh: pd.DataFrame, max_epochs: int) -> Pooled:
    """A ledger's scores with those of a new run of one target version; both have schema.SCORES.

    An earlier answer counts if its example's text and expectation and every scorer are what they are now. Raises ValueError where that
    would make more than `max_epochs`.
    """
    versions = fresh["target_version"].unique()
    if len(versions) != 1:
        raise ValueError(f"one target version is pooled at a time, not {len(versions)}")
    kept = fitting(earlier[earlier["target_version"] == versions[0]], fresh, fresh)
    before = {epoch: place for place, epoch in enumerate(sorted(kept["epoch"].unique()), start=1)}
    now = {epoch: place for place, epoch in enumerate(sorted(fresh["epoch"].unique()), start=1 + len(before))}
    if len(before) + len(now) > max_epochs:
        raise ValueError(f"{len(before)} epochs of {versions[0]} are known and {len(now)} new ones; at most {max_epochs} are pooled")
    counted = [part.assign(epoch=part["epoch"].map(of).astype(fresh["epoch"].dtype)) for part, of in ((kept, before), (fresh, now))]
    scores = pd.concat([part for part in counted if len(part)]).sort_values(["example_id", "epoch", "criterion"], ignore_index=True)
    return Pooled(scores[list(fresh.columns)], len(before) + len(now), len(before))


def fitting(earlier: pd.DataFrame, examples: pd.DataFrame, scorers: pd.DataFrame) -> pd.DataFrame:
    """The rows of `earlier`, as schema.SCORES, whose answers would be asked and judged alike now.

    examples: example_id, input_sha, expectation_sha. scorers: criterion, scorer_version.
    """
    judged = _in(earlier, scorers, ["criterion", "scorer_version"]) | ~earlier["criterion"].isin(scorers["criterion"])
    fits = _in(earlier, examples, IDENTITY) & judged
    stale = pd.MultiIndex.from_frame(earlier.loc[~fits, ["example_id", "epoch"]])
    return earlier[~pd.MultiIndex.from_frame(earlier[["example_id", "epoch"]]).isin(stale)]


def _in(part: pd.DataFrame, whole: pd.DataFrame, columns: list[str]) -> np.ndarray:
    return np.asarray(pd.MultiIndex.from_frame(part[columns]).isin(pd.MultiIndex.from_frame(whole[columns])))


def differs(answers: pd.DataFrame, members: pd.DataFrame, *, seed: int, draws: int = DRAWS) -> float:
    """The p-value of "the newest epoch is of the same system as the earlier ones"; 1 where there is one epoch only.

    answers: example_id, epoch, right (0..1, NaN for an error). members: booleans by example_id, a column per slice. Three questions,
    two-sided: are more or fewer right (half of the level), are they in some slice (a quarter), and, from the third epoch on, do more
    answers stand alone than by chance (a quarter).
    """
    table = answers.dropna(subset="right").pivot(index="example_id", columns="epoch", values="right").sort_index()
    if table.shape[1] < 2:
        return 1.0
    table = table[table.iloc[:, -1].notna() & (table.notna().sum(axis=1) > 1)]
    table = table[table.max(axis=1) > table.min(axis=1)]
    if table.empty:
        return 1.0
    values, known = table.fillna(0.0).to_numpy(), table.notna().to_numpy()
    rng = np.random.default_rng(seed)
    newest = np.argmax(known[None] * rng.random((draws, *known.shape)), axis=2)
    of = values[np.arange(len(values)), newest]
    seen = np.vstack([values[:, -1], of])
    count = known.sum(axis=1)
    change = np.round((count * seen - values.sum(axis=1)) / (count - 1), DIGITS)
    inside = members.reindex(table.index).to_numpy(float)
    spread = np.sqrt((change[1:] ** 2).mean(axis=0) @ inside)
    usable = spread > 0
    worst = np.abs(change @ inside[:, usable] / spread[usable]).max(axis=1, initial=0.0)
    p_net, p_slices, p_any = (_p(np.round(values, DIGITS)) for values in (np.abs(change.sum(axis=1)), worst, np.abs(change).sum(axis=1)))
    return round(min(p_net / NET_SHARE, p_slices / SLICES_SHARE, p_any / ANY_SHARE, 1.0), P_DIGITS)


def _p(values: np.ndarray) -> float:
    """The first among all of them."""
    return float(np.mean(values >= values[0]))
