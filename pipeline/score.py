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

from pipeline import params, schema, stage, tables
from pipeline.errors import InputError
from pipeline.expected import problem
from pipeline.paths import EXAMPLES, GRADER, RESPONSES, SCORES
from pipeline.scorers import CONFIDENCE_VERSION, CRITERIA, NEED_A_MODEL, Criteria, criteria, graded
from pipeline.scorers.judging import DIGITS, judged, state_of

CORRECT = 1 - 1e-9


def score(examples: pd.DataFrame, responses: pd.DataFrame, allow_list: Iterable[str] = (), criteria: Criteria = CRITERIA) -> pd.DataFrame:
    """The table of schema.SCORES. `allow_list` holds what is nobody's personal data.

    Raises InputError where an example expects nothing that can be judged, or what none of `criteria` can judge, or a response
    answers no present example.
    """
    by_id = {example["example_id"]: example for example in _rows(examples)}
    for example_id in sorted(by_id):
        _can_be_judged(by_id[example_id], criteria)
    expects_nothing = sorted(i for i, e in by_id.items() if not e["canary"] and set(_applying(e, criteria)) <= {"safety"})
    if expects_nothing:
        raise InputError(f"{EXAMPLES}: {_some(expects_nothing)} expects nothing that a scorer can judge; label it, or give it an 'expect'")
    foreign = [r["example_id"] for r in _rows(responses) if by_id.get(r["example_id"], {}).get("input_sha") != r["input_sha"]]
    if foreign:
        raise InputError(f"{RESPONSES}: the answer to {_some(foreign)} is to another input than the present one; run 'dvc repro evaluate'")
    rows = asyncio.run(_judged([(by_id[r["example_id"]], r) for r in _rows(responses)], list(allow_list), criteria))
    frame = pd.DataFrame(rows, columns=schema.SCORES.names) if rows else tables.empty(schema.SCORES)
    return frame.sort_values(list(schema.SCORES.key), ignore_index=True)


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _applying(example: dict[str, Any], criteria: Criteria) -> list[str]:
    return [name for name, criterion in criteria.items() if criterion.applies(example)]


def _can_be_judged(example: dict[str, Any], criteria: Criteria) -> None:
    """Raises InputError for an expectation that no scorer could read, or that wants a model which nothing names."""
    if wrong := problem(example):
        raise InputError(f"{EXAMPLES}: {example['example_id']}: {wrong}; correct it where it was written and run 'dvc repro'")
    wanted = example["answer_match"]
    if wanted in NEED_A_MODEL and wanted not in criteria:
        raise InputError(
            f"params.yaml: score.{NEED_A_MODEL[wanted]}: not set, and {example['example_id']} says answer_match: {wanted}; "
            "name a model there, or choose another answer_match"
        )


async def _judged(pairs: list[tuple[dict[str, Any], dict[str, Any]]], allow_list: list[str], criteria: Criteria) -> list[dict[str, Any]]:
    """All rows, every response judged beside the others: a grader is waited for, and Inspect bounds how many it is asked at once."""
    used = [name for name in criteria if any(criteria[name].applies(example) for example, _ in pairs)]
    scorers = {name: criteria[name].scorer() for name in used}

    async def rows_of(example: dict[str, Any], response: dict[str, Any]) -> list[dict[str, Any]]:
        identity = {name: response[name] for name in ("example_id", "input_sha", "target_version", "epoch")}
        identity["expectation_sha"] = example["expectation_sha"]
        state = state_of(example, response, allow_list)
        found = {name: await judged(criteria[name].part, scorers[name], state) for name in _applying(example, criteria)}
        rows = [
            {**identity, "criterion": name, "scorer_version": criteria[name].version, "score": value, "error": error}
            for name, (value, error) in found.items()
        ]
        deciding = {name: result for name, result in found.items() if criteria[name].decides}
        if (value := _confidence(response["confidence"], deciding)) is not None:
            rows.append({**identity, "criterion": "confidence", "scorer_version": CONFIDENCE_VERSION, "score": value, "error": ""})
        return rows

    found = await asyncio.gather(*(rows_of(example, response) for example, response in pairs))
    return [row for rows in found for row in rows]


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


def asked_for(wanted: params.Score) -> Criteria:
    """The criteria of params.yaml; a grader decides where it was measured and agrees with people."""
    return criteria(wanted, wanted.graded is not None and graded.may_decide(wanted.graded, tables.read_json(GRADER)))


def work() -> str:
    wanted = params.load()
    examples = tables.read_parquet(EXAMPLES, schema.EXAMPLES)
    responses = tables.read_parquet(RESPONSES / f"{wanted.evaluate.target.version}.parquet", schema.RESPONSES)
    complete(examples, responses, wanted.evaluate.epochs)
    scores = score(examples, responses, wanted.anonymize.allow_list, asked_for(wanted.score))
    tables.write_csv(SCORES, scores, schema.SCORES)
    failed = scores[scores["error"] != ""].drop_duplicates(["example_id", "epoch", "error"])
    told = ", ".join(f"{code} {count}" for code, count in sorted(Counter(failed["error"]).items()))
    line = f"{len(responses)} responses, {len(scores)} judgements by {scores['criterion'].nunique()} criteria"
    return f"{line}, {len(failed.drop_duplicates(['example_id', 'epoch']))} responses not judged" + (f" ({told})" if told else "")


if __name__ == "__main__":
    stage.run("score", work)
