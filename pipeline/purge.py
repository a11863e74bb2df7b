"""Erasing a conversation from DVC's cache and remotes: every object whose decoded content holds its id, and what lists such an object.

An object is content alone: nothing says which of them hold a conversation, so each is opened: Parquet, gzip, zstd and zip are
decoded. Of a remote only those are fetched that the cache lacks; by their hash the others are the same.

Uses parts of DVC that have no stable interface (`Repo.cache`, `Repo.cloud.get_remote`); tests/test_erasure.py holds them to it.
"""

import gzip
import re
import subprocess
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

OBJECT = re.compile(r"(?:files/md5/)?([0-9a-f]{2})/([0-9a-f]{30}(?:\.dir)?)")
OURS = re.compile(r"(?:files/md5|runs)/.+|[0-9a-f]{2}/[0-9a-f]{30}.*")
"""What DVC wrote under the root of a cache or remote; other files in a bucket are not its own, nor ours to look into."""
HASH = re.compile(r"\b[0-9a-f]{32}(?:\.dir)?\b")
CHUNK = 1 << 20
RELEASE = "*@v*"


@dataclass
class Store:
    """A cache or a remote: a file system and the folder in it that DVC writes to."""

    name: str
    fs: Any = field(repr=False)
    root: str
    odb: Any = field(default=None, repr=False)

    def files(self) -> Iterator[tuple[str, str]]:
        """(path, path below the root) of everything that DVC wrote."""
        for path in self.fs.find(self.root):
            below = self.fs.relpath(path, self.root).replace("\\", "/")
            if OURS.fullmatch(below):
                yield path, below


@dataclass
class Found:
    """What holds a conversation: paths by store, the objects' hashes, and which inputs the target was asked with."""

    paths: list[tuple[Store, str]] = field(default_factory=list)
    objects: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    input_shas: set[str] = field(default_factory=set)
    unreached: list[str] = field(default_factory=list)
    """Remotes that could not be looked into, each with why."""


def find(repo: Any, ids: frozenset[str], gone: frozenset[str]) -> Found:
    """Everything in cache and remotes that holds one of `ids`, or lists an object that does or is among `gone`."""
    found, clean = Found(objects=set(gone)), set[str]()
    stores = [Store(f"cache {repo.fs.relpath(odb.path)}", odb.fs, odb.path) for odb in _caches(repo)]
    for store in stores:
        _look(store, ids, found, clean)
    for name in repo.config["remote"]:
        try:
            remote = repo.cloud.get_remote(name)
            if remote.worktree or remote.fs.version_aware:
                found.unreached.append(f"remote {name}: its bucket keeps versions, which only its own tools remove")
                continue
            store = Store(f"remote {name}", remote.fs, remote.path, remote.odb)
            _look(store, ids, found, clean)
            stores.append(store)
        except Exception as error:  # each kind of remote has its own; it is told, and ends the command with an error
            found.unreached.append(f"remote {name}: {type(error).__name__}")
    _add_listing(stores, found)
    return found


def _caches(repo: Any) -> list[Any]:
    """The legacy one's folder holds the other and the run cache, unless `cache.dir` was split."""
    legacy, local = repo.cache.legacy, repo.cache.local
    return [legacy] if local.path.startswith(legacy.path) else [legacy, local]


def _look(store: Store, ids: frozenset[str], found: Found, clean: set[str]) -> None:
    for path, below in store.files():
        match = OBJECT.fullmatch(below)
        oid = "".join(match.groups()) if match else ""
        if oid and oid in clean:
            continue
        if not (oid and oid in found.objects):
            with store.fs.open(path, "rb") as file:
                held = holds(file, ids, found.input_shas)
            if not held:
                clean |= {oid} - {""}
                continue
            found.ids |= held
        found.paths.append((store, path))
        found.objects |= {oid} - {""}


def _add_listing(stores: list[Store], found: Found) -> None:
    """Folders' manifests and run-cache entries that name an object of `found`; a run-cache entry names manifests."""
    listed = {(store.name, path) for store, path in found.paths}
    for is_listing in (lambda below: below.endswith(".dir"), lambda below: below.startswith("runs/")):
        for store in stores:
            for path, below in store.files():
                if not is_listing(below) or (store.name, path) in listed:
                    continue
                with store.fs.open(path, "rb") as file:
                    names = set(HASH.findall(file.read().decode("utf-8", "replace")))
                if names & found.objects:
                    found.paths.append((store, path))
                    if match := OBJECT.fullmatch(below):
                        found.objects.add("".join(match.groups()))


def delete(found: Found) -> None:
    """Listings first, since what they name is gone after that. A remote that refuses is added to `found.unreached`."""
    from dvc_data.hashfile.db import get_index

    for store in {store.name: store for store, _ in found.paths}.values():
        paths = [path for of, path in found.paths if of is store]
        try:
            for path in sorted(paths, key=lambda path: not (path.endswith(".dir") or "/runs/" in path)):
                if store.fs.exists(path):
                    store.fs.remove(path)
            if store.odb is not None:
                # What DVC remembers of a remote, so that the next push looks again.
                get_index(store.odb).clear()
        except Exception as error:  # as above
            found.unreached.append(f"{store.name}: {type(error).__name__}")


def holds(file: BinaryIO, ids: frozenset[str], input_shas: set[str] | None = None) -> set[str]:
    """Those of `ids` that the decoded content of `file` holds; where it is a table that says what was asked of them, adds that."""
    try:
        return _decoded_holds(file, ids, input_shas)
    except (pa.ArrowInvalid, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError):
        # Cut off by a kill, or only looks like what it is not.
        file.seek(0)
        return _bytes_hold(file, ids)


def _decoded_holds(file: BinaryIO, ids: frozenset[str], input_shas: set[str] | None) -> set[str]:
    magic = file.read(4)
    file.seek(0)
    if magic == b"PAR1":
        return _parquet_holds(file, ids, input_shas)
    if magic[:2] == b"\x1f\x8b":
        return _bytes_hold(gzip.GzipFile(fileobj=file), ids)
    if magic == b"\x28\xb5\x2f\xfd":
        return _bytes_hold(pa.CompressedInputStream(file, "zstd"), ids)
    if magic == b"PK\x03\x04":
        with zipfile.ZipFile(file) as archive:
            return {i for name in archive.namelist() for i in _bytes_hold(archive.open(name), ids)}
    return _bytes_hold(file, ids)


def _bytes_hold(file: Any, ids: frozenset[str]) -> set[str]:
    overlap = max(map(len, ids), default=1) - 1
    held: set[str] = set()
    before = b""
    while chunk := file.read(CHUNK):
        held |= _in(before + chunk, ids)
        before = chunk[-overlap:]
    return held


def _in(content: bytes, ids: frozenset[str]) -> set[str]:
    return {i for i in ids if i.encode() in content}


def _parquet_holds(file: BinaryIO, ids: frozenset[str], input_shas: set[str] | None) -> set[str]:
    table = pq.ParquetFile(file)
    says_what_was_asked = input_shas is not None and {"example_id", "input_sha"} <= set(table.schema_arrow.names)
    held = _in(str(table.schema_arrow.metadata).encode(), ids)
    for batch in table.iter_batches():
        # Uncompressed, every text of the batch stands in these bytes as it is.
        here = _in(batch.serialize().to_pybytes(), ids)
        if here and says_what_was_asked and input_shas is not None:
            rows = batch.filter(pc.is_in(batch.column("example_id"), pa.array(sorted(ids))))
            input_shas |= set(rows.column("input_sha").to_pylist())
        held |= here
    return held


def asked_before(ids: frozenset[str], scores: str) -> set[str]:
    """The inputs of `ids` that any committed version of `scores` (a CSV of example_id, input_sha, ...) names."""
    lines = _git("log", "--all", "--format=", "--patch", "--unified=0", "--", scores).splitlines()
    rows = [line[1:].split(",") for line in lines if line[:1] in "+-" and any(i in line for i in ids)]
    return {row[1] for row in rows if len(row) > 1 and row[0] in ids}


def cannot_be_rebuilt(objects: Iterable[str]) -> tuple[list[str], int]:
    """The released versions, and the number of commits, whose dvc.lock names one of `objects`."""
    gone = set(objects)
    tags = [tag for tag in _git("tag", "--list", RELEASE).split() if gone & _named_by(tag)]
    return tags, sum(bool(gone & _named_by(commit)) for commit in _git("log", "--all", "--format=%H", "--", "dvc.lock").split())


def _named_by(revision: str) -> set[str]:
    return set(HASH.findall(_git("show", f"{revision}:dvc.lock")))


def _git(*arguments: str) -> str:
    """What git says; nothing where there is no repository, or the revision has no such file."""
    try:
        return subprocess.run(["git", *arguments], capture_output=True, text=True, errors="replace", check=False).stdout
    except FileNotFoundError:
        return ""
