"""How long it takes from a failure in production to a regression example."""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from pipeline.sources import Regression

DAY = 1


def feedback(entries: Iterable[Regression], candidates: pd.DataFrame) -> dict[str, Any]:
    """metrics/feedback.json: days from a conversation to its flag, median and worst, and the share within a day.

    A flag carries a date, so a day is whole: a failure flagged on the day after has taken one. Conversations whose log carries no time
    count in `without_time` alone.
    """
    happened = candidates.set_index("example_id")["occurred_at"]
    flagged = list(entries)
    days = []
    for entry in flagged:
        at = happened.get(entry.id)
        if at is not None and not pd.isna(at):
            days.append(max(0, (pd.Timestamp(entry.flagged_at) - at.tz_localize(None).normalize()).days))
    content: dict[str, Any] = {"flagged": len(flagged), "without_time": len(flagged) - len(days)}
    if days:
        told = pd.Series(days)
        content |= {"days": {"median": float(told.median()), "worst": int(told.max())}, "within_a_day_rate": float((told <= DAY).mean())}
    return content
