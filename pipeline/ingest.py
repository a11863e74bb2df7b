"""Raw logs become typed records: one table per file, and beside it the lines that could not become one.

Comes in: the files of `ingest.path` that match `ingest.files` (a pattern without `/` matches in sub folders too).
Goes out: `data/interim/records/<partition>.parquet` (schema.RECORDS, rows in the order of the lines) and
`<partition>.rejects.csv` (schema.REJECTS). Of every file, read = kept + sampled out + rejected.

Can never happen: raw text on a terminal, in a log or in an exception; half a file; a partition whose raw file is gone (raw logs
expire); an id made with another key than the pool's; a conversation that `data/erased.csv` lists. A partition of the pool keeps the
key its ids were made with. A file that did not change is not read again. Blank lines and erased conversations are listed among the
rejects and do not count against `ingest.max_reject_rate`.
"""

import csv
import gc
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import compress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import erasure, identity, params, paths, rejects, stage, tables
from pipeline.engine import map_partitions
from pipeline.errors import InputError
from pipeline.params import Ingest
from pipeline.raw_files import Raw, find_raw, started_keys
from pipeline.readers.mapping import Mapping, Record, mapped_paths, to_record
from pipeline.readers.raw import Limits, Reject
from pipeline.readers.sample import BottomK, Row
from pipeline.rejects import Ingested
from pipeline.repository import tracked_raw_files
from pipeline.schema import MAPPING, MESSAGES, PARTITIONS, RECORDS, REJECTS

FOLDER = paths.RECORDS
POOL = paths.POOL_CSV
VERSION = "1"
"""Raise it when the same file and params would give other records: every file is read again then."""
CHUNK_ROWS = 10_000
CHUNK_CHARACTERS = 16_000_000
"""Records are held and written in chunks of at most so many rows, or about so much text."""


class Dropped(NamedTuple):
    line: int
    reason: str


def main() -> None:
    stage.run("ingest", work, private=True)


def work() -> str:
    settings = params.load()
    keys = identity.load_keys(settings.intake.key_file)
    pooled = tables.read_csv(POOL, PARTITIONS) if POOL.is_file() else tables.empty(PARTITIONS)
    key_of = dict(zip(pooled["partition"], pooled["key_id"], strict=True))
    check_key(next(iter(keys)), set(key_of.values()))
    check_untracked()
    check_sample(settings.ingest)
    tables.clear_unfinished(FOLDER)
    raw = find_raw(settings.ingest, keys, key_of, erasure.erased())
    forget_expired({file.partition for file in raw})
    if not raw and len(pooled):
        FOLDER.mkdir(parents=True, exist_ok=True)
        partitions = f"{len(pooled):,} partition{'s' * (len(pooled) != 1)}"
        return f"no log files in {settings.ingest.path}, the pool stays as it is ({partitions})"
    if not raw:
        raise InputError(f"{settings.ingest.path}: no log files; put logs there or set ingest.path and ingest.files in params.yaml")
    files = map_partitions(ingest_file, raw, settings.engine, "reading logs")
    rejects.check(files, settings.ingest)
    return rejects.summary(files)


def check_key(in_use: str, pooled: set[str]) -> None:
    """Ids of another key would make every conversation of a later log that the pool has too a new one."""
    if pooled and in_use not in pooled | started_keys():
        raise InputError(
            f"the key is not the one {POOL} was made with (key id {in_use}, there {', '.join(sorted(pooled))});"
            " restore it, or 'golden key new' to start a new one"
        )


def check_untracked() -> None:
    if tracked := tracked_raw_files():
        more = f" and {len(tracked) - 1} more" if len(tracked) > 1 else ""
        raise InputError(
            f"{tracked[0]}{more}: tracked by git, where raw logs must never be; run 'git rm --cached -r data/raw' and commit,"
            " and purge the history if it was pushed"
        )


def check_sample(ingest: Ingest) -> None:
    """Every outcome keeps at least one record, or its logs could not be counted."""
    outcomes = _outcomes(ingest)
    if ingest.sample and ingest.sample.per_file < len(outcomes):
        raise InputError(
            f"params.yaml: ingest.sample.per_file: {ingest.sample.per_file} is fewer than the {len(outcomes)} outcomes; raise it"
        )


def forget_expired(partitions: set[str]) -> None:
    """Remove the records of raw files that are gone: their time to be kept is over."""
    expected = {name for partition in partitions for name in (f"{partition}.parquet", f"{partition}.rejects.csv")}
    for path in (*FOLDER.glob("*.parquet"), *FOLDER.glob("*.rejects.csv")):
        if path.name not in expected:
            path.unlink()


def ingest_file(raw: Raw) -> Ingested:
    """Read one raw file into its partition, unless that was made of the same bytes, params and key."""
    before = _version_on_disk(raw.path)
    source_sha256 = identity.file_sha(raw.path)
    fingerprint = _fingerprint(raw, source_sha256)
    if (made := _made_before(raw, fingerprint)) is not None:
        return made
    with _collector_paused(), _writing(raw) as (records, listed):
        counts, erased = _read(raw, records, listed)
        if _version_on_disk(raw.path) != before:
            raise InputError(f"{raw.path}: changed while it was read; copy it here once its writer is done")
        note = counts.to_note() | {"fingerprint": fingerprint, "source_sha256": source_sha256, "key_id": raw.key_id}
        records.add_key_value_metadata(note | ({"erased": " ".join(sorted(erased))} if erased else {}))
    return counts


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Records make no reference cycles; looking for some among the objects of a chunk takes a quarter of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _version_on_disk(path: Path) -> tuple[int, ...]:
    now = path.stat()
    return now.st_ino, now.st_size, now.st_mtime_ns


def _fingerprint(raw: Raw, source_sha256: str) -> str:
    mapping = raw.ingest.model_dump(exclude={"path", "files", "max_reject_rate"})
    return identity.content_sha([VERSION, raw.name, source_sha256, raw.key_id, mapping])


def _made_before(raw: Raw, fingerprint: str) -> Ingested | None:
    made, listed = _targets(raw)
    try:
        note = tables.read_note(made) if listed.is_file() else {}
    except pa.ArrowInvalid:
        # A disk that lost power: the file is there, its content is not.
        return None
    if note.get("fingerprint") != fingerprint or not _fits_erased(raw, made, note):
        return None
    return Ingested.from_note(str(raw.path), note)


def _fits_erased(raw: Raw, made: Path, note: dict[str, str]) -> bool:
    """Whether records made before lack what is erased by now, and nothing else."""
    if not raw.erased >= set(note.get("erased", "").split()):
        return False
    batches = pq.ParquetFile(made).iter_batches(columns=["example_id", "log_id"]) if raw.erased else ()
    return not any(
        raw.tombstone(example_id, log_id)
        for batch in batches
        for example_id, log_id in zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True)
    )


def _targets(raw: Raw) -> tuple[Path, Path]:
    return FOLDER / f"{raw.partition}.parquet", FOLDER / f"{raw.partition}.rejects.csv"


@contextmanager
def _writing(raw: Raw) -> Iterator[tuple[pq.ParquetWriter, Any]]:
    """The partition's two files, open. The records are put in place last: only then does the file count as read."""
    made, listed = _targets(raw)
    with (
        tables.replacing(made) as made_beside,
        tables.replacing(listed) as listed_beside,
        # Without a stored schema, the file's metadata is the note alone, which is known only after the last row.
        pq.ParquetWriter(made_beside, RECORDS.arrow, compression="zstd", store_schema=False) as records,
        listed_beside.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(REJECTS.names)
        yield records, writer


def _read(raw: Raw, records: pq.ParquetWriter, listed: Any) -> tuple[Ingested, set[str]]:
    """What became of the file, and which tombstones its conversations met."""
    rejected: Counter[str] = Counter()
    first_lines: dict[str, int] = {}
    met: set[str] = set()
    read = kept = 0
    sample = BottomK(_outcomes(raw.ingest), frozenset(raw.ingest.failures), raw.ingest.sample) if raw.ingest.sample else None

    def write(rows: list[Row], weights: list[float], dropped: list[Dropped]) -> int:
        tombstones = [raw.tombstone(row.example_id, row.record.log_id) for row in rows]
        met.update(filter(None, tombstones))
        left = [not tombstone for tombstone in tombstones]
        gone = [row for row, stays in zip(rows, left, strict=True) if not stays]
        for line, reason in sorted([*dropped, *(Dropped(row.line, "erased") for row in gone)]):
            first_lines.setdefault(reason, line)
            rejected[reason] += 1
            listed.writerow((raw.name, line, reason))
        return _write(raw, records, list(compress(rows, left)), list(compress(weights, left)))

    for rows, dropped in _chunks(raw):
        read += len(rows) + len(dropped)
        if sample is None:
            kept += write(rows, [1.0] * len(rows), dropped)
            continue
        write([], [], dropped)
        for row in rows:
            sample.add(row)
    if sample is not None:
        # Erased ones are left out after the sample is drawn, so that no other record comes, goes or gets another weight.
        weights, rows = sample.weights(), sample.rows()
        for start in range(0, len(rows), CHUNK_ROWS):
            chunk = rows[start : start + CHUNK_ROWS]
            kept += write(chunk, [weights[row.record.outcome] for row in chunk], [])
    return Ingested(str(raw.path), read, kept, read - kept - rejected.total(), dict(rejected), first_lines), met


def _chunks(raw: Raw) -> Iterator[tuple[list[Row], list[Dropped]]]:
    """The file in pieces of bounded size: records whose id is new to it, and what is dropped, both in the order of lines."""
    seen = SeenIds()
    for found, dropped in _mapped(raw):
        ids = [identity.example_id(raw.key, raw.ingest.system, record.log_id) for _, record in found]
        rows = []
        for (line, record), example_id, repeated in zip(found, ids, seen.repeated(ids), strict=True):
            if repeated:
                dropped.append(Dropped(line, "duplicate_id"))
            else:
                rows.append(Row(line, example_id, record))
        yield rows, sorted(dropped)


def _mapped(raw: Raw) -> Iterator[tuple[list[tuple[int, Record]], list[Dropped]]]:
    mapping = Mapping(raw.ingest)
    found: list[tuple[int, Record]] = []
    dropped: list[Dropped] = []
    characters = 0
    for line, logged in raw.read(raw.path, Limits(int(raw.ingest.max_line_mb * 1_000_000), mapped_paths(raw.ingest))):
        record = logged if isinstance(logged, Reject) else to_record(logged, mapping)
        if isinstance(record, Reject):
            dropped.append(Dropped(line, record.reason))
        else:
            found.append((line, record))
            characters += len(record.fixtures) + sum(len(message["content"]) for message in record.messages)
        if len(found) + len(dropped) >= CHUNK_ROWS or characters >= CHUNK_CHARACTERS:
            yield found, dropped
            found, dropped, characters = [], [], 0
    yield found, dropped


class SeenIds:
    """The example ids of one file in 8 bytes each: sorted runs, merged as they double, so that a file may have 100 million lines."""

    def __init__(self) -> None:
        self.runs: list[np.ndarray] = []

    def repeated(self, ids: Sequence[str]) -> list[bool]:
        """Of each id, whether it was there before, in an earlier call or earlier in this one."""
        if not ids:
            return []
        numbers = np.frombuffer(bytes.fromhex("".join(example_id[2:] for example_id in ids)), dtype=">u8").astype("u8")
        run, first = np.unique(numbers, return_index=True)
        repeated = np.ones(len(numbers), dtype=bool)
        repeated[first] = False
        for earlier in self.runs:
            repeated |= earlier[np.minimum(np.searchsorted(earlier, numbers), len(earlier) - 1)] == numbers
        while self.runs and len(self.runs[-1]) <= len(run):
            run = np.sort(np.concatenate([self.runs.pop(), run]))
        self.runs.append(run)
        return repeated.tolist()


def _outcomes(ingest: Ingest) -> list[str]:
    return list(dict.fromkeys([*(rule.outcome for rule in ingest.outcome.rules), ingest.outcome.default]))


def _write(raw: Raw, records: pq.ParquetWriter, rows: list[Row], weights: list[float]) -> int:
    if rows:
        records.write_batch(_batch(rows, weights, raw.ingest, raw.key))
    return len(rows)


def _batch(rows: list[Row], weights: list[float], ingest: Ingest, key: bytes) -> pa.RecordBatch:
    lines, example_ids, found = zip(*rows, strict=True)
    log_ids, times, outcomes, messages, fixtures, metadata = zip(*found, strict=True)
    columns = {
        "example_id": example_ids,
        "text_sha": [identity.text_sha(key, turns) for turns in messages],
        "log_id": log_ids,
        "system": [ingest.system] * len(rows),
        "occurred_at": times,
        "outcome": outcomes,
        "failed": [outcome in ingest.failures for outcome in outcomes],
        "messages": _nested(messages),
        "fixtures": fixtures,
        "metadata": pa.array(metadata, MAPPING),
        "inclusion_weight": weights,
        "line": lines,
    }
    return pa.record_batch([pa.array(columns[name], kind) for name, kind, _ in RECORDS.columns], schema=RECORDS.arrow)


def _nested(messages: Sequence[list[identity.Message]]) -> pa.Array:
    """Arrow's own way from dicts is three times slower."""
    ends = np.cumsum([0, *map(len, messages)], dtype="int32")
    turns = [turn for conversation in messages for turn in conversation]
    parts = [pa.array([turn[name] for turn in turns], pa.string()) for name in ("role", "content")]
    return pa.ListArray.from_arrays(pa.array(ends), pa.StructArray.from_arrays(parts, fields=list(MESSAGES.value_type)), type=MESSAGES)


if __name__ == "__main__":
    main()
