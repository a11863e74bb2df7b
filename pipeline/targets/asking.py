"""Ask many questions through Inspect AI: so many at once, each within its time, whatever the target does.

Inspect is given the questions' names alone. No text reaches its logs, buffers and traces, and what it writes, in a folder of
this repository and not in the user's home, is emptied before and after.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import anyio

from pipeline import params
from pipeline.faults import injected
from pipeline.targets.journal import Answered
from pipeline.targets.question import Ask, NoAnswerError, Question, Remote
from pipeline.targets.reply import UNKNOWN, Response, Usage, parse, usage
from pipeline.targets.retries import Pace

TIMEOUT = "timeout"
NOT_TESTABLE = "not_testable"
"""The example simulates a failure that the target never met."""
UNHANDLED_FAULT = "unhandled_fault"
"""The target met the simulated failure and gave no answer. It is evidence about the target, and is judged as wrong."""
GIVEN_UP = "given_up"
"""It was not asked any more: the retries were spent and the target had long answered nothing."""
SETTLED = frozenset({"", NOT_TESTABLE, UNHANDLED_FAULT})
"""Errors (and none) that the target itself decided: the same version asked again would do the same."""


@dataclass(frozen=True)
class Attempt:
    """What came of asking once."""

    response: Response
    seconds: float
    usage: Usage = UNKNOWN
    is_transient: bool = False
    """Whether the same question may be answered when it is asked again."""
    retry_after_s: float | None = None


def ask_all(
    questions: list[Question], ask: Ask, wanted: params.Evaluate, answered: Callable[[Question, Answered], None], home: Path
) -> None:
    """Get an answer or an error to every question; `answered` is called as each comes. `home` is the folder Inspect may write to."""
    by_name = {f"{question.example_id}/{question.epoch}": question for question in questions}
    unanswered = set(by_name)
    with _inspect_lives_in(home):
        from inspect_ai import Task, eval
        from inspect_ai._eval import context
        from inspect_ai.dataset import MemoryDataset, Sample
        from inspect_ai.solver import Generate, Solver, TaskState, solver

        # A `.env` here or in a parent folder is the assistant's, and could name a model, a log folder or keys to Inspect.
        context.init_dotenv = lambda: None

        @solver
        def asking() -> Solver:
            slots, pace = anyio.CapacityLimiter(wanted.concurrency), Pace(wanted)

            async def solve(state: TaskState, generate: Generate) -> TaskState:
                question = by_name[str(state.sample_id)]
                async with slots:
                    answered(question, await answer(question, ask, wanted.timeout_s, pace))
                unanswered.remove(str(state.sample_id))
                if not unanswered and isinstance(ask, Remote):  # here, since what it holds belongs to this event loop
                    await ask.aclose()
                return state

            return solve

        logs = eval(
            Task(dataset=MemoryDataset([Sample(id=name, input=name) for name in by_name]), solver=asking(), name="golden"),
            model=None,
            score=False,
            display="none",
            log_dir=str(home / "eval"),
            log_samples=False,
            log_realtime=False,
            ctl_server=False,
            max_samples=2 * wanted.concurrency,  # the limiter bounds the target; Inspect's book-keeping must not hold its slots
        )
    if not logs:  # Ctrl-C inside eval() comes out as no log
        raise KeyboardInterrupt
    if logs[0].status != "success":
        raise RuntimeError(f"asking ended as {logs[0].status}: {logs[0].error.message if logs[0].error else 'no reason given'}")


async def answer(question: Question, ask: Ask, timeout_s: float, pace: Pace) -> Answered:
    """The answer to one question or the error of its last attempt, asked for again where that may help."""
    attempts = 0
    while True:
        if pace.is_hopeless:
            return Answered(Response(error=GIVEN_UP), 0.0, attempts)
        await pace.turn()
        last, attempts = await attempt(question, ask, timeout_s), attempts + 1
        if not last.is_transient:
            pace.answered()
            return Answered(last.response, last.seconds, attempts, last.usage)
        if (seconds := pace.again_in_s(question, attempts, last.retry_after_s)) is None:
            return Answered(last.response, last.seconds, attempts, last.usage)
        await anyio.sleep(seconds)


async def attempt(question: Question, ask: Ask, timeout_s: float) -> Attempt:
    """Ask once; whatever goes wrong is a response with an error, so that no other question suffers.

    No TimeoutError may leave it: Inspect takes that for a success.
    """
    with injected(question.fault) if question.fault else nullcontext() as injection:
        begun = time.monotonic()
        response, used, failed, transient, retry_after_s = Response(error=TIMEOUT), UNKNOWN, True, isinstance(ask, Remote), None
        with anyio.move_on_after(timeout_s):
            try:
                reply = await ask(question)
                used = usage(reply)
                response, failed, transient = parse(reply), False, False
            except NoAnswerError as error:
                response, transient, retry_after_s = Response(error=error.code), error.transient, error.retry_after_s
            except (Exception, SystemExit) as error:
                response, transient = Response(error=f"raised:{type(error).__name__}"), False
        seconds = round(time.monotonic() - begun, 4)
    if injection is not None and injection.met and failed:
        return Attempt(Response(error=UNHANDLED_FAULT), seconds, used)
    if injection is not None and not injection.met and not response.error:
        return Attempt(Response(error=NOT_TESTABLE), seconds, used)
    return Attempt(response, seconds, used, transient, retry_after_s)


@contextmanager
def _inspect_lives_in(home: Path) -> Iterator[None]:
    """Inspect's data and its cache of generated text lie in `home`. XDG_CACHE_HOME stays: a target's own models lie there."""
    places = {
        "XDG_DATA_HOME": str(home.resolve() / "data"),
        "INSPECT_CACHE_DIR": str(home.resolve() / "cache"),
        "INSPECT_ASYNC_BACKEND": "asyncio",
    }
    before = {name: os.environ.get(name) for name in places}
    shutil.rmtree(home, ignore_errors=True)
    os.environ.update(places)
    try:
        yield
    finally:
        shutil.rmtree(home, ignore_errors=True)
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
