"""What labels agree on: each question about an example settled by its dimension's decision rule, or open, with why.

What can never happen: a value that the decision rule does not give; a label made for another text counts; a disagreement disappears.
"""

from collections import Counter
from collections.abc import Iterable
from itertools import groupby
from typing import Any

import pandas as pd

from pipeline import schema, tables
from pipeline.expectations import LabelDimension, Labeling
from pipeline.labeling.reading import SEVERAL
from pipeline.pii.spans import PLACEHOLDER

WAITING = ("too_few_annotators", "not_approved")
"""Why a question is open to which labels are merely missing."""


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
