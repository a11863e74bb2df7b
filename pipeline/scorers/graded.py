"""Does a model find the answer right, by the reference answer. Inspect's own graders ask it.

Its verdicts are reported from the start, and decide nothing before `pipeline.grader_eval` measured how far they agree with people's.
"""

from typing import Any

from inspect_ai.model import GenerateConfig, Model, get_model
from inspect_ai.scorer import Score, Scorer, Target, mean, model_graded_fact, model_graded_qa, scorer
from inspect_ai.solver import TaskState

from pipeline import params
from pipeline.identity import content_sha

VERSION = "graded-1"
CONFIG = GenerateConfig(temperature=0.0, max_retries=3, attempt_timeout=60, max_connections=8)
"""Without the two limits a grader that never answers would hold the stage for ever."""


def version(wanted: params.Graded) -> str:
    """Another model or question is another scorer."""
    return f"{VERSION}-{content_sha([wanted.model, wanted.method])[:8]}"


def may_decide(wanted: params.Graded, measured: dict[str, Any]) -> bool:
    """Whether the agreement in metrics/grader.json is this grader's, and is enough."""
    return measured.get("grader") == version(wanted) and bool(measured.get("may_decide"))


def applies(example: dict[str, Any]) -> bool:
    return bool(example["answer_match"] == "graded")


@scorer(metrics=[mean()])
def graded(wanted: params.Graded, model: Model | None = None) -> Scorer:
    """1 where the model grades the answer as correct, else 0; no score where it gives no grade. `model` stands in for the named one."""
    grader = model or get_model(wanted.model, config=CONFIG)
    grade = (model_graded_fact if wanted.method == "fact" else model_graded_qa)(model=grader, include_history=conversation)

    async def score(state: TaskState, target: Target) -> Score | None:
        return await grade(state, target)

    return score


def conversation(state: TaskState) -> str:
    """What was asked, with the turns before it."""
    turns = state.metadata["example"]["input"]
    return "\n\n".join(f"{turn['role']}: {turn['content']}" for turn in turns) if len(turns) > 1 else turns[0]["content"]
