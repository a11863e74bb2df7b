"""Examples that production shows no more go to `data/sources/retired/`, and come back from there.

What can never happen: an example that is pinned or kept, or of an exempt source, is retired; one is retired because the pool is too young to have
shown it; a scenario loses a line or a comment on the way; half of a move.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from ruamel.yaml import YAML

from pipeline import tables
from pipeline.erasure import lines_of_entry
from pipeline.errors import InputError
from pipeline.params import Refresh
from pipeline.sources import RETIRED_KEYS, Entry, RetiredConversation
from pipeline.yaml_models import in_flow, parse_yaml


@dataclass(frozen=True)
class Retirement:
    example_id: str
    source: str
    slices: str
    last_seen: str
    """ISO date: when production last showed something near it; its own date where that is later or nothing was near."""
    reason: str


def due(
    members: pd.DataFrame, seen: pd.DataFrame, dated: pd.Series, first: pd.Timestamp, last: pd.Timestamp, settings: Refresh
) -> list[Retirement]:
    """Which members are to retire, by id.

    members: schema.MEMBERS. seen: schema.LAST_SEEN. dated: example id to when it happened or was written. first, last: the pool's
    first and last time. Regression examples are pinned. An example counts from its own date: nothing is retired that is younger.
    """
    cutoff = last - pd.Timedelta(days=settings.retire_after_days)
    if first > cutoff:
        return []
    may_go = ~members["source"].isin([*settings.exempt, "regression"]) & ~members["example_id"].isin(settings.keep)
    mine = members[may_go].merge(seen[["example_id", "last_seen"]], on="example_id")
    found = []
    for example_id, source, tags, shown in zip(*(mine[c] for c in ("example_id", "source", "slices", "last_seen")), strict=True):
        newest = max(filter(None, (shown, f"{dated[example_id]:%Y-%m-%d}")))
        if newest < f"{cutoff:%Y-%m-%d}":
            why = f"production showed nothing near it after {newest}, {settings.retire_after_days} days or more before {last:%Y-%m-%d}"
            found.append(Retirement(example_id, source, tags, newest, why))
    return sorted(found, key=lambda one: one.example_id)


def retired_files(retirements: list[Retirement], entries: dict[str, list[tuple[Path, Entry]]], on: str, folder: Path) -> dict[Path, str]:
    """What the files in `folder` (data/sources) hold once these are retired: those they leave, those they go to.

    Raises InputError for a scenario whose lines cannot be told from others'.
    """
    texts = _Texts()
    where = {entry.id: (source, path) for source, found in entries.items() for path, entry in found}
    for one in retirements:
        if one.source == "production":
            row = {"id": one.example_id, "reason": one.reason, "retired_on": on, "slices": one.slices}
            texts.append(folder / "retired" / "production.yaml", _as_entry(row))
            continue
        if one.example_id not in where:
            raise InputError(f"{folder}/{one.source}: {one.example_id} is in no file, and in the dataset; run 'dvc repro' first")
        source, path = where[one.example_id]
        lines = texts.take(path, one.example_id)
        indent = " " * (lines[0].index("-") + 2)
        added = [f"{indent}{RETIRED_KEYS[0]}: {on}\n", f"{indent}{RETIRED_KEYS[1]}: {in_flow(one.reason)}\n"]
        texts.append(folder / "retired" / source / path.name, [*lines, *added])
    return texts.checked()


def restored_files(ids: Sequence[str], retired: dict[str, tuple[Path, Entry | RetiredConversation]], folder: Path) -> dict[Path, str]:
    """What the files hold once `ids` are back: scenarios in their own files, without what retirement wrote into them.

    Raises InputError where one of them is not retired.
    """
    texts = _Texts()
    keys = tuple(f"{key}:" for key in RETIRED_KEYS)
    for example_id in dict.fromkeys(ids):
        if example_id not in retired:
            raise InputError(f"--restore {example_id}: not in {folder}/retired; {_there(retired)}")
        path, entry = retired[example_id]
        lines = texts.take(path, example_id)
        home = folder / path.parent.name / path.name
        if not isinstance(entry, RetiredConversation) and example_id not in {one.get("id") for one in texts.entries(home)}:
            texts.append(home, [line for line in lines if not line.strip().startswith(keys)])
    return texts.checked()


def _there(retired: dict[str, Any]) -> str:
    return (
        f"retired are {', '.join(sorted(retired)[:5])}" + (" and others" if len(retired) > 5 else "") if retired else "nothing is retired"
    )


def write(files: dict[Path, str]) -> None:
    """All of them or none: every file is written beside its place before the first is renamed into it.

    What gains comes before what loses: a kill between two leaves a scenario in both, which every verb says and `--restore` mends.
    A file in which nothing is left goes.
    """
    with ExitStack() as renaming:  # renames in reverse
        for path in sorted(files, key=lambda p: (_gain(p, files[p]), str(p))):
            renaming.enter_context(tables.replacing(path)).write_text(files[path], encoding="utf-8")
    for path, text in files.items():
        if not text.strip():
            path.unlink()


def _gain(path: Path, text: str) -> int:
    return len(text) - (len(path.read_text(encoding="utf-8")) if path.is_file() else 0)


class _Texts:
    """Files being edited: read once, changed in memory."""

    def __init__(self) -> None:
        self.before: dict[Path, str] = {}
        self.now: dict[Path, str] = {}

    def read(self, path: Path) -> str:
        if path not in self.now:
            self.before[path] = self.now[path] = path.read_text(encoding="utf-8") if path.is_file() else ""
        return self.now[path]

    def entries(self, path: Path) -> list[dict[str, Any]]:
        return parse_yaml(path, self.read(path).encode()) or []

    def take(self, path: Path, example_id: str) -> list[str]:
        """The lines of one entry, cut out of its file."""
        text = self.read(path)
        lines = text.splitlines(keepends=True)
        found = YAML().load(text)
        place = next(number for number, entry in enumerate(found) if entry["id"] == example_id)
        begin, end = lines_of_entry(found, place, lines, str(path))
        cut = lines[begin:end]
        after = lines[end:]
        while begin and after and not lines[begin - 1].strip() and not after[0].strip():
            after = after[1:]
        self.now[path] = "".join([*lines[:begin], *after])
        return [*cut[:-1], cut[-1].rstrip("\n") + "\n"]

    def append(self, path: Path, lines: list[str]) -> None:
        text = self.read(path).rstrip("\n")
        self.now[path] = (text + "\n\n" if text else "") + "".join(lines)

    def checked(self) -> dict[Path, str]:
        """The files that changed. Raises InputError where an entry was changed that nobody moved."""
        for path, text in self.now.items():
            before = {e["id"]: e for e in parse_yaml(path, self.before[path].encode()) or []}
            after = {e["id"]: e for e in parse_yaml(path, text.encode()) or []}
            if wrong := sorted(i for i in before.keys() & after.keys() if before[i] != after[i]):
                raise InputError(f"{path}, {wrong[0]}: would change too; put a line between the scenarios, then run this again")
        return {path: text for path, text in self.now.items() if text != self.before[path]}


def _as_entry(row: dict[str, str]) -> list[str]:
    return [
        f"{'- ' if place == 0 else '  '}{key}: {value if key == 'retired_on' else in_flow(value)}\n"
        for place, (key, value) in enumerate(row.items())
    ]
