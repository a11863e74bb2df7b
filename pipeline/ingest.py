"""Raw logs become typed records: one table per file, and beside it the lines that could not become one.

Comes in: the files of `ingest.path` that match `ingest.files` (a pattern without `/` matches in sub folders too).
Goes out: `data/interim/records/<partition>.parquet` (schema.RECORDS, rows in the order of the lines) and
`<partition>.rejects.csv` (schema.REJECTS). Of every file, read = kept + sampled out + rejected.

Can never happen: raw text on a terminal, in a log or in an exception; half a file; a partition whose raw file is gone (raw logs
expire); an id made with another key than the pool's. A file that did not change is not read again. Blank lines are listed among
the rejects and do not count against `ingest.max_reject_rate`.
"""

import csv
import gc
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import identity, params, paths, readers, stage, tables
from pipeline.engine import map_partitions
from pipeline.errors import InputError
from pipeline.params import Ingest
from pipeline.readers.mapping import Mapping, Record, mapped_paths, to_record
from pipeline.readers.raw import Limits, Reject
from pipeline.readers.sample import BottomK, Row
from pipeline.repository import tracked_raw_files
from pipeline.schema import MAPPING, MESSAGES, PARTITIONS, RECORDS, REJECTS

FOLDER = paths.RECORDS
POOL = paths.POOL_CSV
VERSION = "1"
"""Raise it when the same file and params would give other records: every file is read again then."""
CHUNK_ROWS = 10_000
CHUNK_CHARACTERS = 16_000_000
"""Records are held and written in chunks of at most so many rows, or about so much text."""

REASONS = {
    "blank_line": "the line is empty; not counted against the reject rate",
    "line_too_long": "the line is longer than ingest.max_line_mb",
    "not_utf8": "the bytes are not UTF-8, or a mapped text holds a lone surrogate",
    "not_json": "the line is not JSON; it may be cut off",
    "not_an_object": "the line is JSON, but not an object",
    "not_csv": "the row is not CSV, or has another number of cells than the header",
    "missing_log_id": "nothing at ingest.fields.log_id",
    "missing_time": "nothing at ingest.fields.occurred_at",
    "bad_time": "not ISO 8601 and no seconds or milliseconds since 1970, or outside of 1990 to 2099",
    "missing_turns": "nothing at ingest.fields.turns (or ingest.fields.user)",
    "wrong_type": "a mapped value has the wrong type: an id or text that is not text, turns that are not a list of objects",
    "unknown_role": "a turn's role is neither user, assistant, system or tool nor in ingest.roles",
    "no_user_turn": "no turn of the user has text",
    "duplicate_id": "the id occurred earlier in this file",
}
HINTS = {
    "line_too_long": "is ingest.max_line_mb right?",
    "missing_log_id": "is ingest.fields.log_id right?",
    "missing_time": "is ingest.fields.occurred_at right?",
    "bad_time": "is ingest.fields.occurred_at right?",
    "missing_turns": "is ingest.fields.turns (or user) right?",
    "wrong_type": "are the paths in ingest.fields right?",
    "unknown_role": "are ingest.fields.role and ingest.roles right?",
    "no_user_turn": "are ingest.fields.text and ingest.roles right?",
    "duplicate_id": "is ingest.fields.log_id right?",
}


@dataclass(frozen=True)
class Raw:
    """One raw file and everything that decides what becomes of it."""

    path: Path
    name: str
    """Relative to `ingest.path`, with slashes."""
    partition: str
    read: readers.Read
    ingest: Ingest
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class Ingested:
    """What became of one raw file: figures and codes, no content."""

    path: str
    read: int
    kept: int
    sampled_out: int
    rejected: dict[str, int]
    first_lines: dict[str, int]
    """The first line of each reject reason."""
    reused: bool = False

    @property
    def counted(self) -> int:
        """The lines that the reject rate is a share of."""
        return self.read - self.rejected.get("blank_line", 0)

    @property
    def bad(self) -> int:
        return sum(self.rejected.values()) - self.rejected.get("blank_line", 0)


class Dropped(NamedTuple):
    line: int
    reason: str


def main() -> None:
    stage.run("ingest", work, private=True)


def work() -> str:
    settings = params.load()
    key = identity.load_key(settings.intake.key_file)
    check_key(key)
    check_untracked()
    check_sample(settings.ingest)
    tables.clear_unfinished(FOLDER)
    raw = find_raw(settings.ingest, key)
    forget_expired({file.partition for file in raw})
    if not raw:
        raise InputError(f"{settings.ingest.path}: no log files; put logs there or set ingest.path and ingest.files in params.yaml")
    files = map_partitions(ingest_file, raw, settings.engine, "reading logs")
    check_rejects(files, settings.ingest)
    return _summary(files)


def check_key(key: bytes) -> None:
    """Ids of another key would make every pooled conversation a new one."""
    if not POOL.is_file():
        return
    known = set(tables.read_csv(POOL, PARTITIONS)["key_id"])
    if known and identity.key_id(key) not in known:
        raise InputError(
            f"the key is not the one {POOL} was made with (key id {identity.key_id(key)}, there {', '.join(sorted(known))});"
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


def find_raw(ingest: Ingest, key: bytes) -> list[Raw]:
    """The raw files by partition. InputError for a name that cannot be a partition's, is taken, or has no reader."""
    folder = Path(ingest.path)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; create it and put logs there, or set ingest.path in params.yaml")
    found: dict[str, Raw] = {}
    for path in sorted(_matching(folder, ingest.files)):
        name = path.relative_to(folder).as_posix()
        if (known := readers.find(name)) is None:
            raise InputError(f"{path}: no reader for it ({', '.join(readers.READERS)}, each also .gz); remove it, or narrow ingest.files")
        partition = known[0].replace("/", "__")
        if not re.fullmatch(r"[A-Za-z0-9._-]+", partition):
            better = re.sub(r"[^A-Za-z0-9._/-]+", "-", name)
            raise InputError(f"{path}: a file name may hold letters, digits and ._- only; rename it to {folder / better}")
        if not os.access(path, os.R_OK):
            raise InputError(f"{path}: may not be read by this user; change its permissions")
        if partition in found:
            raise InputError(f"{path}: would be the same partition as {found[partition].path}; rename or remove one of them")
        found[partition] = Raw(path, name, partition, known[1], ingest, key)
    return [found[partition] for partition in sorted(found)]


def _matching(folder: Path, patterns: Iterable[str]) -> set[Path]:
    found: set[Path] = set()
    for pattern in patterns:
        if not pattern or pattern.startswith("/") or ".." in PurePosixPath(pattern).parts:
            raise InputError(f"params.yaml: ingest.files: '{pattern}' is no pattern inside of ingest.path")
        found |= set(folder.glob(pattern) if "/" in pattern else folder.rglob(pattern))
    return {path for path in found if path.is_file() and not _is_no_log(path.relative_to(folder))}


def _is_no_log(inside: Path) -> bool:
    return any(part.startswith(".") for part in inside.parts) or inside.name.startswith("README")


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
    with _collector_paused(), _writing(raw) as (records, rejects):
        counts = _read(raw, records, rejects)
        if _version_on_disk(raw.path) != before:
            raise InputError(f"{raw.path}: changed while it was read; copy it here once its writer is done")
        note = _counts_note(counts) | {
            "fingerprint": fingerprint,
            "source_sha256": source_sha256,
            "key_id": identity.key_id(raw.key),
        }
        records.add_key_value_metadata(note)
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
    return identity.content_sha([VERSION, raw.name, source_sha256, identity.key_id(raw.key), mapping])


def _made_before(raw: Raw, fingerprint: str) -> Ingested | None:
    made, rejects = _targets(raw)
    try:
        note = tables.read_note(made) if rejects.is_file() else {}
    except pa.ArrowInvalid:
        # A disk that lost power: the file is there, its content is not.
        return None
    if note.get("fingerprint") != fingerprint:
        return None
    read, kept, sampled_out = (int(note[name]) for name in ("read", "kept", "sampled_out"))
    return Ingested(str(raw.path), read, kept, sampled_out, _pairs(note["rejected"]), _pairs(note["first_lines"]), reused=True)


def _counts_note(counts: Ingested) -> dict[str, str]:
    """The figures of a file for its note: `reason=number` separated by blanks where there are several."""
    figures = {name: str(getattr(counts, name)) for name in ("read", "kept", "sampled_out")}
    return figures | {
        name: " ".join(f"{reason}={number}" for reason, number in sorted(getattr(counts, name).items()))
        for name in ("rejected", "first_lines")
    }


def _pairs(text: str) -> dict[str, int]:
    return {reason: int(number) for reason, _, number in (pair.partition("=") for pair in text.split())}


def _targets(raw: Raw) -> tuple[Path, Path]:
    return FOLDER / f"{raw.partition}.parquet", FOLDER / f"{raw.partition}.rejects.csv"


@contextmanager
def _writing(raw: Raw) -> Iterator[tuple[pq.ParquetWriter, Any]]:
    """The partition's two files, open. The records are put in place last: only then does the file count as read."""
    made, rejects = _targets(raw)
    with (
        tables.replacing(made) as made_beside,
        tables.replacing(rejects) as rejects_beside,
        # Without a stored schema, the file's metadata is the note alone, which is known only after the last row.
        pq.ParquetWriter(made_beside, RECORDS.arrow, compression="zstd", store_schema=False) as records,
        rejects_beside.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(REJECTS.names)
        yield records, writer


def _read(raw: Raw, records: pq.ParquetWriter, rejects: Any) -> Ingested:
    rejected: Counter[str] = Counter()
    first_lines: dict[str, int] = {}
    good = kept = 0
    sample = BottomK(_outcomes(raw.ingest), frozenset(raw.ingest.failures), raw.ingest.sample) if raw.ingest.sample else None
    for rows, dropped in _chunks(raw):
        good += len(rows)
        for line, reason in dropped:
            first_lines.setdefault(reason, line)
        rejected.update(reason for _, reason in dropped)
        rejects.writerows((raw.name, line, reason) for line, reason in dropped)
        if sample is None:
            kept += _write(raw, records, rows, [1.0] * len(rows))
            continue
        for row in rows:
            sample.add(row)
    if sample is not None:
        weights, rows = sample.weights(), sample.rows()
        for start in range(0, len(rows), CHUNK_ROWS):
            chunk = rows[start : start + CHUNK_ROWS]
            kept += _write(raw, records, chunk, [weights[row.record.outcome] for row in chunk])
    return Ingested(str(raw.path), good + rejected.total(), kept, good - kept, dict(rejected), first_lines)


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


def check_rejects(files: list[Ingested], ingest: Ingest) -> None:
    """InputError where too few lines became records; what was written stays, and is not read again."""
    bad, counted = sum(file.bad for file in files), sum(file.counted for file in files)
    if not counted:
        raise InputError(
            f"{ingest.path}: no records in {len(files)} file{'s' * (len(files) != 1)}; put logs there or set ingest.path in params.yaml"
        )
    if bad / counted <= ingest.max_reject_rate and bad < counted:
        return
    worst = max(files, key=lambda file: (file.bad / max(file.counted, 1), file.bad))
    reason = max(worst.rejected.keys() - {"blank_line"}, key=lambda code: (worst.rejected[code], code))
    hint = f"; {HINTS[reason]}" if reason in HINTS else "."
    raise InputError(
        f"{worst.path}, line {worst.first_lines[reason]}: {reason} ({REASONS[reason]}){hint}"
        f" This is the first of {worst.rejected[reason]:,} such lines, {worst.bad:,} of {worst.counted:,} in the file are rejected;"
        f" over all files {bad:,} of {counted:,} ({bad / counted:.1%}), ingest.max_reject_rate is {ingest.max_reject_rate:.1%};"
        f" every line is in {FOLDER}/*.rejects.csv"
    )


def _summary(files: list[Ingested]) -> str:
    rejected: Counter[str] = Counter()
    for file in files:
        rejected.update(file.rejected)
    reasons = ", ".join(f"{reason} {number:,}" for reason, number in sorted(rejected.items(), key=lambda pair: (-pair[1], pair[0])))
    reused, sampled_out = sum(file.reused for file in files), sum(file.sampled_out for file in files)
    return ", ".join(
        [
            f"{len(files):,} file{'s' * (len(files) != 1)}" + (f" ({reused:,} unchanged)" if reused else ""),
            f"{sum(file.kept for file in files):,} records",
            *([f"{sampled_out:,} sampled out"] if sampled_out else []),
            f"{rejected.total():,} rejected" + (f" ({reasons})" if reasons else ""),
        ]
    )


if __name__ == "__main__":
    main()
