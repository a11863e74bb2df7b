"""What the plots of dvc.yaml show, as small tables: accuracy by slice, calibration, behaviour expected and given.

`dvc plots show` draws them, `dvc plots diff` draws two revisions into one picture. The templates are in .dvc/plots/.
"""

from typing import Any

import numpy as np
import pandas as pd

from pipeline import schema
from pipeline.decision.calibration import BINS
from pipeline.decision.intervals import jeffreys
from pipeline.expectations import BEHAVIOURS
from pipeline.measures import Judged
from pipeline.scorers.behaviour import UNSAID

NO_ANSWER = "no_answer"


def reliability(judged: Judged, level: float) -> list[dict[str, Any]]:
    """For each tenth of confidence that any answer stated: how many did, their mean confidence, the share that was right, its interval.

    Perfectly calibrated answers have `confidence` equal to `correct` in every row.
    """
    stated = judged.answers.dropna(subset="stated")
    bins = np.minimum((stated["stated"].to_numpy() * BINS).astype(int), BINS - 1)
    rows = []
    for place, group in stated.groupby(bins):
        right = float(group["correct"].sum())
        low, high = jeffreys(right, len(group) - right, level)
        rows.append(
            {
                "bin": f"{int(place) / BINS:.1f}-{(int(place) + 1) / BINS:.1f}",
                "n": len(group),
                "confidence": float(group["stated"].mean()),
                "correct": right / len(group),
                "low": low,
                "high": high,
            }
        )
    return rows


def behaviours(examples: pd.DataFrame, responses: pd.DataFrame) -> pd.DataFrame:
    """The table of schema.BEHAVIOURS, of the examples that expect a behaviour."""
    expected = examples.loc[examples["expected_behaviour"] != "", ["example_id", "expected_behaviour"]]
    both = responses[["example_id", "epoch", "behaviour", "error"]].merge(expected, on="example_id")
    given = both["behaviour"].where(both["behaviour"] != "", UNSAID).mask(both["error"] != "", NO_ANSWER)
    return both.assign(expected=both["expected_behaviour"], given=given)[schema.BEHAVIOURS.names]


def confusion(shown: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Expected behaviour to given behaviour to how many answers, with a 0 for what none did."""
    columns = [*BEHAVIOURS, *([NO_ANSWER] if (shown["given"] == NO_ANSWER).any() else [])]
    counts = pd.crosstab(shown["expected"], shown["given"]).reindex(columns=columns, fill_value=0)
    return {str(expected): {name: int(count) for name, count in row.items()} for expected, row in counts.to_dict("index").items()}
