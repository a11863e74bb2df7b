"""Stage `label`: annotators' labels become agreed expectations; what is not agreed goes into the queue.

In: `data/labels/*.csv`, `expectations/labeling.yaml`, the candidates, `data/sources/`. Out: `data/interim/expectations.parquet`
(production as labelled, scenarios as authored), `data/interim/label_queue.csv`, `metrics/labels.json`.

What can never happen: an expectation that its decision rule does not give; a label made for another text is used; a disagreement
disappears without a row in the queue; a label whose value or note repeats pooled text or holds personal data gets past.
"""

import csv
import difflib
import math
import re
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline import door, erasure, expectations, params, schema, sources, stage, tables
from pipeline.errors import InputError
from pipeline.expectations import LabelDimension, Labeling
from pipeline.expected import MATCHES, can_be_judged, problem
from pipeline.identity import content_sha, stable_order
from pipeline.paths import CANDIDATES, EXPECTATIONS, LABEL_QUEUE, LABELS, METRICS
from pipeline.pii.spans import PLACEHOLDER
from pipeline.sources import Entry

EXPECTED = "expected."
"""Dimensions of this name say what any correct response holds; the others judge the logged one."""
SEVERAL = " | "
WORDINGS = " / "
FIELDS = {
    f"{EXPECTED}{name}": column
    for name, column in (
        ("behaviour", "expected_behaviour"),
        ("must_include", "must_include"),
        ("must_not_include", "must_not_include"),
        ("answer", "answer"),
        ("answer_match", "answer_match"),
        ("answer_tolerance", "answer_tolerance"),
        ("regex", "regex"),
        ("json_schema", "json_schema"),
        ("citations", "citations"),
    )
}

LATER = ("answer_match", "answer_tolerance", "regex", "json_schema")


def resolve(labels: pd.DataFrame, candidates: pd.DataFrame, standard: Labeling) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Agreed values and open questions of the labels (schema.LABELS) that fit their candidates.

    Returns `agreed` (example_id, dimension, value, agreed_by) and `open` (schema.QUEUE). A label of another text, or of a
    placeholder that its record no longer has, is stale: it is in `open` and counts for nothing.
    """
    known = labels[labels["example_id"].isin(candidates["example_id"])]
    fresh = _is_fresh(known, candidates)
    rows = [
        (example_id, dimension, *_decide(group, standard.dimensions[dimension], standard))
        for (example_id, dimension), group in known[fresh].groupby(["example_id", "dimension"], sort=True)
    ]
    decided = pd.DataFrame(rows, columns=["example_id", "dimension", "value", "agreed_by", "why", "values"])
    is_agreed = decided["why"] == ""
    stale = known[~fresh].drop_duplicates(["example_id", "dimension"])
    superseded = pd.MultiIndex.from_frame(stale[["example_id", "dimension"]]).isin(
        pd.MultiIndex.from_frame(decided.loc[is_agreed, ["example_id", "dimension"]])
    )
    open_ = tables.concat(
        [
            decided.loc[~is_agreed, schema.QUEUE.names],
            stale[~superseded].assign(why="stale_text", values=stale["value"])[schema.QUEUE.names],
        ],
        schema.QUEUE,
    ).drop_duplicates(["example_id", "dimension"])
    return decided.loc[is_agreed, ["example_id", "dimension", "value", "agreed_by"]], open_


def expected(agreed: pd.DataFrame, open_: pd.DataFrame, entries: dict[str, list[tuple[Path, Entry]]]) -> pd.DataFrame:
    """Expectations (schema.EXPECTATIONS): of labelled examples without an open question about them, and of authored ones."""
    about = agreed[agreed["dimension"].isin(list(FIELDS))]
    held_back = set(open_.loc[open_["dimension"].isin(list(FIELDS)), "example_id"])
    rows = []
    for example_id, group in about[~about["example_id"].isin(held_back)].groupby("example_id", sort=True):
        values = dict(zip(group["dimension"], group["value"], strict=True))
        by = sorted({name for names in group["agreed_by"] for name in names.split()})
        fields = _from_labels(values)
        if wrong := problem(fields):
            raise InputError(f"{LABELS}: the labels of {example_id} do not fit together: {EXPECTED}{wrong}")
        rows.append(_expectation(str(example_id), fields, " ".join(by)))
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
    unlabelled = candidates[candidates["source"].isin(["production", "regression"]) & ~candidates["example_id"].isin(waiting)]
    place = pd.Series(
        [(not failed, stable_order(seed, i)) for failed, i in zip(unlabelled["failed"], unlabelled["example_id"], strict=True)],
        index=unlabelled.index,
        dtype=object,
    )
    chosen = unlabelled.loc[place.sort_values().index[:size]]
    return tables.concat(
        [open_, pd.DataFrame({"example_id": chosen["example_id"], "dimension": f"{EXPECTED}behaviour", "why": "unlabelled", "values": ""})],
        schema.QUEUE,
    )


def figures(
    labels: pd.DataFrame, candidates: pd.DataFrame, agreed: pd.DataFrame, open_: pd.DataFrame, expectations_: pd.DataFrame
) -> dict[str, Any]:
    """metrics/labels.json: counts of labels, of what they agreed on, and of what waits for whom."""
    counts = open_["why"].value_counts()
    production = candidates[candidates["source"].isin(["production", "regression"])]
    return {
        "labels": len(labels),
        "annotators": int(labels["annotator"].nunique()),
        "unknown_examples": int((~labels["example_id"].isin(candidates["example_id"])).sum()),
        "examples": {
            "with_expectation": int(production["example_id"].isin(expectations_["example_id"]).sum()),
            "held_back": int(open_.loc[open_["dimension"].isin(list(FIELDS)), "example_id"].nunique()),
        },
        "open": {why: int(counts.get(why, 0)) for why in ("disagreement", "too_few_annotators", "stale_text")},
        "dimensions": {
            dimension.replace(".", "_"): {
                "labelled": int(labels.loc[labels["dimension"] == dimension, "example_id"].nunique()),
                "agreed": int((agreed["dimension"] == dimension).sum()),
            }
            for dimension in sorted(labels["dimension"].unique())
        },
    }


def read_labels(folder: Path, standard: Labeling, erased: frozenset[str] = frozenset()) -> pd.DataFrame:
    """Every label file, checked against the standard.

    Raises InputError with file and line for a dimension or value that the standard does not know, a label given twice, or one of
    an erased conversation (a branch older than the erasure brings them back).
    """
    seen: dict[tuple[str, str, str], str] = {}
    frames = []
    for path in sorted(folder.glob("*.csv")):
        frame = tables.read_csv(path, schema.LABELS)
        for line, example_id, dimension, value, annotator in zip(
            _line_numbers(path), frame["example_id"], frame["dimension"], frame["value"], frame["annotator"], strict=True
        ):
            where = f"{path}, line {line}"
            if example_id in erased:
                raise InputError(
                    f"{where}: {example_id} was erased; run 'golden erase --example-id {example_id}' to remove what is left of it"
                )
            if dimension not in standard.dimensions:
                near = difflib.get_close_matches(dimension, list(standard.dimensions), n=1)
                raise InputError(
                    f"{where}: dimension: not in expectations/labeling.yaml; "
                    + (f"did you mean '{near[0]}'?" if near else f"known: {', '.join(standard.dimensions)}")
                )
            allowed = standard.dimensions[dimension].values
            if allowed and value not in allowed:
                raise InputError(f"{where}: value: not one of {', '.join(allowed)} for {dimension}")
            if not value.strip():
                raise InputError(f"{where}: value: empty; leave the line out where nothing was judged")
            if wrong := _unreadable(dimension, value):
                raise InputError(f"{where}: value: {wrong}")
            first = seen.setdefault((example_id, dimension, annotator), where)
            if first != where:
                raise InputError(f"{where}: {annotator} labelled {dimension} of {example_id} before ({first}); keep one")
        frames.append(frame)
    return tables.concat(frames, schema.LABELS)


def _line_numbers(path: Path) -> list[int]:
    """The line on which each row of a CSV begins; cells may hold line breaks."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        next(reader)
        lines, line = [], reader.line_num + 1
        for row in reader:
            if row:
                lines.append(line)
            line = reader.line_num + 1
    return lines


def _is_fresh(labels: pd.DataFrame, candidates: pd.DataFrame) -> pd.Series:
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


def _decide(group: pd.DataFrame, dimension: LabelDimension, standard: Labeling) -> tuple[str, str, str, str]:
    """(value, agreed_by, why open, values so far) of the labels that one example has in one dimension."""
    given = group.sort_values(["annotator"])
    values = list(dict.fromkeys(given["value"]))
    so_far = SEVERAL.join(values) if dimension.values else f"{len(values)} texts"
    adjudicated = given[given["annotator"].isin(standard.adjudicators)]
    if len(adjudicated):
        return str(adjudicated["value"].iloc[-1]), str(adjudicated["annotator"].iloc[-1]), "", so_far
    if dimension.values and given["annotator"].nunique() < standard.min_annotators:
        return "", "", "too_few_annotators", so_far
    by = " ".join(given["annotator"])
    if len(values) == 1:
        return values[0], by, "", so_far
    if dimension.decision_rule == "majority" and given["value"].value_counts().iloc[0] * 2 > len(given):
        return str(given["value"].value_counts().index[0]), by, "", so_far
    if dimension.decision_rule == "any_of":
        return SEVERAL.join(dict.fromkeys(item for value in values for item in value.split(SEVERAL))), by, "", so_far
    return "", "", "disagreement", so_far


def _from_labels(values: dict[str, str]) -> dict[str, Any]:
    def several(name: str) -> list[str]:
        return [item.strip() for item in values.get(EXPECTED + name, "").split(SEVERAL) if item.strip()]

    return {
        "expected_behaviour": values.get(f"{EXPECTED}behaviour", ""),
        "must_include": [[wording.strip() for wording in item.split(WORDINGS)] for item in several("must_include")],
        "must_not_include": several("must_not_include"),
        "answer": values.get(f"{EXPECTED}answer", ""),
        "answer_match": values.get(f"{EXPECTED}answer_match", ""),
        "answer_tolerance": float(values.get(f"{EXPECTED}answer_tolerance", 0)),
        "regex": several("regex"),
        "json_schema": values.get(f"{EXPECTED}json_schema", ""),
        "citations": several("citations"),
    }


def _unreadable(dimension: str, value: str) -> str:
    """Why a value cannot be what its dimension expects, without quoting it; empty where it can."""
    if dimension == f"{EXPECTED}answer_match":
        return "" if value in MATCHES else f"not one of {', '.join(MATCHES)}"
    if dimension == f"{EXPECTED}answer_tolerance":
        try:
            return "" if 0 <= float(value) < math.inf else "expected a number from 0 on"
        except ValueError:
            return "expected a number such as 0.5"
    if dimension in (f"{EXPECTED}regex", f"{EXPECTED}json_schema", f"{EXPECTED}must_include", f"{EXPECTED}must_not_include"):
        wrong = problem(_from_labels({dimension: value}))
        return wrong.partition(": ")[2]
    return ""


def _expectation(example_id: str, fields: dict[str, Any], agreed_by: str) -> dict[str, Any]:
    return {"example_id": example_id, **fields, "expectation_sha": _sha(fields), "agreed_by": agreed_by}


def _sha(fields: dict[str, Any]) -> str:
    """Kinds of expectation that came later count only where they are given, so that their coming changed no older hash."""
    return content_sha({name: value for name, value in fields.items() if value or name not in LATER})


def _words(name: str) -> str:
    """A name as one word, since `agreed_by` separates several by blanks."""
    return re.sub(r"\s+", "_", name.split("(", maxsplit=1)[0].strip())


def work() -> str:
    standard = expectations.load_labeling()
    wanted = params.load()
    settings = wanted.label
    labels = read_labels(LABELS, standard, erasure.erased())
    candidates = tables.read_parquet(CANDIDATES, schema.CANDIDATES)
    door.check_labels(LABELS, candidates, wanted.anonymize.allow_list)
    agreed, open_ = resolve(labels, candidates, standard)
    found = expected(agreed, open_, sources.load())
    found = found[can_be_judged(found)]
    waiting = queue(open_, found, candidates, settings.queue_size, settings.seed)
    tables.write_parquet(EXPECTATIONS, found, schema.EXPECTATIONS)
    tables.write_csv(LABEL_QUEUE, waiting, schema.QUEUE)
    numbers = figures(labels, candidates, agreed, open_, found)
    tables.write_json(METRICS / "labels.json", numbers)
    unknown = numbers["unknown_examples"]
    return (
        f"{len(labels):,} labels by {numbers['annotators']} annotators: {numbers['examples']['with_expectation']} conversations with an agreed expectation, "
        f"{numbers['examples']['held_back']} held back" + (f"; {unknown} labels name examples that are not in the pool" if unknown else "")
    )


if __name__ == "__main__":
    stage.run("label", work)
