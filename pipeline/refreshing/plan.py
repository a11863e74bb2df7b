"""The plan of a refresh: what to label, what to retire, which adversarial scenarios to write. The same data give the same plan.

What can never happen: a text in the plan; a clock in it (its date is that of the newest conversation in the pool).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.params import LOGGED, Refresh
from pipeline.refreshing import combinations, retiring
from pipeline.refreshing.combinations import Combination
from pipeline.refreshing.retiring import Retirement
from pipeline.sources import Adversarial, Entry

ATTACKS = ("ambiguous", "prompt_injection", "simulated_failure")


@dataclass(frozen=True)
class Plan:
    as_of: str
    window: dict[str, Any]
    combinations: list[Combination]
    covered: list[Combination]
    """Those that rank as high as the last proposed and have examples enough."""
    retire: list[Retirement]
    retirement: str
    """Why nothing can be retired; empty where it can."""
    adversarial: dict[str, Any]

    @property
    def wanted(self) -> dict[str, str]:
        """Conversation to the reason it is asked for, the combination that ranks highest."""
        found: dict[str, str] = {}
        for one in self.combinations:
            for example_id in one.wanted:
                found.setdefault(example_id, f"{one.slice}: fails {one.failure_rate:.0%} of {one.conversations}, {one.examples} examples")
        return found

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def make(
    candidates: pd.DataFrame,
    tags: pd.DataFrame,
    members: pd.DataFrame,
    labelled: frozenset[str],
    seen: pd.DataFrame | None,
    entries: Sequence[tuple[Path, Entry]],
    settings: Refresh,
    near_duplicate: float,
    seed: int,
) -> Plan:
    """The plan. candidates: schema.CANDIDATES, tags: schema.TAGS, members: schema.MEMBERS, seen: schema.LAST_SEEN or None.

    labelled: what has an expectation. entries: the adversarial scenarios. near_duplicate: merge's threshold. Raises InputError for a window that cannot be had.
    """
    newest = combinations.window(candidates, settings.window)
    present = frozenset(members["example_id"])
    found = combinations.ranked(newest, tags, present, settings)
    chosen, covered = combinations.split(found, settings)
    free = combinations.askable(newest, candidates, present | labelled, near_duplicate, seed)
    asked = combinations.records(chosen, free, tags, settings)
    logged = candidates.loc[candidates["source"].isin(LOGGED), "occurred_at"]
    first, last = logged.min(), logged.max()
    dated = candidates.set_index("example_id")["occurred_at"]
    held = members[members["example_id"].isin(dated.index)]
    return Plan(
        f"{last:%Y-%m-%d}",
        {
            "conversations": len(newest),
            "failure_rate": round(float((newest["failed"] * newest["inclusion_weight"]).sum() / newest["inclusion_weight"].sum()), 4),
            "first": f"{newest['occurred_at'].min():%Y-%m-%d}",
            "last": f"{newest['occurred_at'].max():%Y-%m-%d}",
        },
        asked,
        covered,
        [] if seen is None else retiring.due(held, seen, dated, first, last, settings),
        _cannot_retire(seen, first, last, settings),
        owed(entries, asked, last, settings),
    )


def _cannot_retire(seen: pd.DataFrame | None, first: pd.Timestamp, last: pd.Timestamp, settings: Refresh) -> str:
    if seen is None:
        return "data/interim/last_seen.csv is not there, so nobody knows what production still shows; run 'dvc repro'"
    if (last - first).days < settings.retire_after_days:
        return f"the pool spans {(last - first).days} days, fewer than refresh.retire_after_days ({settings.retire_after_days})"
    return ""


def owed(entries: Sequence[tuple[Path, Entry]], chosen: Sequence[Combination], last: pd.Timestamp, settings: Refresh) -> dict[str, Any]:
    """How many adversarial scenarios this quarter has and still owes, and which: the attack with the fewest first, on what fails most."""
    quarter = f"{last.year}-Q{last.quarter}"
    written = [entry for _, entry in entries if isinstance(entry, Adversarial)]
    now = sum(entry.cycle == quarter for entry in written)
    least, most = (max(0, count - now) for count in settings.adversarial_owed)
    have: Counter[str] = Counter(entry.attack for entry in written)
    about = islice(cycle([one.slice for one in chosen] or ["all"]), least)
    ideas = []
    for where in about:
        attack = min(ATTACKS, key=lambda name: (have[name], name))
        have[attack] += 1
        ideas.append({"attack": attack, "slice": where})
    return {"cycle": quarter, "written": now, "owed_at_least": least, "owed_at_most": most, "write": ideas}


def page(plan: Plan, name: str) -> str:
    """The plan as Markdown."""
    span = f"{plan.window['first']} to {plan.window['last']}"
    lines = [f"# Refresh of {name}, {plan.as_of}", ""]
    lines += [f"The newest {plan.window['conversations']:,} conversations, {span}: {plan.window['failure_rate']:.1%} failed.", ""]
    lines += ["## Where production fails and the dataset is thin", ""]
    lines += _combinations(plan.combinations) or ["Nothing: every combination with support is well covered."]
    if plan.covered:
        lines += [
            "",
            "As bad, and well covered: " + "; ".join(f"{o.slice} ({o.low:.0%}, {o.examples} examples)" for o in plan.covered) + ".",
        ]
    lines += ["", "## To label", "", *([f"- `{i}` {why}" for i, why in plan.wanted.items()] or ["Nothing: each such failure is labelled."])]
    lines += ["", "## To retire", ""]
    lines += [f"- `{one.example_id}` ({one.source}, {one.slices}): {one.reason}" for one in plan.retire] or [
        f"Nothing can be: {plan.retirement}." if plan.retirement else "Nothing: production still shows every example that may be retired."
    ]
    due = plan.adversarial
    lines += ["", f"## Adversarial scenarios of {due['cycle']}", ""]
    lines += [f"{due['written']} written, {due['owed_at_least']} to {due['owed_at_most']} owed.", ""]
    counts = Counter((one["attack"], one["slice"]) for one in due["write"])
    lines += [f"- {count} {attack} on {where}" for (attack, where), count in counts.items()]
    return "\n".join(lines).rstrip() + "\n"


def _combinations(found: Sequence[Combination]) -> list[str]:
    if not found:
        return []
    rows = [
        f"| {o.slice} | {o.failures} of {o.conversations} | {o.failure_rate:.0%} | {o.low:.0%} to {o.high:.0%} | {o.examples} | {len(o.wanted)} |"
        for o in found
    ]
    return ["| combination | failed | rate | interval | examples | to label |", "| --- | --- | --- | --- | --- | --- |", *rows]
