"""What a target is asked, and how it says that no answer came."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable


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

    def __init__(self, code: str, transient: bool = False, retry_after_s: float | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.transient = transient
        """Whether the same question may be answered when it is asked again."""
        self.retry_after_s = retry_after_s
        """How long the target wants to be left alone; None where it does not say."""


class Ask(Protocol):
    """Asks one question: returns what `pipeline.targets.reply.parse` accepts, or raises."""

    def __call__(self, question: Question, /) -> Awaitable[Any]: ...


@runtime_checkable
class Remote(Ask, Protocol):
    """A target beyond this process. It holds connections or processes, and what does not answer in time may do so when asked again."""

    async def aclose(self) -> None:
        """Give back what is held, in the event loop that it was taken in. A later question takes it anew."""
