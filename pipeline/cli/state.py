"""What `golden status` tells: the state of the build and of the dataset, and the one next step. Reads, never writes.

Everything but params.yaml may be missing: a fresh clone has a state too.
"""

import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline import params, paths, schema, sources, tables
from pipeline.accept import observed
from pipeline.allocation import quotas
from pipeline.coverage import collect
from pipeline.decision.power import TARGET
from pipeline.errors import InputError
from pipeline.params import SOURCES, Params
from pipeline.slices import ALL, of_metrics_keys
from pipeline.yaml_models import read_yaml

MATURITY = (
    (0, "early", "shows what the system gets wrong; too small to decide on a release by it"),
    (200, "gate", "holds a release back for a large fall in accuracy; small slices tell little on their own"),
    (1000, "mature", "judges slices on their own and sees small falls"),
)
"""From which size on a dataset may be in which stage, and what it can do there."""
MOST_LACKING = 3
PRODUCTION_OF_A_GATE = 0.5
"""The least share of production's own conversations from `gate` on: before, it shows what people thought of, not what happens."""


def gather() -> dict[str, Any]:
    """The state, ready for JSON. Raises InputError where this is no repository of a dataset, or a file in it cannot be read."""
    if not params.PARAMS.is_file():
        raise InputError("params.yaml: not there; go to the root of a dataset's repository and run this again")
    settings = params.load()
    members = tables.read_csv(paths.MEMBERS, schema.MEMBERS) if paths.MEMBERS.is_file() else tables.empty(schema.MEMBERS)
    state: dict[str, Any] = {
        "dataset": settings.dataset.name,
        "size": len(members),
        "wanted_size": settings.merge.size,
        "sources": composition(members, settings) if len(members) else {},
        "maturity": {},
        "lacking": lacking(),
        "smallest_seen": smallest_seen(),
        "slices": slice_sizes(members),
        "labels": labels(),
        "validation": validation(),
        "metrics": headline(),
        "stages": stages(),
    }
    share = state["sources"]["production"]["share"] if len(members) else 1.0
    state["maturity"] = maturity(len(members), share)
    return state | {"next": next_step(state, shortfalls(settings, state["labels"]))}


def composition(members: pd.DataFrame, settings: Params) -> dict[str, dict[str, Any]]:
    """Per source the count, its share and the share it should have; regressions count as production."""
    counts = members["source"].value_counts()
    found = {source: {"count": int(counts.get(source, 0)), "ratio": settings.merge.ratios.get(source, 0.0)} for source in SOURCES}
    regressions = int(counts.get("regression", 0))
    found["production"]["count"] += regressions
    found["production"]["regressions"] = regressions
    return {source: entry | {"share": round(entry["count"] / len(members), 4)} for source, entry in found.items()}


def maturity(size: int, production_share: float = 1.0) -> dict[str, str]:
    """The stage by size and composition: mostly invented examples are `early`, however many they are."""
    _, stage, can = [row for row in MATURITY if row[0] <= size][-1]
    if stage != "early" and production_share < PRODUCTION_OF_A_GATE:
        return {"stage": "early", "can": f"{production_share:.0%} production; {PRODUCTION_OF_A_GATE:.0%} make it a dataset to gate on"}
    return {"stage": stage, "can": can}


def lacking() -> list[str]:
    """What to collect next, the costliest lack first."""
    path = paths.METRICS / "coverage.json"
    return collect(tables.read_json(path)) if path.is_file() else []


def smallest_seen() -> dict[str, float | None] | None:
    """The smallest fall of accuracy that is caught in 80 % of cases, overall and by slice; None before `power` is built.

    Of a slice only the contract's size is tried; one in which that is not caught has None.
    """
    path = paths.METRICS / "power.json"
    if not path.is_file():
        return None
    figures = tables.read_json(path)
    by_slice = {
        of_metrics_keys(dimension, value): figures["size"] if one["caught_rate"] >= TARGET else None
        for dimension, values in figures["slices"].items()
        for value, one in values.items()
        if dimension != ALL
    }
    return {ALL: figures["smallest_size_seen"], **by_slice}


def slice_sizes(members: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Dimension to value to the number of members."""
    found: dict[str, dict[str, int]] = {}
    for tag, count in sorted(Counter(tag for slices in members["slices"] for tag in slices.split()).items()):
        dimension, _, value = tag.partition("=")
        found.setdefault(dimension, {})[value] = count
    return found


def labels() -> dict[str, Any] | None:
    """How many conversations have an agreed expectation, how many are held back, and what the queue asks for."""
    if not (paths.METRICS / "labels.json").is_file():
        return None
    examples = tables.read_json(paths.METRICS / "labels.json")["examples"]
    return {"with_expectation": examples["with_expectation"], "held_back": examples["held_back"], "queue": queue()}


def queue() -> dict[str, int] | None:
    """Why to how many conversations wait for labels; None where the queue is not on this machine, as in a fresh clone."""
    if not paths.LABEL_QUEUE.is_file():
        return None
    tasks = tables.read_csv(paths.LABEL_QUEUE, schema.QUEUE).drop_duplicates(["example_id", "why"])["why"].value_counts()
    return {str(why): int(count) for why, count in tasks.items()}


def validation() -> dict[str, Any] | None:
    if not (paths.METRICS / "validation.json").is_file():
        return None
    figures = tables.read_json(paths.METRICS / "validation.json")
    failed = [
        (check["severity"], f"{suite}.{name} ({observed(check)})")
        for suite, checks in figures["checks"].items()
        for name, check in checks.items()
        if not check["success"]
    ]
    return {name: figures[name] for name in ("held", "failed_critical", "failed_warning")} | {
        "failed": [text for _, text in sorted(failed)]
    }


def headline() -> dict[str, Any] | None:
    """Accuracy with its interval, and which clauses of the contract are met."""
    if not (paths.METRICS / "metrics.json").is_file():
        return None
    figures = tables.read_json(paths.METRICS / "metrics.json")
    clauses = figures.get("clauses", {})
    return figures["overall"] | {
        "clauses_met": sum(clause["met"] for clause in clauses.values()),
        "clauses_unmet": [name for name, clause in clauses.items() if not clause["met"]],
    }


def stages() -> dict[str, str]:
    """Stage to up_to_date, out_of_date, not_built or absent, as DVC sees it; empty where DVC cannot say.

    absent: it was built, nothing that it reads was changed, and files are not on this machine.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    logging.getLogger("dvc").setLevel(logging.CRITICAL)
    try:
        with Repo(".") as repo:
            names = [stage.addressing for stage in repo.index.stages]
            changed = repo.status()
    except DvcException:
        return {}
    locked = (read_yaml(Path("dvc.lock")) or {}).get("stages", {}) if Path("dvc.lock").is_file() else {}
    return {name: "not_built" if name not in locked else _stage(changed.get(name, [])) for name in names}


def _stage(changes: list[Any]) -> str:
    kinds = {kind for change in changes for kind in _kinds(change)}
    if not kinds:
        return "up_to_date"
    return "absent" if kinds <= {"deleted", "not in cache"} else "out_of_date"


def _kinds(change: Any) -> list[str]:
    if isinstance(change, dict):
        return [kind for inner in change.values() for kind in _kinds(inner)]
    return [str(change)]


def shortfalls(settings: Params, labelled: dict[str, Any] | None) -> dict[str, int]:
    """Source to how many more it needs for `merge.size`, near-duplicates aside; production's is not known before labels are."""
    authored = {source: len(entries) for source, entries in sources.load().items()}
    have = {source: authored.get(source, 0) for source in SOURCES}
    have["synthetic"] = sum(getattr(entry, "status", "") == "approved" for _, entry in sources.load().get("synthetic", []))
    wanted = quotas(settings.merge.size, settings.merge.ratios)
    have["production"] = labelled["with_expectation"] if labelled else wanted.get("production", 0)
    return {source: count - have[source] for source, count in wanted.items() if count > have[source]}


def next_step(state: dict[str, Any], missing: dict[str, int]) -> str:
    """What to do next, in one line: the first thing that stands in the way."""
    return next(_steps(state, missing))


def _steps(state: dict[str, Any], missing: dict[str, int]) -> Iterator[str]:
    if state["size"] < state["wanted_size"] and state["labels"] and missing:
        yield "; ".join(_more(source, count) for source, count in missing.items()) + "; then run 'make'"
    if not state["size"]:
        yield "run 'make' to build the dataset"
    if state["validation"] and state["validation"]["failed_critical"]:
        yield f"{state['validation']['failed'][0]}: see reports/validation.html, correct it, then run 'make'"
    # accept alone is stale after every failed build; what failed it is told above.
    stale = [name for name, stage in state["stages"].items() if stage in ("out_of_date", "not_built") and name != "accept"]
    if stale:
        yield f"run 'make': {', '.join(stale)} {'is' if len(stale) == 1 else 'are'} not up to date"
    # What intake reads and writes belongs on the machine that has the raw logs.
    if any(stage == "absent" for name, stage in state["stages"].items() if name not in ("ingest", "anonymize")):
        yield "run 'dvc pull' to get the files that were built elsewhere"
    if state["labels"] and (waiting := sum((state["labels"]["queue"] or {}).values())):
        yield f"give out what waits for labels ({waiting} tasks in {paths.LABEL_QUEUE}): golden label next --help"
    if collecting := state.get("lacking"):
        yield f"label or write what is lacking: {'; '.join(collecting[:MOST_LACKING])}"
    larger = [size for size, _, _ in MATURITY if size > state["size"]]
    grow = f"; then grow to {larger[0]:,} examples (merge.size in params.yaml)" if larger else ""
    yield f"compare with 'dvc metrics diff' and commit{grow}"


def _more(source: str, count: int) -> str:
    if source == "production":
        return f"label {count} more: golden label next --help"
    return f"{'write' if source != 'synthetic' else 'approve'} {count} more {source} scenarios in {paths.SOURCES}/{source}/"
