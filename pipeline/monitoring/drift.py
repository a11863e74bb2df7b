"""How differently two sets of conversations are spread over a dimension's values, and what came up that was not asked before.

The divergence is Jensen and Shannon's in bits, 0 (the same) to 1 (nothing in common): Lin, J. (1991), Divergence measures based on the
Shannon entropy, IEEE Transactions on Information Theory 37(1), 145-151. Estimated from samples it is too great, so the bootstrap's
estimate of its bias is taken off (Efron, B. and Tibshirani, R. (1993), An Introduction to the Bootstrap, chapter 10).
"""

from typing import Any

import numpy as np
import pandas as pd

from pipeline.monitoring import resampling
from pipeline.monitoring.alignment import Side
from pipeline.monitoring.nearest import Space, distance, nearest
from pipeline.monitoring.resampling import Draws
from pipeline.slices import Slice

TOPICS = 10
"""New topics that are named at most."""


def divergence(one: Side, other: Side, tags: pd.DataFrame, draws: Draws) -> dict[str, dict[str, float]]:
    """Each dimension's divergence between two sides, with its interval; dimensions of which a side has no value are left out."""
    found = {}
    for dimension, part in tags.groupby("dimension", sort=True):
        named = [Slice(((str(dimension), str(value)),)) for value in sorted(set(part["value"]))]
        inside = [side.inside(named, tags) for side in (one, other)]
        mass = [of * side.mass[:, None] for side, of in zip((one, other), inside, strict=True)]
        sums = [of.sum(axis=0) for of in mass]
        if not all(total.sum() > 0 for total in sums):
            continue
        value = float(jensen_shannon(sums[0][None], sums[1][None])[0])
        drawn = jensen_shannon(
            *(
                np.concatenate([weights @ of for weights in resampling.weights(side.cluster, draws.resamples, draws.seed + place)])
                for place, (side, of) in enumerate(zip((one, other), mass, strict=True))
            )
        )
        low, high = resampling.interval(drawn, draws.level)
        corrected, lowest, highest = np.clip([2 * value - drawn.mean(), 2 * value - high, 2 * value - low], 0.0, 1.0)
        found[str(dimension)] = {"value": float(corrected), "low": float(lowest), "high": float(highest)}
    return found


def jensen_shannon(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The divergence in bits of two distributions a row; rows need not sum to 1."""
    p, q = (side / side.sum(axis=1, keepdims=True) for side in (one, other))
    middle = (p + q) / 2

    def against(side: np.ndarray) -> np.ndarray:
        ratio = np.divide(side, middle, out=np.ones_like(side), where=side > 0)
        total: np.ndarray = (side * np.log2(ratio)).sum(axis=1)
        return total

    return np.clip((against(p) + against(q)) / 2, 0.0, 1.0)


def new_topics(
    before: pd.DataFrame, now: pd.DataFrame, tags: pd.DataFrame, threshold: float, space: Space, least: int
) -> list[dict[str, Any]]:
    """Groups of conversations of `now` that read like each other and like nothing in `before`, the largest first; no text.

    Both have example_id, text, failed, inclusion_weight. A group is one conversation, the earliest in the order of ids that no group
    holds yet, and all others within `threshold` of it; smaller than `least` it is none.
    """
    far, _ = nearest(list(now["text"]), list(before["text"]), space)
    strange = now[far > threshold].sort_values("example_id", ignore_index=True)
    if strange.empty:
        return []
    vectors = space.vectors(list(strange["text"]))
    free, groups = np.ones(len(strange), bool), []
    for place in range(len(strange)):
        if free[place]:
            alike = free & (distance(vectors @ vectors[place].T).ravel() <= threshold)
            alike[place] = True
            free &= ~alike
            groups.append(np.flatnonzero(alike))
    named = tags.assign(named=tags["dimension"] + "=" + tags["value"]).sort_values("named").groupby("example_id")["named"].agg(" ".join)
    found: list[tuple[int, dict[str, Any]]] = []
    for group in groups:
        if len(group) >= least:
            part = strange.iloc[group]
            mass = part["inclusion_weight"].to_numpy(float)
            found.append(
                (
                    -len(part),
                    {
                        "example_id": str(part["example_id"].iloc[0]),
                        "n": len(part),
                        "failure_rate": float(np.average(part["failed"].to_numpy(float), weights=mass)),
                        "tags": str(named.get(part["example_id"].iloc[0], "")),
                    },
                )
            )
    return [one for _, one in sorted(found, key=lambda one: (one[0], one[1]["example_id"]))[:TOPICS]]
