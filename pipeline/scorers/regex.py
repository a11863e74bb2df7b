"""Does the answer have the form that it must."""

from typing import Any

from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import TaskState

from pipeline.expected import compiled

VERSION = "regex-1"
TIMEOUT_S = 5.0
"""A pattern that takes longer on one answer backtracks without end: the row gets an error, and the stage goes on."""


def applies(example: dict[str, Any]) -> bool:
    return bool(len(example["regex"]))


@scorer(metrics=[mean()])
def regex() -> Scorer:
    """1 where every pattern is found somewhere in the answer, ignoring case, else 0."""

    async def score(state: TaskState, target: Target) -> Score:
        patterns = [compiled(pattern) for pattern in state.metadata["example"]["regex"]]
        return Score(value=float(all(pattern.search(state.output.completion, timeout=TIMEOUT_S) for pattern in patterns)))

    return score
