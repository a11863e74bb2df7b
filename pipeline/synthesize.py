"""Synthetic scenarios for named gaps: proposed, checked, and written as `pending` for a person to decide on.

What can never happen: a scenario that is a near-duplicate of anything in any source or in the pool, of a rejected one too; one that
repeats eight words of the pool or holds personal data; one that enters the dataset before somebody approved it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline import door, near_duplicates, slices
from pipeline.coverage import COMBINATIONS
from pipeline.errors import InputError, did_you_mean
from pipeline.expectations import Coverage, Tagging
from pipeline.identity import content_sha
from pipeline.params import LOGGED
from pipeline.pii.shapes import kinds_in, known_from
from pipeline.slices import Slice
from pipeline.sources import Entry, Expert, Regression, Synthetic
from pipeline.yaml_models import build_model, in_flow

NEAR, POOLED, PERSONAL, UNFIT = "near-duplicates", "repeating the pool", "with personal data", "that do not fit"


@dataclass(frozen=True)
class Present:
    """What a proposal may not repeat."""

    texts: list[str]
    """What users say in every scenario, pending and rejected ones too, and in every pooled conversation."""
    pooled: list[str]
    """Every pooled turn."""
    ids: frozenset[str]


def present(entries: Mapping[str, list[tuple[Path, Entry]]], candidates: pd.DataFrame, but: str = "") -> Present:
    """Everything there is, without the scenario `but`. `candidates` (schema.CANDIDATES) hold the pooled texts."""
    authored = [e for found in entries.values() for _, e in found if not isinstance(e, Regression) and e.id != but]
    logged = candidates.loc[candidates["source"].isin(LOGGED), "input"]
    return Present(
        [near_duplicates.asked(e.messages, getattr(e, "fault", None) or "") for e in authored]
        + [near_duplicates.asked(messages) for messages in logged],
        door.pooled_texts(candidates),
        frozenset(e.id for e in authored),
    )


def cell(text: str, tagging: Tagging, coverage: Coverage) -> Slice:
    """The slice that `text` names: `billing & multi_turn`, `category=billing`, or a combination of coverage.yaml.

    Raises InputError for a value that no dimension has, or that several have.
    """
    for combination in coverage.combinations:
        if combination.name == text.strip():
            return slices.parse(combination.slice)
    tags = []
    for part in (part.strip() for part in text.split("&")):
        dimension, equals, value = (piece.strip() for piece in part.partition("="))
        value = value if equals else dimension
        having = [name for name, one in tagging.dimensions.items() if value in one.values and (not equals or name == dimension)]
        if not having:
            known = sorted({one for dimension in tagging.dimensions.values() for one in dimension.values})
            hint = did_you_mean(value, known, f"values are in tagging.yaml: {', '.join(known)}")
            raise InputError(f"--cell: no dimension has '{part}'; {hint}")
        if len(having) > 1:
            raise InputError(f"--cell: '{value}' is a value of {' and '.join(having)}; write {having[0]}={value}")
        tags.append((having[0], value))
    return Slice(tuple(sorted(tags)))


def gaps(figures: Mapping[str, Any], coverage: Coverage, tagging: Tagging) -> list[tuple[Slice, int]]:
    """Slices with too few examples and how many they lack, the costliest lack first, from metrics/coverage.json."""
    named = {slices.metrics_key(combination.name): slices.parse(combination.slice) for combination in coverage.combinations}
    found = []
    for group, members in figures["slices"].items():
        values = tagging.dimensions[group].values if group in tagging.dimensions else []
        of_group = named if group == COMBINATIONS else {slices.metrics_key(value): Slice(((group, value),)) for value in values}
        for key, one in members.items():
            if one["shortfall"] > 0 and key in of_group:
                found.append((-float(one.get("cost_weighted_shortfall", one["shortfall"])), of_group[key], int(one["shortfall"])))
    return [(lacking, count) for _, lacking, count in sorted(found)]


def shared_out(lacks: Sequence[tuple[Slice, int]], count: int) -> list[tuple[Slice, int]]:
    """`count` scenarios over the gaps: one each in turn, costliest first, none more than it lacks."""
    given = dict.fromkeys((lacking for lacking, _ in lacks), 0)
    while count > 0 and any(given[lacking] < most for lacking, most in lacks):
        for lacking, most in lacks:
            if count > 0 and given[lacking] < most:
                given[lacking] += 1
                count -= 1
    return [(lacking, number) for lacking, number in given.items() if number]


def chosen(
    proposals: Iterable[Mapping[str, Any]],
    fills: Slice,
    count: int,
    added: str,
    there: Present,
    threshold: float,
    allow_list: Iterable[str],
) -> tuple[list[Synthetic], Counter[str]]:
    """The first `count` proposals (method, input, fixtures, tags, expect) that may stand, and how many of the others were refused for what."""
    refused: Counter[str] = Counter()
    entries = []
    for proposal in proposals:
        try:
            entries.append(_entry(proposal, fills, added))
        except InputError:
            if str(proposal["method"]).startswith("template:"):
                raise
            refused[UNFIT] += 1
    kept: list[Synthetic] = []
    for entry, why in zip(entries, refusals(entries, there, threshold, allow_list), strict=True):
        if len(kept) == count:
            break
        if why:
            refused[why] += 1
        else:
            kept.append(entry)
    return kept, refused


def refusals(entries: Sequence[Synthetic | Expert], there: Present, threshold: float, allow_list: Iterable[str] = ()) -> list[str]:
    """For each of `entries` why it may not stand; empty where it may."""
    known = known_from(allow_list)
    written = [_texts(entry) for entry in entries]
    flat = [text for texts in written for text in texts]
    pooled = iter(door.repeating(flat, there.pooled))
    repeats = [_any_of(pooled, len(texts)) for texts in written]
    personal = [any(kinds_in(text, known, reserved=True) for text in texts) for texts in written]
    near = near_duplicates.repeats([near_duplicates.asked(entry.messages) for entry in entries], there.texts, threshold)
    return [
        PERSONAL if is_personal else NEAR if is_near or entry.id in there.ids else POOLED if is_pooled else ""
        for entry, is_personal, is_pooled, is_near in zip(entries, personal, repeats, near, strict=True)
    ]


def _any_of(flags: Iterator[bool], count: int) -> bool:
    """Whether one of the next `count` holds; all of them are taken."""
    return sum(next(flags) for _ in range(count)) > 0


def as_yaml(entry: Synthetic | Expert) -> str:
    """A scenario as people read and edit it, keys in the order of the other files."""
    said = ("method", "fills") if isinstance(entry, Synthetic) else ("author", "asked")
    lines = [f"- id: {entry.id}", f"  added: {entry.added}"]
    lines += [f"  status: {entry.status}"] if isinstance(entry, Synthetic) else []
    lines += [f"  {name}: {in_flow(getattr(entry, name))}" for name in said]
    if isinstance(entry.input, str):
        lines.append(f"  input: {in_flow(entry.input)}")
    else:
        lines.append("  input:")
        lines += [f"    - {role}: {in_flow(text)}" for turn in entry.input for role, text in turn.items()]
    expect = entry.expect.model_dump(exclude_defaults=True)
    lines += [f"  {name}: {in_flow(value)}" for name, value in (("fixtures", entry.fixtures), ("tags", entry.tags)) if value]
    return "\n".join([*lines, "  expect:", *(f"    {name}: {in_flow(value)}" for name, value in expect.items())]) + "\n"


def file_for(folder: Path, fills: Sequence[Slice], added: str) -> Path:
    """A file that is not there yet, named by the day and what it is for."""
    name = "-".join(value for _, value in fills[0].tags) if len(fills) == 1 else "gaps"
    stem = f"{added}-{_slug(name)}"
    names = [f"{stem}.yaml", *(f"{stem}-{number}.yaml" for number in range(2, 1_000))]
    return next(folder / name for name in names if not (folder / name).exists())


def _entry(proposal: Mapping[str, Any], fills: Slice, added: str) -> Synthetic:
    content = {key: value for key, value in proposal.items() if value or key != "fixtures"}
    sha = content_sha([content.get("input"), content.get("fixtures", {})])
    made_by = _slug(str(proposal["method"]).partition(":")[2])
    where = f"{proposal['method']}, a scenario for {fills}"
    return build_model(
        where, {"id": f"s-{made_by}-{sha[:8]}", "added": added, "status": "pending", "fills": str(fills)} | content, Synthetic
    )


def _texts(entry: Synthetic | Expert) -> list[str]:
    """Everything that is written in a scenario."""
    found = [message["content"] for message in entry.messages]
    found += _strings(entry.fixtures) + _strings(entry.expect.model_dump(exclude_defaults=True))
    return found


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for part in value.values() for text in _strings(part)]
    if isinstance(value, list):
        return [text for part in value for text in _strings(part)]
    return [value] if isinstance(value, str) else []


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-") or "x"
