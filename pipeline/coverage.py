"""Which slices the dataset should hold, how many examples of each, and what it has: expectations/coverage.yaml turned into numbers.

A slice is every value of a dimension that `merge.stratify_by` names, every combination that coverage.yaml names, and every slice that a
clause or a zero tolerance of the contract does. What an example more adds to catching power (decision/curve.py at the contract's
regression size, times the slice's share of all costs) is counted in whole units of 1 / GRAIN of all there is to catch, rounded: past
enough examples for what a failure costs, one more adds nothing.

Targets that are not given are derived. Within a dimension the dataset's size is handed out example by example, floors first, each to the
value where it adds most; a combination takes what adds something, at most as many as the least of its values.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline import expectations, slices
from pipeline.allocation import Goal
from pipeline.decision.curve import concave, levels, seen
from pipeline.errors import InputError, did_you_mean
from pipeline.expectations import Contract, Coverage, Tagging, Value

GRAIN = 1_000
COVERAGE = expectations.FOLDER / "coverage.yaml"
CONTRACT = expectations.FOLDER / "contract.yaml"
COMBINATIONS, NAMED_BY_CONTRACT = "combinations", "contract"


@dataclass(frozen=True)
class Wanted:
    group: str
    """The dimension, `combinations` or `contract`."""
    name: str
    """The value, the combination's name, or the contract's slice."""
    goal: Goal
    target: int
    """Examples wanted: given or derived, never below the floor."""


@dataclass(frozen=True)
class _Entry:
    group: str
    name: str
    slice: str
    cost: float
    floor: int
    given: int | None


def check(coverage: Coverage, contract: Contract, tagging: Tagging, stratify_by: Sequence[str], size: int) -> None:
    """Raises InputError for the first name that tagging.yaml and coverage.yaml do not know, and for targets that no dataset of `size` has."""
    known = {name: set(dimension.values) for name, dimension in tagging.dimensions.items()}
    for dimension in stratify_by:
        if dimension not in coverage.dimensions:
            raise InputError(
                f"params.yaml: merge.stratify_by: {COVERAGE} has no dimension '{dimension}'; {_there(dimension, coverage.dimensions)}"
            )
    for dimension, values in coverage.dimensions.items():
        for value in values:
            _known(f"{COVERAGE}: dimensions", ((dimension, value),), known)
    for combination in coverage.combinations:
        _known(f"{COVERAGE}: combinations: {combination.name}", slices.parse(combination.slice).tags, known)
    for impossible in coverage.impossible:
        _known(f"{COVERAGE}: impossible", slices.parse(impossible).tags, known)
    for where, named in _of_contract(contract):
        _known(f"{CONTRACT}: {where}", slices.parse(named).tags, known)
    _within_size(coverage, tagging, stratify_by, size)


def _known(where: str, tags: Iterable[tuple[str, str]], known: Mapping[str, set[str]]) -> None:
    for dimension, value in tags:
        if dimension not in known:
            raise InputError(f"{where}: no dimension '{dimension}' in {expectations.FOLDER}/tagging.yaml; {_there(dimension, known)}")
        if value not in known[dimension]:
            raise InputError(
                f"{where}: '{value}' is no value of {dimension} in {expectations.FOLDER}/tagging.yaml; {_there(value, known[dimension])}"
            )


def _there(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    return did_you_mean(name, names, f"there are {', '.join(names)}")


def _within_size(coverage: Coverage, tagging: Tagging, stratify_by: Sequence[str], size: int) -> None:
    beyond = "raise merge.size in params.yaml or lower them"
    for dimension in stratify_by:
        least = {value: _least(entry) for value, entry in coverage.dimensions[dimension].items()}
        for value, count in least.items():
            if count > size:
                raise InputError(f"{COVERAGE}: dimensions.{dimension}.{value}: {count} examples wanted in a dataset of {size}; {beyond}")
        if not tagging.dimensions[dimension].multiple and sum(least.values()) > size:
            raise InputError(
                f"{COVERAGE}: dimensions.{dimension}: targets and floors add up to {sum(least.values())} in a dataset of {size}; {beyond}"
            )
    for combination in coverage.combinations:
        if _least(combination) > size:
            raise InputError(
                f"{COVERAGE}: combinations: {combination.name}: {_least(combination)} examples wanted in a dataset of {size}; {beyond}"
            )


def _least(entry: Value) -> int:
    return max(entry.floor, entry.target or 0)


def refuse_what_cannot_be(tags: pd.DataFrame, example_ids: pd.Series, coverage: Coverage, stratify_by: Sequence[str]) -> None:
    """Raises InputError where one of `example_ids` lies in an impossible slice or has a value that coverage.yaml does not list.

    tags: schema.TAGS.
    """
    mine = tags[tags["example_id"].isin(example_ids)]
    for dimension in stratify_by:
        of_dimension = mine[mine["dimension"] == dimension]
        for value in sorted(set(of_dimension["value"]) - set(coverage.dimensions[dimension])):
            ids = sorted(of_dimension.loc[of_dimension["value"] == value, "example_id"])
            raise InputError(
                f"{COVERAGE}: dimensions.{dimension}: '{value}' is not here and {_so_many(ids)}; add it with its cost, or correct the tag"
            )
    for text in coverage.impossible:
        if ids := sorted(example_ids[slices.members(slices.parse(text), mine, example_ids)]):
            raise InputError(f"{COVERAGE}: impossible: '{text}' occurs, {_so_many(ids)}; correct the tags, or take it out of impossible")


def _so_many(ids: Sequence[str]) -> str:
    return f"{ids[0]} has it" if len(ids) == 1 else f"{len(ids)} candidates have it, such as {ids[0]}"


def wanted(coverage: Coverage, contract: Contract, tagging: Tagging, stratify_by: Sequence[str], size: int) -> list[Wanted]:
    """Every slice with its goal and its target, in a dataset of `size`; a slice that two names mean stands once."""
    entries = _entries(coverage, contract, stratify_by, size)
    costs = np.array([entry.cost for entry in entries])
    own_levels = levels(costs.tolist(), contract.regressions.level) if len(costs) else costs
    goals = [
        Goal(
            entry.slice,
            entry.cost,
            max(entry.floor, entry.given or 0),
            max(1, round(GRAIN * entry.cost / costs.sum())),
            gains(GRAIN * entry.cost / costs.sum(), size, contract.regressions.size, float(level)),
        )
        for entry, level in zip(entries, own_levels, strict=True)
    ]
    targets = _targets(entries, goals, size)
    return [Wanted(entry.group, entry.name, goal, targets[entry.slice]) for entry, goal in zip(entries, goals, strict=True)]


def gains(units: float, size: int, fall: float, level: float) -> np.ndarray:
    """What each example more adds, of `units` in all: whole numbers, none larger than the one before, without the zeros at the end."""
    steps = np.rint(units * np.diff(concave(seen(size, fall, level)))).astype(np.int64)
    falling = np.minimum.accumulate(steps)
    return np.asarray(falling[falling > 0])


def _entries(coverage: Coverage, contract: Contract, stratify_by: Sequence[str], size: int) -> list[_Entry]:
    costs = contract.regressions.costs
    judged = {clause.slice for clause in contract.clauses} - {slices.ALL}
    found: dict[str, _Entry] = {}

    def add(group: str, name: str, where: str, value: Value) -> None:
        floor = max(value.floor, min(coverage.clause_floor, size) if where in judged else 0)
        found.setdefault(where, _Entry(group, name, where, costs.get(where, value.cost), floor, value.target))

    for dimension in stratify_by:
        for name, value in coverage.dimensions[dimension].items():
            add(dimension, name, f"{dimension}={name}", value)
    for combination in coverage.combinations:
        add(COMBINATIONS, combination.name, combination.slice, combination)
    for _, where in _of_contract(contract):
        if where != slices.ALL:
            add(NAMED_BY_CONTRACT, slices.metrics_key(where), where, Value())
    return list(found.values())


def _of_contract(contract: Contract) -> list[tuple[str, str]]:
    """Where in the contract which slice stands."""
    return [
        *((f"clauses: {clause.name}", clause.slice) for clause in contract.clauses),
        *((f"regressions.costs: {name}", name) for name in contract.regressions.costs),
        *((f"regressions.zero_tolerance: {name}", name) for name in contract.regressions.zero_tolerance),
    ]


def _targets(entries: Sequence[_Entry], goals: Sequence[Goal], size: int) -> dict[str, int]:
    found: dict[str, int] = {}
    by_dimension: dict[str, list[tuple[_Entry, Goal]]] = {}
    for entry, goal in zip(entries, goals, strict=True):
        by_dimension.setdefault(entry.group, []).append((entry, goal))
    for group, members in by_dimension.items():
        if group not in (COMBINATIONS, NAMED_BY_CONTRACT):
            found |= _shared_out(members, size)
    for entry, goal in zip(entries, goals, strict=True):
        if entry.slice not in found:
            parts = [
                found[f"{dimension}={value}"] for dimension, value in slices.parse(entry.slice).tags if f"{dimension}={value}" in found
            ]
            found[entry.slice] = entry.given if entry.given is not None else max(goal.floor, min([len(goal.gains), *parts]))
    return found


def _shared_out(members: Sequence[tuple[_Entry, Goal]], size: int) -> dict[str, int]:
    """One dimension's targets: given ones and floors, then the largest gains that are left, equal ones by the order of the file."""
    counts = {entry.slice: goal.floor for entry, goal in members}
    steps = sorted(
        (-int(gain), n, place)
        for place, (entry, goal) in enumerate(members)
        if entry.given is None
        for n, gain in enumerate(goal.gains, start=1)
        if n > goal.floor
    )
    for _, _, place in steps[: max(0, size - sum(counts.values()))]:
        counts[members[place][0].slice] += 1
    return counts


def inside(named: Sequence[str], tags: pd.DataFrame, example_ids: pd.Series) -> np.ndarray:
    """(examples, slices) booleans: which of the examples lie in which of the slices."""
    if not named:
        return np.zeros((len(example_ids), 0), bool)
    index = pd.Index(example_ids)
    keys = tags["dimension"] + "=" + tags["value"]
    holders = {str(key): np.zeros(len(index), bool) for key in {f"{d}={v}" for one in named for d, v in slices.parse(one).tags}}
    for key, ids in tags["example_id"].groupby(keys):
        if key in holders:
            places = index.get_indexer(ids)
            holders[str(key)][places[places >= 0]] = True
    parts = [[holders[f"{d}={v}"] for d, v in slices.parse(one).tags] for one in named]
    return np.column_stack([np.logical_and.reduce(part) for part in parts])


def figures(wanted_: Sequence[Wanted], have: np.ndarray, production: np.ndarray, weights: np.ndarray, size: int) -> dict[str, Any]:
    """Per slice what is wanted, there and lacking, and its share of production beside its share of the dataset; and totals.

    have: (slices,) examples. production: (records, slices) booleans of all that production has; weights: (records,) inclusion weights.
    """
    costs = np.array([one.goal.cost for one in wanted_])
    lacking = np.maximum([one.target for one in wanted_] - have, 0) if len(wanted_) else np.zeros(0)
    shares = weights @ production / max(float(weights.sum()), 1e-12)
    found: dict[str, Any] = {}
    for place, one in enumerate(wanted_):
        found.setdefault(one.group, {})[slices.metrics_key(one.name)] = {
            "wanted": one.target,
            "have": int(have[place]),
            "shortfall": int(lacking[place]),
            "cost_weighted_shortfall": float(lacking[place] * costs[place]),
            "share": float(have[place] / size) if size else 0.0,
            "production_share": float(shares[place]),
        }
    return {
        "slices": found,
        "total": {
            "size": size,
            "slices_short": int((lacking > 0).sum()),
            "shortfall": int(lacking.sum()),
            "cost_weighted_shortfall": float(lacking @ costs),
        },
    }


def pairs(
    wanted_: Sequence[Wanted], inside_members: np.ndarray, production: np.ndarray, weights: np.ndarray, size: int
) -> list[dict[str, Any]]:
    """What the heat map shows: for each value of the first dimension and each of the others, members and both shares."""
    grouped = [place for place, one in enumerate(wanted_) if one.group not in (COMBINATIONS, NAMED_BY_CONTRACT)]
    if not grouped:
        return []
    first = wanted_[grouped[0]].group
    total = max(float(weights.sum()), 1e-12)
    return [
        {
            "row": wanted_[row].name,
            "dimension": wanted_[column].group,
            "column": wanted_[column].name,
            "have": (count := int((inside_members[:, row] & inside_members[:, column]).sum())),
            "share": count / size if size else 0.0,
            "production_share": float(weights @ (production[:, row] & production[:, column]) / total),
        }
        for row in grouped
        if wanted_[row].group == first
        for column in grouped
        if wanted_[column].group != first
    ]


def collect(figures_: Mapping[str, Any]) -> list[str]:
    """What to collect next, the costliest lack first, as `12 risk=legal`; combinations go by their names."""
    lacking = [
        (-one["cost_weighted_shortfall"], f"{one['shortfall']} {name if group in (COMBINATIONS, NAMED_BY_CONTRACT) else f'{group}={name}'}")
        for group, members in figures_["slices"].items()
        for name, one in members.items()
        if one["shortfall"]
    ]
    return [text for _, text in sorted(lacking)]
