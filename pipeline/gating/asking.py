"""One build of the assistant, asked and judged, an epoch or several at a time.

Answers are kept until a verdict is reached, so that a killed gate goes on, and not longer: the next gate asks again.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from pipeline import evaluate, params, stage
from pipeline.gating.dataset import Dataset
from pipeline.score import score
from pipeline.targets.asking import NOT_TESTABLE


class Unjudged(NamedTuple):
    example_id: str
    epoch: int
    code: str


@dataclass(frozen=True)
class Asked:
    scores: pd.DataFrame
    """schema.SCORES"""
    seconds: list[float]
    """What each answer took."""
    cost: float | None
    """Of all answers; none where the target does not say how many tokens it took, or no price is set."""


def ask(dataset: Dataset, target: params.Target, example_ids: Iterable[str], first: int, epochs: int) -> Asked:
    """Ask `target` those examples in the epochs from `first` on, and judge what it says."""
    examples = dataset.examples[dataset.examples["example_id"].isin(set(example_ids))]
    wanted = dataset.evaluate.model_copy(update={"target": target, "epochs": epochs})
    questions = evaluate.questions(examples, epochs, first)
    with stage.alone("gate", dataset.state):
        answers, _ = evaluate.ask(questions, wanted, dataset.state)
    given = evaluate.responses(examples, answers, epochs, target.version, first)
    of = [answers[question.key] for question in questions]
    costs = [cost for answer in of if (cost := evaluate.cost(answer.usage, wanted.price)) is not None]
    return Asked(
        score(examples, given, dataset.allow_list, dataset.criteria),
        [answer.seconds for answer in of if answer.attempts],
        round(sum(costs), 6) if costs else None,
    )


def errors(asked: Asked, dataset: Dataset) -> list[Unjudged]:
    """Every answer that could not be had, or not be judged by what decides; but for those that cannot be tested."""
    scores = asked.scores
    wrong = scores[scores["criterion"].isin(deciding(dataset)) & (scores["error"] != "") & (scores["error"] != NOT_TESTABLE)]
    firsts = wrong.drop_duplicates(["example_id", "epoch"])
    return [
        Unjudged(str(one), int(epoch), str(code))
        for one, epoch, code in zip(firsts["example_id"], firsts["epoch"], firsts["error"], strict=True)
    ]


def told(errors: Sequence[Unjudged]) -> str:
    counts = Counter(error.code for error in errors)
    codes = ", ".join(f"{code} {count}" for code, count in sorted(counts.items()))
    return f"{len(errors)} answers could not be had or judged ({codes}); run it again: on this machine only these are asked"


def deciding(dataset: Dataset) -> list[str]:
    """The criteria that an example can fail by."""
    scope = dataset.contract.scope
    return [name for name, one in dataset.criteria.items() if one.decides and one.part in scope and scope[one.part].counts]


def done(dataset: Dataset, version: str) -> None:
    """A verdict is reached: the answers that it rests on are not used again."""
    evaluate.kept_in(dataset.state, version).unlink(missing_ok=True)
