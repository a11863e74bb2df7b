"""What a correct response to an example is: agreed labels of a logged conversation, or what the author of a scenario wrote.

What can never happen: an expectation of which a part is still in question; parts that do not fit together.
"""

import re
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline import schema, tables
from pipeline.errors import InputError
from pipeline.expected import problem
from pipeline.identity import content_sha
from pipeline.labeling.reading import EXPECTED, fields
from pipeline.paths import LABELS
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


def expected(agreed: pd.DataFrame, open_: pd.DataFrame, entries: dict[str, list[tuple[Path, Entry]]]) -> pd.DataFrame:
    """Expectations (schema.EXPECTATIONS): of labelled examples without an open question about them, and of authored ones."""
    about = agreed[agreed["dimension"].isin(FIELDS)]
    held_back = set(holding_back(open_)["example_id"])
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


def holding_back(open_: pd.DataFrame) -> pd.DataFrame:
    """The open questions that keep an example out of the dataset."""
    return open_[open_["dimension"].isin(FIELDS) & (open_["why"] != "stale_standard")]


def _expectation(example_id: str, wanted: dict[str, Any], agreed_by: str) -> dict[str, Any]:
    return {"example_id": example_id, **wanted, "expectation_sha": _sha(wanted), "agreed_by": agreed_by}


def _sha(wanted: dict[str, Any]) -> str:
    """Kinds of expectation that came later count only where they are given, so that their coming changed no older hash."""
    return content_sha({name: value for name, value in wanted.items() if value or name not in LATER})


def _words(name: str) -> str:
    """A name as one word, since `agreed_by` separates several by blanks."""
    return re.sub(r"\s+", "_", name.split("(", maxsplit=1)[0].strip())
