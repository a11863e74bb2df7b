"""Inspect AI: samples as JSON lines or a JSON list. Several targets are accepted wordings of one thing."""

from pathlib import Path
from typing import Any

from pipeline.imports.found import Found, answered, records

MAPPED = {"id", "input", "target", "metadata"}


def read(path: Path, match: str) -> Found:
    """One target becomes the answer, compared by `match`."""
    found = Found()
    for row in records(path):
        found.unmapped.update(name for name, value in row.items() if name not in MAPPED and value not in (None, "", [], {}))
        found.add(row.get("input"), _expect(row.get("target"), match), row.get("metadata"))
    return found


def _expect(target: Any, match: str) -> dict[str, Any]:
    if isinstance(target, list) and len(target) > 1 and all(isinstance(one, str) and one.strip() for one in target):
        return {"must_include": [target]}
    return answered(target[0] if isinstance(target, list) and target else target, match)
