"""Tiny tables for tests: a row is what the test says, and a plain default for everything it does not speak of."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from pipeline import schema, tables

NOON = pd.Timestamp("2026-03-02T12:00:00Z").as_unit("us")
PLAIN: dict[str, dict[str, Any]] = {
    "records": {"text_sha": "t", "system": "shop", "occurred_at": NOON, "outcome": "resolved", "failed": False, "fixtures": "", "metadata": {}, "inclusion_weight": 1.0},
    "pool": {"text_sha": "t", "system": "shop", "occurred_at": NOON, "outcome": "resolved", "failed": False, "spans": [], "fixtures": "", "metadata": {}, "inclusion_weight": 1.0},
    "left_out": {"reason": "leak_name", "where": "messages"},
    "masked": {"kind": "name", "field": "messages"},
    "candidates": {
        "source": "production", "text_sha": "t", "partition": "w1", "occurred_at": NOON, "failed": False, "inclusion_weight": 1.0, "response": "", "spans": [], "fixtures": "",
        "fault": "", "canary": "", "incident_id": "", "reason": "", "pinned": False,
    },
    "tags": {"origin": "rule", "confidence": 1.0},
    "labels": {"annotator": "amara", "labelled_at": "2026-03-03", "standard_version": "1", "text_sha": "t", "note": ""},
    "tasks": {"value": "", "labelled_at": "", "standard_version": "2", "text_sha": "t", "note": "", "conversation": ""},
    "expectations": {"expected_behaviour": "answer", "must_include": [], "must_not_include": [], "answer": "", "answer_match": "", "answer_tolerance": 0.0, "regex": [], "json_schema": "", "citations": [], "expectation_sha": "x", "agreed_by": "amara"},
    "wanted": {"reason": "r", "since": "2026-05-01"},
    "last_seen": {"source": "production", "last_seen": "2026-03-02", "distance": 0.1},
    "members": {"reason": "first", "since": "1.0.0", "slices": "", "source": "production"},
    "partitions": {
        "raw": "present", "source_sha256": "s", "read": 1, "kept": 1, "rejected": "", "sampled_out": 0, "first": "2026-03-02T12:00:00+00:00", "last": "2026-03-02T12:00:00+00:00",
        "key_id": "k", "recognizers": "r",
    },
}  # fmt: skip


def example(example_id: str, text: str = "a question", **fields: Any) -> dict[str, Any]:
    """A row of schema.EXAMPLES that asks `text` and expects nothing; `fields` say the rest."""
    plain = dict.fromkeys(("fixtures", "fault", "canary", "expected_behaviour", "answer", "answer_match", "json_schema"), "")
    return {
        **plain, "example_id": example_id, "source": "production", "input": said(text), "must_include": [], "must_not_include": [], "answer_tolerance": 0.0,
        "regex": [], "citations": [], "tags": {}, "spans": [], "surrogates": {}, "cluster": example_id, "occurred_at": NOON, "inclusion_weight": 1.0,
        "input_sha": f"i-{example_id}", "expectation_sha": "x", "text_sha": "t", **fields,
    }  # fmt: skip


def frame(table: schema.Table, rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """`rows` as a frame of `table`, read back as a stage would read it."""
    filled = [{**PLAIN[table.name], **row} for row in rows]
    if not filled:
        return tables.empty(table)
    return tables.to_frame(tables.to_arrow(pd.DataFrame(filled, columns=table.names), table))


def said(*texts: str) -> list[dict[str, str]]:
    """A conversation in which user and assistant take turns, the user first."""
    return [{"role": "assistant" if place % 2 else "user", "content": text} for place, text in enumerate(texts)]
