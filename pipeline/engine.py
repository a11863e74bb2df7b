"""Where partitions are worked on: in this process, in several, or on a Dask cluster. No stage knows which.

A partition is named by paths relative to the repository's root, so workers run in that folder, on this machine or on others that
have the same file system at the same place. A worker that dies costs time and nothing else: its partition is worked on again.

What can never happen on Dask: a worker or scheduler that logs what a function raised, or what it was given. Dask logs the text of
every exception ("Compute Failed") and the bytes of every task that a worker cannot load ("Failed to deserialize"). So a failure
comes back as a result that holds the exception's type and places, never its message, and a task loads on any worker. The workers
started here also log nothing, spill nothing to disk, listen on loopback alone and talk to nobody without their certificate.

A cluster of your own (`engine.scheduler`) gets the key and what a function returns, and has a configuration of its own. Into it
belong, for scheduler and workers, `DASK_LOGGING__DISTRIBUTED=critical`, `DASK_DISTRIBUTED__WORKER__MEMORY__TARGET=False` and
`DASK_DISTRIBUTED__WORKER__MEMORY__SPILL=False`; one thread a worker, since a model is loaded once a process; TLS where others
share the network; and nobody else's tasks. Start each worker in the repository, in the same Python environment:

    PYTHONPATH=. dask worker tcp://host:8786 --nthreads 1 --no-dashboard
"""

import importlib
import io
import logging
import multiprocessing
import os
import pickle
import sys
import tempfile
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pipeline.errors import InputError
from pipeline.params import Engine
from pipeline.stage import on_a_terminal

P = TypeVar("P")
R = TypeVar("R")

CONNECT_S = 10
"""A scheduler that does not answer for so long is not there."""
NO_WORKER_S = 60
"""A cluster without a worker for so long will not get one."""
DIED = "most likely out of memory; set engine.workers lower in params.yaml and run 'dvc repro' again"
GONE = "start it, or set engine.scheduler to null for workers on this machine, and run 'dvc repro' again"


class WorkerError(Exception):
    """A Dask worker's exception without its message, which may quote a log. What is raised is a subclass named as that exception."""


class _Places(Exception):
    """A worker's traceback as files and lines, for the traceback here to show."""


@dataclass(frozen=True)
class _Failed:
    """An exception as it may leave a worker."""

    name: str
    places: tuple[tuple[str, int], ...]


def map_partitions(function: Callable[[P], R], partitions: Sequence[P], engine: Engine, doing: str) -> list[R]:
    """`function` of every partition, in their order. `function`, partitions and results must pickle.

    A partition may be worked on twice, when a worker died over it, so `function` must be able to begin again.

    An exception of `function` is raised here; from a Dask worker only an InputError has its message, any other is a WorkerError of
    the same name. A partition whose workers die again and again is an InputError that says so.
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
    if partitions and engine.kind == "dask" and engine.scheduler:
        with _connected(engine.scheduler) as client:
            yield from _on_dask(function, partitions, client)
    elif workers < 2 or engine.kind == "local":
        yield from map(function, partitions)
    elif engine.kind == "dask":
        with _started(workers) as client:
            yield from _on_dask(function, partitions, client)
    else:
        yield from _in_processes(function, partitions, workers)


def _in_processes(function: Callable[[P], R], partitions: Sequence[P], workers: int) -> Generator[R, None, None]:
    """A process that dies takes the pool with it: a new one works on what is unfinished, the third time one partition after the other."""
    place = 0
    finished: dict[int, R] = {}
    for size in (workers, workers, 1):
        futures: dict[int, Future[R]] = {}
        with ProcessPoolExecutor(size, mp_context=multiprocessing.get_context("spawn")) as pool:
            try:
                for unfinished in range(place, len(partitions)):
                    if unfinished not in finished:
                        futures[unfinished] = pool.submit(function, partitions[unfinished])
                while place < len(partitions):
                    yield finished.pop(place) if place in finished else futures.pop(place).result()
                    place += 1
                return
            except BrokenProcessPool:
                finished |= {at: future.result() for at, future in futures.items() if future.done() and future.exception() is None}
            finally:
                for future in futures.values():
                    future.cancel()
    raise InputError(f"worker processes died three times, {DIED}")


def _on_dask(function: Callable[[P], R], partitions: Sequence[P], client: Any) -> Generator[R, None, None]:
    main = _main_name()
    jobs = [pickle.dumps((function, partition)) for partition in partitions]
    futures = deque(client.map(_task(), jobs, root=str(Path.cwd()), code=__file__, main=main, pure=False))
    while futures:
        sent = _sent(futures[0], client)
        # The worker keeps a result for as long as there is a future of it.
        futures.popleft()
        if sent is None:
            raise InputError("the workers cannot import pipeline: start them in the repository with PYTHONPATH=.")
        outcome = _loads(sent, {main: "__main__"})
        if isinstance(outcome, InputError):
            raise outcome
        if isinstance(outcome, _Failed):
            raise _worker_error(outcome)
        yield outcome[0]


def _sent(future: Any, client: Any) -> bytes | None:
    """What a worker sent, however long it takes as long as there is a worker."""
    from distributed import KilledWorker

    while True:
        try:
            return future.result(timeout=NO_WORKER_S)
        except TimeoutError:
            _await_worker(client)
        except KilledWorker as error:
            raise InputError(f"a partition's workers died {error.allowed_failures + 1} times, {DIED}") from None
        except (CancelledError, OSError):
            raise InputError(f"the connection to the Dask scheduler was lost; {GONE}") from None


def _await_worker(client: Any) -> None:
    try:
        client.wait_for_workers(1, timeout=NO_WORKER_S)
    except TimeoutError:
        raise InputError(f"the Dask cluster has had no worker for {NO_WORKER_S} s; start some, and run 'dvc repro' again") from None
    except OSError:
        raise InputError(f"the connection to the Dask scheduler was lost; {GONE}") from None


def _worker_error(failed: _Failed) -> WorkerError:
    error: WorkerError = type(failed.name, (WorkerError,), {})("on a Dask worker, which withholds the message; engine.kind: local shows it")
    error.__cause__ = _Places("".join(f'\n  File "{file}", line {line}' for file, line in failed.places))
    return error


@contextmanager
def _started(workers: int) -> Iterator[Any]:
    """A client of `workers` processes started for it. A process that dies is replaced."""
    dask, distributed = _dask()
    settings = {
        "distributed.nanny.pre-spawn-environ.DASK_LOGGING__DISTRIBUTED": "critical",
        "distributed.worker.memory.target": False,
        "distributed.worker.memory.spill": False,
        "distributed.scheduler.http.routes": [],
        "distributed.worker.http.routes": [],
        "distributed.admin.large-graph-warning-threshold": "1 PiB",
    }
    with (
        tempfile.TemporaryDirectory(prefix="golden-dask-") as folder,
        dask.config.set(settings),
        distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
            silence_logs=logging.CRITICAL,
            # Without a limit nothing pauses or kills a worker but the system, as with `processes`.
            memory_limit=0,
            local_directory=folder,
            # Any user of this machine can reach loopback.
            security=True,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@contextmanager
def _connected(scheduler: str) -> Iterator[Any]:
    """A client of the running cluster at `scheduler`."""
    dask, distributed = _dask()
    with (
        # What Dask would say here about lost workers is said by an InputError, or is nobody's concern.
        distributed.utils.silence_logging_cmgr(logging.CRITICAL),
        dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 PiB"}),
    ):
        try:
            client = distributed.Client(scheduler, timeout=CONNECT_S)
        except OSError:
            raise InputError(f"no Dask scheduler answers at {scheduler} (engine.scheduler in params.yaml); {GONE}") from None
        with client:
            _await_worker(client)
            _check_python(client)
            yield client


def _check_python(client: Any) -> None:
    """Code and pickles of another Python do not load."""
    versions = client.get_versions()
    here = versions["client"]["packages"]["python"].split(".")[:2]
    for worker, found in versions["workers"].items():
        there = found["packages"]["python"].split(".")[:2]
        if there != here:
            raise InputError(
                f"the Dask worker {worker} runs Python {'.'.join(there)} and this is {'.'.join(here)}: start it in the same environment"
            )


def _dask() -> tuple[Any, Any]:
    """Imported when it is asked for: it takes two seconds."""
    try:
        import dask
        import distributed
    except ModuleNotFoundError as error:
        raise InputError(f"engine.kind is dask and the package {error.name} is not installed; run 'make install'") from None
    return dask, distributed


def _task() -> Callable[..., bytes | None]:
    """What Dask itself loads. A local function is sent by its code, not by its name, so it loads where pipeline is not importable."""

    def task(job: bytes, root: str, code: str, main: str) -> bytes | None:
        try:
            there = importlib.import_module("pipeline.engine")
        except ImportError:
            return None
        return there._attempt(job, root, code, main)

    return task


def _attempt(job: bytes, root: str, code: str, main: str) -> bytes:
    """Runs on a worker: an outcome, pickled. It raises nothing, since Dask would log it."""
    try:
        _enter(root, code)
        function, partition = _loads(job, {"__main__": main})
        return pickle.dumps((function(partition),))
    except InputError as error:
        return pickle.dumps(InputError(str(error)))
    except BaseException as error:
        places = tuple((frame.filename, frame.lineno or 0) for frame in traceback.extract_tb(error.__traceback__))
        return pickle.dumps(_Failed(type(error).__name__, places))


def _enter(root: str, code: str) -> None:
    """Go where the paths of partitions begin. A restarted worker is in another folder, so every task does."""
    if not Path(code).exists() or not Path(__file__).samefile(code):
        raise InputError(f"the workers import pipeline from {Path(__file__).parents[1]}: start them in the repository with PYTHONPATH=.")
    try:
        os.chdir(root)
    except OSError:
        raise InputError(f"{root}: not there on a worker; workers need the repository at the same path") from None


def _main_name() -> str:
    """What a stage that runs as `__main__` is called elsewhere."""
    spec = sys.modules["__main__"].__spec__
    return spec.name if spec else "__main__"


def _loads(pickled: bytes, renamed: dict[str, str]) -> Any:
    """Unpickle with other names for some modules: `python -m pipeline.tag` and a worker call one module differently."""

    class Unpickler(pickle.Unpickler):
        def find_class(self, module_name: str, global_name: str) -> Any:
            return super().find_class(renamed.get(module_name, module_name), global_name)

    return Unpickler(io.BytesIO(pickled)).load()
