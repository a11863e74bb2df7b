"""Label files as a table: what a label may say, and why a row that says something else is refused.

Columns are those of schema.LABELS. A refusal names file, line and column and never quotes a value: it may be a customer's words.
"""

import csv
import datetime
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline import schema, tables
from pipeline.errors import InputError, did_you_mean
from pipeline.expectations import Labeling
from pipeline.expected import MATCHES, problem

EXPECTED = "expected."
"""Dimensions of this name say what any correct response holds; the others judge the logged one."""
SEVERAL = " | "
WORDINGS = " / "
STANDARD = "expectations/labeling.yaml"


def read_labels(folder: Path, standard: Labeling, erased: frozenset[str] = frozenset()) -> pd.DataFrame:
    """Every label file, checked against the standard.

    Raises InputError with file and line for a dimension, value, annotator or version that the standard does not know, a label that
    one annotator gave twice on a day, or one of an erased conversation (a branch older than the erasure brings them back).
    """
    seen: dict[tuple[str, ...], str] = {}
    frames = []
    for path in sorted(folder.glob("*.csv")):
        frame = read_file(path, schema.LABELS)
        for line, row in zip(line_numbers(path), frame.to_dict("records"), strict=True):
            where = f"{path}, line {line}"
            if row["example_id"] in erased:
                raise InputError(
                    f"{where}: {row['example_id']} was erased; run 'golden erase --example-id {row['example_id']}' to remove what is left of it"
                )
            if wrong := refusal(row, standard):
                raise InputError(f"{where}: {wrong}")
            first = seen.setdefault((row["example_id"], row["dimension"], row["annotator"], row["labelled_at"]), where)
            if first != where:
                raise InputError(
                    f"{where}: {row['annotator']} labelled {row['dimension']} of {row['example_id']} before on that day ({first}); keep one"
                )
        frames.append(frame)
    return tables.concat(frames, schema.LABELS)


def read_file(path: Path, table: schema.Table) -> pd.DataFrame:
    """One CSV of `table`, in the order of its lines. A byte order mark, as spreadsheets write it, is passed over.

    Raises InputError where the file is not UTF-8 or not of these columns; semicolons are named as such.
    """
    if path.is_file():
        with path.open("rb") as file:
            header = file.readline().decode("utf-8", "replace")
        for separator, name in ((";", "semicolons"), ("\t", "tabs")):
            if "," not in header and separator in header:
                raise InputError(f"{path}, line 1: separated by {name}; save it as CSV with commas, in UTF-8")
    return tables.read_csv(path, table, missing="name the file of labels to read")


def refusal(row: Mapping[str, Any], standard: Labeling) -> str:
    """Why a row (schema.LABELS) does not fit the standard, and what would; empty where it fits."""
    dimension = standard.dimensions.get(row["dimension"])
    if dimension is None:
        return f"dimension: not in {STANDARD}; {nearest(row['dimension'], standard.dimensions)}"
    if dimension.values and row["value"] not in dimension.values:
        return f"value: not one of {', '.join(dimension.values)} for {row['dimension']}"
    if not row["value"].strip():
        return "value: empty; leave the line out where nothing was judged"
    if wrong := _unreadable(row["dimension"], row["value"]):
        return f"value: {wrong}"
    if not row["annotator"].strip() or row["annotator"] != "".join(row["annotator"].split()):
        return "annotator: expected a name without blanks"
    known = [*standard.annotators, *standard.adjudicators]
    if standard.annotators and row["annotator"] not in known:
        return f"annotator: {row['annotator']} is not in {STANDARD}; {nearest(row['annotator'], known)}"
    if row["standard_version"] not in standard.versions:
        return f"standard_version: {row['standard_version'] or 'empty'}: not in the changelog of {STANDARD}; known: {', '.join(standard.versions)}"
    if not _is_date(row["labelled_at"]):
        return "labelled_at: expected a date such as 2026-03-31"
    return ""


def nearest(name: str, known: Iterable[str]) -> str:
    known = list(known)
    return did_you_mean(name, known, f"known: {', '.join(known)}")


def _is_date(text: str) -> bool:
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


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
        wrong = problem(fields({dimension: value}))
        return wrong.partition(": ")[2]
    return ""


def fields(values: Mapping[str, str]) -> dict[str, Any]:
    """Labels' values by dimension as the fields of an expectation (schema.EXPECTATION)."""

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


def line_numbers(path: Path) -> list[int]:
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
