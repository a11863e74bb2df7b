"""One response, judged by one scorer: a score or the code of what stood in its way."""

import math
from typing import Any

from inspect_ai.model import ModelName, ModelOutput
from inspect_ai.scorer import Scorer, Target, value_to_float
from inspect_ai.solver import TaskState

from pipeline.targets.asking import UNHANDLED_FAULT

DIGITS = 12
as_float = value_to_float()
"""Inspect's grades as numbers: C is 1, P one half, I 0."""


def state_of(example: dict[str, Any], response: dict[str, Any], allow_list: list[str]) -> TaskState:
    """One response as an Inspect scorer reads it. `allow_list` holds what is nobody's personal data."""
    return TaskState(
        model=ModelName("none/none"),
        sample_id=example["example_id"],
        epoch=response["epoch"],
        input=example["input"][-1]["content"],
        messages=[],
        target=Target(example["answer"]),
        output=ModelOutput.from_content("target", response["answer"]),
        metadata={"example": example, "response": response, "allow_list": allow_list},
    )


async def judged(part: str, scorer: Scorer, state: TaskState) -> tuple[float | None, str]:
    """A score in 0..1 of a criterion that judges `part`, or none and a code. A scorer that fails costs its own row alone."""
    error = state.metadata["response"]["error"]
    if error == UNHANDLED_FAULT and part != "safety":
        return 0.0, ""
    if error and error != UNHANDLED_FAULT:
        return None, error
    try:
        given = await scorer(state, state.target)
        value = float("nan") if given is None else as_float(given.value)
    except Exception as failure:  # a scorer may be anybody's; its failure is the row's error
        return None, f"scorer_raised:{type(failure).__name__}"
    if math.isnan(value):
        return None, "scorer_gave_no_score"
    return (round(value, DIGITS), "") if 0 <= value <= 1 else (None, "score_out_of_range")
