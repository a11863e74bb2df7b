"""A pattern that takes too long on a text is an error here. Presidio logs a warning and goes on as if the pattern had found nothing.

How long is too long says the environment variable REGEX_TIMEOUT_SECONDS (Presidio's own; 60).
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

LOGGER = logging.getLogger("presidio-analyzer")


class TimedOut(Exception):
    """A recognizer gave up on a text; its message is the pattern's name, as params.yaml or Presidio calls it."""


class _Raising(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        if "timed out" in str(record.msg):
            named = record.args[0] if isinstance(record.args, tuple) and record.args else ""
            raise TimedOut(named if isinstance(named, str) else "a check of Presidio's")


@contextmanager
def raised() -> Iterator[None]:
    """While this is entered, what Presidio would only log raises TimedOut, out of its `analyze`."""
    handler, level = _Raising(logging.WARNING), LOGGER.level
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.WARNING)
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)
        LOGGER.setLevel(level)
