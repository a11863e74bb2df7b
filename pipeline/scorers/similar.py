"""Does the answer mean what the reference answer means, as a local model's vectors have it."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import TaskState

VERSION = "similar-1"
COSINE_DIGITS = 6
"""Rounded before the threshold, so that another CPU's last bits decide nothing."""

Embed = Callable[[Sequence[str]], Any]
"""Texts to as many vectors: a list of lists of numbers, or an array of texts x dimensions."""


def applies(example: dict[str, Any]) -> bool:
    return bool(example["answer_match"] == "similar")


@scorer(metrics=[mean()])
def similar(embed: Embed, at_least: float) -> Scorer:
    """1 where the cosine of both texts' vectors is at least `at_least`, below it their ratio; 0 for an empty answer."""

    async def score(state: TaskState, target: Target) -> Score:
        if not state.output.completion.strip():
            return Score(value=0.0)
        cosine = _cosine(embed([state.output.completion, state.metadata["example"]["answer"]]))
        return Score(value=1.0 if cosine >= at_least else max(cosine, 0.0) / at_least)

    return score


def _cosine(vectors: Any) -> float:
    """Raises ValueError for anything but two vectors of finite numbers and of some length."""
    found = np.asarray(vectors, dtype=float)
    if found.ndim != 2 or len(found) != 2 or not np.isfinite(found).all():
        raise ValueError("expected two vectors of finite numbers")
    lengths = np.linalg.norm(found, axis=1)
    if not lengths.all():
        raise ValueError("a vector of length 0 has no direction")
    return round(float(found[0] @ found[1] / lengths.prod()), COSINE_DIGITS)
