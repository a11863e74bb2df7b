"""Does the answer rest on the documents that a correct one rests on."""

from typing import Any

from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import TaskState

from pipeline.scorers.wording import normalised

VERSION = "citations_recall-1"


def applies(example: dict[str, Any]) -> bool:
    return bool(len(example["citations"]))


@scorer(metrics=[mean()])
def citations_recall() -> Scorer:
    """The share of expected documents that are cited: 1 only where all are. Citing more does not count against it."""

    async def score(state: TaskState, target: Target) -> Score:
        expected = {normalised(one) for one in state.metadata["example"]["citations"]}
        cited = {normalised(one) for one in state.metadata["response"]["citations"]}
        return Score(value=len(expected & cited) / len(expected))

    return score
