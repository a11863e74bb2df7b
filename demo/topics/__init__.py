"""What customers of the invented shop ask about, and what a correct answer to it is.

A topic holds the ways to ask, the circumstances people tell, what the logged bot said when it was right and when it was wrong, and
what follows. The truth about every conversation (category, expectation) stems from here, never from an assistant.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Expected:
    """A correct response. An entry of `include` may hold several wordings, separated by ` / `."""

    behaviour: str
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    cites: tuple[str, ...] = ()


@dataclass(frozen=True)
class FollowUp:
    """A second question that makes sense only after the first one was answered."""

    asks: tuple[str, ...]
    expected: Expected
    good: tuple[str, ...]
    bad: tuple[str, ...]


@dataclass(frozen=True)
class Topic:
    name: str
    category: str
    weight: float
    asks: tuple[str | tuple[str, Expected], ...]
    """Ways to ask; a pair where this one has an expectation of its own."""
    told: tuple[str, ...]
    """Circumstances; at most one is told, before or after the question."""
    expected: Expected
    good: tuple[str, ...]
    bad: tuple[str, ...]
    follow_ups: tuple[FollowUp, ...] = ()
    item: str = "item"
    order: str = ""
    """The state of the order that the assistant must look up; empty where none is needed."""
    data: tuple[str, ...] = ("order", "name", "email")
    """Personal data people tell here beside what they tell everywhere."""
    months: dict[int, float] | None = None
    """Month to how common it is then; None for all the same."""
    risk: tuple[str, ...] = ()
    trouble: float = 0.0
    """How much more often than usual the logged bot failed."""

    def question(self, number: int) -> tuple[str, Expected]:
        """A way to ask, counted round, and what a correct answer to it is."""
        ask = self.asks[number % len(self.asks)]
        return (ask, self.expected) if isinstance(ask, str) else ask

    def weight_in(self, month: int) -> float:
        return self.weight * (1.0 if self.months is None else self.months.get(month, 0.0))


def answer(cites: str, *include: str, exclude: tuple[str, ...] = ()) -> Expected:
    return Expected("answer", include, exclude, tuple(cites.split()))


def refuse(cites: str = "", *include: str, exclude: tuple[str, ...] = ()) -> Expected:
    return Expected("refuse", include, exclude, tuple(cites.split()))


def escalate() -> Expected:
    return Expected("escalate")


def ask_back() -> Expected:
    return Expected("ask_back")


def all_topics() -> tuple[Topic, ...]:
    from demo.topics import account, billing, returns, shipping, technical

    return returns.TOPICS + billing.TOPICS + shipping.TOPICS + technical.TOPICS + account.TOPICS
