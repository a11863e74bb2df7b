"""Ask many questions through Inspect AI: so many at once, each within its time, whatever the target does.

Inspect is given the questions' names alone. No text reaches its logs, buffers and traces, and what it writes, in a folder of
this repository and not in the user's home, is emptied before and after.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import anyio

from pipeline import params
from pipeline.faults import injected
from pipeline.targets.journal import Answered
from pipeline.targets.question import Ask, NoAnswerError, Question
from pipeline.targets.reply import Response, parse

TIMEOUT = "timeout"
NOT_TESTABLE = "not_testable"
"""The example simulates a failure that the target never met."""
UNHANDLED_FAULT = "unhandled_fault"
"""The target met the simulated failure and gave no answer. It is evidence about the target, and is judged as wrong."""


def ask_all(
    questions: list[Question], ask: Ask, wanted: params.Evaluate, answered: Callable[[Question, Answered], None], home: Path
) -> None:
    """Ask every question once; `answered` is called as each answer or error comes. `home` is the folder Inspect may write to."""
    by_name = {f"{question.example_id}/{question.epoch}": question for question in questions}
    with _inspect_lives_in(home):
        from inspect_ai import Task, eval
        from inspect_ai._eval import context
        from inspect_ai.dataset import MemoryDataset, Sample
        from inspect_ai.solver import Generate, Solver, TaskState, solver

        # A `.env` here or in a parent folder is the assistant's, and could name a model, a log folder or keys to Inspect.
        context.init_dotenv = lambda: None

        @solver
        def asking() -> Solver:
            slots = anyio.CapacityLimiter(wanted.concurrency)

            async def solve(state: TaskState, generate: Generate) -> TaskState:
                question = by_name[str(state.sample_id)]
                async with slots:
                    begun = time.monotonic()
                    response = await answer(question, ask, wanted.timeout_s)
                    answered(question, Answered(response, round(time.monotonic() - begun, 4)))
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


async def answer(question: Question, ask: Ask, timeout_s: float) -> Response:
    """The response to one question; whatever goes wrong is a response with an error, so that no other question suffers.

    No TimeoutError may leave it: Inspect takes that for a success.
    """
    with injected(question.fault) if question.fault else nullcontext() as injection:
        response, failed = Response(error=TIMEOUT), True
        with anyio.move_on_after(timeout_s):
            try:
                response, failed = parse(await ask(question)), False
            except NoAnswerError as error:
                response, failed = Response(error=error.code), False
            except (Exception, SystemExit) as error:
                response = Response(error=f"raised:{type(error).__name__}")
    if injection is not None and injection.met and failed:
        return Response(error=UNHANDLED_FAULT)
    if injection is not None and not injection.met and not response.error:
        return Response(error=NOT_TESTABLE)
    return response


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
