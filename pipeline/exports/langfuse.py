"""Langfuse: items.jsonl, each line the body of a dataset item; an item of the same id is updated, a retired one archived."""

from typing import Any

from pipeline.exports.rows import Rows, json_lines

DATASET = "golden"
"""The name of the dataset in Langfuse."""


def files(rows: Rows) -> dict[str, bytes]:
    archived = [{"datasetName": DATASET, "id": one, "status": "ARCHIVED"} for one in rows.retired]
    return {"items.jsonl": json_lines([_item(row) for row in rows.examples] + archived)}


def _item(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "datasetName": DATASET,
        "id": row["id"],
        "input": {"messages": row["messages"]},
        "expectedOutput": row["expectation"],
        "metadata": row["metadata"],
        "status": "ACTIVE",
    }
