"""How many of which source, and which ones: exact ratios, then slices filled by their cost of failure.

An example lies in several slices (its category, its tone, ...) and serves all of them. Each step takes the example whose slices
are thinnest for what a failure there costs: the largest sum of cost / (have + 1) over its slices. Ties go to members of the last
release, then to a stable pseudo-random order, so that the choice does not depend on the order of its input.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from pipeline.errors import InputError
from pipeline.identity import stable_order

Tags = Mapping[str, tuple[str, ...]]
"""Example id to its slices, such as `category=billing`."""


@dataclass(frozen=True)
class Choice:
    """An example taken, and why."""

    example_id: str
    reason: str


def quotas(size: int, ratios: Mapping[str, float]) -> dict[str, int]:
    """Whole numbers that sum to `size`, by the largest remainder (Hamilton's method); equal remainders go by name."""
    exact = {source: size * ratio for source, ratio in ratios.items()}
    counts = {source: int(value + 1e-9) for source, value in exact.items()}
    by_remainder = sorted(ratios, key=lambda source: (-round(exact[source] - counts[source], 9), source))
    for source in by_remainder[: size - sum(counts.values())]:
        counts[source] += 1
    return counts


def fit(size: int, ratios: Mapping[str, float], available: Mapping[str, int], shortfall: str) -> dict[str, int]:
    """The number of examples of each source, given how many there are.

    `shortfall`: `fail` raises InputError; `scale` gives the largest dataset that keeps the ratios; `fill` takes what is missing
    from the other sources, in the order of their names.
    """
    wanted = quotas(size, ratios)
    short = {source: count - available.get(source, 0) for source, count in wanted.items() if count > available.get(source, 0)}
    if not short:
        return wanted
    if shortfall == "fail":
        needs = "; ".join(f"{source} is {missing} short of {wanted[source]}" for source, missing in sorted(short.items()))
        raise InputError(needs)
    if shortfall == "scale":
        while size > 0 and any(count > available.get(source, 0) for source, count in quotas(size, ratios).items()):
            size -= 1
        return quotas(size, ratios)
    filled = {source: min(count, available.get(source, 0)) for source, count in wanted.items()}
    missing = size - sum(filled.values())
    for source in sorted(filled):
        more = min(missing, available.get(source, 0) - filled[source])
        filled[source] += more
        missing -= more
    if missing:
        raise InputError(f"{missing} short of {size} examples from all sources together")
    return filled


def choose(
    ids: list[str], count: int, tags: Tags, costs: Mapping[str, float], have: dict[str, int], released: frozenset[str], seed: int
) -> list[Choice]:
    """`count` of `ids`, one after the other; `have` counts the examples of each slice so far and is brought up to date."""
    kinds: dict[tuple[str, ...], list[str]] = {}
    for example_id in sorted(ids, key=lambda i: (i not in released, stable_order(seed, i))):
        kinds.setdefault(tags.get(example_id, ()), []).append(example_id)
    order = sorted(kinds)
    places = dict.fromkeys(order, 0)
    chosen: list[Choice] = []
    while len(chosen) < count:
        left = [kind for kind in order if places[kind] < len(kinds[kind])]
        gains = {kind: round(sum(costs.get(s, 1.0) / (have.get(s, 0) + 1) for s in kind), 9) for kind in left}
        best = max(gains.values())
        kind = min(
            (k for k in left if gains[k] == best),
            key=lambda k: (kinds[k][places[k]] not in released, stable_order(seed, kinds[k][places[k]])),
        )
        thinnest = max(kind, key=lambda s: (costs.get(s, 1.0) / (have.get(s, 0) + 1), s), default="all")
        chosen.append(Choice(kinds[kind][places[kind]], f"needed for {thinnest}"))
        places[kind] += 1
        for one in kind:
            have[one] = have.get(one, 0) + 1
    return chosen


def slices_of(tags: pd.DataFrame, dimensions: list[str]) -> dict[str, tuple[str, ...]]:
    """The single-value slices of every example in `tags` (schema.TAGS), within `dimensions`."""
    wanted = tags[tags["dimension"].isin(dimensions)]
    named = wanted["dimension"] + "=" + wanted["value"]
    return {str(i): tuple(sorted(group)) for i, group in named.groupby(wanted["example_id"])}
