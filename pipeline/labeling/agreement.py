"""How far annotators agree, beyond what chance would give: figures of libraries, of one dimension at a time.

Labels are counted as an annotator gave them first: blind, before anybody spoke of them. Raw agreement stands beside every
coefficient, since on a skewed scale the one is high and the other is not: annotators who say "yes" to 97 of 100 agree by chance on
94. Krippendorff's alpha: Krippendorff (2011), Computing Krippendorff's Alpha-Reliability; Cohen's kappa: Cohen (1960), of a pair;
Fleiss' kappa: Fleiss (1971), of the examples that most often occur with one number of labels.
"""

from collections import Counter
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from inspect_ai.scorer import SampleScore, Score, krippendorff_alpha
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import fleiss_kappa

from pipeline.expectations import LabelDimension

INTERVAL = (2.5, 97.5)
SHOWN = 3
"""So many pairs of values that were confused are named."""


def first_labels(labels: pd.DataFrame) -> pd.DataFrame:
    """Of each annotator the first label of an example; `labels` (schema.LABELS) are of one dimension."""
    return labels.sort_values(["labelled_at", "example_id", "annotator"], kind="stable").drop_duplicates(["example_id", "annotator"])


def table_of(labels: pd.DataFrame, values: list[str]) -> np.ndarray:
    """How many annotators gave an example which value: a row for each example with two labels or more, in the order of ids."""
    counted = pd.crosstab(labels["example_id"], labels["value"]).reindex(columns=values, fill_value=0).to_numpy(dtype="int64")
    return counted[counted.sum(axis=1) >= 2]


def alpha(table: np.ndarray, scale: str) -> float | None:
    """Krippendorff's alpha of `table_of`; None where all labels are one value, since there is nothing to tell apart."""
    return _alpha(_units(table, scale), scale) if _tells_apart(table) else None


def _tells_apart(table: np.ndarray) -> bool:
    return int((table.sum(axis=0) > 0).sum()) > 1


def _units(table: np.ndarray, scale: str) -> list[SampleScore]:
    """Each example's labels as Inspect's metric takes them: the values' places, as words where their order means nothing."""
    given = [np.repeat(np.arange(len(row)), row) for row in table]
    return [SampleScore(score=Score(value=[float(v) if scale == "ordinal" else str(v) for v in values])) for values in given]


def _alpha(units: list[SampleScore], scale: str) -> float:
    return float(krippendorff_alpha("ordinal" if scale == "ordinal" else "nominal")(units))


def raw(table: np.ndarray) -> float:
    """The share of pairs of labels of one example that are equal, averaged over the examples."""
    given = table.sum(axis=1)
    return float(((table * (table - 1)).sum(axis=1) / (given * (given - 1))).mean())


def fleiss(table: np.ndarray) -> tuple[float, int] | None:
    """Fleiss' kappa and of how many examples: those with the most common number of labels. None where it is undefined."""
    given = table.sum(axis=1)
    numbers, counts = np.unique(given, return_counts=True)
    same = table[given == numbers[::-1][counts[::-1].argmax()]]
    if (same.sum(axis=0) > 0).sum() < 2:
        return None
    return float(fleiss_kappa(same)), len(same)


def interval(table: np.ndarray, scale: str, resamples: int, seed: int) -> tuple[float, float] | None:
    """95 % percentile bootstrap of alpha by example. A sample of one value has no alpha and is left out; None where most are such."""
    generator, units = np.random.default_rng(seed), _units(table, scale)
    drawn = (generator.integers(len(table), size=len(table)) for _ in range(resamples))
    found = [_alpha([units[place] for place in places], scale) for places in drawn if _tells_apart(table[places])]
    if len(found) * 2 < resamples:
        return None
    low, high = np.percentile(found, INTERVAL)
    return float(low), float(high)


def figures_of(table: np.ndarray, scale: str) -> dict[str, float]:
    """n examples, raw agreement and alpha, as far as there is one."""
    if not len(table):
        return {"n": 0}
    found = alpha(table, scale)
    return {"n": len(table), "raw": raw(table)} | ({} if found is None else {"alpha": found})


def confused(labels: pd.DataFrame) -> dict[str, int]:
    """The pairs of values that annotators gave to the same example, most frequent first, with the number of examples."""
    pairs = Counter(pair for _, values in labels.groupby("example_id")["value"] for pair in combinations(sorted(set(values)), 2))
    return {f"{a}_or_{b}": count for (a, b), count in sorted(pairs.items(), key=lambda one: (-one[1], one[0]))[:SHOWN]}


def pairs(labels: pd.DataFrame, dimension: LabelDimension, least: int) -> dict[str, dict[str, float]]:
    """Cohen's kappa of every two annotators with `least` examples in common; of an ordinal scale with quadratic weights."""
    wide = labels.pivot(index="example_id", columns="annotator", values="value")
    found = {}
    for a, b in combinations(sorted(wide.columns), 2):
        both = wide[[a, b]].dropna()
        if len(both) < least:
            continue
        entry = {"n": len(both), "raw": float((both[a] == both[b]).mean())}
        if len(set(both[a]) | set(both[b])) > 1:
            weights = "quadratic" if dimension.scale == "ordinal" else None
            entry["kappa"] = float(cohen_kappa_score(both[a], both[b], labels=list(dimension.values), weights=weights))
        found[f"{a}_{b}"] = entry
    return found


def repeats(labels: pd.DataFrame, dimension: LabelDimension) -> dict[str, float]:
    """How far annotators agree with themselves: the first and the last label of whoever labelled an example on two days.

    Of all annotators together: a disagreement tells of the data or the standard, never of the person.
    """
    ordered = labels.sort_values(["labelled_at"], kind="stable").groupby(["example_id", "annotator"], sort=True)["value"]
    twice = ordered.agg(["first", "last", "size"]).query("size > 1").reset_index()
    each = [f"{example} {annotator}" for example, annotator in zip(twice["example_id"], twice["annotator"], strict=True)]
    both = pd.DataFrame({"example_id": each * 2, "value": [*twice["first"], *twice["last"]]})
    return figures_of(table_of(both, list(dimension.values)), dimension.scale) if len(both) else {"n": 0}


def measure(labels: pd.DataFrame, tags: pd.DataFrame, dimension: LabelDimension, least: int, resamples: int, seed: int) -> dict[str, Any]:
    """Everything of one dimension with values. `labels` (schema.LABELS) are blind, fresh and of its present meaning.

    `reached` is there where `min_agreement` is, and where `least` examples or more have two labels; slices and pairs with fewer are
    left out.
    """
    first = first_labels(labels)
    if not len(first):
        return {"n": 0}
    table = table_of(first, list(dimension.values))
    found: dict[str, Any] = figures_of(table, dimension.scale)
    if "alpha" in found and (between := interval(table, dimension.scale, resamples, seed)):
        found |= {"low": between[0], "high": between[1]}
    if "alpha" in found and dimension.scale == "nominal" and (kappa := fleiss(table)):
        found |= {"fleiss_kappa": kappa[0], "fleiss_n": kappa[1]}
    if dimension.min_agreement is not None:
        found["needed"] = dimension.min_agreement
        if "alpha" in found and found["n"] >= least:
            found["reached"] = found["alpha"] >= dimension.min_agreement
    parts = {
        "confused": confused(first),
        "pairs": pairs(first, dimension, least),
        "slices": _slices(first, tags, dimension, least),
    }
    found |= {name: part for name, part in parts.items() if part}
    return found | ({"repeats": again} if (again := repeats(labels, dimension))["n"] else {})


def of_version(labels: pd.DataFrame, version: str, dimension: LabelDimension) -> dict[str, float]:
    """n, raw agreement and alpha of the labels that were made under one version of the standard."""
    first = first_labels(labels[labels["standard_version"] == version])
    return figures_of(table_of(first, list(dimension.values)), dimension.scale) if len(first) else {"n": 0}


def _slices(labels: pd.DataFrame, tags: pd.DataFrame, dimension: LabelDimension, least: int) -> dict[str, dict[str, dict[str, float]]]:
    found: dict[str, dict[str, dict[str, float]]] = {}
    for name in dimension.metadata_tags:
        for value, ids in tags[tags["dimension"] == name].groupby("value")["example_id"]:
            table = table_of(labels[labels["example_id"].isin(ids)], list(dimension.values))
            if len(table) >= least:
                found.setdefault(name, {})[str(value)] = figures_of(table, dimension.scale)
    return found
