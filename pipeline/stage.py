"""The door of every stage: runs it, prints one line, and turns a user's mistake into one line and exit code 1."""

import fcntl
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import InputError

STATE = Path(".golden")
"""What a machine keeps for itself: locks, the response cache. Ignored by git and DVC."""


def run(name: str, work: Callable[[], str], private: bool = False) -> None:
    """Run `work`, which returns the line that says what it did.

    A stage whose `dvc repro` was killed may still be running: the next one waits for it instead of writing beside it.
    Where the stage is `private` (it holds raw logs), an unexpected error shows its type and place, never its message, since
    messages quote what they failed on.
    """
    with alone(name):
        try:
            line = work()
        except InputError as error:
            sys.exit(f"{name}: {error}")
        except Exception as error:
            if not private:
                raise
            sys.exit(f"{name}: {type(error).__name__} at {_places(error)} (the message is withheld: it may quote a log)")
    print(f"{name:<10} {line}", flush=True)


@contextmanager
def alone(name: str, state: Path = STATE) -> Iterator[None]:
    """Wait until no other process is inside of the same `name`."""
    (state / "locks").mkdir(parents=True, exist_ok=True)
    with (state / "locks" / name).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _places(error: Exception) -> str:
    """Files and lines of a traceback, innermost first; of the worker's where a worker raised."""
    lines = "".join(traceback.format_exception(error, chain=True))
    found = re.findall(r'File "([^"]+)", line (\d+)', lines.split("The above exception")[0])
    return " <- ".join(f"{Path(file).name}:{line}" for file, line in reversed(found[-4:]))


def on_a_terminal() -> bool:
    """Whether someone watches: progress is shown then, and CI stays quiet."""
    return sys.stderr.isatty() and not os.environ.get("CI")
