"""Personal data and placeholders in a text, and where they stand. Light: imports no model."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.identity import Message

PLACEHOLDER = re.compile(r"<([A-Z][A-Z0-9_]*)_(\d+)>")
REDACTED = 0
"""The number of every placeholder of a type that is redacted: which of them stand for the same value is not told."""


@dataclass(frozen=True)
class Span:
    """Personal data in a text: offsets in characters, entity type, score in 0..1."""

    start: int
    end: int
    entity_type: str
    score: float


@dataclass(frozen=True)
class Placed:
    """A placeholder or its surrogate in a text: offsets in that text, and what is known of what it replaced."""

    start: int
    end: int
    entity_type: str
    placeholder: str
    letter_case: str
    """lower, upper, title or mixed."""
    form: str
    """full, given or family for a PERSON; empty for others."""


def to_rows(spans: Sequence[Sequence[Placed]]) -> list[dict[str, Any]]:
    """The spans of a conversation's turns as the spans column of schema.py has them."""
    return [{"turn": turn, **asdict(one)} for turn, found in enumerate(spans) for one in found]


def from_rows(rows: Sequence[dict[str, Any]], turns: int) -> list[list[Placed]]:
    """The spans column of one conversation, turn by turn."""
    spans: list[list[Placed]] = [[] for _ in range(turns)]
    for row in rows:
        spans[row["turn"]].append(Placed(**{name: value for name, value in row.items() if name != "turn"}))
    return spans


def written(messages: Sequence[Message]) -> list[list[Placed]]:
    """The placeholders an author wrote into a scenario, message by message."""
    return [
        [
            Placed(match.start(), match.end(), match.group(1), match.group(), "mixed", "full" if match.group(1) == "PERSON" else "")
            for match in PLACEHOLDER.finditer(message["content"])
        ]
        for message in messages
    ]
