"""The tag combinations in which production fails most and the dataset has little.

Over the newest conversations of the pool, every combination of a few tags has a failure rate with an interval. They are ranked by its
lower bound, so that a combination with few conversations must fail the more often to stand high.

What can never happen: a conversation is asked for that is in the dataset already or reads like one that is, is retired, or did not fail.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations as choose
from itertools import product

import pandas as pd

from pipeline import near_duplicates, slices
from pipeline.decision.intervals import jeffreys
from pipeline.errors import InputError
from pipeline.identity import stable_order
from pipeline.params import LOGGED, Refresh
from pipeline.slices import Slice


@dataclass(frozen=True)
class Combination:
    """One combination of tags in the window."""

    slice: str
    conversations: int
    failures: int
    failure_rate: float
    """Of all logged conversations: where logs were sampled, weighted by how many each stands for."""
    low: float
    high: float
    examples: int
    """Present members of the dataset that lie in it."""
    wanted: tuple[str, ...] = ()
    """Failed conversations to label."""


def window(candidates: pd.DataFrame, size: int) -> pd.DataFrame:
    """The newest `size` logged `candidates` (schema.CANDIDATES), oldest first.

    Raises InputError where there are fewer, and where the logs carry no time.
    """
    logged = candidates[candidates["source"].isin(LOGGED)]
    dated = logged[logged["occurred_at"].notna()]
    if len(logged) and not len(dated):
        raise InputError(
            "params.yaml: ingest.fields.occurred_at: the logs carry no time, so nothing tells the newest; map it and run 'dvc repro'"
        )
    if len(dated) < size:
        raise InputError(
            f"params.yaml: refresh.window: {size} conversations wanted and the pool has {len(dated)} with a time; lower it or take in more logs"
        )
    return dated.sort_values(["occurred_at", "example_id"]).tail(size).reset_index(drop=True)


def ranked(newest: pd.DataFrame, tags: pd.DataFrame, members: frozenset[str], settings: Refresh) -> list[Combination]:
    """Every combination with enough conversations in the window, the highest lower bound first.

    newest: what `window` gave. tags: schema.TAGS. Raises InputError for a dimension that no conversation is tagged with.
    """
    known = sorted(set(tags["dimension"]))
    for name in settings.dimensions:
        if name not in known:
            raise InputError(f"params.yaml: refresh.dimensions: nothing is tagged with '{name}'; known here: {', '.join(known)}")
    mine = tags[tags["dimension"].isin(settings.dimensions)]
    of_window = mine[mine["example_id"].isin(newest["example_id"])]
    inside = {(str(d), str(v)): frozenset(group) for (d, v), group in of_window.groupby(["dimension", "value"], sort=True)["example_id"]}
    of_members = mine[mine["example_id"].isin(members)]
    present = {(str(d), str(v)): frozenset(group) for (d, v), group in of_members.groupby(["dimension", "value"])["example_id"]}
    weights = dict(zip(newest["example_id"], newest["inclusion_weight"], strict=True))
    failed = frozenset(newest.loc[newest["failed"], "example_id"])
    found = []
    for pairs in _tag_sets(sorted(inside), settings.tags):
        ids = frozenset.intersection(*(inside[pair] for pair in pairs))
        if len(ids) >= settings.min_support:
            held = len(frozenset.intersection(*(present.get(pair, frozenset()) for pair in pairs)))
            found.append(_combination(pairs, ids, failed, weights, held, settings.level))
    return sorted(found, key=lambda one: (-one.low, -one.conversations, one.slice))


def _tag_sets(pairs: Sequence[tuple[str, str]], most: int) -> Iterator[tuple[tuple[str, str], ...]]:
    """Every choice of one value in each of up to `most` dimensions."""
    values: dict[str, list[tuple[str, str]]] = {}
    for pair in pairs:
        values.setdefault(pair[0], []).append(pair)
    for count in range(1, most + 1):
        for dimensions in choose(values, count):
            yield from product(*(values[name] for name in dimensions))


def _combination(
    pairs: tuple[tuple[str, str], ...], ids: frozenset[str], failed: frozenset[str], weights: dict[str, float], held: int, level: float
) -> Combination:
    """Kish's effective sample size stands for the count where conversations stand for unequally many: (sum w)^2 / sum w^2."""
    own = [weights[i] for i in sorted(ids)]
    rate = sum(weights[i] for i in sorted(ids & failed)) / sum(own)
    effective = sum(own) ** 2 / sum(w * w for w in own)
    low, high = jeffreys(rate * effective, (1 - rate) * effective, level)
    return Combination(str(Slice(pairs)), len(ids), len(ids & failed), round(rate, 4), round(low, 4), round(high, 4), held)


def _nested(one: Combination, other: Combination) -> bool:
    mine, theirs = set(slices.parse(one.slice).tags), set(slices.parse(other.slice).tags)
    return mine <= theirs or theirs <= mine


def split(found: Sequence[Combination], settings: Refresh) -> tuple[list[Combination], list[Combination]]:
    """The first of those `ranked` that fewer examples than `covered_by` cover, and as bad ones that are well covered.

    One that contains another that ranks higher in its list, or is contained in it, says the same again and is left out.
    """
    chosen = _apart([one for one in found if one.examples < settings.covered_by])[: settings.combinations]
    least = chosen[-1].low if chosen else 0.0
    covered = _apart([one for one in found if one.examples >= settings.covered_by and one.low >= least])
    return chosen, covered[: settings.combinations]


def _apart(found: Sequence[Combination]) -> list[Combination]:
    kept: list[Combination] = []
    for one in found:
        if not any(_nested(one, other) for other in kept):
            kept.append(one)
    return kept


def askable(newest: pd.DataFrame, candidates: pd.DataFrame, taken: frozenset[str], threshold: float, seed: int) -> list[str]:
    """Failed conversations of the window worth labelling, in a random order of `seed`.

    None is `taken` (in the dataset or labelled), nor a near-duplicate of one that is, or of an earlier one: merge would drop it.
    candidates: schema.CANDIDATES, from which the texts are.
    """
    failed = newest.loc[newest["failed"] & ~newest["example_id"].isin(taken), "example_id"]
    order = sorted(failed, key=lambda i: stable_order(seed, i))
    texts = candidates.set_index("example_id")["input"]
    there = [near_duplicates.asked(messages) for messages in texts[texts.index.isin(taken)]]
    repeats = near_duplicates.repeats([near_duplicates.asked(texts[i]) for i in order], there, threshold)
    return [i for i, is_repeat in zip(order, repeats, strict=True) if not is_repeat]


def records(chosen: Sequence[Combination], free: Sequence[str], tags: pd.DataFrame, settings: Refresh) -> list[Combination]:
    """`chosen` with the conversations that would cover each, the first of `free` that lie in it; none is asked for twice.

    One that two combinations share is asked for by the one that ranks higher, and counts for both.
    """
    order = pd.Series(free, dtype="str")
    taken: set[str] = set()
    done = []
    for one in chosen:
        fitting = list(order[slices.members(slices.parse(one.slice), tags, order)])
        need = min(settings.records, settings.covered_by - one.examples)
        wanted = sorted(fitting, key=lambda i: i not in taken)[:need]
        taken.update(wanted)
        done.append(replace(one, wanted=tuple(sorted(wanted))))
    return done
