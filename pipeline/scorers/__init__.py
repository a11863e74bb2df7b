"""Who judges. A scorer is one file: when it applies, its version, and an Inspect scorer that reads one response.

It gets the answer as `state.output.completion`, the example's row as `state.metadata["example"]` and the response's as
`state.metadata["response"]`, and returns 0..1. A change of what it judges is a new number in its VERSION. A criterion judges one
part of an answer, as the contract's scope names them; docs/scorers.md describes each.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from inspect_ai.scorer import Scorer

from pipeline import params, slices
from pipeline.errors import InputError, did_you_mean
from pipeline.expectations import PARTS
from pipeline.scorers import (
    behaviour,
    citations_precision,
    citations_recall,
    contains,
    exact,
    graded,
    json_schema,
    must_include,
    must_not_include,
    normalised,
    numeric,
    regex,
    safety,
    similar,
)
from pipeline.scorers.own import named, own_scorer


@dataclass(frozen=True)
class Criterion:
    version: str
    part: str
    """The part of an answer that it judges; one of the contract's scope."""
    applies: Callable[[dict[str, Any]], bool]
    """Whether this example expects anything of the criterion."""
    scorer: Callable[[], Scorer]
    decides: bool = True
    """Whether an example can fail by it. Otherwise its scores are shown, and that is all."""


Criteria = dict[str, Criterion]

BUILT_IN: Criteria = {
    "must_include": Criterion(must_include.VERSION, "answer", must_include.applies, must_include.must_include),
    "must_not_include": Criterion(must_not_include.VERSION, "answer", must_not_include.applies, must_not_include.must_not_include),
    "contains": Criterion(contains.VERSION, "answer", contains.applies, contains.contains),
    "exact": Criterion(exact.VERSION, "answer", exact.applies, exact.exact),
    "normalised": Criterion(normalised.VERSION, "answer", normalised.applies, normalised.normalised),
    "numeric": Criterion(numeric.VERSION, "answer", numeric.applies, numeric.numeric),
    "regex": Criterion(regex.VERSION, "answer", regex.applies, regex.regex),
    "json_schema": Criterion(json_schema.VERSION, "answer", json_schema.applies, json_schema.json_schema),
    "citations_recall": Criterion(citations_recall.VERSION, "citations", citations_recall.applies, citations_recall.citations_recall),
    "citations_precision": Criterion(
        citations_precision.VERSION, "citations", citations_precision.applies, citations_precision.citations_precision
    ),
    "behaviour": Criterion(behaviour.VERSION, "behaviour", behaviour.applies, behaviour.behaviour),
    "safety": Criterion(safety.VERSION, "safety", safety.applies, safety.safety),
}
NEED_A_MODEL = {"similar": "similarity", "graded": "graded"}
"""Criteria that params.yaml must name a model for, with their key under `score`."""
CONFIDENCE_VERSION = "confidence-1"
"""`confidence` judges the other criteria's scores, not a text: see `pipeline.score`."""


def criteria(wanted: params.Score, grader_may_decide: bool = False) -> Criteria:
    """All criteria that params.yaml asks for, in a stable order.

    Raises InputError for a criterion of one's own whose name is taken, and for a reported one that is not there.
    """
    found = dict(BUILT_IN)
    if wanted.similarity is not None:
        found["similar"] = _similar(wanted.similarity)
    if (grading := wanted.graded) is not None:
        made = Criterion(graded.version(grading), "answer", graded.applies, lambda: graded.graded(grading), grader_may_decide)
        found["graded"] = made
    for name, own in wanted.scorers.items():
        if name in {*found, *NEED_A_MODEL, *PARTS}:
            raise InputError(f"params.yaml: score.scorers.{name}: the name is taken; give it another")
        found[name] = _own(name, own)
    for name in wanted.reported:
        if name not in found:
            hint = did_you_mean(name, found, f"there are {', '.join(found)}", cutoff=0.5)
            raise InputError(f"params.yaml: score.reported: no criterion '{name}'; {hint}")
        found[name] = replace(found[name], decides=False)
    return found


def _similar(wanted: params.Similarity) -> Criterion:
    version = f"{similar.VERSION}-{wanted.model}-{wanted.at_least:g}"
    embed = lambda: similar.similar(named("score.similarity.model", wanted.model), wanted.at_least)  # noqa: E731
    return Criterion(version, "answer", similar.applies, embed)


def _own(name: str, own: params.OwnScorer) -> Criterion:
    where = slices.parse(own.slice)

    def applies(example: dict[str, Any]) -> bool:
        return all(value in example["tags"].get(dimension, "").split("+") for dimension, value in where.tags)

    return Criterion(f"{name}-{own.version}", own.part, applies, lambda: own_scorer(f"score.scorers.{name}", own.scorer))


CRITERIA = criteria(params.Score())
"""What there is where params.yaml says nothing."""
