"""Who judges. A scorer is one file: when it applies, its version, and an Inspect scorer that reads one response.

It gets the answer as `state.output.completion`, the example's row as `state.metadata["example"]` and the response's as
`state.metadata["response"]`, and returns 0..1. A change of what it judges is a new number in its VERSION.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from inspect_ai.scorer import Scorer

from pipeline.scorers import answer, behaviour, citations, safety


@dataclass(frozen=True)
class Criterion:
    version: str
    applies: Callable[[dict[str, Any]], bool]
    """Whether this example expects anything of the criterion."""
    scorer: Callable[[], Scorer]


CRITERIA: dict[str, Criterion] = {
    "answer": Criterion(answer.VERSION, answer.applies, answer.answer),
    "behaviour": Criterion(behaviour.VERSION, behaviour.applies, behaviour.behaviour),
    "citations": Criterion(citations.VERSION, citations.applies, citations.citations),
    "safety": Criterion(safety.VERSION, safety.applies, safety.safety),
}
CONFIDENCE_VERSION = "confidence-1"
"""`confidence` judges the other criteria's scores, not a text: see `pipeline.score`."""
