"""Which value each constant of the recognizers should have, by the demo's labelled turns and invented chats (`benchmarks.chats`) alone.

    python -m benchmarks.thresholds [CONSTANT ...]

The rule, stated before anything was measured: of a constant's grid the value with the greatest mean F2 (by character) of the two
sets, among those whose precision is at least .95 on each set; where none reaches that, among those whose lower precision of the
two is the greatest or within .002 of it. Differences of mean F2 below .0005 are a tie, which the value nearest the present one
wins. The constants are taken in the order below, each with those before it as chosen; `kept` means that the present value wins.
No text is used whose labels somebody made from real customers' conversations.

The model reads every sentence once, at a floor below every grid, so that a value costs some seconds.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.chats.made import conversations
from pipeline import params, pii_eval
from pipeline.identity import Message
from pipeline.params import Anonymize
from pipeline.pii import chat, lexicon, model, reading, recognizers, words
from pipeline.pii.evaluation import Turn, evaluate
from pipeline.pii.spans import Span

DEMO = Path("demo/pii-spans.jsonl")
TURNS = 4000
LEAST_PRECISION = 0.95
SLACK = 0.002
TIE = 0.0005
LOWEST_FLOOR = 0.01
GRID: dict[str, tuple[Any, ...]] = {
    "words.FLOOR": (0.02, 0.04, 0.08),
    "words.LONELY_NAME": (0.04, 0.08, 0.15),
    "words.IN_A_SENTENCE": (0.2, 0.3, 0.4, 0.5, 0.7),
    "words.WRITTEN_AS_A_NAME": (0.1, 0.2, 0.3),
    "words.COMMON_WORD_AS_NAME": (0.7, 0.8, 0.9, 0.95),
    "words.BESIDE_A_NAME": (0.3, 0.5, 0.8),
    "words.RATHER_COMMON": (3.8, 4.2, 4.6),
    "words.NEAR_AN_ADDRESS": (0.04, 0.05, 0.1, 0.2),
    "lexicon.COMMON": (2.7, 3.0, 3.3),
    "lexicon.COMMON_THOUGH_A_NAME": ((3.5, 4.5, 5.4), (4.0, 5.0, 5.7), (4.4, 5.3, 5.9)),
    "lexicon.MISSPELT": (5, 6, 7),
    "lexicon.VERY_COMMON": (4.4, 4.7, 5.0),
    "chat.RARE": (1.0, 2.0, 2.5),
    "recognizers.SHORT_ANSWER": (4, 8, 12),
    "recognizers.SHORTEST_VALUE": (3, 4, 5),
    "PERSON": (0.1, 0.2, 0.4),
    "EMAIL_ADDRESS": (0.1, 0.2, 0.4),
    "PHONE_NUMBER": (0.1, 0.2, 0.4),
    "STREET_ADDRESS": (0.1, 0.2, 0.4),
    "CITY": (0.3, 0.5, 0.7),
    "STATE": (0.3, 0.5, 0.7),
    "ZIP_CODE": (0.1, 0.2, 0.4),
    "BANK_ACCOUNT": (0.1, 0.2, 0.4),
    "GOVERNMENT_ID": (0.1, 0.2, 0.4),
    "REFERENCE_ID": (0.5, 0.65, 0.75),
}
"""A name in capitals is an entity's threshold in params.yaml, one with a dot a constant of that module."""
MODULES = {"words": words, "lexicon": lexicon, "chat": chat, "recognizers": recognizers}
Labelled = list[tuple[Turn, Message]]


@dataclass
class Recalled:
    """The model, remembering what it said of each sentence at the lowest floor."""

    model: model.Model
    said: dict[str, list[Span]] = field(default_factory=dict)

    def words(self, texts: list[str]) -> list[list[Span]]:
        unread = [text for text in dict.fromkeys(texts) if text not in self.said]
        for start in range(0, len(unread), reading.READ_TOGETHER):
            together = unread[start : start + reading.READ_TOGETHER]
            self.said.update(zip(together, self.model.words(together), strict=True))
        return [[word for word in self.said[text] if word.score >= words.FLOOR] for text in texts]


@dataclass(frozen=True)
class Score:
    recall: float
    precision: float
    f2: float

    def __str__(self) -> str:
        return f"{self.recall:.4f} {self.precision:.4f} {self.f2:.4f}"


Scores = dict[str, Score]
"""By set."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("constants", nargs="*", metavar="CONSTANT", help=f"those to try; all of: {', '.join(GRID)}")
    wanted = parser.parse_args().constants or list(GRID)
    sets = {"demo": list(pii_eval.read(DEMO)), "invented": invented("dev")}
    settings = params.load().anonymize
    with_floor = words.FLOOR
    model.FLOOR = LOWEST_FLOOR
    recalled = Recalled(model.load())
    model.load = lambda *_: recalled
    print(f"{', '.join(f'{len(labelled):,} turns {name}' for name, labelled in sets.items())}; recall, precision, F2 by character")
    words.FLOOR = LOWEST_FLOOR
    measure(sets, settings)
    words.FLOOR = with_floor
    scores = measure(sets, settings)
    for name in wanted:
        settings, scores = tried(name, sets, settings, scores)


def invented(part: str) -> Labelled:
    """The invented chats, as pii_eval reads a file of them."""
    return [pii_eval.turn_of(row, f"{part} {row['id']}") for row in conversations(part, TURNS)]


def tried(name: str, sets: dict[str, Labelled], settings: Anonymize, now: Scores) -> tuple[Anonymize, Scores]:
    """The settings with the chosen value, which also stands in its module from here on, and how they score."""
    start = time.perf_counter()
    present = present_value(name, settings)
    values = sorted({*GRID[name], present})
    scores = {value: now if value == present else measure(sets, changed(name, value, settings)) for value in values}
    best = chosen(scores, present, lambda value: abs(values.index(value) - values.index(present)))
    print(f"\n{name}: {present} {'kept' if best == present else f'-> {best}'}   ({time.perf_counter() - start:.0f} s)")
    for value, of_sets in scores.items():
        shown = "   ".join(f"{which} {score}" for which, score in of_sets.items())
        print(f"  {value!s:<18} {shown}{'   <' if value == best else ''}", flush=True)
    return changed(name, best, settings), scores[best]


def chosen(scores: dict[Any, Scores], present: Any, distance: Callable[[Any], int]) -> Any:
    """The value that the rule of the module's docstring names."""
    lowest = {value: min(score.precision for score in of_sets.values()) for value, of_sets in scores.items()}
    f2 = {value: sum(score.f2 for score in of_sets.values()) / len(of_sets) for value, of_sets in scores.items()}
    enough = LEAST_PRECISION if max(lowest.values()) >= LEAST_PRECISION else max(lowest.values()) - SLACK
    allowed = [value for value in scores if lowest[value] >= enough]
    best = max(f2[value] for value in allowed)
    return min((value for value in allowed if f2[value] > best - TIE), key=distance)


def present_value(name: str, settings: Anonymize) -> Any:
    module, _, constant = name.rpartition(".")
    return getattr(MODULES[module], constant) if module else settings.entities[name].threshold


def changed(name: str, value: Any, settings: Anonymize) -> Anonymize:
    """The settings with a threshold set to a value; a module's constant is set where it stands."""
    module, _, constant = name.rpartition(".")
    if module:
        setattr(MODULES[module], constant, value)
        return settings
    content = settings.model_dump()
    content["entities"][name]["threshold"] = value
    return Anonymize.model_validate(content)


def measure(sets: dict[str, Labelled], settings: Anonymize) -> Scores:
    for cached in (lexicon.is_common, words.worth_reading):
        cached.cache_clear()
    finder = recognizers.build(settings)
    return {name: scored(pii_eval.mark(labelled, finder)) for name, labelled in sets.items()}


def scored(turns: list[Turn]) -> Score:
    figures = evaluate(turns, 1, 0)["characters"]
    return Score(figures["recall"], figures["precision"], figures["f2"])


if __name__ == "__main__":
    main()
