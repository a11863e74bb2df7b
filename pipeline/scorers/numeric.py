"""Does the answer give the reference's number, whatever unit and words stand around it."""

from decimal import Decimal
from typing import Any

from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import TaskState

from pipeline.expected import numbers

VERSION = "numeric-1"


def applies(example: dict[str, Any]) -> bool:
    return bool(example["answer_match"] == "numeric")


@scorer(metrics=[mean()])
def numeric() -> Scorer:
    """1 where every number of the reference answer has one in the answer within `answer_tolerance`, else 0.

    Other numbers in the answer do no harm; what must not be said belongs into must_not_include.
    """

    async def score(state: TaskState, target: Target) -> Score:
        example = state.metadata["example"]
        wanted, given = numbers(example["answer"]), numbers(state.output.completion)
        if not wanted:
            raise ValueError("the reference answer holds no number")
        tolerance = Decimal(repr(float(example["answer_tolerance"])))
        return Score(value=float(all(any(abs(one - number) <= tolerance for one in given) for number in wanted)))

    return score
