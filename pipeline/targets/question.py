"""What a target is asked, and how it says that no answer came."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Question:
    """One example in one epoch, as the target meets it."""

    example_id: str
    input_sha: str
    epoch: int
    messages: list[dict[str, str]]
    fixtures: dict[str, Any]
    fault: str = ""
    """The failure simulated while it is asked; empty for none."""

    @property
    def key(self) -> tuple[str, int]:
        """What makes it the same question again, whichever example it stands in."""
        return self.input_sha, self.epoch


class NoAnswerError(Exception):
    """No answer came; `code` says why and never holds content."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


Ask = Callable[[Question], Awaitable[Any]]
