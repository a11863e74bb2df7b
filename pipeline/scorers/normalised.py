"""Is the answer the reference answer, however it is typed."""

from typing import Any

from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import TaskState

from pipeline.scorers.wording import without_punctuation

VERSION = "normalised-1"


def applies(example: dict[str, Any]) -> bool:
    return bool(example["answer_match"] == "normalised")


@scorer(metrics=[mean()])
def normalised() -> Scorer:
    """1 where both are equal but for case, blanks, typographic signs, emphasis and punctuation, else 0."""

    async def score(state: TaskState, target: Target) -> Score:
        wanted = without_punctuation(state.metadata["example"]["answer"])
        if not wanted:
            raise ValueError("the reference answer is nothing but punctuation")
        return Score(value=float(without_punctuation(state.output.completion) == wanted))

    return score
