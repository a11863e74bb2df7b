"""Slot grammars: templates of scenarios whose slots are filled in every combination, in an order that a seed gives.

`data/grammars/<name>.yaml` holds `slots` (name to wordings) and `templates`; a template is a scenario in which `{slot}` stands for a
wording, the same one wherever it stands, also in what is expected. Literal braces are not needed in what people say, and not known.
"""

import math
import random
import re
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from pipeline.errors import InputError
from pipeline.slices import Slice
from pipeline.yaml_models import Model, read_model

SLOT = re.compile(r"\{([a-z][a-z0-9_]*)\}")


class Template(Model):
    input: str | list[dict[Literal["user", "assistant", "system", "tool"], str]]
    fixtures: dict[str, Any] = {}
    tags: dict[str, str | list[str]]
    """What every scenario of it is; a gap is filled by the templates that carry all of its tags."""
    expect: dict[str, Any]
    """As a scenario's `expect`; checked once it is filled."""

    @property
    def slots(self) -> list[str]:
        """The slots that stand in it, each once, in order."""
        return list(dict.fromkeys(SLOT.findall(str([self.input, self.fixtures, self.expect]))))

    def fits(self, cell: Slice) -> bool:
        """Whether what it makes lies in `cell`."""
        held = {(name, one) for name, value in self.tags.items() for one in ([value] if isinstance(value, str) else value)}
        return held.issuperset(cell.tags)


class Grammar(Model):
    slots: dict[str, list[str]] = {}
    templates: list[Template] = Field(min_length=1)

    @model_validator(mode="after")
    def _slots_are_known(self) -> "Grammar":
        if empty := [name for name, wordings in self.slots.items() if not wordings]:
            raise ValueError(f"slots.{empty[0]}: without a wording; give one or more")
        for number, template in enumerate(self.templates, 1):
            if unknown := [name for name in template.slots if name not in self.slots]:
                raise ValueError(f"templates: number {number} names the slot {{{unknown[0]}}}; known: {', '.join(self.slots) or 'none'}")
        return self


def load(paths: list[Path]) -> dict[str, Grammar]:
    """Name (of the file) to grammar. Raises InputError for the first that does not fit."""
    return {path.stem: read_model(path, Grammar) for path in paths}


def scenarios(grammars: dict[str, Grammar], cell: Slice, most: int, seed: int) -> Iterator[dict[str, Any]]:
    """Scenarios for `cell` (method, input, fixtures, tags, expect), at most `most` of a template, templates in turn.

    No combination comes twice. Raises InputError where no template fits.
    """
    fitting = [(name, number) for name, grammar in grammars.items() for number, one in enumerate(grammar.templates) if one.fits(cell)]
    if not fitting:
        raise InputError(f"no template for {cell} in {', '.join(grammars) or 'any grammar'}; write one with these tags")
    made = [_of_template(name, number, grammars[name], most, f"{seed} {name} {number}") for name, number in fitting]
    for turn in zip_longest(*made):
        yield from (one for one in turn if one is not None)


def combinations(grammar: Grammar, template: Template) -> int:
    """How many scenarios a template makes."""
    return math.prod(len(grammar.slots[name]) for name in template.slots)


def _of_template(name: str, number: int, grammar: Grammar, most: int, seed: str) -> Iterator[dict[str, Any]]:
    template = grammar.templates[number]
    total = combinations(grammar, template)
    for number_of_combination in random.Random(seed).sample(range(total), min(most, total)):
        wordings = _wordings(grammar, template, number_of_combination)
        yield {
            "method": f"template:{name}",
            "input": _filled(template.input, wordings),
            "fixtures": _filled(template.fixtures, wordings),
            "tags": template.tags,
            "expect": _filled(template.expect, wordings),
        }


def _wordings(grammar: Grammar, template: Template, number: int) -> dict[str, str]:
    """The combination with this number: its digits, each to the base of a slot's wordings."""
    wordings = {}
    for slot in template.slots:
        number, choice = divmod(number, len(grammar.slots[slot]))
        wordings[slot] = grammar.slots[slot][choice]
    return wordings


def _filled(value: Any, wordings: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(part, wordings) for key, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, wordings) for part in value]
    if not isinstance(value, str):
        return value
    return SLOT.sub(lambda found: wordings[found[1]], value).strip()
