"""What judgements add up to: answers that are right, wrong or errors, and the figures of any set of examples.

An answer is right where every criterion is met that decides and whose part of an answer counts in the contract's scope. An errored
answer is neither right nor wrong, nor is one that could not be tested; an example's score is the mean of its other answers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline import expectations, slices
from pipeline.decision.calibration import brier, expected_calibration_error
from pipeline.decision.intervals import clustered
from pipeline.errors import InputError
from pipeline.expectations import PARTS, Contract, Coverage
from pipeline.paths import EXAMPLES, GRADER, SCORES
from pipeline.scorers import Criteria
from pipeline.tables import METRIC_DIGITS
from pipeline.targets.asking import NOT_TESTABLE

CONTRACT = expectations.FOLDER / "contract.yaml"
CONFIDENCE = "confidence"
RIGHT = 1 - 1e-9
RIGHT_CONFIDENCE = 0.75 - 1e-9
"""From which score on a criterion is met. A confidence need not be 1: it must lie on the right side of one half."""
STATED_DIGITS = 6
SEED = 7
"""Of intervals that are drawn, where examples are weighted or share a cluster."""


@dataclass(frozen=True)
class Judged:
    """Answers and what they add up to, of all examples or of some."""

    answers: pd.DataFrame
    """A row per example and epoch: `right` (NaN where there is none to judge), `error`, `not_testable`, `correct`, `stated`, and scores by criterion and by part, in
    columns named `criterion:<name>` and `part:<name>`."""
    examples: pd.DataFrame
    """A row per example, indexed by its id: `source`, `cluster`, `cost`, `weight`, and `score`, its mean over epochs (NaN where all are errors)."""

    def within(self, ids: pd.Index) -> "Judged":
        return Judged(self.answers[self.answers["example_id"].isin(ids)], self.examples.loc[ids])


@dataclass(frozen=True)
class Figure:
    n: int
    """How many examples (for calibration: answers) it is made of."""
    value: float | None
    """None where nothing could be judged."""
    sample: "Sample | None" = None
    """What it is the mean of, where it is the mean of one number in 0..1 for each example: a proportion's interval belongs to it."""

    def shown(self, name: str, level: float) -> dict[str, Any]:
        """Count and value, rounded as they are shown, with the interval where there is one."""
        if self.value is None:
            return {"n": self.n}
        shown = {"n": self.n, name: round(self.value, METRIC_DIGITS) + 0.0}
        if self.sample is None:
            return shown
        low, high = clustered(self.sample.scores, self.sample.clusters, level, seed=SEED, weights=self.sample.weights)
        return {**shown, "low": low, "high": high}


@dataclass(frozen=True)
class Sample:
    """One number in 0..1 for each example, and what it takes to say how sure their mean is."""

    scores: np.ndarray
    clusters: np.ndarray
    """Examples of one conversation or incident are alike, and count for less than as many strangers."""
    weights: np.ndarray | None = None


Measure = Callable[[Judged], Figure]


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


def judge(scores: pd.DataFrame, examples: pd.DataFrame, contract: Contract, costs: pd.Series, criteria: Criteria) -> Judged:
    """Scores as answers that are right, wrong or errors, and as one score per example.

    Raises InputError where the scores are not of these examples and criteria, or nothing that an example expects counts.
    """
    _of_these(scores, examples, criteria)
    deciding = [name for name, criterion in criteria.items() if criterion.decides]
    counting = [name for name in deciding if _counts(criteria[name].part, contract)]
    if _counts(CONFIDENCE, contract):
        counting.append(CONFIDENCE)
    if uncounted := sorted(set(examples["example_id"]) - set(scores.loc[scores["criterion"].isin(counting), "example_id"])):
        raise InputError(_nothing_counts(uncounted, scores, criteria))
    table = scores.pivot(index=["example_id", "epoch"], columns="criterion", values="score")
    table = table.reindex(columns=[*criteria, CONFIDENCE]).astype(float)
    met = table.ge(pd.Series(dict.fromkeys(criteria, RIGHT) | {CONFIDENCE: RIGHT_CONFIDENCE})).where(table.notna())
    answers = table.add_prefix("criterion:")
    for part in PARTS:
        answers[f"part:{part}"] = table[[name for name in deciding if criteria[name].part == part]].min(axis=1)
    answers[f"part:{CONFIDENCE}"] = table[CONFIDENCE]
    unjudged = scores[scores["criterion"].isin(counting) & (scores["error"] != "")]
    for column, is_one in (("error", unjudged["error"] != NOT_TESTABLE), ("not_testable", unjudged["error"] == NOT_TESTABLE)):
        answers[column] = answers.index.isin(pd.MultiIndex.from_frame(unjudged.loc[is_one, ["example_id", "epoch"]]))
    answers["right"] = met[counting].fillna(True).all(axis=1).astype(float).mask(answers["error"] | answers["not_testable"])
    answers["correct"] = met[deciding].fillna(True).all(axis=1).astype(float)
    off = np.sqrt(1 - table[CONFIDENCE].clip(upper=1))  # the criterion's score is 1 - (confidence - correct)^2
    answers["stated"] = (answers["correct"] - off).abs().round(STATED_DIGITS)
    answers = answers.reset_index()
    by_example = examples.set_index("example_id")[["source", "cluster"]].sort_index()
    by_example["score"] = answers.groupby("example_id")["right"].mean()
    by_example["cost"] = costs
    by_example["weight"] = examples.set_index("example_id")["inclusion_weight"]
    return Judged(answers, by_example)


def _counts(part: str, contract: Contract) -> bool:
    return part in contract.scope and contract.scope[part].counts


def _nothing_counts(ids: list[str], scores: pd.DataFrame, criteria: Criteria) -> str:
    own = set(scores.loc[scores["example_id"] == ids[0], "criterion"])
    shown = sorted(name for name in own & set(criteria) if not criteria[name].decides)
    others = f" ({len(ids)} such examples)" if len(ids) > 1 else ""
    if "graded" in shown:
        return f"{GRADER}: the grader may not decide yet, and nothing else that {ids[0]} expects counts{others}; expect something beside it"
    said = f" (params.yaml: score.reported takes out {', '.join(shown)})" if shown else ""
    return (
        f"{CONTRACT}: nothing that {ids[0]} expects counts in scope{others}{said}; let more of scope count, or expect something else of it"
    )


def _of_these(scores: pd.DataFrame, examples: pd.DataFrame, criteria: Criteria) -> None:
    keys = ["example_id", "input_sha", "expectation_sha"]
    judged, present = (pd.MultiIndex.from_frame(frame[keys]).unique() for frame in (scores, examples))
    if not judged.symmetric_difference(present).empty:
        raise InputError(f"{SCORES}: not the judgements of {EXAMPLES}; run 'dvc repro score'")
    if len(versions := sorted(set(scores["target_version"]))) > 1:
        raise InputError(f"{SCORES}: holds {' and '.join(versions)}; run 'dvc repro score'")
    if unknown := sorted(set(scores["criterion"]) - {*criteria, CONFIDENCE}):
        raise InputError(f"{SCORES}: judged by '{unknown[0]}', which params.yaml does not name; run 'dvc repro score'")


def accuracy(judged: Judged) -> Figure:
    return _share(judged.examples["score"], judged)


def _mean(column: str) -> Measure:
    def of(judged: Judged) -> Figure:
        return _share(judged.answers.groupby("example_id")[column].mean(), judged)

    return of


def _weighted(column: str) -> Measure:
    def of(judged: Judged) -> Figure:
        return _share(judged.examples["score"][judged.examples[column] > 0], judged, column)

    return of


def _error_rate(judged: Judged) -> Figure:
    return _share(judged.answers.groupby("example_id")["error"].mean(), judged)


def _share(scores: pd.Series, judged: Judged, weighted_by: str | None = None) -> Figure:
    """The mean of `scores`, indexed by example id; those that are NaN are left out."""
    known = scores.dropna().astype(float)
    if not len(known):
        return Figure(0, None)
    facts = judged.examples.loc[known.index]
    weights = None if weighted_by is None else facts[weighted_by].to_numpy(float)
    value = float(np.average(known, weights=weights))
    return Figure(len(known), value, Sample(known.to_numpy(float), facts["cluster"].to_numpy(str), weights))


def _of_confidence(measure: Callable[[np.ndarray, np.ndarray], float]) -> Measure:
    def of(judged: Judged) -> Figure:
        stated = judged.answers.dropna(subset="stated")
        value = measure(stated["stated"].to_numpy(), stated["correct"].to_numpy()) if len(stated) else None
        return Figure(len(stated), value)

    return of


def measures(criteria: Criteria) -> dict[str, Measure]:
    """What a clause may name as its metric. Where a part and a criterion have one name, it is the part, which that criterion judges."""
    return {
        "accuracy": accuracy,
        "cost_weighted_accuracy": _weighted("cost"),
        "traffic_accuracy": _weighted("weight"),
        "error_rate": _error_rate,
        "brier": _of_confidence(brier),
        "ece": _of_confidence(expected_calibration_error),
        **{name: _mean(f"criterion:{name}") for name in criteria},
        **{part: _mean(f"part:{part}") for part in PARTS},
    }
