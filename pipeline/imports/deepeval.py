"""DeepEval: goldens (single turns) and conversational goldens, as a JSON list or JSON lines."""

from pathlib import Path

from pipeline.imports.found import Found, answered, records

MAPPED = {"name", "input", "scenario", "turns", "expected_output", "expected_outcome", "additional_metadata"}


def read(path: Path, match: str) -> Found:
    """Expected output or outcome becomes the answer, compared by `match`."""
    found = Found()
    for row in records(path):
        found.unmapped.update(name for name, value in row.items() if name not in MAPPED and value not in (None, "", [], {}))
        question = row.get("turns") or row.get("input") or row.get("scenario")
        found.add(question, answered(row.get("expected_output") or row.get("expected_outcome"), match), row.get("additional_metadata"))
    return found
