"""Which raw files there are, and everything that decides what becomes of each: mapping, key, what was erased."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from pipeline import identity, readers, schema, tables
from pipeline.errors import InputError
from pipeline.params import Ingest
from pipeline.paths import KEYS, POOL_CSV


@dataclass(frozen=True)
class Raw:
    """One raw file and everything that decides what becomes of it."""

    path: Path
    name: str
    """Relative to `ingest.path`, with slashes."""
    partition: str
    read: readers.Read
    ingest: Ingest
    key_id: str
    """Which key makes its ids: the one in use, or the one that the pool's partition was made with."""
    keys: dict[str, bytes] = field(repr=False)
    erased: frozenset[str] = frozenset()

    @property
    def key(self) -> bytes:
        if self.key_id not in self.keys:
            raise InputError(
                f"{self.path}: {POOL_CSV} says its ids were made with the key {self.key_id}, which is not here; restore it beside"
                f" intake.key_file, named as that with .{self.key_id} at the end, or move the log away (its partition stays)"
            )
        return self.keys[self.key_id]

    def tombstone(self, example_id: str, log_id: str) -> str:
        """The conversation's id in `erased`, under whichever key it was in the pool then; empty where it was not erased."""
        if not self.erased:
            return ""
        if example_id in self.erased:
            return example_id
        others = (identity.example_id(key, self.ingest.system, log_id) for key_id, key in self.keys.items() if key_id != self.key_id)
        return next((other for other in others if other in self.erased), "")


def find_raw(
    ingest: Ingest, keys: dict[str, bytes], key_of: dict[str, str] | None = None, erased: frozenset[str] = frozenset()
) -> list[Raw]:
    """The raw files by partition; one that is in `key_of` keeps that key, others get the first of `keys`.

    InputError for a name that cannot be a partition's, is taken, or has no reader.
    """
    in_use = next(iter(keys), "")
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
        found[partition] = Raw(path, name, partition, known[1], ingest, (key_of or {}).get(partition, in_use), keys, erased)
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


def started_keys() -> frozenset[str]:
    """The ids of the keys that `golden key new` started although there was a pool: intake takes them although none made a partition."""
    return frozenset(tables.read_csv(KEYS, schema.KEYS)["key_id"]) if KEYS.is_file() else frozenset()
