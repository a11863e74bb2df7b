"""The contract's clauses: over which examples, by which figure, and whether it is met.

A clause or a regression slice that names what is not there is one line: what there is, the nearest spelling first.
"""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from pipeline import slices
from pipeline.errors import InputError
from pipeline.expectations import Contract
from pipeline.measures import CONTRACT, Judged, Measure


def clauses(judged: Judged, tags: pd.DataFrame, contract: Contract, measures: Mapping[str, Measure], level: float) -> dict[str, Any]:
    """Each clause's count, value, interval, threshold and whether it is met, by the value as it is shown; not met where nothing was judged."""
    check(contract, tags, judged.examples.index.to_series(), measures)
    found = {}
    for clause in contract.clauses:
        inside = judged.within(lying_in(clause.slice, tags, judged.examples.index))
        shown = measures[clause.metric](inside).shown("value", level)
        threshold = clause.at_least if clause.at_least is not None else clause.at_most
        value = shown.get("value")
        met = value is not None and (value >= threshold if clause.at_least is not None else value <= threshold)
        found[clause.name] = {**shown, "threshold": threshold, "met": met}
    return found


def lying_in(slice_: str, tags: pd.DataFrame, example_ids: Iterable[str]) -> pd.Index:
    """The ids of `example_ids` that lie in the slice, in their order; `tags` is the table of schema.TAGS."""
    ids = pd.Series(list(example_ids), dtype="str")
    return pd.Index(ids[slices.members(slices.parse(slice_), tags, ids)])


def check(contract: Contract, tags: pd.DataFrame, example_ids: Iterable[str], metrics: Iterable[str]) -> None:
    """Raises InputError for the first clause over a metric that is not there, or slice that no example lies in."""
    metrics, ids = list(metrics), list(example_ids)
    for clause in contract.clauses:
        if clause.metric not in metrics:
            raise InputError(
                f"{CONTRACT}: clauses: {clause.name}: no metric '{clause.metric}'; there are {_nearest(clause.metric, metrics)}"
            )
    named = [(f"clauses: {clause.name}", clause.slice) for clause in contract.clauses]
    named += [(f"regressions.costs: {name}", name) for name in contract.regressions.costs]
    named += [(f"regressions.zero_tolerance: {name}", name) for name in contract.regressions.zero_tolerance]
    for where, slice_ in named:
        if not len(lying_in(slice_, tags, ids)):
            raise InputError(f"{CONTRACT}: {where}: no example lies in '{slice_}'; {_what_there_is(slices.parse(slice_), tags)}")


def _what_there_is(where: slices.Slice, tags: pd.DataFrame) -> str:
    for dimension, value in where.tags:
        values = sorted(set(tags.loc[tags["dimension"] == dimension, "value"]))
        if not values:
            return f"dimensions are {_nearest(dimension, sorted(set(tags['dimension'])))}"
        if value not in values:
            return f"values of {dimension} are {_nearest(value, values)}"
    return "its values exist, and no example has them together"


def _nearest(name: str, known: list[str]) -> str:
    """All of `known`, those spelt most like `name` first."""
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    return ", ".join([*near, *(one for one in known if one not in near)])
