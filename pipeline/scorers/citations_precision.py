"""Does the answer rest on nothing beside the documents that a correct one rests on."""

from typing import Any

from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import TaskState

from pipeline.scorers.wording import normalised

VERSION = "citations_precision-1"


def applies(example: dict[str, Any]) -> bool:
    return bool(len(example["citations"]))


@scorer(metrics=[mean()])
def citations_precision() -> Scorer:
    """The share of cited documents that are expected ones. 1 where none is cited: nothing wrong is, and recall says what is missing."""

    async def score(state: TaskState, target: Target) -> Score:
        expected = {normalised(one) for one in state.metadata["example"]["citations"]}
        cited = {normalised(one) for one in state.metadata["response"]["citations"]}
        return Score(value=len(expected & cited) / len(cited) if cited else 1.0)

    return score
