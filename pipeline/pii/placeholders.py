"""Numbered placeholders: `<PERSON_1>` for the same person throughout a conversation, set by a Presidio operator.

What the number tells is chosen for each entity type (`anonymize.entities` in params.yaml): `placeholder` counts within a conversation;
`hash` is made of key and value, the same for one value in all conversations; `redact` is 0 for every value, which then tells nothing.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.identity import keyed_hash
from pipeline.params import TextOperator
from pipeline.pii.spans import PLACEHOLDER, REDACTED, Placed, Span

_TITLE_BEFORE = re.compile(r"\b(?:mrs?|ms|miss|dr|sir|madam|mister)\.?\s+$", re.IGNORECASE)
HASH_DIGITS = 12
"""Hex digits of the keyed hash that make a hashed type's number: one in 2^24 values before two are likely to share theirs."""


def place(
    texts: Sequence[str],
    spans: Sequence[Sequence[Span]],
    after: dict[str, int] | None = None,
    operators: Mapping[str, TextOperator] | None = None,
    key: bytes = b"",
) -> list[tuple[str, list[Placed]]]:
    """One conversation's texts with placeholders, numbered in the order in which they first occur, or as `operators` say for a type.

    `spans` are disjoint and sorted within a text. `after` is the highest number in use for a type, where the texts hold
    placeholders already. `key` is what hashes are made with.
    """
    mentions = [(span.entity_type, text[span.start : span.end]) for text, found in zip(texts, spans, strict=True) for span in found]
    people = _people([surface for kind, surface in mentions if kind == "PERSON"])
    numbers = dict(after or {})
    by_identity: dict[tuple[str, Any], str] = {}
    names: dict[tuple[str, str], str] = {}
    for kind, surface in mentions:
        identity = (kind, people[surface] if kind == "PERSON" else _same(surface))
        if identity not in by_identity:
            how = (operators or {}).get(kind, "placeholder")
            if how == "placeholder":
                numbers[kind] = number = numbers.get(kind, 0) + 1
            else:
                number = REDACTED if how == "redact" else 1 + int(keyed_hash(key, kind, "".join(identity[1]))[:HASH_DIGITS], 16)
            by_identity[identity] = f"<{kind}_{number}>"
        names[kind, surface] = by_identity[identity]
    return [_placed(text, found, names, people) for text, found in zip(texts, spans, strict=True)]


def _placed(text: str, found: Sequence[Span], names: dict[tuple[str, str], str], people: dict[str, Any]) -> tuple[str, list[Placed]]:
    if not found:
        return text, []
    # Imported here, for the process that only hands out work places nothing.
    from presidio_anonymizer.entities import OperatorConfig, RecognizerResult

    from pipeline.pii.operators import anonymizer

    results = [RecognizerResult(span.entity_type, span.start, span.end, span.score) for span in found]
    # Presidio would merge neighbours of one type across blanks, and its items come last first.
    done = anonymizer.anonymize(
        text, results, {"DEFAULT": OperatorConfig("placeholder", {"names": names})}, merge_entities_with_spaces=False
    )
    placed = []
    for span, item in zip(found, sorted(done.items, key=lambda item: item.start), strict=True):
        surface = text[span.start : span.end]
        form = _form(text[: span.start], surface, people[surface]) if span.entity_type == "PERSON" else ""
        placed.append(Placed(item.start, item.end, span.entity_type, names[span.entity_type, surface], letter_case(surface), form))
    return done.text, placed


def letter_case(surface: str) -> str:
    """lower, upper, title, or mixed where it is none of these or has no letters."""
    if surface.islower():
        return "lower"
    if surface.isupper():
        return "upper"
    return "title" if surface.istitle() else "mixed"


def highest_numbers(texts: Sequence[str]) -> dict[str, int]:
    """The highest number in use for each entity type in texts that hold placeholders."""
    numbers: dict[str, int] = {}
    for text in texts:
        for kind, number in PLACEHOLDER.findall(text):
            numbers[kind] = max(numbers.get(kind, 0), int(number))
    return numbers


def _same(surface: str) -> str:
    """Equal for two spellings of one number, address or id: letters and digits alone, any case."""
    return "".join(character for character in surface.casefold() if character.isalnum())


def _words(surface: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[^\W\d_]+", surface.casefold())) or (surface.casefold(),)


def _people(surfaces: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Each mention to the name it belongs to: one word of a full name in the same conversation is that person."""
    full_names = {words for surface in surfaces if len(words := _words(surface)) > 1}
    belongs: dict[str, tuple[str, ...]] = {}
    for surface in surfaces:
        words = _words(surface)
        owners = [name for name in full_names if len(words) == 1 and words[0] in (name[0], name[-1])]
        belongs[surface] = owners[0] if len(owners) == 1 else words
    return belongs


def _form(before: str, surface: str, name: tuple[str, ...]) -> str:
    words = _words(surface)
    if len(words) > 1:
        return "full"
    if len(name) > 1:
        return "given" if words[0] == name[0] else "family"
    return "family" if _TITLE_BEFORE.search(before) else "given"
