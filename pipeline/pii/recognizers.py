"""What is personal data in a text: the model, Presidio's pattern recognizers, and those of params.yaml, as disjoint spans."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import regex
from presidio_analyzer import (
    AnalyzerEngine,
    BatchAnalyzerEngine,
    EntityRecognizer,
    Pattern,
    PatternRecognizer,
    RecognizerRegistry,
    RecognizerResult,
)
from presidio_analyzer.predefined_recognizers import (
    CreditCardRecognizer,
    CryptoRecognizer,
    EmailRecognizer,
    IbanRecognizer,
    IpRecognizer,
    MacAddressRecognizer,
    UsSsnRecognizer,
)

from pipeline.identity import content_sha
from pipeline.params import Anonymize
from pipeline.pii import model
from pipeline.pii.spans import PLACEHOLDER

VERSION = 1
"""Raise it when the same params find something else: pools are then made anew."""


class AnyEmailRecognizer(EmailRecognizer):
    """Whatever has an @ between its letters, as customers mistype it: `o.k@inbox,example,org`, `me@intranet`.

    Presidio's own asks for a public suffix, which misses these, and would fetch the list of suffixes from the network.
    """

    PATTERNS: ClassVar = [Pattern("anything around an @", r"[^\s@<>()\[\]\"',;:]+@[^\s@<>()\[\]\"';:]*\w", 0.9)]

    def validate_result(self, pattern_text: str) -> bool:
        return True


@dataclass(frozen=True)
class Span:
    """Personal data in a text: offsets in characters, entity type, score in 0..1."""

    start: int
    end: int
    entity_type: str
    score: float


@dataclass(frozen=True)
class Finder:
    """Presidio's engine with everything params.yaml names, and the order in which recognizers win where findings overlap."""

    engine: BatchAnalyzerEngine
    params: Anonymize
    allowed: regex.Pattern[str] | None
    """The phrases of `anonymize.allow_list`, whole words in any case."""

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """The disjoint spans of each text, in order. Equal texts have equal spans, whatever stands beside them."""
        results = self.engine.analyze_iterator(list(texts), language="en", entities=sorted(self.params.entities))
        return [
            disjoint(text, [*self._not_allowed(text, found), *_written(text)], self._rank)
            for text, found in zip(texts, results, strict=True)
        ]

    def _not_allowed(self, text: str, results: Sequence[RecognizerResult]) -> list[RecognizerResult]:
        """Results that do not lie within an allowed phrase. Presidio's own allow list knows whole findings only: "Jasper" inside
        the product "Jasper pan" would be one with the customer Jasper."""
        allowed = [match.span() for match in self.allowed.finditer(text)] if self.allowed and results else []
        return [result for result in results if not any(start <= result.start and result.end <= end for start, end in allowed)]

    def _rank(self, result: RecognizerResult) -> int:
        """Ids of the user's own systems win over patterns with a checksum or a shape, and these over the model."""
        name = (result.recognition_metadata or {}).get(RecognizerResult.RECOGNIZER_NAME_KEY)
        if name in {recognizer.name for recognizer in self.params.recognizers}:
            return 2
        return 0 if name == "rampart" else 1


def _written(text: str) -> list[RecognizerResult]:
    """Placeholders that a log itself holds (someone masked it before, or typed one): they become ours, with our numbers."""
    return [RecognizerResult(match.group(1), match.start(), match.end(), 1.0) for match in PLACEHOLDER.finditer(text)]


def build(params: Anonymize, optimization: str = "ORT_ENABLE_ALL") -> Finder:
    """The finder for `params`; loading takes about a second."""
    thresholds = {kind: entity.threshold for kind, entity in params.entities.items()}
    recognizers: list[EntityRecognizer] = [
        model.RampartRecognizer(),
        AnyEmailRecognizer(),
        CreditCardRecognizer(),
        IbanRecognizer(),
        IpRecognizer(),
        MacAddressRecognizer(),
        CryptoRecognizer(),
        UsSsnRecognizer(supported_entity="GOVERNMENT_ID"),
        *(
            PatternRecognizer(
                recognizer.entity_type,
                name=recognizer.name,
                patterns=[Pattern(recognizer.name, pattern, recognizer.score) for pattern in recognizer.patterns],
                context=recognizer.context or None,
            )
            for recognizer in params.recognizers
        ),
    ]
    for recognizer in recognizers:
        recognizer.score_thresholds = thresholds
    registry = RecognizerRegistry(recognizers, supported_languages=["en"])
    engine = model.RampartEngine(model.load(thresholds, optimization))
    phrases = "|".join(regex.escape(phrase) for phrase in sorted(params.allow_list, key=lambda phrase: (-len(phrase), phrase)))
    allowed = regex.compile(rf"(?<!\w)(?:{phrases})(?!\w)", regex.IGNORECASE) if phrases else None
    return Finder(BatchAnalyzerEngine(AnalyzerEngine(registry, engine)), params, allowed)


def fingerprint(params: Anonymize) -> str:
    """Changes with everything that decides what is personal data or how the pool shows it; surrogates are merge's business."""
    decisive: dict[str, Any] = params.model_dump(exclude={"recognizers": {"__all__": {"surrogate"}}})
    return content_sha([VERSION, model.model_sha(), decisive])


def disjoint(text: str, results: Sequence[RecognizerResult], rank: Any) -> list[Span]:
    """Findings as spans that do not overlap and together cover every character of every finding.

    Where two overlap the better one keeps its place (rank, score, length) and what sticks out of the other stays a span of its
    own, unless nothing but punctuation is left of it.
    """
    best_first = sorted(results, key=lambda r: (-rank(r), -round(r.score, model.DIGITS), r.start - r.end, r.start, r.entity_type))
    taken: list[Span] = []
    for result in best_first:
        for start, end in _uncovered(result.start, result.end, taken):
            if trimmed := _trimmed(text, start, end):
                taken.append(Span(*trimmed, result.entity_type, round(result.score, model.DIGITS)))
    return sorted(taken, key=lambda span: span.start)


def _uncovered(start: int, end: int, taken: list[Span]) -> list[tuple[int, int]]:
    pieces = [(start, end)]
    for span in taken:
        pieces = [
            (max(a, low), min(b, high)) for a, b in pieces for low, high in ((a, span.start), (span.end, b)) if max(a, low) < min(b, high)
        ]
    return pieces


def _trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The piece without what is neither letter nor digit at its ends, but with a sign that belongs to it (`+44`, `(020)`)."""
    while start < end and not (text[start].isalnum() or text[start] in "+(#<@"):
        start += 1
    while start < end and not (text[end - 1].isalnum() or text[end - 1] in ")>"):
        end -= 1
    return (start, end) if any(character.isalnum() for character in text[start:end]) else None
