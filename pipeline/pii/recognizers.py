"""What is personal data in a text: the model, Presidio's pattern recognizers, and those of params.yaml, as disjoint spans."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, TypeVar

import regex
from presidio_analyzer import (
    AnalyzerEngine,
    BatchAnalyzerEngine,
    EntityRecognizer,
    Pattern,
    PatternRecognizer,
    RecognizerRegistry,
    RecognizerResult,
    pattern_recognizer,
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

from pipeline.identity import Message
from pipeline.params import Anonymize
from pipeline.pii import chat, engines, lexicon, model
from pipeline.pii.analyzer import LeanAnalyzer, Where
from pipeline.pii.entities import SHORTEST_VALUE, kind_of_value
from pipeline.pii.memo import Memo
from pipeline.pii.rampart import RampartEngine, RampartRecognizer
from pipeline.pii.reading import Reader
from pipeline.pii.spans import PLACEHOLDER, Span
from pipeline.pii.words import Asked, findings

REMEMBERED = 4_096
"""Texts whose spans are kept in memory from batch to batch: templated answers recur in every partition."""
TOGETHER = 2_048
"""Distinct texts that are looked at together."""
BATCH = 64
FLAGS = regex.DOTALL | regex.MULTILINE | regex.IGNORECASE
"""Those that Presidio compiles patterns with."""
SHORT_ANSWER = 8
"""An answer of so many words at most is read in the light of the question before it."""
_ASKS_NAME = regex.compile(
    r"\b(?:your|full|first|last|sur) ?name|\bwho (?:am i|are you)|\bname (?:please|on the)|\bwhom am i", regex.IGNORECASE
)
_ASKS_ADDRESS = regex.compile(
    r"\b(?:your|shipping|delivery|billing|home|postal) ?address|where (?:do you live|should we|shall we)|\baddress please|\b(?:city|state|town|zip|post ?code)\b[^.]*\?",
    regex.IGNORECASE,
)
_WORD = regex.compile(r"[^\W\d_]{3,}")


class AnyEmailRecognizer(EmailRecognizer):
    """Whatever has an @ between its letters, as customers mistype it: `o.k@inbox,example,org`, `me@intranet`.

    Presidio's own asks for a public suffix, which misses these, and would fetch the list of suffixes from the network.
    """

    PATTERNS: ClassVar = [Pattern("anything around an @", r"[^\s@<>()\[\]\"',;:]+@[^\s@<>()\[\]\"';:]*\w", 0.9)]

    def validate_result(self, pattern_text: str) -> bool:
        return True


class OrderedRegistry(RecognizerRegistry):
    """Gives recognizers in the order in which they were listed, once and for all.

    Presidio's goes through a set, whose order differs from process to process; of two equal findings of two recognizers it then
    keeps one or the other, and with it another rank.
    """

    def __init__(self, recognizers: list[EntityRecognizer]) -> None:
        super().__init__(recognizers, supported_languages=["en"])
        self._given: dict[str, list[EntityRecognizer]] = {}

    def get_recognizers(self, *args: Any, **kwargs: Any) -> list[EntityRecognizer]:
        asked = repr((args, kwargs))
        if asked not in self._given:
            place = {id(recognizer): number for number, recognizer in enumerate(self.recognizers)}
            self._given[asked] = sorted(super().get_recognizers(*args, **kwargs), key=lambda recognizer: place[id(recognizer)])
        return self._given[asked]


F = TypeVar("F", RecognizerResult, Span)


@dataclass(frozen=True)
class Finder:
    """Presidio's engine with everything params.yaml names, and the order in which recognizers win where findings overlap."""

    engine: BatchAnalyzerEngine
    params: Anonymize
    allowed: regex.Pattern[str] | None
    """The phrases of `anonymize.allow_list`, whole words in any case."""
    _found: Memo[list[Span]] = field(default_factory=lambda: Memo(REMEMBERED), repr=False)

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """The disjoint spans of each text, in order. Equal texts have equal spans, whatever stands beside them."""
        unknown = list(dict.fromkeys(text for text in texts if text not in self._found))
        entities = sorted(self.params.entities)
        for start in range(0, len(unknown), TOGETHER):
            together = unknown[start : start + TOGETHER]
            self._reader.read_ahead(together)
            results = self.engine.analyze_iterator(together, language="en", batch_size=BATCH, entities=entities)
            self._found.update((text, self.settle(text, found)) for text, found in zip(together, results, strict=True))
        spans = [self._found[text] for text in texts]
        self._found.trim()
        return spans

    def settle(self, text: str, results: Sequence[RecognizerResult]) -> list[Span]:
        """Presidio's findings of a text, without what is allowed and with the placeholders it holds, as disjoint spans."""
        return disjoint(text, [*self._not_allowed(text, results), *_written(text)], self._rank)

    def find_conversations(self, conversations: Sequence[Sequence[Message]], known: Sequence[Sequence[str]] = ()) -> list[list[list[Span]]]:
        """The spans of each message of each conversation: those of its text, and what the other messages tell.

        A bare answer to "may I have your name?" is a name; a name found once is a name everywhere in its conversation; so are the
        values of `known`, per conversation (metadata that is not kept).
        """
        texts = list(dict.fromkeys(message["content"] for messages in conversations for message in messages))
        alone = dict(zip(texts, self.find(texts), strict=True))
        answers = list(dict.fromkeys(answer for messages in conversations for answer in _answers(messages) if answer))
        words = dict(zip(answers, self._words([text for text, _ in answers]), strict=True))
        told = {(text, asked): findings(text, words[text, asked], self._thresholds, asked) for text, asked in answers}
        found = []
        for place, messages in enumerate(conversations):
            spans = []
            for message, answer in zip(messages, _answers(messages), strict=True):
                more = self._not_allowed(message["content"], told[answer]) if answer else []
                spans.append(_united(message["content"], alone[message["content"]], more))
            found.append(self._confirmed(messages, spans, known[place] if known else ()))
        return found

    def _confirmed(self, messages: Sequence[Message], spans: list[list[Span]], known: Sequence[str]) -> list[list[Span]]:
        said = {
            word
            for message, of_message in zip(messages, spans, strict=True)
            for span in of_message
            if span.entity_type == "PERSON"
            for word in _WORD.findall(message["content"][span.start : span.end])
        }
        names = {word.casefold() for word in said if not lexicon.is_common(word)}
        # "Rose" once found is a name wherever it is written so, and "rose" is none.
        written_so = {word for word in said if word.istitle() and lexicon.is_common(word) and lexicon.is_name(word)}
        wanted = {name: "PERSON" for name in names if "PERSON" in self.params.entities}
        long_enough = [value for value in known if len(value) >= SHORTEST_VALUE]
        wanted |= {value.casefold(): kind for value in long_enough if (kind := kind_of_value(value)) in self.params.entities}
        wanted |= {word.casefold(): "PERSON" for word in written_so if "PERSON" in self.params.entities}
        open_messages = [
            _may_stand_outside(message["content"], of_message, wanted) for message, of_message in zip(messages, spans, strict=True)
        ]
        if not any(open_messages):
            return spans
        words_as_well = {word.casefold() for word in written_so} - {value.casefold() for value in known}
        # re and not regex, which takes ten times as long to compile what is used on a few messages.
        any_of = re.compile(
            rf"(?<![\w@.])(?:{'|'.join(map(re.escape, sorted(wanted, key=lambda w: (-len(w), w))))})(?![\w@])", re.IGNORECASE
        )
        confirmed = []
        for message, of_message, is_open in zip(messages, spans, open_messages, strict=True):
            if not is_open:
                confirmed.append(of_message)
                continue
            text = message["content"]
            known_here = [
                Span(m.start(), m.end(), wanted.get(m.group().casefold(), "PERSON"), 0.5)
                for m in any_of.finditer(text)
                if m.group() in written_so or m.group().casefold() not in words_as_well
            ]
            confirmed.append(_united(text, of_message, self._not_allowed(text, known_here)))
        return confirmed

    def _words(self, texts: list[str]) -> list[list[Span]]:
        return self._reader.words(texts, everything=True)

    @property
    def _reader(self) -> Reader:
        reader: Reader = self.engine.analyzer_engine.nlp_engine.reader
        return reader

    @property
    def _thresholds(self) -> dict[str, float]:
        return {kind: entity.threshold for kind, entity in self.params.entities.items()}

    def _not_allowed(self, text: str, found: Sequence[F]) -> list[F]:
        """Findings that do not lie within an allowed phrase. Presidio's own allow list knows whole findings only: "Jasper" inside
        the product "Jasper pan" would be one with the customer Jasper."""
        allowed = [match.span() for match in self.allowed.finditer(text)] if self.allowed and found else []
        return [one for one in found if not any(start <= one.start and one.end <= end for start, end in allowed)]

    def _rank(self, result: RecognizerResult) -> int:
        """Ids of the user's own systems win over patterns with a checksum or a shape, these over the model, and a code without a better
        type comes last."""
        name = (result.recognition_metadata or {}).get(RecognizerResult.RECOGNIZER_NAME_KEY)
        if name in {recognizer.name for recognizer in self.params.recognizers}:
            return 2
        if result.entity_type == "REFERENCE_ID":
            return -1 if name == "DigitRun" else int(result.score >= chat.CUED)
        return 0 if name == "rampart" else 1


def _answers(messages: Sequence[Message]) -> list[tuple[str, Asked] | None]:
    """For each message: itself and what the assistant had just asked for, where it is a short answer of the user's."""
    answers: list[tuple[str, Asked] | None] = []
    before = ""
    for message in messages:
        asked = Asked(_ASKS_NAME.search(before) is not None, _ASKS_ADDRESS.search(before) is not None) if before else Asked()
        is_answer = message["role"] == "user" and asked != Asked() and len(message["content"].split()) <= SHORT_ANSWER
        answers.append((message["content"], asked) if is_answer else None)
        # A customer who sends street, town and postcode as three messages answers one question.
        before = message["content"] if message["role"] == "assistant" else before if answers[-1] or message["role"] != "user" else ""
    return answers


def _may_stand_outside(text: str, spans: Sequence[Span], wanted: Iterable[str]) -> bool:
    """False where none of `wanted` (lower case) stands in `text` other than within one of `spans`, so that no pattern need be compiled
    to look for it. Beyond ASCII, where a letter may have more than two forms, it always may."""
    lower = text.lower()
    for one in wanted:
        if not (text.isascii() and one.isascii()):
            return True
        at = lower.find(one)
        while at >= 0:
            if not any(span.start <= at and at + len(one) <= span.end for span in spans):
                return True
            at = lower.find(one, at + 1)
    return False


def _united(text: str, spans: list[Span], more: list[Span]) -> list[Span]:
    """`spans`, and what of `more` they do not cover."""
    united = list(spans)
    for one in more:
        for start, end in _uncovered(one.start, one.end, united):
            if trimmed := _trimmed(text, start, end):
                united.append(Span(*trimmed, one.entity_type, one.score))
    return sorted(united, key=lambda span: span.start)


def _written(text: str) -> list[RecognizerResult]:
    """Placeholders that a log itself holds (someone masked it before, or typed one): they become ours, with our numbers."""
    return [RecognizerResult(match.group(1), match.start(), match.end(), 1.0) for match in PLACEHOLDER.finditer(text)]


def build(params: Anonymize, optimization: str = "ORT_ENABLE_ALL") -> Finder:
    """The finder for `params`; loading takes about a second."""
    thresholds = {kind: entity.threshold for kind, entity in params.entities.items()}
    own = [
        PatternRecognizer(
            recognizer.entity_type,
            name=recognizer.name,
            patterns=[Pattern(recognizer.name, pattern, recognizer.score) for pattern in recognizer.patterns],
            context=recognizer.context or None,
        )
        for recognizer in params.recognizers
    ]
    of_presidio = [
        (AnyEmailRecognizer(), "@"),
        (CreditCardRecognizer(), r"\d"),
        (IbanRecognizer(), r"\d"),
        (IpRecognizer(), r"[\d:]"),
        (MacAddressRecognizer(), r"[\d:-]|\w\.\w"),
        (CryptoRecognizer(), r"\d"),
        (UsSsnRecognizer(supported_entity="GOVERNMENT_ID"), r"\d"),
    ]
    others = [*chat.recognizers(), *engines.recognizers(params.nlp_engine, params.entities)]
    for recognizer in (*own, *(recognizer for recognizer, _ in of_presidio), *others):
        recognizer.score_thresholds = thresholds
    patterns = [[regex.compile(pattern, FLAGS) for pattern in recognizer.patterns] for recognizer in params.recognizers]
    passing_over = [
        *(Where(recognizer, partial(_match, of_one)) for recognizer, of_one in zip(own, patterns, strict=True)),
        *(Where(recognizer, re.compile(needed).search) for recognizer, needed in of_presidio),
    ]
    # Not the model: how sure it must be has been decided by what stands around a word, often at less than its type's threshold.
    registry = OrderedRegistry([*passing_over, *others, RampartRecognizer()])
    phrases = "|".join(regex.escape(phrase) for phrase in sorted(params.allow_list, key=lambda phrase: (-len(phrase), phrase)))
    allowed = regex.compile(rf"(?<!\w)(?:{phrases})(?!\w)", regex.IGNORECASE) if phrases else None
    ids = [pattern for of_one in patterns for pattern in of_one]
    engine = RampartEngine(Reader(model.load(optimization), thresholds, ids, allowed))
    return Finder(BatchAnalyzerEngine(LeanAnalyzer(registry, engine)), params, allowed)


def _match(patterns: Sequence[regex.Pattern[str]], text: str) -> bool:
    """Whether one of `patterns` matches in a text, or takes too long on it, which is then for Presidio to say."""
    try:
        return any(pattern.search(text, timeout=pattern_recognizer.REGEX_TIMEOUT_SECONDS) for pattern in patterns)
    except TimeoutError:
        return True


def presidio(finder: Finder) -> AnalyzerEngine:
    """Presidio's own analyzer with the finder's recognizers and none of what makes them faster; the finder finds what it finds."""
    engine = finder.engine.analyzer_engine
    plain = [one.recognizer if isinstance(one, Where) else one for one in engine.registry.recognizers]
    return AnalyzerEngine(OrderedRegistry(plain), engine.nlp_engine)


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
