"""Does the answer hold the reference answer as it stands."""

from typing import Any

from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import TaskState

from pipeline.scorers.wording import normalised, says

VERSION = "contains-1"


def applies(example: dict[str, Any]) -> bool:
    """Where it is asked for, and where nothing else says how the reference answer is to be used or what matters in it."""
    if example["answer_match"]:
        return bool(example["answer_match"] == "contains")
    return bool(example["answer"]) and not len(example["must_include"])


@scorer(metrics=[mean()])
def contains() -> Scorer:
    """1 where the reference answer, without its last full stop, occurs in the answer, else 0."""

    async def score(state: TaskState, target: Target) -> Score:
        wanted = state.metadata["example"]["answer"].strip().rstrip(".!")
        return Score(value=float(says(normalised(state.output.completion), wanted)))

    return score
