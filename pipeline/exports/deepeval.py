"""DeepEval: goldens.json of single turns and, where there are any, conversations.json of several turns.

Its loader reads both kinds with `add_goldens_from_json_file`, but one dataset holds one kind only: hence two files.
"""

from typing import Any

from pipeline.exports.rows import Rows, json_file, reference


def files(rows: Rows) -> dict[str, bytes]:
    single = [row for row in rows.examples if len(row["messages"]) == 1]
    several = [row for row in rows.examples if len(row["messages"]) > 1]
    found = {"goldens.json": json_file([_golden(row) for row in single])} if single else {}
    return found | ({"conversations.json": json_file([_conversation(row) for row in several])} if several else {})


def _golden(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": row["id"],
        "input": row["messages"][0]["content"],
        "expected_output": reference(row["expectation"]),
        "additional_metadata": row["metadata"],
    }


def _conversation(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": row["id"],
        "scenario": row["messages"][-1]["content"],
        "turns": row["messages"],
        "expected_outcome": reference(row["expectation"]),
        "additional_metadata": row["metadata"],
    }
