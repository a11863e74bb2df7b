"""What a dataset of an earlier day would have seen coming: built from what was known then, held against the failures of the month after.

For each month: candidates, labels and pairs that are dated before its end, tags as rules, labels and classifier gave them then, the
present params and standards. Production that failed in the month after is caught where its nearest example lies within the threshold.
Beside it the same share for a control sample of the same size, drawn from the same labelled conversations.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline import merge, tag_learning
from pipeline.errors import InputError
from pipeline.expectations import Labeling
from pipeline.expected import can_be_judged
from pipeline.labeling.expecting import expected
from pipeline.labeling.resolving import resolve
from pipeline.merge import Standards
from pipeline.monitoring import resampling
from pipeline.monitoring.nearest import Space, asked, between, calibrated, nearest
from pipeline.monitoring.resampling import Draws
from pipeline.params import LOGGED, Merge, Monitor
from pipeline.sources import Entry, Regression

Sources = dict[str, list[tuple[Path, Entry]]]


@dataclass(frozen=True)
class History:
    """Everything there is, each part with its dates."""

    candidates: pd.DataFrame
    """schema.CANDIDATES"""
    by_rule: pd.DataFrame
    """schema.TAGS before labels and classifier."""
    labels: pd.DataFrame
    """schema.LABELS"""
    entries: Sources
    pairs: pd.DataFrame
    """schema.PAIRS"""


def threshold(pairs: pd.DataFrame, candidates: pd.DataFrame, space: Space, wanted: Monitor) -> dict[str, Any]:
    """The threshold and how it was found: from the pairs of which both conversations are there, or `monitor.threshold` where they do
    not hold both answers."""
    texts = dict(zip(candidates["example_id"], asked(candidates), strict=True))
    known = pairs[pairs["example_id"].isin(texts) & pairs["other_id"].isin(texts)]
    same = (known["same"] == "yes").to_numpy(bool)
    if not same.any() or same.all():
        return {"pairs": 0, "threshold": wanted.threshold}
    distances = between([(texts[a], texts[b]) for a, b in zip(known["example_id"], known["other_id"], strict=True)], space)
    return {"pairs": len(known), **calibrated(distances, same, wanted.false_alarm_rate)}


def known_at(history: History, end: pd.Timestamp) -> History:
    """What was there before `end`: later conversations, scenarios, flags, labels and pairs are not."""
    day = end.strftime("%Y-%m-%d")
    entries = {
        source: [(path, e) for path, e in found if (e.flagged_at if isinstance(e, Regression) else e.added) < day]
        for source, found in history.entries.items()
    }
    authored = {entry.id for source, found in entries.items() if source != "regression" for _, entry in found}
    flagged = {entry.id for _, entry in entries["regression"]}
    then = history.candidates[history.candidates["occurred_at"] < end]
    then = then[then["source"].isin(LOGGED) | then["example_id"].isin(authored)]
    later = (then["source"] == "regression") & ~then["example_id"].isin(flagged)
    then = then.assign(source=then["source"].mask(later, "production"), pinned=then["pinned"] & ~later)
    return History(
        then.reset_index(drop=True),
        history.by_rule[history.by_rule["example_id"].isin(then["example_id"])],
        history.labels[history.labels["labelled_at"] < day],
        entries,
        history.pairs[history.pairs["labelled_at"] < day],
    )


def members_of(then: History, standard: Labeling, standards: Standards, settings: Merge) -> tuple[pd.Series, pd.Series]:
    """Ids of the dataset and of the control sample. Raises InputError where no dataset could be built."""
    of_tags = then.labels["dimension"].str.startswith(tag_learning.PREFIX)
    told, _ = resolve(then.labels[of_tags], then.candidates, standard)
    tags, _ = tag_learning.learn(then.candidates, then.by_rule, tag_learning.of_tags(told), standards.tagging)
    agreed, open_ = resolve(then.labels, then.candidates, standard)
    wanted = expected(agreed, open_, then.entries)
    labelled = then.candidates[then.candidates["example_id"].isin(wanted.loc[can_be_judged(wanted), "example_id"])].reset_index(drop=True)
    production = then.candidates[then.candidates["source"].isin(LOGGED)]
    released = pd.DataFrame({"example_id": [], "source": [], "slices": [], "reason": [], "since": []}, dtype="str")
    chosen = merge.select(labelled, tags, standards, production, released, settings.model_copy(update={"shortfall": "scale"}))
    ids = chosen.members["example_id"]
    if ids.empty:
        raise InputError("params.yaml: merge: no example could be chosen")
    return ids, merge.control(labelled, len(ids), settings.seed)["example_id"]


def months(candidates: pd.DataFrame, count: int) -> Iterator[tuple[pd.Timestamp, pd.Timestamp]]:
    """The last `count` ends of months with a whole month of production behind them, oldest first, each with the end of that month."""
    times = candidates.loc[candidates["source"].isin(LOGGED), "occurred_at"].dropna()
    if times.empty:
        return
    first, last = (at.tz_localize(None).normalize() for at in (times.min(), times.max()))
    ends = pd.date_range(first + pd.Timedelta(days=1), last + pd.Timedelta(days=1), freq="MS")
    for end, after in list(itertools.pairwise(ends))[-count:] if count else []:
        yield end.tz_localize("UTC"), after.tz_localize("UTC")


def backtest(history: History, standard: Labeling, standards: Standards, settings: Merge, wanted: Monitor, draws: Draws) -> dict[str, Any]:
    """`backtest` of metrics/monitor.json. A month before which no dataset can be built is in `not_built`."""
    caught: list[pd.DataFrame] = []
    not_built = []
    for end, after in months(history.candidates, wanted.backtest_months):
        then = known_at(history, end)
        logged = then.candidates[then.candidates["source"].isin(LOGGED)]
        coming = history.candidates[history.candidates["source"].isin(LOGGED) & history.candidates["failed"]]
        coming = coming[(coming["occurred_at"] >= end) & (coming["occurred_at"] < after)]
        try:
            ids, control = members_of(then, standard, standards, settings)
        except InputError:
            not_built.append(end.strftime("%Y-%m"))
            continue
        space = Space.of(asked(logged))
        within = threshold(then.pairs, then.candidates, space, wanted)["threshold"]
        month = {
            name: nearest(asked(coming), asked(then.candidates[then.candidates["example_id"].isin(some)]), space)[0] <= within
            for name, some in (("dataset", ids), ("control", control))
        }
        caught.append(coming[["example_id", "inclusion_weight"]].assign(month=end.strftime("%Y-%m"), **month))
    return _figures(caught, not_built, draws)


def _figures(caught: Sequence[pd.DataFrame], not_built: list[str], draws: Draws) -> dict[str, Any]:
    content: dict[str, Any] = {"months": len(caught), "not_built": not_built}
    every = pd.concat(caught, ignore_index=True) if caught else pd.DataFrame()
    if every.empty:
        return {**content, "failures": 0}
    mass = every["inclusion_weight"].to_numpy(float)
    values = {name: every[name].to_numpy(float) for name in ("dataset", "control")}
    values["difference"] = values["dataset"] - values["control"]
    drawn = np.concatenate(
        [
            np.stack([(weights * mass) @ value / (weights @ mass) for value in values.values()], axis=1)
            for weights in resampling.weights(every["example_id"].to_numpy(str), draws.resamples, draws.seed)
        ]
    )
    low, high = resampling.interval(drawn, draws.level)
    for place, (name, value) in enumerate(values.items()):
        content[name] = {"value": float(np.average(value, weights=mass)), "low": float(low[place]), "high": float(high[place])}
    return {**content, "failures": len(every)}
