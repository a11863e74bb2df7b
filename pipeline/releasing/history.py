"""metrics/history.csv: a row per release, with the figures by which releases are compared."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipeline import schema
from pipeline.params import SOURCES

Figures = Mapping[str, Mapping[str, Any]]
"""What metrics/<name>.json hold, by name; those that are not there are empty."""
EXPECTED = "expected_behaviour"
WHERE = {
    "accuracy": ("metrics", "overall", "accuracy"),
    "accuracy_low": ("metrics", "overall", "low"),
    "accuracy_high": ("metrics", "overall", "high"),
    "caught_rate": ("power", "caught_rate"),
    "cry_wolf_rate": ("power", "cry_wolf", "rate"),
    "pii_recall": ("pii", "characters", "recall"),
    "pii_precision": ("pii", "characters", "precision"),
    "agreement": ("labels", "dimensions", EXPECTED, "agreement", "alpha"),
    "spearman": ("monitor", "alignment", "spearman", "value"),
    "backtest": ("monitor", "backtest", "dataset", "value"),
}
"""Column to where its figure stands."""


def figure(figures: Figures, *where: str) -> float | None:
    """The number at a path of keys; None where there is none."""
    found: Any = figures
    for key in where:
        if not isinstance(found, Mapping) or key not in found:
            return None
        found = found[key]
    return float(found) if isinstance(found, int | float) else None


def row(version: str, members: pd.DataFrame, last: pd.DataFrame, figures: Figures, facts: Mapping[str, str]) -> dict[str, Any]:
    """A row of schema.HISTORY. `last` are the members of the release before; `facts`: released_on, target_version, verdict, forced_why."""
    counts = members["source"].replace("regression", "production").value_counts()
    before, now = set(last["example_id"]), set(members["example_id"])
    return {
        "version": version,
        "examples": len(members),
        **{source: int(counts.get(source, 0)) for source in SOURCES},
        "added": len(now - before),
        "removed": len(before - now),
        **facts,
        **{name: figure(figures, *where) for name, where in WHERE.items()},
    }


def with_row(history: pd.DataFrame, new: Mapping[str, Any]) -> pd.DataFrame:
    """The history with one release more."""
    one = pd.DataFrame([dict(new)], columns=schema.HISTORY.names)
    return one if history.empty else pd.concat([history, one], ignore_index=True)
