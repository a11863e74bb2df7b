"""Inspect AI: samples.jsonl for `inspect_ai.dataset.json_dataset`. Input is the chat, target the reference, the rest metadata."""

from typing import Any

from pipeline.exports.rows import Rows, json_lines, reference


def files(rows: Rows) -> dict[str, bytes]:
    return {"samples.jsonl": json_lines([_sample(row) for row in rows.examples])}


def _sample(row: dict[str, Any]) -> dict[str, Any]:
    return {"id": row["id"], "input": row["messages"], "target": reference(row["expectation"]), "metadata": row["metadata"]}
