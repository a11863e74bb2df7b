"""Two states of a dataset compared: who came, who went, what changed, and which part of a figure's change is the system's.

The figures of both sides are made by the later contract. A change is split at the examples that are the same on both sides (id, text,
expectation). What those judged by the same scorers gained or lost is the system's, what those judged by other scorers did may be
either's, and the rest comes from examples that came, went or changed. The three parts add up to the whole.

Pure: no file, no git. `pipeline.revisions` reads what is compared.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from pipeline import measures
from pipeline.clauses import lying_in
from pipeline.revisions import Revision
from pipeline.slices import ALL

IDENTITY = ["example_id", "input_sha", "expectation_sha"]
WHY_GONE = {
    "erased": "erased at a person's request",
    "retired": "moved to data/sources/retired",
    "not_chosen": "not chosen any more: another mix, a better example, or its expectation is gone",
}
WHAT = {
    "text": "its text or fixtures",
    "expectation": "what is expected of it (relabelled or rewritten)",
    "tags": "its tags",
    "source": "its source",
}


@dataclass(frozen=True)
class Split:
    """One figure before and after. `dataset`, `scorers` and `system` add up to the difference; None where a side judged nothing."""

    n_before: int
    n_after: int
    before: float | None
    after: float | None
    n_equal: int
    """Examples that are the same on both sides and judged by the same scorers."""
    dataset: float | None
    scorers: float | None
    system: float | None


@dataclass(frozen=True)
class Difference:
    before: Revision
    after: Revision
    added: pd.DataFrame
    """schema.MEMBERS of those that came."""
    removed: pd.DataFrame
    """schema.MEMBERS of those that went, with `why`, a key of WHY_GONE."""
    changed: dict[str, list[str]]
    """Example id to what of it changed, keys of WHAT."""
    sources: dict[str, tuple[int, int]]
    """Source to its examples before and after."""
    slices: dict[str, tuple[int, int]]
    """Slice, a single tag, to its examples before and after; those that changed."""
    figures: dict[str, Split]
    """Accuracy on everything, under `all`, and on the slice of every clause of the contract, by the clause's slice."""
    targets: tuple[str, str]
    lost: list[str]
    """Equal examples that were right and are wrong."""
    gained: list[str]
    rejudged: list[str]
    """Examples that are the same and were judged by other scorers."""
    contract_changed: bool


def difference(before: Revision, after: Revision) -> Difference:
    """What is between two revisions. Before, minus those removed, plus those added, is after."""
    then, now = before.members.set_index("example_id"), after.members.set_index("example_id")
    added = after.members[~after.members["example_id"].isin(then.index)].reset_index(drop=True)
    removed = before.members[~before.members["example_id"].isin(now.index)].reset_index(drop=True)
    removed = removed.assign(why=[_why_gone(i, after) for i in removed["example_id"]])
    scores_before, scores_after = judged(before, after), judged(after, after)
    equal, rejudged = _equal(before, after)
    same = equal.append(pd.Index(rejudged, dtype="str"))
    both = pd.DataFrame({"before": scores_before.reindex(same), "after": scores_after.reindex(same)}).dropna()
    both["rejudged"] = both.index.isin(rejudged)
    by_the_same = both[~both["rejudged"]]
    return Difference(
        before,
        after,
        added,
        removed,
        _changed(before, after, [str(i) for i in then.index.intersection(now.index)]),
        _counts(then["source"], now["source"]),
        {name: pair for name, pair in _counts(_slices(before), _slices(after)).items() if pair[0] != pair[1]},
        {
            name: _split(*(_within(frame, tags, name) for frame, tags in _sides(scores_before, scores_after, both, before, after)))
            for name in dict.fromkeys([ALL, *(clause.slice for clause in after.contract.clauses)])
        },
        (_target(before), _target(after)),
        [str(i) for i in by_the_same.index[by_the_same["after"] < by_the_same["before"]]],
        [str(i) for i in by_the_same.index[by_the_same["after"] > by_the_same["before"]]],
        rejudged,
        before.contract != after.contract,
    )


def _why_gone(example_id: str, after: Revision) -> str:
    if example_id in after.erased:
        return "erased"
    return "retired" if example_id in after.retired else "not_chosen"


def judged(of: Revision, by: Revision) -> pd.Series:
    """Score by example id, the mean over its epochs, by the contract and the criteria of `by`; those that are errors left out."""
    known = of.scores[of.scores["criterion"].isin([*by.criteria, measures.CONFIDENCE])]
    examples = known[IDENTITY].drop_duplicates().merge(of.members[["example_id", "source"]], on="example_id")
    examples = examples.assign(inclusion_weight=0.0, cluster=examples["example_id"])
    known = known[known["example_id"].isin(examples["example_id"])]
    costs = pd.Series(1.0, index=pd.Index(examples["example_id"]))
    return measures.judge(known, examples, by.contract, costs, by.criteria).examples["score"].dropna()


def _equal(before: Revision, after: Revision) -> tuple[pd.Index, list[str]]:
    """Ids that are the same on both sides: judged by the same scorers, and by others."""
    same = set(before.scores[IDENTITY].drop_duplicates().merge(after.scores[IDENTITY].drop_duplicates())["example_id"])
    deciding = [name for name, criterion in after.criteria.items() if criterion.decides]
    by = [_scorers(one.scores, deciding) for one in (before, after)]
    otherwise = sorted(i for i in same if by[0].get(i) != by[1].get(i))
    return pd.Index(sorted(same - set(otherwise)), dtype="str"), otherwise


def _scorers(scores: pd.DataFrame, deciding: list[str]) -> dict[str, frozenset[str]]:
    of = scores[scores["criterion"].isin(deciding)]
    return {str(i): frozenset(part) for i, part in of.groupby("example_id")["scorer_version"]}


def _changed(before: Revision, after: Revision, shared: list[str]) -> dict[str, list[str]]:
    keys = {
        "text": lambda one: one.scores.drop_duplicates("example_id").set_index("example_id")["input_sha"],
        "expectation": lambda one: one.scores.drop_duplicates("example_id").set_index("example_id")["expectation_sha"],
        "tags": lambda one: one.members.set_index("example_id")["slices"],
        "source": lambda one: one.members.set_index("example_id")["source"],
    }
    differs = {what: key(before).reindex(shared) != key(after).reindex(shared) for what, key in keys.items()}
    found = {i: [what for what in keys if differs[what][i]] for i in shared}
    return {i: what for i, what in found.items() if what}


def _slices(of: Revision) -> pd.Series:
    return of.tags["dimension"] + "=" + of.tags["value"]


def _counts(before: pd.Series, after: pd.Series) -> dict[str, tuple[int, int]]:
    then, now = before.value_counts(), after.value_counts()
    return {str(name): (int(then.get(name, 0)), int(now.get(name, 0))) for name in sorted({*then.index, *now.index})}


def _sides(
    scores_before: pd.Series, scores_after: pd.Series, both: pd.DataFrame, before: Revision, after: Revision
) -> list[tuple[pd.Series | pd.DataFrame, pd.DataFrame]]:
    return [(scores_before, before.tags), (scores_after, after.tags), (both, after.tags)]


def _within(scores: pd.Series | pd.DataFrame, tags: pd.DataFrame, slice_: str) -> pd.Series | pd.DataFrame:
    return scores.loc[lying_in(slice_, tags, scores.index)]


def _split(before: pd.Series, after: pd.Series, both: pd.DataFrame) -> Split:
    then, now = (float(side.mean()) if len(side) else None for side in (before, after))
    if then is None or now is None:
        return Split(len(before), len(after), then, now, 0, None, None, None)
    change = (both["after"] - both["before"]) / max(1, len(both))
    scorers, system = float(change[both["rejudged"]].sum()), float(change[~both["rejudged"]].sum())
    return Split(len(before), len(after), then, now, int((~both["rejudged"]).sum()), now - then - scorers - system, scorers, system)


def _target(of: Revision) -> str:
    return " and ".join(sorted(of.scores["target_version"].unique())) or "nothing"


def as_json(found: Difference, shown: Mapping[str, list[dict[str, str]]] | None = None) -> dict[str, object]:
    """Everything, for scripts. `shown`: example id to its messages, where texts are wanted."""
    texts = {} if shown is None else {"texts": {i: shown[i] for i in sorted(shown)}}
    return {
        "before": {"revision": found.before.name, "n": len(found.before.members), "target_version": found.targets[0]},
        "after": {"revision": found.after.name, "n": len(found.after.members), "target_version": found.targets[1]},
        "added": _rows(found.added, ["example_id", "source", "slices", "reason", "since"]),
        "removed": _rows(found.removed, ["example_id", "source", "slices", "why", "since"]),
        "changed": [{"example_id": i, "what": what} for i, what in sorted(found.changed.items())],
        "sources": {name: {"before": a, "after": b} for name, (a, b) in found.sources.items()},
        "slices": {name: {"before": a, "after": b} for name, (a, b) in found.slices.items()},
        "accuracy": {name: vars(split) for name, split in found.figures.items()},
        "lost": found.lost,
        "gained": found.gained,
        "rejudged": found.rejudged,
        "contract_changed": found.contract_changed,
        **texts,
    }


def _rows(frame: pd.DataFrame, columns: list[str]) -> list[dict[str, object]]:
    return list(frame.sort_values("example_id")[columns].to_dict("records"))
