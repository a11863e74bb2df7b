"""A few examples and what was answered to them: a row is what the test says, and a plain default for everything else."""

from typing import Any

import pandas as pd

from pipeline import schema
from tests import frames

BEHAVIOURS = ["answer", "refuse", "escalate"]
Row = dict[str, Any]


def example(example_id: str, **fields: Any) -> Row:
    own = {"must_include": [["90 days"]], "expectation_sha": f"x-{example_id}"}
    return frames.example(example_id, f"question {example_id}", **own | fields)


def response(example_id: str, answer: str = "90 days.", **fields: Any) -> Row:
    plain = {"citations": [], "confidence": None, "behaviour": "", "tool_calls": "", "error": ""}
    identity = {"example_id": example_id, "input_sha": f"i-{example_id}", "target_version": "1.0", "epoch": 1}
    return {**identity, "answer": answer, **plain, **fields}


def asked(*pairs: tuple[Row, Row]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The examples and the responses as tables."""
    return (
        pd.DataFrame([pair[0] for pair in pairs], columns=schema.EXAMPLES.names),
        pd.DataFrame([pair[1] for pair in pairs], columns=schema.RESPONSES.names),
    )
