"""Slices: named parts of a dataset, such as `all`, `category=billing` or `category=billing & complexity=multi_turn`."""

from dataclasses import dataclass

import pandas as pd

ALL = "all"


@dataclass(frozen=True, order=True)
class Slice:
    """The examples that carry every one of `tags`, pairs of dimension and value; none means all examples."""

    tags: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return " & ".join(f"{dimension}={value}" for dimension, value in self.tags) or ALL


def parse(text: str) -> Slice:
    """`all`, `dimension=value` or several joined by `&`. Raises ValueError for anything else."""
    if text.strip() == ALL:
        return Slice(())
    tags = []
    for part in text.split("&"):
        dimension, equals, value = (piece.strip() for piece in part.partition("="))
        if not (dimension and equals and value):
            raise ValueError(f"'{text}' is no slice; write all, dimension=value, or several joined by &")
        tags.append((dimension, value))
    return Slice(tuple(sorted(tags)))


def members(wanted: Slice, tags: pd.DataFrame, example_ids: pd.Series) -> pd.Series:
    """Which of `example_ids` lie in the slice, as booleans in their order; `tags` is the table of schema.TAGS."""
    inside = pd.Series(True, index=example_ids.index)
    for dimension, value in wanted.tags:
        holders = tags.loc[(tags["dimension"] == dimension) & (tags["value"] == value), "example_id"]
        inside &= example_ids.isin(holders)
    return inside
