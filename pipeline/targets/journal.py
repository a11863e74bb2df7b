"""What was answered, kept at once and for good: one JSON line per answer in `.golden/responses/<target_version>.jsonl`.

A line is keyed by target version, input hash, epoch and the form that the question was sent and the answer was read in, so nothing is
asked twice and nothing stale is found. Errors that may pass are not kept: they are asked again. A kill can cut the last line, which
then reads as not there.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from pipeline.targets.question import Question
from pipeline.targets.reply import UNKNOWN, Response, Usage


@dataclass(frozen=True)
class Answered:
    response: Response
    seconds: float
    """How long the last attempt took; goes into a log and never into an output."""
    attempts: int = 1
    """How often it was asked for."""
    usage: Usage = UNKNOWN


Answers = dict[tuple[str, int], Answered]


def read(path: Path, target_version: str, form: str = "") -> Answers:
    """The answers of `target_version`, asked and read in `form`, by (input_sha, epoch); none where there is no such file."""
    found: Answers = {}
    for line in path.read_bytes().split(b"\n") if path.is_file() else []:
        try:
            entry = orjson.loads(line)
            if (entry["target_version"], entry.get("form", "")) == (target_version, form):
                response, usage = Response(**entry["response"]), Usage(**entry.get("usage", {}))
                found[entry["input_sha"], entry["epoch"]] = Answered(response, entry["seconds"], entry.get("attempts", 1), usage)
        except (orjson.JSONDecodeError, KeyError, TypeError):
            continue
    return found


@contextmanager
def appending(path: Path, target_version: str, form: str = "") -> Iterator[Callable[[Question, Answered], None]]:
    """A function that adds an answer; it has reached the file when it returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        if file.tell():
            file.write(b"\n")  # ends a line that a kill cut; where none was cut, an empty line

        def add(question: Question, answered: Answered) -> None:
            key = {"target_version": target_version, "form": form, "input_sha": question.input_sha, "epoch": question.epoch}
            entry = key | asdict(answered)
            file.write(orjson.dumps(entry) + b"\n")
            file.flush()

        yield add
