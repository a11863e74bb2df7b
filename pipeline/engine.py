"""Where partitions are worked on: in this process or in several. No stage knows which."""

import multiprocessing
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pipeline.errors import InputError
from pipeline.params import Engine
from pipeline.stage import on_a_terminal

P = TypeVar("P")
R = TypeVar("R")


def map_partitions(function: Callable[[P], R], partitions: Sequence[P], engine: Engine, doing: str) -> list[R]:
    """`function` of every partition, in their order. `function` and its results must pickle.

    An exception of `function` is raised here. A worker that dies (memory, a signal) is an InputError that says so.
    """
    with (
        Progress(
            TextColumn(doing),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not on_a_terminal(),
            transient=True,
        ) as progress,
        closing(_results(function, partitions, engine)) as results,
    ):
        return list(progress.track(results, total=len(partitions)))


def _results(function: Callable[[P], R], partitions: Sequence[P], engine: Engine) -> Generator[R, None, None]:
    workers = min(engine.workers, len(partitions))
    if engine.kind == "local" or workers < 2:
        yield from map(function, partitions)
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            yield from pool.map(function, partitions)
        except BrokenProcessPool:
            raise InputError(
                "a worker process died, most likely out of memory; set engine.workers lower in params.yaml and run 'dvc repro' again"
            ) from None
