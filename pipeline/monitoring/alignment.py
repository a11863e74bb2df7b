"""Whether the dataset fails where production fails: failure rates by slice on both sides, how they go together, which are off.

Production's rate is the share of conversations in a slice that failed, weighted to all traffic; the dataset's the share of examples
that the present system gets wrong. A dimension that tells how a conversation ended (each of its values always fails or never does)
is no slice to compare by. Intervals are those of the Bayesian bootstrap over conversations and clusters. Slices are off by more than
chance allows where the difference stands out among all slices at once: the greatest studentized difference of the draws (Westfall and
Young 1993, Resampling-Based Multiple Testing, section 2.3), so that of twenty slices that agree none is called off in 95 of 100.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from pipeline import slices
from pipeline.monitoring import resampling
from pipeline.monitoring.resampling import Draws
from pipeline.slices import Slice

NO_SPREAD = 1e-12


@dataclass(frozen=True)
class Side:
    """One row per conversation or example: what it is called, whether it failed (0..1), what it stands for, what it is not independent of."""

    example_id: pd.Series
    failed: np.ndarray
    mass: np.ndarray
    cluster: np.ndarray

    def inside(self, named: list[Slice], tags: pd.DataFrame) -> np.ndarray:
        """(rows, slices) of 0 and 1."""
        columns = [slices.members(one, tags, self.example_id).to_numpy(float) for one in named]
        return np.stack(columns, axis=1) if columns else np.zeros((len(self.failed), 0))


def comparable(production: Side, tags: pd.DataFrame) -> list[Slice]:
    """Every value of every dimension that production has, without dimensions that tell how a conversation ended."""
    failed = dict(zip(production.example_id, production.failed, strict=True))
    named: list[Slice] = []
    of_production = tags[tags["example_id"].isin(production.example_id)]
    for dimension, part in of_production.groupby("dimension", sort=True):
        by_value = part.assign(failed=part["example_id"].map(failed)).groupby("value")["failed"].agg(["min", "max"])
        if (by_value["min"] < by_value["max"]).any():
            named += [Slice(((str(dimension), str(value)),)) for value in by_value.index]
    return named


def alignment(
    production: Side, dataset: Side, tags: pd.DataFrame, min_examples: int, draws: Draws
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """`alignment` and `slices` of metrics/monitor.json, and the rows of the plot: a slice with at least `min_examples` on both sides each."""
    known = comparable(production, tags)
    counts = [side.inside(known, tags) for side in (production, dataset)]
    enough = (counts[0].sum(axis=0) >= min_examples) & (counts[1].sum(axis=0) >= min_examples)
    named = [one for one, is_enough in zip(known, enough, strict=True) if is_enough]
    if not named:
        return {"alignment": {"slices": 0, "off": []}, "slices": {}}, []
    inside = [one[:, enough] for one in counts]
    rates = [
        (hit := of * side.mass[:, None]).T @ side.failed / hit.sum(axis=0) for side, of in zip((production, dataset), inside, strict=True)
    ]
    drawn = [
        resampling.weighted_rates(side.failed, of, side.mass, side.cluster, draws.resamples, draws.seed + place)
        for place, (side, of) in enumerate(zip((production, dataset), inside, strict=True))
    ]
    limits = [resampling.interval(one, draws.level) for one in drawn]
    difference, apart = rates[1] - rates[0], drawn[1] - drawn[0]
    low, high = resampling.interval(apart, draws.level)
    off = _stands_out(apart, draws.level)
    shown: dict[str, Any] = {}
    rows = []
    for place, one in enumerate(named):
        sides = {
            name: {
                "failure_rate": rates[number][place],
                "low": limits[number][0][place],
                "high": limits[number][1][place],
                "n": int(inside[number][:, place].sum()),
            }
            for number, name in enumerate(("production", "dataset"))
        }
        dimension, value = slices.metrics_keys(one)
        shown.setdefault(dimension, {})[value] = {
            **sides, "difference": difference[place], "low": low[place], "high": high[place], "off": bool(off[place])
        }  # fmt: skip
        row: dict[str, Any] = {"slice": str(one), "off": bool(off[place])}
        for name, side in sides.items():
            row |= {f"{name}_{key.replace('failure_rate', 'rate')}": number for key, number in side.items()}
        rows.append(row)
    together = {
        "spearman": _correlation(
            rankdata(rates[0]), rankdata(rates[1]), rankdata(drawn[0], axis=1), rankdata(drawn[1], axis=1), draws.level
        ),
        "pearson": _correlation(rates[0], rates[1], drawn[0], drawn[1], draws.level),
        "slices": len(named),
        "off": [str(one) for one, is_off in zip(named, off, strict=True) if is_off],
    }
    return {"alignment": together, "slices": shown}, rows


def _stands_out(apart: np.ndarray, level: float) -> np.ndarray:
    centre, spread = apart.mean(axis=0), apart.std(axis=0)
    spread = np.maximum(spread, NO_SPREAD)
    greatest = np.abs((apart - centre) / spread).max(axis=1)
    out: np.ndarray = np.abs(centre / spread) > np.quantile(greatest, level)
    return out


def _correlation(x: np.ndarray, y: np.ndarray, xs: np.ndarray, ys: np.ndarray, level: float) -> dict[str, float]:
    """Pearson's correlation of the rates, or of their ranks, with its interval; nothing where a side is equal everywhere."""
    value, drawn = _pearson(x[None], y[None])[0], _pearson(xs, ys)
    if not np.isfinite(value) or not np.isfinite(drawn).any():
        return {}
    low, high = resampling.interval(drawn, level)
    return {"value": float(value), "low": float(low), "high": float(high)}


def _pearson(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    scale = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    return np.divide((x * y).sum(axis=1), scale, out=np.full(len(x), np.nan), where=scale > NO_SPREAD)


def uncovered(
    production: Side, members: pd.Series, tags: pd.DataFrame, pairs: list[list[str]], *, min_share: float
) -> list[dict[str, Any]]:
    """Slices of which production has at least `min_share` and the dataset has none, the most frequent first.

    Values of every dimension, and pairs of values of the dimensions in `pairs` of which the dataset has each value.
    """
    total = production.mass.sum()
    mass = pd.Series(production.mass, index=production.example_id)
    values = tags.assign(in_dataset=tags["example_id"].isin(members), mass=tags["example_id"].map(mass).fillna(0.0))
    singles = values.groupby(["dimension", "value"], sort=True).agg(
        share=("mass", "sum"), n=("mass", np.count_nonzero), held=("in_dataset", "any")
    )
    found = [
        (Slice(((str(dimension), str(value)),)), row["share"] / total, int(row["n"]))
        for (dimension, value), row in singles.iterrows()  # a row per value of a dimension, not per conversation
        if not row["held"] and total and row["share"] / total >= min_share
    ]
    for one, other in pairs:
        first, second = (values[values["dimension"] == name] for name in (one, other))
        both = first.merge(second[["example_id", "value"]], on="example_id", suffixes=("", "_other"))
        crossed = both.groupby(["value", "value_other"], sort=True).agg(
            share=("mass", "sum"), n=("mass", np.count_nonzero), held=("in_dataset", "any")
        )
        for (value, value_other), row in crossed.iterrows():
            known = bool(singles.loc[(one, value), "held"] and singles.loc[(other, value_other), "held"])
            if known and not row["held"] and total and row["share"] / total >= min_share:
                found.append((Slice(tuple(sorted(((one, str(value)), (other, str(value_other)))))), row["share"] / total, int(row["n"])))
    ordered = sorted(found, key=lambda one: (-round(one[1], 9), str(one[0])))
    return [{"slice": str(name), "share": float(share), "n": n} for name, share, n in ordered]
