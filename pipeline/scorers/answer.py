"""Is the answer right: does it say what it must, and nothing that it must not."""

from typing import Any

from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import TaskState

from pipeline.scorers.wording import normalised, says

VERSION = "answer-1"


def applies(example: dict[str, Any]) -> bool:
    return bool(len(example["must_include"]) or len(example["must_not_include"]) or example["answer"])


@scorer(metrics=[mean()])
def answer() -> Scorer:
    """1 where every wanted thing occurs in one of its accepted wordings and nothing unwanted does, else 0.

    A reference answer is looked for as it stands (without its last full stop) where no `must_include` says what matters in it.
    """

    async def score(state: TaskState, target: Target) -> Score:
        example = state.metadata["example"]
        text = normalised(state.output.completion)
        wanted = list(example["must_include"]) or ([[example["answer"].strip().rstrip(".!")]] if example["answer"] else [])
        if any(not len(wordings) for wordings in wanted):
            raise ValueError("must_include holds an entry without wordings")
        said = all(any(says(text, wording) for wording in wordings) for wordings in wanted)
        unsaid = not any(says(text, phrase) for phrase in example["must_not_include"])
        return Score(value=float(said and unsaid))

    return score
