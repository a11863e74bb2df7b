"""Tests of other tools as expert scenarios: read, mapped, checked, and those that may stand kept for one file.

What cannot be mapped is counted by kind, who is left out by reason: read = kept + left out. What can never happen: a scenario that
repeats one that is there, eight words of the pool, or personal data; one without an expectation that a scorer can judge.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import synthesize
from pipeline.errors import InputError
from pipeline.expectations import Tagging
from pipeline.identity import content_sha
from pipeline.imports import deepeval, inspect, promptfoo
from pipeline.imports.found import Found
from pipeline.sources import Expert
from pipeline.yaml_models import build_model

TOOLS: dict[str, Callable[[Path, str], Found]] = {"promptfoo": promptfoo.read, "deepeval": deepeval.read, "inspect": inspect.read}
NOTHING, UNFIT = "without an expectation that can be judged", "that do not fit"


@dataclass(frozen=True)
class Imported:
    kept: list[Expert]
    left_out: Counter[str]
    """Reason to how many tests."""
    unmapped: Counter[str]
    """Kind of what no scenario can hold, to how often it stood there."""


def scenarios(
    found: Found,
    stem: str,
    by: Mapping[str, str],
    tags: Mapping[str, str | list[str]],
    tagging: Tagging,
    there: synthesize.Present,
    threshold: float,
    allow_list: Sequence[str],
) -> Imported:
    """What of `found` may stand, with author, asked and added from `by`; `tags` go before the file's own."""
    left_out, unmapped = Counter(found.left_out), Counter(found.unmapped)
    entries = []
    for test in found.tests:
        if not test["expect"]:
            left_out[NOTHING] += 1
            continue
        own = _known(test["tags"], tagging, unmapped)
        content = {"input": test["input"], "expect": test["expect"], "tags": own | dict(tags)}
        content |= {"fixtures": test["fixtures"]} if test["fixtures"] else {}
        ident = f"e-{slug(stem)}-{content_sha([test['input'], test['fixtures']])[:8]}"
        try:
            entries.append(build_model(ident, {"id": ident, **by, **content}, Expert))
        except InputError:
            left_out[UNFIT] += 1
    reasons = synthesize.refusals(entries, there, threshold, allow_list)
    left_out.update(why for why in reasons if why)
    return Imported([entry for entry, why in zip(entries, reasons, strict=True) if not why], left_out, unmapped)


def _known(tags: Mapping[str, Any], tagging: Tagging, unmapped: Counter[str]) -> dict[str, str | list[str]]:
    """The tags that tagging.yaml knows; several values of one dimension are joined by `+` in an export."""
    found: dict[str, str | list[str]] = {}
    for name, value in tags.items():
        values = value.split("+") if isinstance(value, str) else value
        dimension = tagging.dimensions.get(name)
        if dimension is None or not isinstance(values, list) or not values or any(one not in dimension.values for one in values):
            unmapped["tag"] += 1
        else:
            found[name] = values[0] if len(values) == 1 else values
    return found


def slug(text: str) -> str:
    """A file's stem as a part of ids and file names."""
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-") or "x"
