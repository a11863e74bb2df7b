"""Erasing a conversation: its tombstone, and every file of this working tree that holds its text or speaks of it.

`data/erased.csv` lists what was erased, by id alone. What it lists never comes back: ingest drops it from raw files, anonymize
from partitions that another machine still has, label refuses its labels. `pipeline.purge` sees to DVC's cache and remotes.

What can never happen: another conversation's row changes; a line of labels or sources that is not about an erased one changes.
"""

import csv
import io
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline import rejects, schema, stage, tables
from pipeline.errors import InputError
from pipeline.paths import (
    CONTROL,
    ERASED,
    EXAMPLES,
    GOLDEN,
    LABELS,
    PAIRS,
    POOL,
    POOL_CSV,
    RECORDS,
    RELEASED,
    REPORTS,
    RESPONSES,
    RETIRED,
    SOURCES,
    WANTED,
)
from pipeline.purge import holds
from pipeline.repository import RAW

ANSWERS = stage.STATE / "responses"
INSPECT = stage.STATE / "inspect"
INTERIM = Path("data/interim")
LOGS = Path("logs")
DVC_TMP = Path(".dvc/tmp")
ROWS = 1000
"""Conversations of a partition that are in memory at a time."""
SWEPT = (INTERIM, GOLDEN, RESPONSES, LOGS, REPORTS, DVC_TMP)
"""Where every file is looked into. What stages make in them is made anew by the next `dvc repro`."""


@dataclass(frozen=True)
class Change:
    """One file that has to change, and how; `what` says it to a person."""

    path: Path
    what: str
    apply: Callable[[], None]


def erased(path: Path = ERASED) -> frozenset[str]:
    """The ids that never come back."""
    return frozenset(tables.read_csv(path, schema.ERASED)["example_id"]) if path.is_file() else frozenset()


def add_tombstones(ids: Iterable[str], erased_on: str, reason: str) -> None:
    """List `ids` as erased; one that is listed keeps its row."""
    listed = tables.read_csv(ERASED, schema.ERASED) if ERASED.is_file() else tables.empty(schema.ERASED)
    new = [{"example_id": i, "erased_on": erased_on, "reason": reason} for i in sorted(set(ids) - set(listed["example_id"]))]
    tables.write_csv(ERASED, tables.concat([listed, pd.DataFrame(new, columns=schema.ERASED.names)], schema.ERASED), schema.ERASED)


def known(ids: Collection[str]) -> set[str]:
    """Those of `ids` that are in the pool, were left out of it, are in ingest's records, or were erased before."""
    wanted = pa.array(sorted(ids))
    found = erased().intersection(ids)
    for path in (*POOL.glob("*.parquet"), *RECORDS.glob("*.parquet")):
        found |= set(wanted.filter(pc.is_in(wanted, pq.read_table(path, columns=["example_id"]).column(0))).to_pylist())
    for path in POOL.glob("*.rejects.csv"):
        found |= set(tables.read_csv(path, schema.LEFT_OUT)["example_id"]).intersection(ids)
    return set(found)


def systems() -> set[str]:
    """The systems whose conversations are in the pool."""
    return {
        system for path in POOL.glob("*.parquet") for system in pc.unique(pq.read_table(path, columns=["system"]).column(0)).to_pylist()
    }


def newest_date() -> str:
    """The date of the pool's newest record; empty where there is none."""
    return max(tables.read_csv(POOL_CSV, schema.PARTITIONS)["last"], default="")[:10] if POOL_CSV.is_file() else ""


def asked(ids: frozenset[str]) -> set[str]:
    """The inputs that the target was asked of `ids`, by the tables of this working tree."""
    found: set[str] = set()
    for path in (EXAMPLES, CONTROL, *sorted(RESPONSES.rglob("*.parquet"))):
        if path.is_file():
            with path.open("rb") as file:
                holds(file, ids, found)
    return found


def changes(ids: frozenset[str], input_shas: frozenset[str]) -> list[Change]:
    """Everything of this working tree that has to change, in the order to do it."""
    return [
        *_in_pool(ids),
        *_in_records(ids),
        *_in_tables(LABELS.glob("*.csv"), ids),
        *_in_regressions(ids),
        *_in_tables([RELEASED, PAIRS, WANTED], ids),
        *_in_answers(input_shas),
        *_swept(ids),
    ]


def forget(listed: pd.DataFrame) -> pd.DataFrame:
    """`listed` (schema.PARTITIONS) after what is erased was removed from the pool, as anonymize finds it: another machine's may hold it."""
    for change in _in_pool(erased()):
        change.apply()
    return tables.read_csv(POOL_CSV, schema.PARTITIONS) if POOL_CSV.is_file() else listed


def _in_pool(ids: frozenset[str]) -> Iterator[Change]:
    for path in sorted(POOL.glob("*.parquet")) if ids else ():
        if count := _count(path, ids):
            says = f"{count} conversation{'s' * (count != 1)}, and its row in {POOL_CSV}"
            yield Change(path, says, partial(_drop_from_partition, path, ids))
    yield from _in_tables([*POOL.glob("*.rejects.csv"), *POOL.glob("*.masked.csv")], ids)


def _count(path: Path, ids: frozenset[str]) -> int:
    wanted = pa.array(sorted(ids))
    batches = pq.ParquetFile(path).iter_batches(columns=["example_id"])
    return sum(pc.sum(pc.is_in(batch.column(0), wanted)).as_py() or 0 for batch in batches)


def _drop_from_partition(path: Path, ids: frozenset[str]) -> None:
    """The row in data/pool.csv comes first: after a kill between the two it is right already, and counts nothing twice."""
    left = without_rows(pq.read_table(path, columns=["example_id", "occurred_at"]), ids)
    if POOL_CSV.is_file():
        listed = tables.read_csv(POOL_CSV, schema.PARTITIONS).to_dict("records")
        rows = [_row_without(row, left) if row["partition"] == path.stem else row for row in listed]
        tables.write_csv(POOL_CSV, pd.DataFrame(rows, columns=schema.PARTITIONS.names), schema.PARTITIONS)
    pieces = (without_rows(pa.Table.from_batches([batch]), ids) for batch in pq.ParquetFile(path).iter_batches(ROWS))
    tables.write_parquet_in_parts(path, pieces, schema.POOL, tables.read_note(path))


def without_rows(table: pa.Table, ids: frozenset[str]) -> pa.Table:
    return table.filter(pc.invert(pc.is_in(table.column("example_id"), pa.array(sorted(ids))))).combine_chunks()


def _row_without(row: dict[str, Any], left: pa.Table) -> dict[str, Any]:
    counts = rejects.from_text(row["rejected"])
    if gone := int(row["kept"]) - left.num_rows:
        counts["erased"] = counts.get("erased", 0) + gone
    times = left.column("occurred_at").to_pandas().dropna()
    return row | {
        "kept": left.num_rows,
        "rejected": rejects.to_text(counts),
        "first": times.min().isoformat() if len(times) else "",
        "last": times.max().isoformat() if len(times) else "",
    }


def _in_records(ids: frozenset[str]) -> Iterator[Change]:
    """Raw records that hold it are removed whole: ingest makes them anew without it, while the raw file is there."""
    for path in sorted(RECORDS.glob("*.parquet")):
        if count := _count(path, ids):
            yield Change(path, f"{count} raw record{'s' * (count != 1)}; the file is removed and made anew", path.unlink)


def raw_lines(ids: frozenset[str]) -> list[tuple[str, int]]:
    """Partition and line of every raw record of `ids`, while ingest's records say so."""
    found = []
    for path in sorted(RECORDS.glob("*.parquet")):
        rows = pq.read_table(path, columns=["example_id", "line"])
        kept = rows.filter(pc.is_in(rows.column("example_id"), pa.array(sorted(ids))))
        found += [(path.stem, line) for line in kept.column("line").to_pylist()]
    return found


def _in_tables(paths: Iterable[Path], ids: frozenset[str]) -> Iterator[Change]:
    for path in sorted(paths):
        before = path.read_bytes() if path.is_file() else b""
        after, gone = without_lines(before, ids)
        if gone:
            yield Change(path, f"{gone} row{'s' * (gone != 1)}", partial(tables.write_bytes, path, after))


def without_lines(content: bytes, ids: frozenset[str]) -> tuple[bytes, int]:
    """A CSV without the rows of `ids`, and how many these are. The bytes of all others stay as they are, also of one whose note
    names a conversation that is erased: the id is all that it says of it."""
    lines = list(io.StringIO(content.decode("utf-8", "surrogateescape"), newline=""))
    reader = csv.reader(iter(lines))
    kept, gone, begins = [], 0, 0
    for row in reader:
        if ids.intersection(row):
            gone += 1
        else:
            kept += lines[begins : reader.line_num]
        begins = reader.line_num
    return "".join(kept).encode("utf-8", "surrogateescape"), gone


def _in_regressions(ids: frozenset[str]) -> Iterator[Change]:
    for path in sorted([*(SOURCES / "regression").glob("*.yaml"), *RETIRED.rglob("*.yaml")]):
        before = path.read_text(encoding="utf-8")
        after = without_entries(before, ids, str(path)) if any(i in before for i in ids) else before
        if after != before:
            yield Change(path, "its entry", partial(tables.write_text, path, after))


def without_entries(text: str, ids: frozenset[str], where: str) -> str:
    """A YAML list of entries without those whose `id` is one of `ids`; everything between the others stays as it is.

    Raises InputError where an entry does not begin on a line of its own with a dash.
    """
    try:
        entries = YAML().load(text)
    except YAMLError:
        raise InputError(f"{where}: not YAML; correct it, then run this again") from None
    if not isinstance(entries, list):
        return text
    lines = text.splitlines(keepends=True)
    dropped: set[int] = set()
    for place, entry in enumerate(entries):
        if not isinstance(entry, dict) or entry.get("id") not in ids:
            continue
        begin, end = lines_of_entry(entries, place, lines, where)
        dropped |= set(range(begin, end))
    return "".join(line for number, line in enumerate(lines) if number not in dropped)


def lines_of_entry(entries: Any, place: int, lines: list[str], where: str) -> tuple[int, int]:
    """The first line of an entry of a YAML list, and the one after its last; `entries` as ruamel's round-trip loader reads `lines`.

    Raises InputError where it does not begin on a line of its own with a dash.
    """
    begin = _line_of_dash(entries, place, lines)
    end = _line_of_dash(entries, place + 1, lines) if place + 1 < len(entries) else len(lines)
    if begin is None or end is None:
        raise InputError(
            f"{where}, {entries[place]['id']}: its lines cannot be told from others'; write each entry with a dash, then run this again"
        )
    indent = lines[begin].index("-")
    while end > begin + 1 and _stands_between(lines[end - 1], indent):
        end -= 1
    return begin, end


def _line_of_dash(entries: Any, place: int, lines: list[str]) -> int | None:
    """The line on which an entry's dash stands; it may stand above the entry's first key."""
    line = entries.lc.item(place)[0]
    while line >= 0 and not lines[line].lstrip().startswith("-"):
        line -= 1
    return line if line >= 0 else None


def _stands_between(line: str, indent: int) -> bool:
    """Whether a line after an entry is a blank or a comment that is not indented into it."""
    return not line.strip() or (line.lstrip().startswith("#") and len(line) - len(line.lstrip()) <= indent)


def _in_answers(input_shas: frozenset[str]) -> Iterator[Change]:
    """What the target answered before; an example that asks the very same is asked again."""
    for path in sorted(ANSWERS.glob("*.jsonl")):
        lines = path.read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if not any(sha.encode() in line for sha in input_shas)]
        if gone := len(lines) - len(kept):
            yield Change(path, f"{gone} kept answer{'s' * (gone != 1)}", partial(tables.write_bytes, path, b"".join(kept)))
    if INSPECT.is_dir():
        yield Change(INSPECT, "what a killed evaluation left", partial(shutil.rmtree, INSPECT))


def _swept(ids: frozenset[str]) -> Iterator[Change]:
    """Every other file that holds one of `ids`: loses its rows where it has rows, and is removed where that is not enough."""
    aside = (RAW, RECORDS, GOLDEN / "members.csv")
    for folder in SWEPT:
        for path in sorted(folder.rglob("*")):
            if not path.is_file() or any(path.is_relative_to(place) for place in aside):
                continue
            with path.open("rb") as file:
                found = holds(file, ids)
            if found:
                yield Change(path, "its rows", partial(_drop_from_file, path, ids))


def _drop_from_file(path: Path, ids: frozenset[str]) -> None:
    if path.suffix == ".parquet" and "example_id" in pq.read_schema(path).names:
        table = pq.read_table(path)
        with tables.replacing(path) as beside:
            pq.write_table(without_rows(table, ids), beside, compression="zstd")
    elif path.suffix == ".csv":
        tables.write_bytes(path, without_lines(path.read_bytes(), ids)[0])
    elif path.suffix == ".jsonl":
        lines = path.read_bytes().splitlines(keepends=True)
        tables.write_bytes(path, b"".join(line for line in lines if not any(i.encode() in line for i in ids)))
    with path.open("rb") as file:
        is_clean = not holds(file, ids)
    if not is_clean:
        path.unlink()


@dataclass(frozen=True)
class Pending:
    """What an erasure that is under way has to remember, since it removes what tells it: after a kill the next one goes on from here."""

    input_shas: frozenset[str]
    objects: frozenset[str]

    PATH = stage.STATE / "erasing.json"

    @classmethod
    def read(cls) -> "Pending":
        kept = orjson.loads(cls.PATH.read_bytes()) if cls.PATH.is_file() else {}
        return cls(frozenset(kept.get("input_shas", ())), frozenset(kept.get("objects", ())))

    def write(self) -> None:
        tables.write_bytes(self.PATH, orjson.dumps({"input_shas": sorted(self.input_shas), "objects": sorted(self.objects)}))
