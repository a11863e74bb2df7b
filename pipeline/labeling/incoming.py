"""Labels that come from annotators' tools: filled-in sheets and Label Studio's JSON export, checked and added to data/labels.

All rows of a file are taken, or none. What is refused names the line of a sheet or the task of an export, and never quotes a text.
"""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pandas as pd

from pipeline import door, schema, tables
from pipeline.errors import InputError
from pipeline.expectations import Labeling
from pipeline.labeling.reading import line_numbers, read_file, refusal
from pipeline.labeling.tasks import NOTE, joined, tag_name

AGAIN = "it is labelled already; a second opinion of the same person comes in with --repeat"


@dataclass(frozen=True)
class Incoming:
    """One label and where it stands."""

    where: str
    row: dict[str, str]
    """By schema.LABELS."""


def read(path: Path, standard: Labeling, today: datetime.date, people: Mapping[str, str]) -> list[Incoming]:
    """The labels of a file: JSON is Label Studio's, anything else a CSV. Rows without a value are passed over.

    `people`: Label Studio's id or mail address of a user to the annotator. Raises InputError where the file cannot be read.
    """
    if not path.is_file():
        raise InputError(f"{path}: not there; name a filled-in sheet (CSV) or Label Studio's export (JSON)")
    return list(_from_label_studio(path, standard, people) if path.suffix.lower() == ".json" else _from_csv(path, today))


def _from_csv(path: Path, today: datetime.date) -> Iterator[Incoming]:
    with path.open("rb") as file:
        header = file.readline()
    frame = read_file(path, schema.TASKS if b"conversation" in header else schema.LABELS)
    for line, row in zip(line_numbers(path), frame[schema.LABELS.names].to_dict("records"), strict=True):
        if row["value"].strip():
            yield Incoming(f"{path}, line {line}", row | {"labelled_at": row["labelled_at"] or today.isoformat()})


def _from_label_studio(path: Path, standard: Labeling, people: Mapping[str, str]) -> Iterator[Incoming]:
    try:
        exported = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError:
        raise InputError(f"{path}: not JSON; export it from Label Studio as JSON, or name a CSV") from None
    names = {tag_name(name): name for name in standard.dimensions}
    if not isinstance(exported, list):
        raise InputError(f"{path}: expected a list of tasks; export it from Label Studio as JSON")
    for place, task in enumerate(exported, start=1):
        where = f"{path}, task {task.get('id', place) if isinstance(task, dict) else place}"
        if not isinstance(task, dict) or not isinstance(task.get("annotations"), list) or not isinstance(task.get("data"), dict):
            raise InputError(f"{where}: no data or no annotations; export it from Label Studio as JSON, not as JSON-MIN")
        if missing := [name for name in ("example_id", "annotator", "standard_version", "text_sha") if name not in task["data"]]:
            raise InputError(f"{where}: data.{missing[0]}: missing; import only tasks that 'golden label export' made")
        for annotation in task["annotations"]:
            if not annotation.get("was_cancelled"):
                yield from _of_annotation(where, task["data"], annotation, names, people)


def _of_annotation(
    where: str, data: Mapping[str, str], annotation: Mapping[str, Any], names: Mapping[str, str], people: Mapping[str, str]
) -> Iterator[Incoming]:
    given: dict[str, str] = {}
    for found in annotation.get("result", ()):
        value = found.get("value", {})
        texts = value.get("choices") or value.get("text") or []
        texts = [texts] if isinstance(texts, str) else texts
        if found.get("type") == "choices" and len(texts) > 1:
            raise InputError(f"{where}: {found['from_name']}: {len(texts)} choices; one is expected")
        if found.get("from_name") not in (*names, NOTE):
            raise InputError(
                f"{where}: {found.get('from_name')}: no dimension of the standard; make the project with 'golden label export'"
            )
        if text := joined(texts):
            given[found["from_name"]] = text
    common = {
        "example_id": data["example_id"],
        "annotator": _annotator(where, data, annotation.get("completed_by"), people),
        "labelled_at": str(annotation.get("created_at", ""))[:10],
        "standard_version": data["standard_version"],
        "text_sha": data["text_sha"],
        "note": given.pop(NOTE, ""),
    }
    for name, text in given.items():
        yield Incoming(where, {**common, "dimension": names[name], "value": text})


def _annotator(where: str, data: Mapping[str, str], completed_by: Any, people: Mapping[str, str]) -> str:
    """Who was asked, unless `people` tells who a user of Label Studio is and it is another one."""
    keys = [str(completed_by.get(name)) for name in ("id", "email")] if isinstance(completed_by, dict) else [str(completed_by)]
    known = [people[key] for key in keys if key in people]
    if people and not known:
        raise InputError(f"{where}: completed_by: {keys[0]} is nobody that --by names; add --by {keys[0]}=NAME")
    if known and known[0] != data["annotator"]:
        raise InputError(f"{where}: {known[0]} labelled what {data['annotator']} was asked; nobody may see another's tasks")
    return data["annotator"]


def check(
    incoming: Sequence[Incoming],
    labels: pd.DataFrame,
    candidates: pd.DataFrame,
    standard: Labeling,
    allow_list: Sequence[str],
    erased: frozenset[str],
    repeat: bool = False,
) -> None:
    """Raises InputError for the first of `incoming` that may not come in, and says how many more may not.

    `labels` (schema.LABELS) are those of data/labels. With `repeat` an annotator may label again what is labelled, on another day.
    """
    facts = candidates.set_index("example_id")["text_sha"].to_dict()
    seen: dict[tuple[str, ...], str] = {}
    for example_id, dimension, annotator, day, version in zip(
        *(labels[name] for name in ("example_id", "dimension", "annotator", "labelled_at", "standard_version")), strict=True
    ):
        if not repeat:
            seen[(example_id, dimension, annotator, version if not standard.is_current(dimension, version) else "")] = "data/labels"
        seen[(example_id, dimension, annotator, "", day)] = "data/labels"
    refused = [(one.where, why) for one in incoming if (why := _refusal(one, facts, seen, standard, erased, repeat))]
    if refused:
        more = f" ({len(refused) - 1} more like it)" if len(refused) > 1 else ""
        raise InputError(f"{refused[0][0]}: {refused[0][1]}{more}; nothing was taken")
    written = [
        door.Written(f"{one.where}: {field}", text)
        for one in incoming
        for field in ("value", "note")
        for text in door.SEPARATORS.split(one.row[field])
        if text
    ]
    door.check(written, door.pooled_texts(candidates), allow_list)


def _refusal(
    one: Incoming, facts: Mapping[str, str], seen: dict[tuple[str, ...], str], standard: Labeling, erased: frozenset[str], repeat: bool
) -> str:
    row = one.row
    if row["example_id"] in erased:
        return f"example_id: {row['example_id']} was erased; leave it out"
    if row["example_id"] not in facts:
        return "example_id: no such conversation in the pool; 'dvc pull' where it is older, or leave the line out"
    if wrong := refusal(row, standard):
        return wrong
    if row["text_sha"] != facts[row["example_id"]]:
        return "text_sha: the text is another one than what was labelled; give it out anew with 'golden label next --open'"
    if not standard.is_current(row["dimension"], row["standard_version"]):
        return (
            f"standard_version: {row['dimension']} means something else since {standard.dimensions[row['dimension']].version}; "
            "judge it by 'golden label spec' again"
        )
    key = (row["example_id"], row["dimension"], row["annotator"])
    for mark in [(*key, "", row["labelled_at"]), *([] if repeat else [(*key, "")])]:
        if first := seen.get(mark):
            return f"{row['annotator']} labelled {row['dimension']} of it before ({first}); {AGAIN}"
        seen[mark] = one.where
    return ""


def append(path: Path, incoming: Sequence[Incoming]) -> int:
    """Add the rows to a file of labels, sorted by its key, whole or not at all; how many."""
    before = [read_file(path, schema.LABELS)] if path.is_file() else []
    rows = pd.DataFrame([one.row for one in incoming], columns=schema.LABELS.names).astype("str")
    tables.write_csv(path, tables.concat([*before, rows], schema.LABELS), schema.LABELS)
    return len(rows)
