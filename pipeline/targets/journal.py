"""What was answered, kept at once and for good: one JSON line per answer in `.golden/responses/<target_version>.jsonl`.

A line is keyed by target version, input hash and epoch, so nothing is asked twice and nothing stale is found. Errors are not
kept: they are asked again. A kill can cut the last line, which then reads as not there.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from pipeline.targets.question import Question
from pipeline.targets.reply import Response


@dataclass(frozen=True)
class Answered:
    response: Response
    seconds: float
    """How long it took; goes into a log and never into an output."""


Answers = dict[tuple[str, int], Answered]


def read(path: Path, target_version: str) -> Answers:
    """The answers of `target_version` by (input_sha, epoch); none where there is no such file."""
    found: Answers = {}
    for line in path.read_bytes().split(b"\n") if path.is_file() else []:
        try:
            entry = orjson.loads(line)
            if entry["target_version"] == target_version:
                found[entry["input_sha"], entry["epoch"]] = Answered(Response(**entry["response"]), entry["seconds"])
        except (orjson.JSONDecodeError, KeyError, TypeError):
            continue
    return found


@contextmanager
def appending(path: Path, target_version: str) -> Iterator[Callable[[Question, Answered], None]]:
    """A function that adds an answer; it has reached the file when it returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        if file.tell():
            file.write(b"\n")  # ends a line that a kill cut; where none was cut, an empty line

        def add(question: Question, answered: Answered) -> None:
            entry = {"target_version": target_version, "input_sha": question.input_sha, "epoch": question.epoch, **asdict(answered)}
            file.write(orjson.dumps(entry) + b"\n")
            file.flush()

        yield add
