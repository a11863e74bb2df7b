"""Simulated failures that really happen while a target answers.

An example may carry `fault: timeout | api_error | rate_limit`. `evaluate` then calls the target inside `injected(fault)`, and the
target meets the failure where it calls `check()`, which belongs in front of every call to a backend of its own:

    from pipeline import faults

    def order_status(order_id):
        faults.check()              # raises here while a failure is simulated, does nothing otherwise
        return requests.get(...)

A target beyond this process is told which failure to meet, and tells that it did (docs/targets.md). One that does neither cannot
be tested so, and is reported as `not_testable`, not as passed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


class SimulatedFault(Exception):
    """A backend failed because an example asks for it."""


class SimulatedTimeout(SimulatedFault, TimeoutError):
    """The backend did not answer in time."""


class SimulatedApiError(SimulatedFault, ConnectionError):
    """The backend answered with a server error."""


class SimulatedRateLimit(SimulatedFault, ConnectionError):
    """The backend refused: too many requests."""


FAULTS: dict[str, type[SimulatedFault]] = {
    "timeout": SimulatedTimeout,
    "api_error": SimulatedApiError,
    "rate_limit": SimulatedRateLimit,
}


@dataclass
class Injection:
    """One simulated failure and whether the target met it."""

    fault: str
    met: bool = False


_current: ContextVar[Injection | None] = ContextVar("golden_fault", default=None)


@contextmanager
def injected(fault: str) -> Iterator[Injection]:
    """While this is entered, `check()` raises `fault`'s exception; the yielded injection says whether it did."""
    injection = Injection(fault)
    token = _current.set(injection)
    try:
        yield injection
    finally:
        _current.reset(token)


def check() -> None:
    """Raise the simulated failure, where one is injected. Put it in front of every call to a backend."""
    if (injection := _current.get()) is not None:
        injection.met = True
        raise FAULTS[injection.fault](f"simulated {injection.fault}")


def acknowledge() -> None:
    """Note that the simulated failure was met, on the word of a target that is beyond the reach of `check()`."""
    if (injection := _current.get()) is not None:
        injection.met = True
