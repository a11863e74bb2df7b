"""Figures from judgements: overall, per source, slice, criterion and clause, each with its count.

In: metrics/scores.csv, data/golden/examples.parquet, the contract and the costs of expectations/. Out: metrics/metrics.json, whose
keys stay the same from version to version, and metrics/slices.json for a plot. Never: an error counted as right or wrong, a
decision on an unrounded figure.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline import expectations, params, schema, slices, stage, tables
from pipeline.decision.calibration import brier, expected_calibration_error
from pipeline.decision.intervals import jeffreys
from pipeline.errors import InputError
from pipeline.expectations import CRITERIA, Contract, Coverage
from pipeline.paths import EXAMPLES, METRICS, SCORES
from pipeline.tables import METRIC_DIGITS

CONTRACT = expectations.FOLDER / "contract.yaml"
RIGHT = dict.fromkeys(CRITERIA, 1 - 1e-9) | {"confidence": 0.75 - 1e-9}
"""From which score on a criterion is met. A confidence need not be 1: it must lie on the right side of one half."""


@dataclass(frozen=True)
class Judged:
    """Answers and what they add up to, of all examples or of some."""

    answers: pd.DataFrame
    """A row per example and epoch: `right` (NaN for an error), `error`, a column per criterion, `confidence` and `correct`."""
    examples: pd.DataFrame
    """A row per example, indexed by its id: `source`, `cost`, and `score`, its mean over epochs (NaN where all are errors)."""

    def within(self, ids: pd.Index) -> "Judged":
        return Judged(self.answers[self.answers["example_id"].isin(ids)], self.examples.loc[ids])


def metrics(
    scores: pd.DataFrame, examples: pd.DataFrame, contract: Contract, coverage: Coverage, wanted: params.Metrics
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The content of metrics.json and the records of slices.json.

    Raises InputError where the scores are not of these examples, or a clause names a slice or metric that is not there.
    """
    tags = tags_of(examples)
    judged = judge(scores, examples, contract, example_costs(examples["example_id"], tags, coverage))
    named = named_slices(tags, examples["example_id"], wanted)
    figures = {
        (dimension, value): (text, accuracy(judged.within(ids), wanted.interval)) for (dimension, value), (text, ids) in named.items()
    }
    overall = accuracy(judged, wanted.interval)
    content: dict[str, Any] = {
        "overall": {**overall, "errors": int(judged.answers["error"].sum())},
        "sources": _sources(judged, wanted.interval),
        "slices": {},
        "criteria": {name: _criterion(judged, name) for name in CRITERIA if judged.answers[name].notna().any()},
        "clauses": clauses(judged, tags, contract),
        "calibration": _calibration(judged),
    }
    for (dimension, value), (_, figure) in figures.items():
        content["slices"].setdefault(dimension, {})[value] = figure
    if overall["n"]:
        content["cost_weighted_accuracy"] = _measured("cost_weighted_accuracy", judged)[1]
    records = [{"slice": slices.ALL, **overall}] + [{"slice": text, **figure} for text, figure in figures.values()]
    return content, [record for record in records if record["n"]]


def tags_of(examples: pd.DataFrame) -> pd.DataFrame:
    """The examples' tags as schema.TAGS has them, several values of one dimension as several rows."""
    rows = [
        (example_id, dimension, value)
        for example_id, tags in zip(examples["example_id"], examples["tags"], strict=True)
        for dimension, values in tags.items()
        for value in values.split("+")
        if value
    ]
    return pd.DataFrame(rows, columns=["example_id", "dimension", "value"], dtype="str")


def example_costs(example_ids: pd.Series, tags: pd.DataFrame, coverage: Coverage) -> pd.Series:
    """What a failure of each example costs: as much as in the costliest of the slices it lies in, 1 where none names a cost."""
    costs = pd.Series(1.0, index=pd.Index(example_ids), name="cost")
    priced = [
        (slices.Slice(((dimension, value),)), cell.cost)
        for dimension, cells in coverage.dimensions.items()
        for value, cell in cells.items()
    ] + [(slices.parse(combination.slice), combination.cost) for combination in coverage.combinations]
    for where, cost in sorted(priced, key=lambda pair: pair[1]):
        costs[slices.members(where, tags, example_ids).to_numpy()] = cost
    return costs


def judge(scores: pd.DataFrame, examples: pd.DataFrame, contract: Contract, costs: pd.Series) -> Judged:
    """Scores as answers that are right, wrong or errors, and as one score per example."""
    _of_these(scores, examples)
    counting = [name for name in CRITERIA if name in contract.scope and contract.scope[name].counts]
    if uncounted := sorted(set(examples["example_id"]) - set(scores.loc[scores["criterion"].isin(counting), "example_id"])):
        raise InputError(
            f"{CONTRACT}: nothing that {uncounted[0]} expects counts in scope"
            + (f" ({len(uncounted)} such examples)" if len(uncounted) > 1 else "")
            + "; let more of scope count, or expect something else of it"
        )
    answers = scores.pivot(index=["example_id", "epoch"], columns="criterion", values="score").reindex(columns=list(CRITERIA)).astype(float)
    met = answers.ge(pd.Series(RIGHT)).where(answers.notna())
    errors = scores[scores["criterion"].isin(counting) & (scores["error"] != "")]
    answers["error"] = answers.index.isin(pd.MultiIndex.from_frame(errors[["example_id", "epoch"]]))
    answers["right"] = met[counting].fillna(True).all(axis=1).astype(float).mask(answers["error"])
    answers["correct"] = met.drop(columns="confidence").fillna(True).all(axis=1).astype(float)
    off = np.sqrt(1 - answers["confidence"].clip(upper=1))  # the criterion's score is 1 - (confidence - correct)^2
    answers["stated"] = (answers["correct"] - off).abs()
    answers = answers.reset_index()
    by_example = examples.set_index("example_id")[["source"]].sort_index()
    by_example["score"] = answers.groupby("example_id")["right"].mean()
    by_example["cost"] = costs
    return Judged(answers, by_example)


def _of_these(scores: pd.DataFrame, examples: pd.DataFrame) -> None:
    keys = ["example_id", "input_sha", "expectation_sha"]
    judged, present = (pd.MultiIndex.from_frame(frame[keys]).unique() for frame in (scores, examples))
    if not judged.symmetric_difference(present).empty:
        raise InputError(f"{SCORES}: not the judgements of {EXAMPLES}; run 'dvc repro score'")
    if len(versions := sorted(set(scores["target_version"]))) > 1:
        raise InputError(f"{SCORES}: holds {' and '.join(versions)}; run 'dvc repro score'")


def accuracy(judged: Judged, level: float) -> dict[str, Any]:
    """Count, accuracy and its interval; the count alone where nothing could be judged."""
    scores = judged.examples["score"].dropna()
    if scores.empty:
        return {"n": 0}
    successes = round(float(scores.sum()), 9)
    low, high = jeffreys(successes, len(scores) - successes, level)
    return {"n": len(scores), "accuracy": successes / len(scores), "low": low, "high": high}


def _sources(judged: Judged, level: float) -> dict[str, Any]:
    found = {}
    for source in sorted(judged.examples["source"].unique()):
        part = judged.within(judged.examples.index[judged.examples["source"] == source])
        found[_key(source)] = {**accuracy(part, level), "errors": int(part.answers["error"].sum())}
    return found


def named_slices(tags: pd.DataFrame, example_ids: pd.Series, wanted: params.Metrics) -> dict[tuple[str, str], tuple[str, pd.Index]]:
    """Every value of every dimension, and the pairs' combinations that are large enough: metrics keys to name and members."""
    found: dict[tuple[str, str], tuple[str, pd.Index]] = {}

    def add(dimensions: tuple[str, ...], values: tuple[str, ...], least: int) -> None:
        where = slices.Slice(tuple(zip(dimensions, values, strict=True)))
        ids = pd.Index(example_ids[slices.members(where, tags, example_ids)])
        key = ("_x_".join(map(_key, dimensions)), "_x_".join(map(_key, values)))
        if len(ids) >= least:
            if key in found:
                raise InputError(f"{EXAMPLES}: the slices '{found[key][0]}' and '{where}' have one key, {'.'.join(key)}; rename a tag")
            found[key] = (str(where), ids)

    values_of = {str(dimension): sorted(set(part)) for dimension, part in tags.groupby("dimension")["value"]}
    for dimension, values in values_of.items():
        for value in values:
            add((dimension,), (value,), 1)
    for first, second in wanted.pairs:
        if unknown := [dimension for dimension in (first, second) if dimension not in values_of]:
            raise InputError(f"params.yaml: metrics.pairs: no example has a tag '{unknown[0]}'; tags are {', '.join(values_of)}")
        for one in values_of[first]:
            for other in values_of[second]:
                add((first, second), (one, other), wanted.min_examples)
    return found


def _key(text: str) -> str:
    """A metrics key without dots and blanks, which DVC would read as further levels."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", text)


def _mean(column: str) -> Callable[[Judged], tuple[int, float | None]]:
    def of(judged: Judged) -> tuple[int, float | None]:
        by_example = judged.answers.groupby("example_id")[column].mean().dropna()
        return len(by_example), float(by_example.mean()) if len(by_example) else None

    return of


def _cost_weighted(judged: Judged) -> tuple[int, float | None]:
    known = judged.examples.dropna(subset="score")
    return len(known), float(np.average(known["score"], weights=known["cost"])) if len(known) else None


def _error_rate(judged: Judged) -> tuple[int, float | None]:
    return len(judged.examples), float(judged.answers["error"].mean()) if len(judged.answers) else None


def _of_confidence(measure: Callable[[np.ndarray, np.ndarray], float]) -> Callable[[Judged], tuple[int, float | None]]:
    def of(judged: Judged) -> tuple[int, float | None]:
        stated = judged.answers.dropna(subset="stated")
        return len(stated), measure(stated["stated"].to_numpy(), stated["correct"].to_numpy()) if len(stated) else None

    return of


MEASURES: dict[str, Callable[[Judged], tuple[int, float | None]]] = {
    "accuracy": _mean("right"),
    "cost_weighted_accuracy": _cost_weighted,
    "error_rate": _error_rate,
    "brier": _of_confidence(brier),
    "ece": _of_confidence(expected_calibration_error),
    **{name: _mean(name) for name in CRITERIA},
}
"""What a clause may name as its metric: a count and a value, none where nothing could be judged."""


def _measured(metric: str, judged: Judged) -> tuple[int, float | None]:
    n, value = MEASURES[metric](judged)
    return n, None if value is None else round(value, METRIC_DIGITS) + 0.0


def _criterion(judged: Judged, name: str) -> dict[str, Any]:
    n, value = _measured(name, judged)
    return {"n": n, "mean": value}


def _calibration(judged: Judged) -> dict[str, Any]:
    n, value = _measured("brier", judged)
    return {"n": 0} if value is None else {"n": n, "brier": value, "ece": _measured("ece", judged)[1]}


def clauses(judged: Judged, tags: pd.DataFrame, contract: Contract) -> dict[str, Any]:
    """Each clause's count, value, threshold and whether it is met, by the value as it is shown. Not met where nothing was judged."""
    found = {}
    for clause in contract.clauses:
        if clause.metric not in MEASURES:
            raise InputError(f"{CONTRACT}: clause {clause.name}: no metric '{clause.metric}'; there are {', '.join(MEASURES)}")
        where = slices.parse(clause.slice)
        ids = judged.examples.index.to_series()
        inside = judged.within(pd.Index(ids[slices.members(where, tags, ids)]))
        if inside.examples.empty:
            raise InputError(f"{CONTRACT}: clause {clause.name}: no example lies in '{where}'; {_what_there_is(where, tags)}")
        n, value = _measured(clause.metric, inside)
        threshold = clause.at_least if clause.at_least is not None else clause.at_most
        shown = {"n": n, "threshold": threshold} | ({} if value is None else {"value": value})
        met = value is not None and (value >= threshold if clause.at_least is not None else value <= threshold)  # type: ignore[operator]
        found[clause.name] = {**shown, "met": met}
    return found


def _what_there_is(where: slices.Slice, tags: pd.DataFrame) -> str:
    for dimension, value in where.tags:
        values = sorted(set(tags.loc[tags["dimension"] == dimension, "value"]))
        if not values:
            return f"tags are {', '.join(sorted(set(tags['dimension'])))}"
        if value not in values:
            return f"values of {dimension} are {', '.join(values)}"
    return "its values exist, and no example has them together"


def work() -> str:
    contract, coverage = expectations.load_contract(), expectations.load_coverage()
    examples = tables.read_parquet(EXAMPLES, schema.EXAMPLES)
    scores = tables.read_csv(SCORES, schema.SCORES)
    content, records = metrics(scores, examples, contract, coverage, params.load().metrics)
    tables.write_json(METRICS / "metrics.json", content)
    tables.write_json(METRICS / "slices.json", records)
    return line(content)


def line(content: dict[str, Any]) -> str:
    overall, unmet = content["overall"], [name for name, clause in content["clauses"].items() if not clause["met"]]
    shown = f"accuracy {overall['accuracy']:.3f} [{overall['low']:.3f}, {overall['high']:.3f}] of" if overall["n"] else "nothing judged:"
    met = f"{len(content['clauses']) - len(unmet)} of {len(content['clauses'])} clauses met" + (
        f" (not {', '.join(unmet)})" if unmet else ""
    )
    return f"{shown} {overall['n']} examples, {overall['errors']} errors; {met}"


if __name__ == "__main__":
    stage.run("metrics", work)
