"""Forty builds of the assistant that may ship: nothing about them is better or worse, and a gate that holds one cries wolf.

They are targets like any other, `demo.variants:v00` to `demo.variants:v39`. Every third has another random seed, which moves its
confidence and what it says beside the matter; every third words its answers otherwise; every third finds pages with scores that are
off by a little, as with another index, so that pages that fit about equally well change places.
"""

import random
from collections.abc import Callable
from typing import Any

from demo import assistant, retrieval

Answer = Callable[..., dict[str, Any]]
COUNT = 40
SCORE_NOISE = 1.2
"""The standard deviation of what is added to a page's score; scores lie between 5 and 30."""
NEAR_TIE = 1.0
"""Pages whose scores differ by less fit equally well."""
CONFIDENCE_NOISE = 0.03
OPENERS = ("", "Sure! ", "Thank you for asking. ", "Happy to help. ", "Good question. ", "Of course. ")
CLOSERS = ("", " Is there anything else?", " Just ask if that leaves a question.", " I hope that helps.", " Have a good day!")
REWORDED = (
    ("I'm sorry, ", "Unfortunately, "),
    ("can't", "cannot"),
    ("You can ", "You may "),
    ("90 days", "ninety days"),
    ("30 days", "thirty days"),
    ("14 days", "fourteen days"),
    (" to 5 business days", "-5 business days"),
    (" to 7 business days", "-7 business days"),
    ("free of charge", "free"),
    ("free, once", "free of charge, once"),
)
WORDINGS = 5
"""So many of them a build uses."""


def reseeded(number: int) -> Answer:
    """Another seed: small talk, confidence and which of two pages that fit equally well are drawn anew for each conversation."""

    def search(text: str, *given: Any) -> list[tuple[float, retrieval.Section]]:
        ranked = retrieval.search(text, *given)
        if len(ranked) > 1 and ranked[0][0] - ranked[1][0] < NEAR_TIE and random.Random(f"{number}/{text}").random() < 0.5:
            ranked[:2] = ranked[1::-1]
        return ranked

    def answer(messages: list[assistant.Message], fixtures: dict[str, Any] | None = None) -> dict[str, Any]:
        drawn = random.Random(f"{number}/{messages[-1]['content']}")
        found = assistant.answer(messages, fixtures, search)
        confidence = min(0.99, max(0.01, found["confidence"] + drawn.gauss(0, CONFIDENCE_NOISE)))
        return found | {"answer": f"{found['answer']}{drawn.choice(CLOSERS)}", "confidence": round(confidence, 3)}

    return answer


def reworded(number: int) -> Answer:
    """Another way to say the same: an opening for all answers of this build, and other words for what carries no fact."""
    opener, pairs = OPENERS[number % len(OPENERS)], random.Random(number).sample(REWORDED, WORDINGS)

    def answer(messages: list[assistant.Message], fixtures: dict[str, Any] | None = None) -> dict[str, Any]:
        found = assistant.answer(messages, fixtures)
        text = found["answer"]
        for usual, other in pairs:
            text = text.replace(usual, other)
        return found | {"answer": f"{opener}{text}"}

    return answer


def reordered(number: int) -> Answer:
    """Another index of the same pages: each page's score for a question is off by a little."""

    def search(text: str, *given: Any) -> list[tuple[float, retrieval.Section]]:
        noisy = [
            (score + random.Random(f"{number}/{text}/{section.page}/{section.heading}").gauss(0, SCORE_NOISE), section)
            for score, section in retrieval.search(text, *given)
        ]
        return sorted(noisy, key=lambda found: (-found[0], found[1].page, found[1].heading))

    def answer(messages: list[assistant.Message], fixtures: dict[str, Any] | None = None) -> dict[str, Any]:
        return assistant.answer(messages, fixtures, search)

    return answer


KINDS = (reseeded, reworded, reordered)
VARIANTS: dict[str, Answer] = {f"v{number:02}": KINDS[number % len(KINDS)](number) for number in range(COUNT)}


def __getattr__(name: str) -> Answer:
    """A variant by its name, so that a target can name it."""
    try:
        return VARIANTS[name]
    except KeyError:
        raise AttributeError(f"no variant {name}; there are {min(VARIANTS)} to {max(VARIANTS)}") from None
