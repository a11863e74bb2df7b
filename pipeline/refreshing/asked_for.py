"""`data/wanted.csv`: conversations that a refresh wants labelled before others. It holds ids, never a text."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from pipeline import schema, tables
from pipeline.paths import WANTED


def load(path: Path = WANTED) -> frozenset[str]:
    """The ids; none where there is no such file."""
    return frozenset(listed(path)["example_id"])


def listed(path: Path = WANTED) -> pd.DataFrame:
    """The table (schema.WANTED), empty where there is no such file."""
    return tables.read_csv(path, schema.WANTED) if path.is_file() else tables.empty(schema.WANTED)


def with_(before: pd.DataFrame, wanted: Mapping[str, str], since: str, done: frozenset[str]) -> pd.DataFrame:
    """`before` without what is `done`, and `wanted` (id to reason) added; a row that stands keeps its reason and date."""
    new = pd.DataFrame(
        [{"example_id": i, "reason": why, "since": since} for i, why in wanted.items() if i not in set(before["example_id"])],
        columns=schema.WANTED.names,
    )
    rows = tables.concat([before, new], schema.WANTED)
    return rows[~rows["example_id"].isin(done)].reset_index(drop=True)
