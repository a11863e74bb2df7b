"""Judge every response, criterion by criterion.

In: data/golden/examples.parquet and data/responses/<target_version>.parquet. Out: metrics/scores.csv, which holds no text. Which
criteria apply follows from what the example expects; safety applies to all. Never: a score for an error, a response to another
input than the present one, an example that nothing can judge.
"""

import asyncio
import math
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pandas as pd
from inspect_ai.model import ModelName, ModelOutput
from inspect_ai.scorer import Scorer, Target
from inspect_ai.solver import TaskState

from pipeline import params, schema, stage, tables
from pipeline.errors import InputError
from pipeline.paths import EXAMPLES, RESPONSES, SCORES
from pipeline.scorers import CONFIDENCE_VERSION, CRITERIA
from pipeline.targets.asking import UNHANDLED_FAULT

DIGITS = 12
CORRECT = 1 - 1e-9


def score(examples: pd.DataFrame, responses: pd.DataFrame, allow_list: Iterable[str] = ()) -> pd.DataFrame:
    """The table of schema.SCORES. `allow_list` holds what is nobody's personal data.

    Raises InputError where an example expects nothing that can be judged, or a response answers no present example.
    """
    by_id = {example["example_id"]: example for example in _rows(examples)}
    expects_nothing = sorted(
        i for i, e in by_id.items() if not e["canary"] and not any(_applies(name, e) for name in CRITERIA if name != "safety")
    )
    if expects_nothing:
        raise InputError(f"{EXAMPLES}: {_some(expects_nothing)} expects nothing that a scorer can judge; label it, or give it an 'expect'")
    foreign = [r["example_id"] for r in _rows(responses) if by_id.get(r["example_id"], {}).get("input_sha") != r["input_sha"]]
    if foreign:
        raise InputError(f"{RESPONSES}: the answer to {_some(foreign)} is to another input than the present one; run 'dvc repro evaluate'")
    rows = asyncio.run(_judged([(by_id[r["example_id"]], r) for r in _rows(responses)], list(allow_list)))
    frame = pd.DataFrame(rows, columns=schema.SCORES.names) if rows else tables.empty(schema.SCORES)
    return frame.sort_values(list(schema.SCORES.key), ignore_index=True)


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


async def _judged(pairs: list[tuple[dict[str, Any], dict[str, Any]]], allow_list: list[str]) -> list[dict[str, Any]]:
    scorers = {name: criterion.scorer() for name, criterion in CRITERIA.items()}
    rows = []
    for example, response in pairs:
        identity = {name: response[name] for name in ("example_id", "input_sha", "target_version", "epoch")}
        identity["expectation_sha"] = example["expectation_sha"]
        state = _state(example, response, allow_list)
        found = {name: await _judge(name, scorers[name], state) for name in CRITERIA if _applies(name, example)}
        for name, (value, error) in found.items():
            rows.append({**identity, "criterion": name, "scorer_version": CRITERIA[name].version, "score": value, "error": error})
        if (value := _confidence(response["confidence"], found)) is not None:
            rows.append({**identity, "criterion": "confidence", "scorer_version": CONFIDENCE_VERSION, "score": value, "error": ""})
    return rows


def _applies(name: str, example: dict[str, Any]) -> bool:
    return CRITERIA[name].applies(example)


def _state(example: dict[str, Any], response: dict[str, Any], allow_list: list[str]) -> TaskState:
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


async def _judge(name: str, scorer: Scorer, state: TaskState) -> tuple[float | None, str]:
    """A score, or the code of what stood in its way. A scorer that fails costs its own row alone, and is counted."""
    error = state.metadata["response"]["error"]
    if error == UNHANDLED_FAULT and name != "safety":
        return 0.0, ""
    if error and error != UNHANDLED_FAULT:
        return None, error
    try:
        judged = await scorer(state, state.target)
        value = float("nan") if judged is None else judged.as_float()
    except Exception as failure:  # a scorer may be anybody's; its failure is the row's error
        return None, f"scorer_raised:{type(failure).__name__}"
    return (None, "scorer_gave_no_score") if math.isnan(value) else (round(value, DIGITS), "")


def _confidence(stated: float | None, found: dict[str, tuple[float | None, str]]) -> float | None:
    """1 - (confidence - correct)^2, correct being 1 where every criterion is; none where nothing but safety decides that."""
    if stated is None or math.isnan(stated) or not set(found) - {"safety"} or any(value is None for value, _ in found.values()):
        return None
    correct = all(value is not None and value >= CORRECT for value, _ in found.values())
    return round(1 - (stated - correct) ** 2, DIGITS)


def _some(ids: list[str]) -> str:
    return ids[0] + (f" (and {len(ids) - 1} more)" if len(ids) > 1 else "")


def complete(examples: pd.DataFrame, responses: pd.DataFrame, epochs: int) -> None:
    """Raises InputError where an example lacks an answer in an epoch, or there are answers beside those."""
    expected = {(i, epoch) for i in examples["example_id"] for epoch in range(1, epochs + 1)}
    if expected != set(zip(responses["example_id"], responses["epoch"], strict=True)):
        raise InputError(f"{RESPONSES}: not the answers to {len(examples)} examples x {epochs}; run 'dvc repro evaluate'")


def work() -> str:
    wanted = params.load()
    examples = tables.read_parquet(EXAMPLES, schema.EXAMPLES)
    responses = tables.read_parquet(RESPONSES / f"{wanted.evaluate.target.version}.parquet", schema.RESPONSES)
    complete(examples, responses, wanted.evaluate.epochs)
    scores = score(examples, responses, wanted.anonymize.allow_list)
    tables.write_csv(SCORES, scores, schema.SCORES)
    failed = scores[scores["error"] != ""].drop_duplicates(["example_id", "epoch", "error"])
    told = ", ".join(f"{code} {count}" for code, count in sorted(Counter(failed["error"]).items()))
    line = f"{len(responses)} responses, {len(scores)} judgements by {scores['criterion'].nunique()} criteria"
    return f"{line}, {len(failed.drop_duplicates(['example_id', 'epoch']))} responses not judged" + (f" ({told})" if told else "")


if __name__ == "__main__":
    stage.run("score", work)
