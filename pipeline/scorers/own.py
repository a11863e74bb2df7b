"""Scorers and models of one's own, named in params.yaml as `module:name`, importable from the repository's root."""

import difflib
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inspect_ai.scorer import Scorer

from pipeline.errors import InputError


def named(key: str, name: str) -> Callable[..., Any]:
    """The callable `module:name` that `key` of params.yaml names. Raises InputError where there is none."""
    module_name, _, attribute = name.partition(":")
    if (root := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, root)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise InputError(f"params.yaml: {key}: no module '{error.name}'; it is looked for at the repository's root") from None
    except Exception as error:  # whatever one's own module does while it is imported
        raise InputError(f"params.yaml: {key}: importing {module_name} raised {type(error).__name__}") from error
    found = getattr(module, attribute, None)
    if not callable(found):
        near = difflib.get_close_matches(attribute, [one for one in dir(module) if not one.startswith("_")], n=1, cutoff=0.5)
        raise InputError(
            f"params.yaml: {key}: {module_name} has no function '{attribute}'" + (f"; did you mean '{near[0]}'?" if near else "")
        )
    return found


def own_scorer(key: str, name: str) -> Scorer:
    """The Inspect scorer that `module:name` makes when it is called without arguments."""
    try:
        made = named(key, name)()
    except TypeError:
        made = None
    if not callable(made):
        raise InputError(f"params.yaml: {key}: {name} gives no scorer when it is called without arguments; docs/scorers.md shows one")
    return made
