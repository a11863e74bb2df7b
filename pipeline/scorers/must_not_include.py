"""Does the answer say nothing that only a wrong one says."""

from typing import Any

from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import TaskState

from pipeline.scorers.wording import normalised, says

VERSION = "must_not_include-1"


def applies(example: dict[str, Any]) -> bool:
    return bool(len(example["must_not_include"]))


@scorer(metrics=[mean()])
def must_not_include() -> Scorer:
    """0 where one of the unwanted phrases occurs, else 1."""

    async def score(state: TaskState, target: Target) -> Score:
        text = normalised(state.output.completion)
        return Score(value=float(not any(says(text, phrase) for phrase in state.metadata["example"]["must_not_include"])))

    return score
