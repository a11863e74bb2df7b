"""A production failure becomes a regression example: found in the pool, told apart from known incidents, written for git.

What git keeps of it is its id, the incident, the reason, the expectation and tags; its text stays in the pool. Entries go to
data/sources/regression/, a file a month. What can never happen: an entry for a conversation that the pool does not hold, one that
repeats pooled text or holds personal data, a file half written, or an entry that was there lost.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
from pydantic import Field

from pipeline import admission, door, near_duplicates, schema, sources, tables
from pipeline.errors import InputError
from pipeline.identity import example_id as id_of
from pipeline.labeling.reading import SEVERAL, WORDINGS
from pipeline.paths import POOL, POOL_CSV, RECORDS, SOURCES
from pipeline.sources import Expect, Regression
from pipeline.tag import candidates, given_tags
from pipeline.yaml_models import Model, build_model, in_flow, read_yaml

REGRESSIONS = SOURCES / "regression"
SEVERAL_OF = ("must_not_include", "regex", "citations")
EXAMPLE_ID = re.compile(r"p-[0-9a-f]{16}")


class Flag(Model):
    """A failure that somebody flags."""

    log_id: str = Field(min_length=1)
    """The conversation's id in its logs, or its example id."""
    reason: str = Field(min_length=1)
    """What went wrong, in words of one's own."""
    expect: Expect
    incident_id: str = ""
    """Where it is not given: that of a flagged failure that reads nearly the same, else one of its own."""
    tags: dict[str, str | list[str]] = {}


@dataclass(frozen=True)
class Flagged:
    """A failure as it is about to be written."""

    entry: Regression
    twin: str
    """The flagged example that is the same incident; empty where there is none."""


def from_file(path: Path) -> list[Flag]:
    """The flags of a YAML file: a list of log_id, reason, expect and, where wanted, incident_id and tags."""
    content = read_yaml(path)
    if not isinstance(content, list) or not content:
        raise InputError(f"{path}: expected a list of flags, each beginning with '- log_id:'")
    return [build_model(f"{path}, flag {place}", one, Flag) for place, one in enumerate(content, 1)]


def expectation(given: Iterable[str]) -> dict[str, Any]:
    """What `--expect` says: `behaviour=refuse`, `must_include=5 days / five days`; a key may come several times.

    Raises InputError for a key that no expectation has, or one that is given twice and holds one value.
    """
    found: dict[str, Any] = {}
    for text in given:
        key, equals, value = (part.strip() for part in text.partition("="))
        if not equals or key not in Expect.model_fields:
            raise InputError(f"--expect {key}: expected KEY=VALUE with one of {', '.join(Expect.model_fields)}")
        if key == "must_include":
            items = [[wording.strip() for wording in item.split(WORDINGS)] for item in value.split(SEVERAL)]
            found.setdefault(key, []).extend(items)
        elif key in SEVERAL_OF:
            found.setdefault(key, []).extend(item.strip() for item in value.split(SEVERAL))
        elif key in found:
            raise InputError(f"--expect {key}: given twice; it has one value")
        else:
            found[key] = float(value) if key == "answer_tolerance" and _is_number(value) else value
    return found


def _is_number(text: str) -> bool:
    return re.fullmatch(r"\d+(\.\d+)?", text) is not None


def ids(log_id: str, system: str, keys: Mapping[str, bytes]) -> list[str]:
    """The example ids that a log id can have: one for each key. An example id is its own."""
    return [log_id] if EXAMPLE_ID.fullmatch(log_id) else [id_of(key, system, log_id) for key in keys.values()]


def partitions_of(wanted: Collection[str]) -> dict[str, str]:
    """Example id to the pool's partition that holds it, the earliest where several do; ids that none holds are not in it."""
    listed = tables.read_csv(POOL_CSV, schema.PARTITIONS).sort_values(["first", "partition"], kind="stable")
    found: dict[str, str] = {}
    for partition in listed["partition"]:
        path = POOL / f"{partition}.parquet"
        if path.is_file():
            held = pq.read_table(path, columns=["example_id"]).column("example_id").to_pylist()
            found = {one: str(partition) for one in held if one in wanted} | found
    return found


def why_not_there(log_id: str, wanted: Sequence[str], erased: Iterable[str]) -> str:
    """Why no partition holds a conversation, and what to do."""
    if set(wanted) & set(erased):
        return f"{log_id}: was erased at somebody's request and does not come back; flag another conversation of the incident"
    for path in sorted(POOL.glob("*.rejects.csv")):
        left_out = admission.read(path.name.removesuffix(".rejects.csv"))
        if len(found := left_out[left_out["example_id"].isin(list(wanted))]):
            row = found.iloc[0]
            return f"{log_id}: stays out of the pool ({row['reason']}, {row['where']}: {path}); correct what keeps it out, then flag it"
    return (
        f"{log_id}: in no partition of the pool; is the id right? A log that is not here yet is taken in with --log FILE, lines that"
        f" became no record are listed in {RECORDS}/*.rejects.csv"
    )


def candidates_of(held: Mapping[str, str]) -> pd.DataFrame:
    """Rows of schema.CANDIDATES from the pool, in the order of `held`, example id to its partition."""
    parts = []
    for partition in dict.fromkeys(held.values()):
        ids = [one for one, place in held.items() if place == partition]
        parts.append(candidates(tables.read_parquet(POOL / f"{partition}.parquet", schema.POOL, only=ids), partition))
    return tables.concat(parts, schema.CANDIDATES).set_index("example_id").loc[list(held)].reset_index()[schema.CANDIDATES.names]


def entries(
    flags: Sequence[Flag], found: pd.DataFrame, known: pd.DataFrame, flagged_by: str, flagged_at: str, threshold: float
) -> list[Flagged]:
    """The regression entries of `flags`, whose conversations `found` (schema.CANDIDATES) holds in their order.

    `known` holds the candidates that were flagged before. A conversation that reads nearly like one of these (`threshold`, Jaccard
    similarity of what its user says), or like an earlier one of `flags`, is the same incident.
    """
    rows = pd.concat([known, found], ignore_index=True) if len(known) else found
    texts = [near_duplicates.asked(messages) for messages in rows["input"]]
    twins = near_duplicates.drop(texts, threshold)
    incidents: dict[str, str] = dict(zip(known["example_id"], known["incident_id"], strict=True))
    made = []
    for place, flag in enumerate(flags, start=len(known)):
        row, twin_at = rows.iloc[place], twins[place]
        twin = "" if twin_at is None else str(rows["example_id"].iloc[twin_at])
        incident = flag.incident_id or incidents.get(twin) or _own_incident(row["example_id"])
        twin = twin or next((one for one, other in incidents.items() if other == incident), "")
        incidents[row["example_id"]] = incident
        content = {
            "id": row["example_id"],
            "incident_id": incident,
            "reason": flag.reason,
            "flagged_by": flagged_by,
            "flagged_at": flagged_at,
            "tags": flag.tags,
            "expect": flag.expect.model_dump(exclude_defaults=True),
        }
        entry = build_model(f"{flag.log_id}", content, Regression)
        made.append(Flagged(entry, twin))
    return made


def _own_incident(example_id: str) -> str:
    """A name made of the id, in letters: a run of digits would look like somebody's number."""
    return "incident-" + example_id[2:].translate(str.maketrans("0123456789", "ghijklmnop"))


def file_for(flagged_at: str) -> Path:
    """The file that an entry of this date goes to."""
    return REGRESSIONS / f"{flagged_at[:7]}.yaml"


def as_yaml(flagged: Iterable[Flagged]) -> str:
    """The entries as they stand in their file, a blank line between them."""
    contents = (one.entry.model_dump(exclude_defaults=True) for one in flagged)
    entries = ([f"{name}: {in_flow(value)}\n" for name, value in content.items()] for content in contents)
    return "\n".join("- " + "  ".join(lines) for lines in entries)


def append(path: Path, flagged: Sequence[Flagged], check: Callable[[dict[str, list[tuple[Path, sources.Entry]]]], None]) -> None:
    """Add entries to a file whole or not at all. `check` raises InputError for what may not be in git; the file is as it was then."""
    check({"regression": [(path, one.entry) for one in flagged]})
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    gap = "" if not before or before.endswith("\n\n") else "\n" if before.endswith("\n") else "\n\n"
    tables.write_text(path, before + gap + as_yaml(flagged))


def may_be_in_git(
    pooled: pd.DataFrame, tagging: Any, allow_list: list[str]
) -> Callable[[dict[str, list[tuple[Path, sources.Entry]]]], None]:
    """The check of `append`: known tags, no eight words in a row of `pooled` (schema.CANDIDATES), nothing that looks like personal data."""

    def check(new: dict[str, list[tuple[Path, sources.Entry]]]) -> None:
        given_tags(new, tagging)
        door.check_regressions(new, pooled, allow_list)

    return check
