"""What the statistics are told: a score per example for every clause, and which examples lie in which slice.

Pure: no file, no clock. `pipeline.decision` decides from it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline import slices
from pipeline.clauses import check, lying_in
from pipeline.decision.joint import ClauseScores
from pipeline.errors import InputError
from pipeline.expectations import PARTS, Clause, Contract, Coverage
from pipeline.measures import CONTRACT, Judged, measures
from pipeline.scorers import Criteria

WEIGHTED = {"cost_weighted_accuracy": "cost", "traffic_accuracy": "weight"}


@dataclass(frozen=True)
class Sliced:
    """Slices in which a regression is looked for."""

    members: pd.DataFrame
    """Booleans by example_id, a column per slice."""
    costs: dict[str, float]
    """Cost of a failure by slice, 1 where it is not named."""
    intolerable: pd.Series
    """By example_id: whether it lies in a slice of zero tolerance."""


def clause_scores(judged: Judged, tags: pd.DataFrame, contract: Contract, criteria: Criteria) -> list[ClauseScores]:
    """Each clause's evidence, over the examples in `judged`'s order.

    Raises InputError for a clause over a slice or metric that is not there, or a metric that is no mean over examples.
    """
    check(contract, tags, judged.examples.index, measures(criteria))
    found = []
    for clause in contract.clauses:
        values, weights = _per_example(judged, clause.metric, clause.name)
        inside = judged.examples.index.isin(lying_in(clause.slice, tags, judged.examples.index))
        at_least = clause.at_least is not None
        found.append(ClauseScores(clause.name, np.where(inside, values, np.nan), threshold(clause), at_least, weights))
    return found


def threshold(clause: Clause) -> float:
    return float(clause.at_least if clause.at_least is not None else clause.at_most)  # type: ignore[arg-type]  # it has one of the two


def _per_example(judged: Judged, metric: str, clause: str) -> tuple[np.ndarray, np.ndarray | None]:
    """A metric as a score of 0..1 per example, NaN where it does not apply, and the weights of its mean."""
    examples, answers = judged.examples, judged.answers
    if metric == "accuracy":
        return examples["score"].to_numpy(float), None
    if metric in WEIGHTED:
        weights = examples[WEIGHTED[metric]].to_numpy(float)
        return np.where(weights > 0, examples["score"].to_numpy(float), np.nan), np.where(weights > 0, weights, 1.0)
    if metric == "ece":
        raise InputError(f"{CONTRACT}: clauses: {clause}: ece is no mean over examples and has no posterior; gate on brier")
    if metric == "brier":
        values = (answers["stated"] - answers["correct"]) ** 2
    elif metric == "error_rate":
        values = answers["error"].astype(float)
    else:
        values = answers[f"part:{metric}" if metric in PARTS else f"criterion:{metric}"]
    return values.groupby(answers["example_id"]).mean().reindex(examples.index).to_numpy(float), None


def sliced(tags: pd.DataFrame, example_ids: Iterable[str], contract: Contract, coverage: Coverage) -> Sliced:
    """Every value of every dimension, the combinations that coverage.yaml names, and the slices that the contract does."""
    ids = pd.Index(list(example_ids), name="example_id")
    names = [f"{dimension}={value}" for dimension, value in sorted(set(zip(tags["dimension"], tags["value"], strict=True)))]
    names += [combination.slice for combination in coverage.combinations]
    names += [clause.slice for clause in contract.clauses]
    names += [*contract.regressions.costs, *contract.regressions.zero_tolerance]
    members = {name: ids.isin(lying_in(name, tags, ids)) for name in dict.fromkeys(str(slices.parse(name)) for name in names)}
    costs = {f"{dimension}={value}": cell.cost for dimension, cells in coverage.dimensions.items() for value, cell in cells.items()}
    costs |= {combination.slice: combination.cost for combination in coverage.combinations} | contract.regressions.costs
    zero = [members[name] for name in contract.regressions.zero_tolerance]
    intolerable = np.any(zero, axis=0) if zero else np.zeros(len(ids), bool)
    held = {name: inside for name, inside in members.items() if inside.any()}
    return Sliced(pd.DataFrame(held, index=ids), costs, pd.Series(intolerable, index=ids))
