"""Is the answer the reference answer, character by character."""

from typing import Any

from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import TaskState

VERSION = "exact-1"


def applies(example: dict[str, Any]) -> bool:
    return bool(example["answer_match"] == "exact")


@scorer(metrics=[mean()])
def exact() -> Scorer:
    """1 where both are equal but for blanks at their ends, else 0."""

    async def score(state: TaskState, target: Target) -> Score:
        return Score(value=float(state.output.completion.strip() == state.metadata["example"]["answer"].strip()))

    return score
