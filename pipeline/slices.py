"""Slices: named parts of a dataset, such as `all`, `category=billing` or `category=billing & complexity=multi_turn`."""

import re
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


def metrics_key(name: str) -> str:
    """A name as a key of metrics: without dots and blanks, which DVC would read as further levels."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", name)


def metrics_keys(where: Slice) -> tuple[str, str]:
    """A slice as the two levels that it has in metrics, dimensions and values: `category_x_tone` and `billing_x_calm`."""
    dimensions, values = ("_x_".join(metrics_key(tag[side]) for tag in where.tags) for side in (0, 1))
    return dimensions or ALL, values or ALL


def of_metrics_keys(dimensions: str, values: str) -> str:
    """The slice that `metrics_keys` wrote so, as people write it."""
    if dimensions == ALL:
        return ALL
    return " & ".join(f"{one}={other}" for one, other in zip(dimensions.split("_x_"), values.split("_x_"), strict=True))
