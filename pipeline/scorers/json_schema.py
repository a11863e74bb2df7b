"""Is the answer JSON of the shape that its reader needs."""

import json
import re
from typing import Any

from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import TaskState

from pipeline.expected import validator

VERSION = "json_schema-1"
FENCED = re.compile(r"\s*```(?:json)?[ \t]*\n(.*)\n[ \t]*```\s*", re.DOTALL | re.IGNORECASE)


def applies(example: dict[str, Any]) -> bool:
    return bool(example["json_schema"])


@scorer(metrics=[mean()])
def json_schema() -> Scorer:
    """1 where the whole answer, or the one code block that it is, is JSON that meets the schema, else 0."""

    async def score(state: TaskState, target: Target) -> Score:
        text = state.output.completion
        fenced = FENCED.fullmatch(text)
        try:
            content = json.loads(fenced[1] if fenced else text, parse_constant=_not_json)
        except (ValueError, RecursionError):
            return Score(value=0.0)
        return Score(value=float(validator(state.metadata["example"]["json_schema"]).is_valid(content)))

    return score


def _not_json(word: str) -> Any:
    """NaN and Infinity, which Python's reader takes and JSON does not have."""
    raise ValueError(f"{word} is not JSON")
