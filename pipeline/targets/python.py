"""A target that is a Python callable: `evaluate.target.callable: module:function`, importable from the repository's root.

It is called as `function(messages, fixtures)`, sync or async. Messages and fixtures are copies: nothing that it does to them
reaches another question.
"""

import asyncio
import contextvars
import copy
import difflib
import importlib
import importlib.util
import inspect
import pkgutil
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipeline import params
from pipeline.errors import InputError
from pipeline.targets.question import Ask, Question

KEY = "params.yaml: evaluate.target.callable"


def open_target(target: params.Target) -> Ask:
    function = imported(str(target.callable))
    is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)

    async def ask(question: Question) -> Any:
        messages, fixtures = copy.deepcopy(question.messages), copy.deepcopy(question.fixtures)
        reply = function(messages, fixtures) if is_async else await _in_a_thread(function, messages, fixtures)
        return await reply if inspect.isawaitable(reply) else reply

    return ask


def imported(name: str) -> Callable[..., Any]:
    """The callable `module:name`. Raises InputError, with the nearest right spelling, where there is none that takes two arguments."""
    module_name, _, attributes = name.partition(":")
    if (root := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, root)
    found: Any = _module(module_name)
    for attribute in attributes.split("."):
        if not hasattr(found, attribute):
            raise InputError(f"{KEY}: {module_name} has no '{attribute}'{_nearest(attribute, _public(found))}")
        found = getattr(found, attribute)
    if not callable(found):
        raise InputError(f"{KEY}: {name} is {type(found).__name__}, not a function; name one that takes (messages, fixtures)")
    try:
        inspect.signature(found).bind([], {})
    except TypeError:
        raise InputError(f"{KEY}: {name} cannot be called as {attributes}(messages, fixtures); give it these two arguments") from None
    except ValueError:  # a callable of C code that does not tell its arguments
        pass
    return found


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        if name != missing and not name.startswith(f"{missing}."):
            raise InputError(f"{KEY}: {name} needs the module '{missing}', which is not installed here") from None
        parent, _, last = missing.rpartition(".")
        raise InputError(f"{KEY}: no module '{missing}'{_nearest(last, _modules_in(parent), parent)}") from None
    except Exception as error:  # whatever a user's module does while it is imported
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = (
            f"{Path(error.filename or '').name}:{error.lineno}"
            if isinstance(error, SyntaxError)
            else f"{Path(place.filename).name}:{place.lineno}"
        )
        raise InputError(f"{KEY}: importing {name} raised {type(error).__name__} at {where}") from error


def _modules_in(package: str) -> list[str]:
    folders = [str(Path.cwd())]
    if package:
        spec = importlib.util.find_spec(package)
        folders = list(spec.submodule_search_locations or []) if spec else []
    return [module.name for module in pkgutil.iter_modules(folders)]


def _public(found: Any) -> list[str]:
    return [name for name in dir(found) if not name.startswith("_")]


def _nearest(name: str, known: list[str], prefix: str = "") -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean '{prefix + '.' if prefix else ''}{near[0]}'?" if near else ""


async def _in_a_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    """`function` in a thread of its own, inside the caller's context (a simulated failure is a context variable).

    The thread is a daemon: one that never returns, and was given up, must not keep the stage from ending, as a worker of
    `anyio.to_thread` would.
    """
    loop, context = asyncio.get_running_loop(), contextvars.copy_context()
    outcome: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()

    def deliver(result: Any, error: BaseException | None) -> None:
        if not outcome.done():
            outcome.set_result((result, error))

    def call() -> None:
        result, raised = None, None
        try:
            result = context.run(function, *arguments)
        except BaseException as error:  # it is raised below, where the question is
            raised = error
        with suppress(RuntimeError):  # given up, and the loop is closed
            loop.call_soon_threadsafe(deliver, result, raised)

    threading.Thread(target=call, daemon=True, name="golden-target").start()
    result, raised = await outcome
    if raised is not None:
        raise raised
    return result
