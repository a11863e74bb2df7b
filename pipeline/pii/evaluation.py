"""How well recognizers find personal data: span sets in, figures out. Nothing here reads a file or runs a recognizer.

Characters are counted that are letters or digits, so that a blank or a comma more or less in a span is neither hit nor miss.
What a span's type is called does not matter to hit or miss: data sets have names of their own.
Of misses and false alarms only the shape is told, never the text.
"""

import string
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.decision.intervals import resampled

LEVEL = 0.95
"""The intervals' level."""
BETA = 2
"""Recall counts so many times as much as precision in F: what slips through is worse than a word too many."""
HALF = 0.5
"""A span is found, or right, from this share of its characters on."""
LONGEST_RUN = 8
"""Letters of a run that a shape shows: longer words look alike."""
LONGEST_SHAPE = 60


@dataclass(frozen=True)
class Mark:
    """A stretch of a text, as labelled or as found: offsets in characters."""

    start: int
    end: int
    entity_type: str


@dataclass(frozen=True)
class Turn:
    """A text with what is personal data in it and what the recognizers took for it."""

    conversation: str
    """Turns of one conversation are drawn together in the bootstrap, since they are alike."""
    text: str
    gold: Sequence[Mark]
    found: Sequence[Mark]
    optional: Sequence[Mark] = ()
    """Neither hit nor false alarm; what lies in `gold` as well counts as gold."""
    weight: float = 1.0
    """How many turns like it this one stands for."""


@dataclass(frozen=True)
class Counts:
    """One mark of one turn: how many characters of it count, and how many of these lie under marks of the other side."""

    conversation: str
    mark: Mark
    size: int
    met: int
    weight: float

    @property
    def is_met(self) -> bool:
        return self.met >= HALF * self.size


def evaluate(turns: Sequence[Turn], resamples: int, seed: int) -> dict[str, Any]:
    """Recall, precision and F2 with intervals, by character and by span, and the figures of each type.

    By character, every sum weighted by the turn's weight:
        recall    = |gold and found| / |gold|
        precision = |gold and found| / |found outside optional|
        F2        = 5 precision recall / (4 precision + recall)
    By span the same of whole spans: a gold span is found where at least half of its characters are marked, a found span is right
    where at least half of its characters outside optional lie in gold. A figure whose denominator is 0 is left out.

    Intervals are percentiles of `resamples` bootstrap samples of conversations (Efron and Tibshirani 1993, section 13.3).
    """
    gold, found = list(_of_gold(turns)), list(_of_found(turns))
    return {
        "turns": len(turns),
        "conversations": len({turn.conversation for turn in turns}),
        "characters": _with_intervals(_by_character(turns), resamples, seed),
        "spans": _with_intervals(_by_span(turns, gold, found), resamples, seed),
        "types": {kind: _rates("recall", of_kind) for kind, of_kind in _by_type(gold)},
        "found_types": {kind: _rates("precision", of_kind) for kind, of_kind in _by_type(found)},
    }


def misses(turns: Sequence[Turn], most: int) -> list[dict[str, Any]]:
    """The shapes of what was not marked, those with the most characters first.

    `count` is how many stretches have the shape, `whole` how many of them are a gold span that was missed altogether.
    """
    rows = []
    for turn in turns:
        found = _covered(turn.found)
        for mark in turn.gold:
            missed = _counted(turn.text, mark) - found
            whole = missed == _counted(turn.text, mark)
            rows += [(mark.entity_type, turn.text[start:end], whole) for start, end in _stretches(turn.text, mark, missed)]
    return _shapes(rows, most, "whole")


def false_alarms(turns: Sequence[Turn], most: int) -> list[dict[str, Any]]:
    """The shapes of what was marked outside gold and optional, those with the most characters first.

    `count` is how many stretches have the shape, `without_gold` how many of them stand in a turn that holds no personal data.
    """
    rows = []
    for turn in turns:
        allowed = _covered(turn.gold) | _covered(turn.optional)
        for mark in turn.found:
            wrong = _counted(turn.text, mark) - allowed
            rows += [(mark.entity_type, turn.text[start:end], not turn.gold) for start, end in _stretches(turn.text, mark, wrong)]
    return _shapes(rows, most, "without_gold")


def shape(text: str) -> str:
    """What a text looks like without what it says: letters as `a` and `A`, digits as `9`, blanks and ASCII punctuation as they are,
    a dot for any other sign.

    Of a run of letters eight are shown, and of a text sixty characters.
    """
    shown: list[str] = []
    run = 0
    for character in text:
        if unicodedata.category(character).startswith("M"):
            continue
        run = run + 1 if character.isalpha() else 0
        if run <= LONGEST_RUN:
            shown.append(_sign(character))
    return "".join(shown)[:LONGEST_SHAPE]


def _sign(character: str) -> str:
    if character.isalpha():
        return "A" if character.isupper() else "a"
    if character.isnumeric():
        return "9"
    if character.isspace():
        return " "
    return character if character in string.punctuation else "·"


def _covered(marks: Iterable[Mark]) -> set[int]:
    return {place for mark in marks for place in range(mark.start, mark.end)}


def _counted(text: str, mark: Mark) -> set[int]:
    """The places within `mark` that hold a letter or a digit."""
    return {place for place in range(mark.start, mark.end) if text[place].isalnum()}


def _of_gold(turns: Sequence[Turn]) -> Iterator[Counts]:
    for turn in turns:
        found = _covered(turn.found)
        for mark in turn.gold:
            if counted := _counted(turn.text, mark):
                yield Counts(turn.conversation, mark, len(counted), len(counted & found), turn.weight)


def _of_found(turns: Sequence[Turn]) -> Iterator[Counts]:
    for turn in turns:
        gold = _covered(turn.gold)
        optional = _covered(turn.optional) - gold
        for mark in turn.found:
            if counted := _counted(turn.text, mark) - optional:
                yield Counts(turn.conversation, mark, len(counted), len(counted & gold), turn.weight)


Sums = dict[str, tuple[float, float, float, float]]
"""Per conversation: gold, gold that is found, found, found that is right."""


def _by_character(turns: Sequence[Turn]) -> Sums:
    """Characters once each, however many spans lie over them."""
    sums: Sums = {}
    for turn in turns:
        letters = {place for place, character in enumerate(turn.text) if character.isalnum()}
        gold = _covered(turn.gold) & letters
        found = (_covered(turn.found) & letters) - (_covered(turn.optional) - gold)
        hit = len(gold & found)
        _add(sums, turn.conversation, turn.weight, len(gold), hit, len(found), hit)
    return sums


def _by_span(turns: Sequence[Turn], gold: Sequence[Counts], found: Sequence[Counts]) -> Sums:
    sums: Sums = {turn.conversation: (0.0, 0.0, 0.0, 0.0) for turn in turns}
    for one in gold:
        _add(sums, one.conversation, one.weight, 1, one.is_met, 0, 0)
    for one in found:
        _add(sums, one.conversation, one.weight, 0, 0, 1, one.is_met)
    return sums


def _add(sums: Sums, conversation: str, weight: float, *more: float) -> None:
    before = sums.get(conversation, (0.0, 0.0, 0.0, 0.0))
    a, b, c, d = (old + weight * new for old, new in zip(before, more, strict=True))
    sums[conversation] = (a, b, c, d)


def _with_intervals(by_conversation: Sums, resamples: int, seed: int) -> dict[str, Any]:
    sums = np.array(list(by_conversation.values()), float).reshape(-1, 4)
    gold, _, found, _ = sums.sum(axis=0).tolist()
    figures: dict[str, Any] = {"gold": _plain(gold), "found": _plain(found)}
    here, drawn = _figures(sums.sum(axis=0)[None, :]), _figures(resampled(sums, resamples, seed))
    for name, values in here.items():
        if np.isfinite(values[0]):
            low, high = np.quantile(drawn[name][np.isfinite(drawn[name])], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
            figures |= {name: float(values[0]), f"{name}_low": float(low), f"{name}_high": float(high)}
    return figures


def _figures(sums: np.ndarray) -> dict[str, np.ndarray]:
    """Recall, precision and F2 of each row of sums; NaN where it has no denominator."""
    gold, caught, found, right = sums.T
    with np.errstate(divide="ignore", invalid="ignore"):
        recall, precision = caught / gold, right / found
        low = BETA**2 * precision + recall
        f2 = np.where(low == 0, 0.0, (1 + BETA**2) * precision * recall / low)
    return {"recall": recall, "precision": precision, f"f{BETA}": f2}


def _by_type(counts: Sequence[Counts]) -> list[tuple[str, list[Counts]]]:
    kinds = sorted({one.mark.entity_type for one in counts})
    return [(kind, [one for one in counts if one.mark.entity_type == kind]) for kind in kinds]


def _rates(name: str, counts: Sequence[Counts]) -> dict[str, Any]:
    """A type's recall or precision by character, the same by span, and how many spans (unweighted) it is of."""
    size = sum(one.weight * one.size for one in counts)
    if not size:
        return {"n": len(counts)}
    by_span = sum(one.weight * one.is_met for one in counts) / sum(one.weight for one in counts)
    return {name: sum(one.weight * one.met for one in counts) / size, f"span_{name}": by_span, "n": len(counts)}


def _plain(count: float) -> int | float:
    return int(count) if float(count).is_integer() else count


def _stretches(text: str, mark: Mark, places: set[int]) -> Iterator[tuple[int, int]]:
    """The parts of `mark` that begin and end in `places` and hold no other letter or digit."""
    start = end = -1
    for place in range(mark.start, mark.end):
        if place in places:
            start, end = (place if start < 0 else start), place + 1
        elif text[place].isalnum() and start >= 0:
            yield start, end
            start = -1
    if start >= 0:
        yield start, end


def _shapes(rows: Iterable[tuple[str, str, bool]], most: int, flag: str) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str], list[int]] = {}
    for kind, text, is_flagged in rows:
        group = groups.setdefault((shape(text), kind), [0, 0, 0])
        group[0] += 1
        group[1] += sum(character.isalnum() for character in text)
        group[2] += is_flagged
    worst = sorted(groups.items(), key=lambda group: (-group[1][1], group[0]))[:most]
    return [
        {"shape": form, "entity_type": kind, "count": count, "characters": characters, flag: flagged}
        for (form, kind), (count, characters, flagged) in worst
    ]
