"""Ids, keys and hashes: what stays the same when recognizers, texts and orders change.

Keyed hashes are HMAC-SHA256 (RFC 2104, FIPS 180-4): without the key nobody can test whether a known log id or a guessed text
is in a dataset.
"""

import glob
import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path
from typing import Any

import orjson

from pipeline.errors import InputError

KEY_BYTES = 32
Message = dict[str, str]


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no blanks: the bytes that hashes are made of."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def example_id(key: bytes, system: str, log_id: str) -> str:
    """`p-` and 16 hex digits of HMAC(key, system NUL log_id). Depends on nothing else."""
    return "p-" + hmac.new(key, f"{system}\0{log_id}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:16]


def text_sha(key: bytes, messages: list[Message]) -> str:
    """16 hex digits of HMAC(key, the messages as logged)."""
    return hmac.new(key, canonical([[m["role"], m["content"]] for m in messages]), hashlib.sha256).hexdigest()[:16]


def content_sha(value: Any) -> str:
    """16 hex digits of SHA-256 over the canonical JSON of `value`, for what holds no personal data."""
    return hashlib.sha256(canonical(value)).hexdigest()[:16]


def file_sha(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def key_id(key: bytes) -> str:
    """8 hex digits that tell keys apart and reveal nothing of them."""
    return hmac.new(key, b"golden key id", hashlib.sha256).hexdigest()[:8]


def stable_order(seed: int, *parts: str) -> int:
    """A pseudo-random place for `parts` that does not move when others come or go."""
    return int.from_bytes(hashlib.sha256("\0".join((str(seed), *parts)).encode()).digest()[:8], "big")


def load_key(key_file: str) -> bytes:
    """The key from `GOLDEN_KEY` (64 hex digits), else from `key_file`.

    Raises InputError where neither is there or the value is not 32 bytes in hex.
    """
    if (given := os.environ.get("GOLDEN_KEY")) is not None:
        return _decode(given, "GOLDEN_KEY")
    path = Path(key_file)
    if not path.is_file():
        raise InputError(
            f"{key_file}: no key there and GOLDEN_KEY is not set; copy the team's key to {key_file}, or, for a new pool, run 'golden key new'"
        )
    return read_key(path)


def load_keys(key_file: str) -> dict[str, bytes]:
    """Key id to key: the one in use first (see `load_key`), then those that `golden key new` kept beside `key_file`.

    Raises InputError where none is in use, or a kept file does not hold the key that its name says.
    """
    current = load_key(key_file)
    keys = {key_id(current): current}
    for path in [Path(key_file), *sorted(Path(key_file).parent.glob(f"{glob.escape(Path(key_file).name)}.*"))]:
        if path.is_file() and (path == Path(key_file) or re.fullmatch(r"\.[0-9a-f]{8}", path.suffix)):
            key = read_key(path)
            if path != Path(key_file) and path.suffix != f".{key_id(key)}":
                raise InputError(f"{path}: holds the key {key_id(key)}, not the one its name says; restore it or remove the file")
            keys.setdefault(key_id(key), key)
    return keys


def kept_key_file(key_file: str, kept: str) -> Path:
    """Where the key with the id `kept` lies once another is in use."""
    return Path(f"{key_file}.{kept}")


def new_key() -> str:
    """A fresh key as 64 hex digits."""
    return secrets.token_hex(KEY_BYTES)


def read_key(path: Path) -> bytes:
    """The key in a file, whatever GOLDEN_KEY says."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip() and not line.startswith("#")]
    return _decode("".join(lines), str(path))


def _decode(text: str, where: str) -> bytes:
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise InputError(f"{where}: expected {2 * KEY_BYTES} hex digits; restore the team's key (its value is not shown here)")
    return key


def keyed_hash(key: bytes, *parts: str) -> str:
    """16 hex digits of HMAC(key, the parts joined by NUL), for metadata that only needs to be told apart."""
    return hmac.new(key, "\0".join(parts).encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:16]
