"""Invented customer chats with every character of personal data labelled, in the format of `pipeline.pii_eval`.

Two parts, which share no name: `dev`, on which thresholds are chosen, and `fresh`, which has templates of its own as well.
Nothing in them comes from a real chat.
"""

import itertools
import random
import re
import zlib
from collections.abc import Iterator
from functools import cache
from typing import Any

from benchmarks.chats import small_talk, templates
from benchmarks.chats.people import OPTIONAL, TYPES, Person

SEEDS = {"dev": 11, "fresh": 29}
STYLES = {"bare": 0.5, "lower": 0.15, "proper": 0.3, "upper": 0.05}
"""How often a customer types in lower case without signs, in lower case, as a book, in capitals."""
TYPO = 0.02
KEPT_FOR_FRESH = 5
"""One in so many templates is in the fresh part alone."""
SMALL_TALK_SHARE = 0.2
"""Of the conversations that hold no personal data; of the others some turns do not either."""
SLOT = re.compile(r"\{(~?\w+)\}")


def conversations(part: str, turns: int) -> Iterator[dict[str, Any]]:
    """Labelled turns, at least so many, conversation by conversation."""
    draw = random.Random(SEEDS[part])
    made = 0
    for number in itertools.count():
        person = Person(draw, part)
        style = draw.choices(list(STYLES), list(STYLES.values()))[0]
        has_typos = draw.random() < 0.5
        for turn, (role, text) in enumerate(_script(draw, part)):
            typed = style if role == "user" else "proper"
            yield {"id": f"{part}-{number}:{turn}", "role": role, **_filled(text, person, typed, has_typos and role == "user")}
            made += 1
        if made >= turns:
            return


def _script(draw: random.Random, part: str) -> list[tuple[str, str]]:
    """One conversation's turns, not yet filled in: small talk, and mostly a template within it."""
    talk = [("user", draw.choice(_of_part(tuple(small_talk.USER), part))) for _ in range(draw.randint(1, 2))]
    if draw.random() < 0.5:
        talk.insert(draw.randrange(len(talk)), ("assistant", draw.choice(small_talk.ASSISTANT)))
    if draw.random() < SMALL_TALK_SHARE:
        return talk
    at = draw.randint(0, len(talk))
    return [*talk[:at], *draw.choice(_flows(part)), *talk[at:]]


@cache
def _flows(part: str) -> list[list[tuple[str, str]]]:
    """The templates; turns of the customer that answer no question are a conversation each."""
    flows: list[list[tuple[str, str]]] = []
    for block in templates.FLOWS.split("\n\n"):
        lines = [("user" if line[0] == "u" else "assistant", line[3:]) for line in block.splitlines()]
        flows += [lines] if lines[0][0] == "assistant" else [[line] for line in lines]
    kept = _of_part(tuple(repr(flow) for flow in flows), part)
    return [flow for flow in flows if repr(flow) in kept]


@cache
def _of_part(lines: tuple[str, ...], part: str) -> list[str]:
    return [line for line in lines if part == "fresh" or zlib.crc32(line.encode()) % KEPT_FOR_FRESH]


def _filled(text: str, person: Person, style: str, has_typos: bool) -> dict[str, Any]:
    """The text with its slots drawn and typed in a style, and where they stand."""
    typed = ""
    marks: dict[str, list[dict[str, Any]]] = {"spans": [], "optional": []}
    for place, piece in enumerate(SLOT.split(text)):
        if place % 2 == 0:
            typed += _typed(_with_typos(piece, person.draw) if has_typos else piece, style, False)
            continue
        value = _typed(person.value(piece), style, "email" in piece or piece in ("password", "phone", "ssn"))
        if piece in TYPES:
            marks["spans"].append({"start": len(typed), "end": len(typed) + len(value), "entity_type": TYPES[piece]})
        elif piece in OPTIONAL:
            marks["optional"].append({"start": len(typed), "end": len(typed) + len(value)})
        typed += value
    if style == "proper" and not marks["spans"]:
        typed = typed[:1].upper() + typed[1:]
    return {"text": typed, **marks}


def _typed(text: str, style: str, keeps_signs: bool) -> str:
    text = {"upper": text.upper(), "proper": text}.get(style, text.lower())
    return re.sub(r"[.,;:!?'’#](?!\d)", "", text) if style == "bare" and not keeps_signs else text


def _with_typos(text: str, draw: random.Random) -> str:
    """Some letters of the longer words left out or swapped."""

    def mistyped(match: re.Match[str]) -> str:
        word, place = match.group(), draw.randrange(1, len(match.group()) - 1)
        if draw.random() >= TYPO * len(word):
            return word
        return word[:place] + (word[place + 1] + word[place] + word[place + 2 :] if draw.random() < 0.5 else word[place + 1 :])

    return re.sub(r"[a-z]{5,}", mistyped, text)
