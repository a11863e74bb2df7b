"""Stage grader_eval: how far the grading model agrees with people, before it may decide anything.

In: the logged answers in the candidates, the expectations that are to be graded, the judgement that `score.graded.human` names in
data/labels. Out: metrics/grader.json. The grader judges logged answers that people judged too; Krippendorff's alpha between both
must reach the judgement's `min_agreement`, the bar that two people have to reach. Never: a grader that decides unmeasured.
"""

import asyncio
import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from pipeline import expectations, params, schema, stage, tables
from pipeline.errors import InputError, did_you_mean
from pipeline.expectations import LabelDimension, Labeling
from pipeline.labeling.reading import read_labels
from pipeline.labeling.resolving import resolve
from pipeline.paths import CANDIDATES, EXPECTATIONS, GRADER, LABELS

if TYPE_CHECKING:
    from inspect_ai.scorer import Scorer

# Inspect is imported where a grader is asked: without one this stage has nothing to do, and the import takes most of its time.

NOT_MEASURED = {"n": 0, "may_decide": False}
LABELING = expectations.FOLDER / "labeling.yaml"


def graded_by_people(agreed: pd.DataFrame, wanted: params.Graded) -> dict[str, float]:
    """Example id to 1 where people agreed that its logged answer is right, to 0 where it is not."""
    given = agreed[agreed["dimension"] == wanted.human]
    return {str(i): float(value in wanted.right) for i, value in zip(given["example_id"], given["value"], strict=True)}


def verdicts(
    candidates: pd.DataFrame, expected: pd.DataFrame, human: dict[str, float], grader: "Scorer"
) -> list[tuple[float, float | None]]:
    """(people's verdict, the grader's or none) of every logged answer that both can judge, in the order of example ids."""
    from pipeline.scorers.judging import judged, state_of

    asked = expected[expected["answer_match"] == "graded"].merge(candidates, on="example_id", suffixes=("", "_of_candidate"))
    rows = [row for row in asked.sort_values("example_id").to_dict("records") if row["response"] and row["example_id"] in human]

    async def all_of_them() -> list[tuple[float | None, str]]:
        answers = [{"answer": row["response"], "epoch": 1, "error": ""} for row in rows]
        states = [state_of(row, answer, []) for row, answer in zip(rows, answers, strict=True)]
        return await asyncio.gather(*(judged("answer", grader, state) for state in states))

    return [(human[row["example_id"]], value) for row, (value, _) in zip(rows, asyncio.run(all_of_them()), strict=True)]


def agreement(found: list[tuple[float, float | None]], wanted: params.Graded, needed: float) -> dict[str, Any]:
    """The content of metrics/grader.json. Without both kinds of verdict among people's there is no agreement to speak of."""
    from inspect_ai.scorer import SampleScore, krippendorff_alpha
    from inspect_ai.scorer import Score as InspectScore

    from pipeline.scorers import graded

    both = [(human, model) for human, model in found if model is not None]
    figures: dict[str, Any] = {
        "grader": graded.version(wanted),
        "n": len(both),
        "needed_n": wanted.min_labels,
        "needed_agreement": needed,
        "without_verdict": len(found) - len(both),
        "right_by_people": sum(human == 1 for human, _ in both),
        "right_by_grader": sum(model == 1 for _, model in both),
    }
    if len({human for human, _ in both}) < 2:
        return {**figures, "may_decide": False}
    alpha = krippendorff_alpha()([SampleScore(score=InspectScore(value=list(pair))) for pair in both])
    figures["agreement"] = round(float(alpha), tables.METRIC_DIGITS)
    figures["equal"] = sum(human == model for human, model in both) / len(both)
    enough = len(both) >= wanted.min_labels and not math.isnan(figures["agreement"]) and figures["agreement"] >= needed
    return {**figures, "may_decide": enough}


def needed_agreement(standard: Labeling, wanted: params.Graded) -> float:
    """The judgement's bar. Raises InputError where there is no such judgement, or it has no bar or not these values."""
    judgements = {name: dimension for name, dimension in standard.dimensions.items() if dimension.kind == "judgement"}
    dimension = judgements.get(wanted.human)
    if dimension is None:
        hint = did_you_mean(wanted.human, judgements, f"there are {', '.join(judgements)}", cutoff=0.5)
        raise InputError(f"params.yaml: score.graded.human: no judgement '{wanted.human}' in {LABELING}; {hint}")
    if unknown := [value for value in wanted.right if value not in dimension.values]:
        raise InputError(f"params.yaml: score.graded.right: {wanted.human} has no value '{unknown[0]}'; it has {_values(dimension)}")
    if dimension.min_agreement is None:
        raise InputError(f"{LABELING}: dimensions.{wanted.human}.min_agreement: missing; the grader must reach it before it may decide")
    return dimension.min_agreement


def _values(dimension: LabelDimension) -> str:
    return ", ".join(dimension.values)


def line(figures: dict[str, Any]) -> str:
    if "grader" not in figures:
        return "no grader in params.yaml: score.graded, nothing to measure"
    alpha = f"agreement {figures['agreement']:.3f}" if "agreement" in figures else "no agreement to measure"
    verdict = "may decide" if figures["may_decide"] else "is shown and decides nothing"
    wanted = f"{figures['needed_agreement']:.2f} of {figures['needed_n']} needed"
    return f"{alpha} with people on {figures['n']} logged answers ({wanted}): the grader {verdict}"


def work() -> str:
    wanted = params.load().score.graded
    if wanted is None:
        tables.write_json(GRADER, NOT_MEASURED)
        return line(NOT_MEASURED)
    from pipeline.scorers import graded

    standard = expectations.load_labeling()
    needed = needed_agreement(standard, wanted)
    candidates = tables.read_parquet(CANDIDATES, schema.CANDIDATES)
    agreed, _ = resolve(read_labels(LABELS, standard), candidates, standard)
    expected = tables.read_parquet(EXPECTATIONS, schema.EXPECTATIONS)
    found = verdicts(candidates, expected, graded_by_people(agreed, wanted), graded.graded(wanted))
    figures = agreement(found, wanted, needed)
    tables.write_json(GRADER, figures)
    return line(figures)


if __name__ == "__main__":
    stage.run("grader_eval", work)
