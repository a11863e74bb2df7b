"""Does the answer say everything that it must."""

from typing import Any

from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import TaskState

from pipeline.scorers.wording import normalised, says

VERSION = "must_include-1"


def applies(example: dict[str, Any]) -> bool:
    return bool(len(example["must_include"]))


@scorer(metrics=[mean()])
def must_include() -> Scorer:
    """1 where every wanted thing occurs in one of its accepted wordings, else 0."""

    async def score(state: TaskState, target: Target) -> Score:
        text = normalised(state.output.completion)
        wanted = state.metadata["example"]["must_include"]
        if any(not len(wordings) for wordings in wanted):
            raise ValueError("must_include holds an entry without wordings")
        return Score(value=float(all(any(says(text, wording) for wording in wordings) for wordings in wanted)))

    return score
