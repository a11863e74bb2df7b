"""Texts that say nearly the same: pairs by MinHash over character 5-grams, confirmed by exact Jaccard similarity.

MinHash with banding is Broder (1997) and Leskovec, Rajaraman, Ullman, *Mining of Massive Datasets*, chapter 3. With 16 bands of 4
rows a pair of similarity .8 is missed with probability (1 - .8^4)^16 = 2e-4, one of .6 with .11. Integer arithmetic with fixed
multipliers: equal on every machine. Memory is the text and 256 bytes of signature for each.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from pipeline.pii.spans import PLACEHOLDER

GRAM = 5
BANDS = 16
ROWS = 4
BUCKET = 50
"""A larger bucket is compared against its first text only: it holds copies of one text, not similar ones."""

SHINGLED = 20_000
"""So many texts' 5-grams are in memory at a time, and only of texts that may be near another."""


def asked(messages: Sequence[Mapping[str, Any]], fault: str = "") -> str:
    """What a conversation is compared by: what its user says, a placeholder as its type, and the fault that goes with it."""
    return PLACEHOLDER.sub(r"\1", " ".join(m["content"] for m in messages if m["role"] == "user")) + fault


def normalized(text: str) -> str:
    """Lower case, digits as one sign, blanks as one blank: what two copies with other ids share."""
    return " ".join("".join("0" if c.isdigit() else c for c in text.casefold()).split())


def grams(text: str) -> frozenset[str]:
    """The character 5-grams of a text; a shorter text is its own."""
    return frozenset(text[i : i + GRAM] for i in range(max(1, len(text) - GRAM + 1)))


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """Shared 5-grams over all 5-grams, 0..1."""
    return len(one & other) / len(one | other)


def drop(texts: Sequence[str], threshold: float) -> list[int | None]:
    """For each text, in order of preference: None where it stays, else the index of the kept text it is a near-duplicate of."""
    plain = [normalized(text) for text in texts]
    shingles = lru_cache(SHINGLED)(lambda place: grams(plain[place]))
    near: dict[int, list[int]] = {}
    for one, other in sorted(set(_candidate_pairs(plain))):
        if jaccard(shingles(one), shingles(other)) >= threshold:
            near.setdefault(other, []).append(one)
    dropped: list[int | None] = [None] * len(texts)
    for index in range(len(texts)):
        dropped[index] = next((earlier for earlier in near.get(index, []) if dropped[earlier] is None), None)
    return dropped


def repeats(texts: Sequence[str], present: Sequence[str], threshold: float) -> list[bool]:
    """For each of `texts`: whether it is a near-duplicate of one of `present`, or of an earlier one of `texts` that is none itself."""
    plain = [normalized(text) for text in (*present, *texts)]
    near: dict[int, list[int]] = {}
    shingles: dict[int, frozenset[str]] = {}
    for pair in set(_candidate_pairs(plain)):
        one, other = sorted(pair)
        if other >= len(present):
            for index in (one, other):
                shingles.setdefault(index, grams(plain[index]))
            if jaccard(shingles[one], shingles[other]) >= threshold:
                near.setdefault(other, []).append(one)
    is_repeat = [False] * len(plain)
    for index in range(len(present), len(plain)):
        is_repeat[index] = any(not is_repeat[earlier] for earlier in near.get(index, []))
    return is_repeat[len(present) :]


def _candidate_pairs(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    signatures = np.array([_signature(text) for text in texts], dtype=np.uint32).reshape(len(texts), BANDS, ROWS)
    for band in range(BANDS):
        rows = np.ascontiguousarray(signatures[:, band]).view(np.dtype((np.void, 4 * ROWS))).ravel()
        order = np.argsort(rows, kind="stable")
        changes = np.flatnonzero(rows[order][1:] != rows[order][:-1]) + 1
        edges = np.concatenate([[0], changes, [len(order)]])
        for start in np.flatnonzero(np.diff(edges) > 1).tolist():
            bucket = order[edges[start] : edges[start + 1]]
            pairs = bucket if len(bucket) <= BUCKET else bucket[:1]
            for place, one in enumerate(pairs):
                yield from ((int(one), int(other)) for other in bucket[place + 1 :])


_random = np.random.default_rng(0)
_MULTIPLIERS = _random.integers(1, 2**63, BANDS * ROWS, dtype=np.uint64) | np.uint64(1)
_ADDENDS = _random.integers(0, 2**63, BANDS * ROWS, dtype=np.uint64)
_POWERS = np.uint64(1_000_003) ** np.arange(GRAM, dtype=np.uint64)


def _signature(text: str) -> np.ndarray:
    """64 minimum hashes of the text's 5-grams."""
    codes = np.frombuffer(text.ljust(GRAM).encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    last = len(codes) - GRAM + 1
    hashes = sum((codes[place : last + place] * power for place, power in enumerate(_POWERS)), np.zeros(last, np.uint64))
    return ((hashes[:, None] * _MULTIPLIERS + _ADDENDS) >> np.uint64(32)).min(0).astype(np.uint32)
