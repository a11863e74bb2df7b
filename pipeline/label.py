"""Stage `label`: annotators' labels become agreed expectations; what is not agreed goes into the queue.

In: `data/labels/*.csv`, `expectations/labeling.yaml`, the candidates and their tags, `data/sources/`. Out:
`data/interim/expectations.parquet` (production as labelled, scenarios as authored), `data/interim/label_queue.csv`,
`metrics/labels.json`.

What can never happen: an expectation that its decision rule does not give; a label made for another text is used; a disagreement
disappears without a row in the queue; a label whose value or note repeats pooled text or holds personal data gets past.
"""

import re
from collections import Counter
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline import door, erasure, expectations, params, schema, sources, stage, tables
from pipeline.errors import InputError
from pipeline.expectations import LabelDimension, Labeling
from pipeline.expected import can_be_judged, problem
from pipeline.identity import content_sha, stable_order
from pipeline.labeling import agreement
from pipeline.labeling.reading import EXPECTED, SEVERAL, fields, read_labels
from pipeline.params import LOGGED, Label
from pipeline.paths import CANDIDATES, EXPECTATIONS, LABEL_QUEUE, LABELS, METRICS, TAGS
from pipeline.pii.spans import PLACEHOLDER
from pipeline.sources import Entry

FIELDS = [
    f"{EXPECTED}{name}"
    for name in (
        *("behaviour", "must_include", "must_not_include", "answer", "answer_match"),
        *("answer_tolerance", "regex", "json_schema", "citations"),
    )
]
"""The dimensions that make an expectation."""
LATER = ("answer_match", "answer_tolerance", "regex", "json_schema")
WAITING = ("too_few_annotators", "not_approved")
"""Why a question is open to which labels are merely missing."""
OPEN = ("disagreement", *WAITING, "stale_text", "stale_standard")


def resolve(labels: pd.DataFrame, candidates: pd.DataFrame, standard: Labeling) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Agreed values and open questions of the labels (schema.LABELS) that fit their candidates.

    Returns `agreed` (example_id, dimension, value, agreed_by) and `open` (schema.QUEUE). A label of another text, or of a
    placeholder that its record no longer has, is stale: it is in `open` and counts for nothing. A value that was agreed before the
    standard changed its meaning is used until labels under the new one decide, and is in `open` as `stale_standard`.
    """
    known = labels[labels["example_id"].isin(candidates["example_id"])]
    fresh = is_fresh(known, candidates)
    last = known[fresh].sort_values(["labelled_at"], kind="stable").assign(current=lambda rows: is_current(rows, standard))
    last = last.drop_duplicates(["example_id", "dimension", "annotator", "current"], keep="last")
    ordered = last.sort_values(["example_id", "dimension", "annotator", "labelled_at"], kind="stable").to_dict("records")
    rows = [
        (example_id, dimension, *_settled(list(group), standard.dimensions[dimension], standard))
        for (example_id, dimension), group in groupby(ordered, key=lambda row: (row["example_id"], row["dimension"]))
    ]
    decided = pd.DataFrame(rows, columns=["example_id", "dimension", "value", "agreed_by", "why", "values", "notes", "criteria"])
    is_agreed = decided["agreed_by"] != ""
    stale = known[~fresh].drop_duplicates(["example_id", "dimension"])
    superseded = pd.MultiIndex.from_frame(stale[["example_id", "dimension"]]).isin(
        pd.MultiIndex.from_frame(decided.loc[is_agreed, ["example_id", "dimension"]])
    )
    stale = stale[~superseded].assign(
        why="stale_text",
        values=lambda rows: rows["value"],
        notes=lambda rows: rows["note"],
        criteria=lambda rows: [
            _criteria(standard.dimensions[name], [value]) for name, value in zip(rows["dimension"], rows["value"], strict=True)
        ],
    )
    open_ = tables.concat([decided.loc[decided["why"] != "", schema.QUEUE.names], stale[schema.QUEUE.names]], schema.QUEUE)
    return decided.loc[is_agreed, ["example_id", "dimension", "value", "agreed_by"]], open_.drop_duplicates(["example_id", "dimension"])


def expected(agreed: pd.DataFrame, open_: pd.DataFrame, entries: dict[str, list[tuple[Path, Entry]]]) -> pd.DataFrame:
    """Expectations (schema.EXPECTATIONS): of labelled examples without an open question about them, and of authored ones."""
    about = agreed[agreed["dimension"].isin(FIELDS)]
    held_back = set(_holding_back(open_)["example_id"])
    rows = []
    for example_id, group in about[~about["example_id"].isin(held_back)].groupby("example_id", sort=True):
        values = dict(zip(group["dimension"], group["value"], strict=True))
        by = sorted({name for names in group["agreed_by"] for name in names.split()})
        wanted = fields(values)
        if wrong := problem(wanted):
            raise InputError(f"{LABELS}: the labels of {example_id} do not fit together: {EXPECTED}{wrong}")
        rows.append(_expectation(str(example_id), wanted, " ".join(by)))
    for found in entries.values():
        for _, entry in found:
            rows.append(
                _expectation(
                    entry.id,
                    entry.expect.fields,
                    _words(getattr(entry, "author", "") or getattr(entry, "approved_by", "") or getattr(entry, "flagged_by", "")),
                )
            )
    frame = pd.DataFrame(rows, columns=schema.EXPECTATIONS.names) if rows else tables.empty(schema.EXPECTATIONS)
    # A regression entry's own expectation is younger than a label of the same conversation.
    return frame.drop_duplicates("example_id", keep="last")


def queue(open_: pd.DataFrame, expectations_: pd.DataFrame, candidates: pd.DataFrame, size: int, seed: int) -> pd.DataFrame:
    """What to label next (schema.QUEUE): every open question, then unlabelled conversations, failures first, `size` of them."""
    waiting = set(expectations_["example_id"]) | set(open_["example_id"])
    unlabelled = candidates[candidates["source"].isin(LOGGED) & ~candidates["example_id"].isin(waiting)]
    place = pd.Series(
        [(not failed, stable_order(seed, i)) for failed, i in zip(unlabelled["failed"], unlabelled["example_id"], strict=True)],
        index=unlabelled.index,
        dtype=object,
    )
    chosen = unlabelled.loc[place.sort_values().index[:size]]
    plain = {"dimension": f"{EXPECTED}behaviour", "why": "unlabelled", "values": "", "notes": "", "criteria": ""}
    return tables.concat([open_, pd.DataFrame({"example_id": chosen["example_id"], **plain})], schema.QUEUE)


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
            "held_back": int(_holding_back(open_)["example_id"].nunique()),
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


def _holding_back(open_: pd.DataFrame) -> pd.DataFrame:
    """The open questions that keep an example out of the dataset."""
    return open_[open_["dimension"].isin(FIELDS) & (open_["why"] != "stale_standard")]


def is_current(labels: pd.DataFrame, standard: Labeling) -> pd.Series:
    """Which of `labels` (schema.LABELS) were made under the meaning that their dimension has today."""
    told = [standard.is_current(name, version) for name, version in zip(labels["dimension"], labels["standard_version"], strict=True)]
    return pd.Series(told, index=labels.index, dtype=bool)


def is_fresh(labels: pd.DataFrame, candidates: pd.DataFrame) -> pd.Series:
    """Which of `labels` were made for the text, and the placeholders, that their candidate has. All of them have a candidate."""
    facts = candidates.set_index("example_id")
    same_text = labels["text_sha"].to_numpy() == facts["text_sha"].reindex(labels["example_id"]).to_numpy()
    held = {
        i: {span["placeholder"] for span in spans} | {m.group() for m in PLACEHOLDER.finditer(fixtures)}
        for i, spans, fixtures in zip(facts.index, facts["spans"], facts["fixtures"], strict=True)
    }
    names_known = [
        {m.group() for m in PLACEHOLDER.finditer(value)} <= held[i] for value, i in zip(labels["value"], labels["example_id"], strict=True)
    ]
    return pd.Series(same_text & pd.Series(names_known, dtype=bool).to_numpy(), index=labels.index)


def _settled(given: list[dict[str, Any]], dimension: LabelDimension, standard: Labeling) -> tuple[str, str, str, str, str, str]:
    """(value, agreed_by, why open, values, notes and criteria so far) of the last labels of one example in one dimension.

    `given` are rows of schema.LABELS with `current`, in the order of annotators. agreed_by is empty where there is no value to use;
    both it and why are given where a value of an older meaning is used.
    """
    current, older = [row for row in given if row["current"]], [row for row in given if not row["current"]]
    value, by, why = _decide(current, dimension, standard) if current else ("", "", "stale_standard")
    told = current or older
    if older and (why in WAITING or not current):
        before = _decide(older, dimension, standard)
        if not before[2]:
            value, by, why, told = before[0], before[1], "stale_standard", given
    if not why:
        return value, by, "", "", "", ""
    values = _once(row["value"] for row in told)
    notes = SEVERAL.join(_once(row["note"] for row in told if row["note"].strip()))
    so_far = SEVERAL.join(values) if dimension.values else f"{len(values)} text{'s' * (len(values) != 1)}"
    return value, by, why, so_far, notes, _criteria(dimension, values)


def _once(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def _criteria(dimension: LabelDimension, values: list[str]) -> str:
    """What the standard says of the values in question, or of the dimension where it has none."""
    return SEVERAL.join(f"{value}: {dimension.values[value]}" for value in values) if dimension.values else dimension.criteria


def _decide(given: list[dict[str, Any]], dimension: LabelDimension, standard: Labeling) -> tuple[str, str, str]:
    """(value, agreed_by, why open) of the labels of one meaning that one example has in one dimension."""
    values = _once(row["value"] for row in given)
    adjudicated = sorted((row for row in given if row["annotator"] in standard.adjudicators), key=lambda row: str(row["labelled_at"]))
    if adjudicated:
        return str(adjudicated[-1]["value"]), str(adjudicated[-1]["annotator"]), ""
    if dimension.values and len(given) < standard.min_annotators:
        return "", "", "too_few_annotators"
    by = " ".join(row["annotator"] for row in given)
    if dimension.decision_rule == "approved" and len(given) == 1 and standard.min_annotators > 1:
        return "", "", "not_approved"
    if len(values) == 1:
        return values[0], by, ""
    most, votes = Counter(row["value"] for row in given).most_common(1)[0]
    if dimension.decision_rule == "majority" and votes * 2 > len(given):
        return most, by, ""
    if dimension.decision_rule == "any_of":
        return SEVERAL.join(_once(item for value in values for item in value.split(SEVERAL))), by, ""
    return "", "", "disagreement"


def _expectation(example_id: str, wanted: dict[str, Any], agreed_by: str) -> dict[str, Any]:
    return {"example_id": example_id, **wanted, "expectation_sha": _sha(wanted), "agreed_by": agreed_by}


def _sha(wanted: dict[str, Any]) -> str:
    """Kinds of expectation that came later count only where they are given, so that their coming changed no older hash."""
    return content_sha({name: value for name, value in wanted.items() if value or name not in LATER})


def _words(name: str) -> str:
    """A name as one word, since `agreed_by` separates several by blanks."""
    return re.sub(r"\s+", "_", name.split("(", maxsplit=1)[0].strip())


def work() -> str:
    standard = expectations.load_labeling()
    wanted = params.load()
    settings = wanted.label
    labels = read_labels(LABELS, standard, erasure.erased())
    candidates = tables.read_parquet(CANDIDATES, schema.CANDIDATES)
    tags = tables.read_parquet(TAGS, schema.TAGS)
    door.check_labels(LABELS, candidates, wanted.anonymize.allow_list)
    agreed, open_ = resolve(labels, candidates, standard)
    found = expected(agreed, open_, sources.load())
    found = found[can_be_judged(found)]
    waiting = queue(open_, found, candidates, settings.queue_size, settings.seed)
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
