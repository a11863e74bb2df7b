"""Whether scorers call wrong what users were unhappy with: their verdict on the logged answer against how the conversation ended.

A log keeps an answer's text and not its behaviour, so an answer is judged by what its expectation says of the text.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from pipeline.expected import can_be_judged
from pipeline.monitoring import resampling
from pipeline.monitoring.resampling import Draws
from pipeline.params import LOGGED
from pipeline.scorers import Criteria


def verdicts(candidates: pd.DataFrame, expectations: pd.DataFrame, allow_list: Iterable[str], criteria: Criteria) -> pd.DataFrame:
    """example_id, failed (the user's outcome) and wrong (the scorers'), of every logged answer with an expectation about its text."""
    from pipeline.score import score  # it imports what judges, which takes seconds

    expected = expectations.assign(expected_behaviour="", citations=[[] for _ in range(len(expectations))])
    expected = expected[can_be_judged(expected) & ~expected["answer_match"].isin(["similar", "graded"])]
    logged = candidates[candidates["source"].isin(LOGGED) & (candidates["response"] != "")]
    asked = logged.merge(expected, on="example_id").sort_values("example_id", ignore_index=True)
    if asked.empty:
        return pd.DataFrame({"example_id": [], "failed": [], "wrong": []})
    examples = asked.assign(input_sha="logged", canary="", surrogates=[{} for _ in range(len(asked))])
    responses = asked[["example_id"]].assign(
        input_sha="logged", target_version="logged", epoch=1, answer=asked["response"], citations=[[] for _ in range(len(asked))],
        confidence=float("nan"), behaviour="", tool_calls="", error="",
    )  # fmt: skip
    text_alone = {name: one for name, one in criteria.items() if one.decides and one.part == "answer"}
    found = score(examples, responses, allow_list, text_alone)
    met = found.groupby("example_id")["score"].min() >= 1 - 1e-9
    failed = asked.set_index("example_id")["failed"]
    return pd.DataFrame({"example_id": met.index, "failed": failed.reindex(met.index).to_numpy(bool), "wrong": ~met.to_numpy(bool)})


def figures(found: pd.DataFrame, draws: Draws) -> dict[str, Any]:
    """Counts of the four cases; of answers that users were unhappy with the share called wrong, of the others the share called right."""
    failed, wrong = found["failed"].to_numpy(bool), found["wrong"].to_numpy(bool)
    content: dict[str, Any] = {
        "n": len(found),
        "failed_and_wrong": int((failed & wrong).sum()),
        "failed_and_right": int((failed & ~wrong).sum()),
        "resolved_and_wrong": int((~failed & wrong).sum()),
        "resolved_and_right": int((~failed & ~wrong).sum()),
    }
    if failed.all() or not failed.any():
        return content
    inside = np.stack([failed, ~failed], axis=1).astype(float)
    hits = (failed == wrong).astype(float)
    drawn = resampling.weighted_rates(hits, inside, np.ones(len(found)), found["example_id"].to_numpy(str), draws.resamples, draws.seed)
    low, high = resampling.interval(drawn, draws.level)
    for place, name in enumerate(("called_wrong_rate", "called_right_rate")):
        content[name] = {"value": float(hits[inside[:, place] > 0].mean()), "low": float(low[place]), "high": float(high[place])}
    return content
