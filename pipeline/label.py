"""Stage `label`: annotators' labels become agreed expectations; what is not agreed goes into the queue.

In: `data/labels/*.csv`, `expectations/labeling.yaml`, the candidates and their tags, `data/sources/`, `data/wanted.csv`. Out:
`data/interim/expectations.parquet` (production as labelled, scenarios as authored), `data/interim/label_queue.csv`,
`metrics/labels.json`.

What can never happen: an expectation that its decision rule does not give; a label made for another text is used; a disagreement
disappears without a row in the queue; a label whose value or note repeats pooled text or holds personal data gets past.
"""

from typing import Any

import pandas as pd

from pipeline import door, erasure, expectations, params, schema, sources, stage, tables
from pipeline.expectations import Labeling
from pipeline.expected import can_be_judged
from pipeline.identity import stable_order
from pipeline.labeling import agreement
from pipeline.labeling.expecting import expected, holding_back
from pipeline.labeling.reading import EXPECTED, read_labels
from pipeline.labeling.resolving import WAITING, is_current, is_fresh, resolve
from pipeline.params import LOGGED, Label
from pipeline.paths import CANDIDATES, EXPECTATIONS, LABEL_QUEUE, LABELS, METRICS, TAGS
from pipeline.refreshing import asked_for

OPEN = ("disagreement", *WAITING, "stale_text", "stale_standard")


def queue(
    open_: pd.DataFrame, expectations_: pd.DataFrame, candidates: pd.DataFrame, size: int, seed: int, wanted: frozenset[str] = frozenset()
) -> pd.DataFrame:
    """What to label next (schema.QUEUE): every open question, then unlabelled conversations, `size` of them.

    Those that a refresh `wanted` come first, then failures.
    """
    waiting = set(expectations_["example_id"]) | set(open_["example_id"])
    unlabelled = candidates[candidates["source"].isin(LOGGED) & ~candidates["example_id"].isin(waiting)]
    place = pd.Series(
        [
            (i not in wanted, not failed, stable_order(seed, i))
            for failed, i in zip(unlabelled["failed"], unlabelled["example_id"], strict=True)
        ],
        index=unlabelled.index,
        dtype=object,
    )
    chosen = unlabelled.loc[place.sort_values().index[:size], "example_id"]
    why = ["wanted" if example_id in wanted else "unlabelled" for example_id in chosen]
    plain = {"dimension": f"{EXPECTED}behaviour", "values": "", "notes": "", "criteria": ""}
    return tables.concat([open_, pd.DataFrame({"example_id": chosen, "why": why, **plain})], schema.QUEUE)


def figures(
    labels: pd.DataFrame,
    candidates: pd.DataFrame,
    tags: pd.DataFrame,
    found: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame],
    standard: Labeling,
    settings: Label,
) -> dict[str, Any]:
    """metrics/labels.json: counts of labels, what waits for whom, and how far annotators agree. `found`: agreed, open, expectations."""
    agreed, open_, expectations_ = found
    production = candidates[candidates["source"].isin(LOGGED)]
    return {
        "labels": len(labels),
        "annotators": int(labels["annotator"].nunique()),
        "unknown_examples": int((~labels["example_id"].isin(candidates["example_id"])).sum()),
        "examples": {
            "with_expectation": int(production["example_id"].isin(expectations_["example_id"]).sum()),
            "held_back": int(holding_back(open_)["example_id"].nunique()),
        },
        "open": _by_reason(open_),
        "dimensions": {
            dimension.replace(".", "_"): _of_dimension(dimension, labels, candidates, tags, agreed, open_, standard, settings)
            for dimension in sorted(labels["dimension"].unique())
        },
    }


def _by_reason(open_: pd.DataFrame) -> dict[str, int]:
    counts = open_["why"].value_counts()
    return {why: int(counts.get(why, 0)) for why in OPEN}


def _of_dimension(
    name: str,
    labels: pd.DataFrame,
    candidates: pd.DataFrame,
    tags: pd.DataFrame,
    agreed: pd.DataFrame,
    open_: pd.DataFrame,
    standard: Labeling,
    settings: Label,
) -> dict[str, Any]:
    dimension = standard.dimensions[name]
    own = labels[labels["dimension"] == name]
    labelled = own["example_id"].drop_duplicates()
    counts: dict[str, Any] = {
        "labelled": len(labelled),
        "agreed": int((agreed["dimension"] == name).sum()),
        "open": {why: count for why, count in _by_reason(open_[open_["dimension"] == name]).items() if count},
        "untagged": int(sum(not _carries(dimension.metadata_tags, held) for held in _dimensions_of(labelled, tags))),
    }
    if not dimension.values:
        return counts
    known = own[own["example_id"].isin(candidates["example_id"])]
    blind = known[is_fresh(known, candidates) & ~known["annotator"].isin(standard.adjudicators)]
    current = blind[is_current(blind, standard)]
    return counts | {
        "agreement": agreement.measure(current, tags, dimension, settings.min_examples, settings.resamples, settings.seed),
        "versions": {
            f"v{version.replace('.', '_')}": found
            for version in standard.versions
            if (found := agreement.of_version(blind, version, dimension))["n"] >= settings.min_examples
        },
    }


def _dimensions_of(example_ids: pd.Series, tags: pd.DataFrame) -> list[set[str]]:
    held = tags[tags["example_id"].isin(example_ids)].groupby("example_id")["dimension"].agg(set).to_dict()
    return [held.get(example_id, set()) for example_id in example_ids]


def _carries(wanted: list[str], held: set[str]) -> bool:
    return held.issuperset(wanted)


def work() -> str:
    standard = expectations.load_labeling()
    wanted = params.load()
    settings = wanted.label
    labels = read_labels(LABELS, standard, erasure.erased())
    candidates = tables.read_parquet(CANDIDATES, schema.CANDIDATES)
    tags = tables.read_parquet(TAGS, schema.TAGS)
    door.check_labels(LABELS, candidates, wanted.anonymize.allow_list)
    # What is retired keeps its labels; they count again once it is back.
    labels = labels[~labels["example_id"].isin(sources.retired().keys() - set(candidates["example_id"]))]
    agreed, open_ = resolve(labels, candidates, standard)
    found = expected(agreed, open_, sources.load())
    found = found[can_be_judged(found)]
    waiting = queue(open_, found, candidates, settings.queue_size, settings.seed, asked_for.load())
    tables.write_parquet(EXPECTATIONS, found, schema.EXPECTATIONS)
    tables.write_csv(LABEL_QUEUE, waiting, schema.QUEUE)
    numbers = figures(labels, candidates, tags, (agreed, open_, found), standard, settings)
    tables.write_json(METRICS / "labels.json", numbers)
    return line(numbers)


def line(numbers: dict[str, Any]) -> str:
    """The figures in one line: what is agreed, what waits, and where the standard is unclear."""
    unclear = [name for name, found in numbers["dimensions"].items() if found.get("agreement", {}).get("reached") is False]
    waits = ", ".join(f"{count} {why.replace('_', ' ')}" for why, count in numbers["open"].items() if count)
    unknown = numbers["unknown_examples"]
    return (
        f"{numbers['labels']:,} labels by {numbers['annotators']} annotators: {numbers['examples']['with_expectation']} conversations "
        f"with an agreed expectation, {numbers['examples']['held_back']} held back"
        + (f"; open: {waits}" if waits else "")
        + (f"; the standard is unclear on {', '.join(unclear)}" if unclear else "")
        + (f"; {unknown} labels name examples that are not in the pool" if unknown else "")
    )


if __name__ == "__main__":
    stage.run("label", work)
