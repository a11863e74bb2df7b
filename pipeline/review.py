"""Decisions on pending synthetic scenarios, written into their file so that only their own lines change.

What can never happen: a scenario that is decided on loses its text; a decision without a name, a rejection without a reason; an edit
of one scenario that changes another.
"""

import re
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline.erasure import lines_of_entry
from pipeline.errors import InputError
from pipeline.paths import SOURCES
from pipeline.sources import Entry, Synthetic
from pipeline.yaml_models import build_model, in_flow, read_yaml

STATUS = re.compile(r"^(?P<indent>[ -]+)status:[ ]*pending[ ]*\n?$")


def pending(entries: list[tuple[Path, Entry]], file: Path | None = None) -> list[tuple[Path, Synthetic]]:
    """The scenarios that wait, in the order of files, of one file where it is given. Raises InputError where none waits."""
    if file is not None and not file.is_file():
        raise InputError(f"--file {file}: not there")
    of_file = [(path, e) for path, e in entries if file is None or path.resolve() == file.resolve()]
    found = [(path, e) for path, e in of_file if isinstance(e, Synthetic) and e.status == "pending"]
    if not found:
        raise InputError(f"{file or SOURCES / 'synthetic'}: nothing is pending; 'golden synthesize' proposes scenarios")
    return found


def named(waiting: list[tuple[Path, Synthetic]], example_id: str) -> tuple[Path, Synthetic]:
    """The pending scenario with this id. Raises InputError where there is none."""
    for path, entry in waiting:
        if entry.id == example_id:
            return path, entry
    raise InputError(f"{example_id}: not pending here; 'golden review --list' says what is")


def decision(status: str, name: str, on: str, reason: str) -> dict[str, str]:
    """The keys that say who decided. Raises InputError without a name, or for a rejection without a reason."""
    if not name.strip():
        raise InputError("--reviewer: missing; an approval or a rejection carries a name")
    if status == "rejected" and not reason.strip():
        raise InputError("--reason: missing; a rejection says why, so that the same is not proposed again")
    by = "approved_by" if status == "approved" else "rejected_by"
    return {"status": status, by: name.strip(), "decided_on": on} | ({"reason": reason.strip()} if reason.strip() else {})


def block(text: str, example_id: str, where: str) -> str:
    """The lines of one scenario, as they stand in its file."""
    begin, end = _place(text, example_id, where)
    return "".join(text.splitlines(keepends=True)[begin:end])


def decided(text: str, example_id: str, keys: dict[str, str], where: str) -> str:
    """The file's text with `keys` in place of the scenario's `status: pending`."""
    begin, end = _place(text, example_id, where)
    lines = text.splitlines(keepends=True)
    for number in range(begin, end):
        if found := STATUS.match(lines[number]):
            indent = found["indent"]
            told = [f"{name}: {in_flow(value) if name != 'decided_on' else value}\n" for name, value in keys.items()]
            lines[number] = indent + (" " * len(indent)).join(told)
            return "".join(lines)
    raise InputError(f"{where}, {example_id}: write 'status: pending' on a line of its own, then run this again")


def edited(text: str, example_id: str, new: str, where: str) -> tuple[str, Synthetic]:
    """The file's text with `new` lines for one scenario, and what they say. Raises InputError where they are not one pending scenario."""
    try:
        content = YAML(typ="safe", pure=True).load(new)
    except (YAMLError, ValueError) as error:
        raise InputError(f"{where}, {example_id}: not YAML after the edit ({type(error).__name__}); nothing was changed") from None
    if not isinstance(content, list) or len(content) != 1:
        raise InputError(f"{where}, {example_id}: expected one scenario after the edit, beginning with '- id:'; nothing was changed")
    entry = build_model(f"{where}, {example_id}", content[0], Synthetic)
    if entry.id != example_id or entry.status != "pending":
        raise InputError(f"{where}, {example_id}: an edit keeps id and status; nothing was changed")
    begin, end = _place(text, example_id, where)
    lines = text.splitlines(keepends=True)
    return "".join([*lines[:begin], new.rstrip("\n") + "\n", *lines[end:]]), entry


def still_reads(before: Path, after: str, example_id: str) -> None:
    """Raises InputError where `after`, the text to be written, changes any scenario but one."""
    entries = {one["id"]: one for one in YAML(typ="safe", pure=True).load(after)}
    for one in read_yaml(before):
        if one["id"] != example_id and entries.get(one["id"]) != one:
            raise InputError(f"{before}, {one['id']}: would change too; put a line between the scenarios, then run this again")
    build_model(f"{before}, {example_id}", entries.get(example_id), Synthetic)


def _place(text: str, example_id: str, where: str) -> tuple[int, int]:
    entries = YAML().load(text)
    place = next(number for number, entry in enumerate(entries) if entry["id"] == example_id)
    return lines_of_entry(entries, place, text.splitlines(keepends=True), where)
