"""Which production failures are worth a flag: thumbs down, errors, escalations, answers that a scorer finds wrong; alike ones together.

A group is one incident: conversations whose users say nearly the same. What is flagged already is no suggestion any more, nor is what
reads like it. No text leaves here, since a suggestion is read on screens and in CI logs.
"""

from collections.abc import Collection

import numpy as np
import pandas as pd

from pipeline import near_duplicates
from pipeline.params import LOGGED

SCORED = "answered_wrong"
"""Why a conversation is suggested that production did not see fail: the present system answers it wrong."""


def suggestions(candidates: pd.DataFrame, tags: pd.DataFrame, costs: pd.Series, wrong: Collection[str], threshold: float) -> pd.DataFrame:
    """A row per group: example_id (its newest), n, weight (logged conversations it stands for), cost (of a failure), newest, why, tags.

    `candidates` is schema.CANDIDATES, `tags` schema.TAGS, `costs` a cost by example id, `wrong` the examples that the present system
    answers wrong. The most expensive first: cost times weight.
    """
    production = candidates[candidates["source"].isin(LOGGED)]
    failing = production[production["failed"] | production["example_id"].isin(list(wrong)) | production["pinned"]]
    ordered = failing.sort_values(["pinned", "occurred_at", "example_id"], ascending=[False, False, True], kind="stable").reset_index(
        drop=True
    )
    twins = near_duplicates.drop([near_duplicates.asked(messages) for messages in ordered["input"]], threshold)
    head = np.array([place if twin is None else twin for place, twin in enumerate(twins)], dtype=int)
    outcomes = tags[tags["dimension"] == "outcome"].set_index("example_id")["value"]
    named = tags.assign(named=tags["dimension"] + "=" + tags["value"]).sort_values("named").groupby("example_id")["named"].agg(" ".join)
    rows = []
    for place, group in ordered.groupby(head, sort=False):
        first = ordered.iloc[place]
        if first["pinned"]:
            continue
        why = sorted(
            {str(outcomes.get(i, "failed")) if failed else SCORED for i, failed in zip(group["example_id"], group["failed"], strict=True)}
        )
        weight = float(group["inclusion_weight"].sum())
        cost = float(costs.reindex(group["example_id"]).fillna(1.0).max())
        rows.append(
            (first["example_id"], len(group), weight, cost, group["occurred_at"].max(), " ".join(why), named.get(first["example_id"], ""))
        )
    found = pd.DataFrame(rows, columns=["example_id", "n", "weight", "cost", "newest", "why", "tags"])
    value = -(found["cost"] * found["weight"]).astype(float).round(9)
    return found.assign(value=value).sort_values(["value", "example_id"], kind="stable").drop(columns="value").reset_index(drop=True)
