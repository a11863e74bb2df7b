"""What of a text the model reads: stretches of its sentences that could hold something, each on its own, each distinct one once.

What is read and what is passed over follows from the text alone, so a text has the same words whatever else is read. Chats and
templated answers repeat their sentences far more than their texts, and most of their words are plain ones.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import regex

from pipeline.pii.memo import Memo
from pipeline.pii.model import Model
from pipeline.pii.spans import Span
from pipeline.pii.words import findings, worth_reading

REMEMBERED = 8_192
"""Sentences whose words are kept in memory from batch to batch."""
READ_TOGETHER = 2048
"""Stretches that are sorted by length and given to the model."""
_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+|\s*\n\s*")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:\w|mr|mrs|ms|dr|prof|st|ste|apt|ave|av|rd|ln|blvd|bldg|fl|no|nr|p\.?o|jr|sr|inc|ltd|co|dept|ext|tel|vs|approx|ca)\.\s*$",
    re.IGNORECASE,
)
_GREETING = re.compile(r"(?:hello|hi|hey|dear|good (?:morning|afternoon|evening))\b[^,.!?\n]{0,40},\s+", re.IGNORECASE)
_DIGIT = re.compile(r"\d")


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each sentence; a greeting is one of its own. Blanks between them belong to none."""
    start = len(text) - len(text.lstrip())
    for match in _END.finditer(text, start):
        if "\n" in match.group() or not _ABBREVIATION.search(text[max(start, match.start() - 10) : match.start()]):
            yield from _after_greeting(text, start, match.start() + len(match.group()) - len(match.group().lstrip("\"')]")))
            start = match.end()
    yield from _after_greeting(text, start, len(text.rstrip()))


def _after_greeting(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    if (greeting := _GREETING.match(text, start, end)) and greeting.end() < end:
        yield start, len(text[: greeting.end()].rstrip())
        start = greeting.end()
    if start < end:
        yield start, end


@dataclass(frozen=True)
class Reader:
    """The model and what it need not read."""

    model: Model
    thresholds: Mapping[str, float]
    ids: Sequence[regex.Pattern[str]] = ()
    """Ids of the user's own systems. They win over whatever the model says, so it sees them with every digit as 0."""
    allowed: regex.Pattern[str] | None = None
    """Phrases in which nothing is found."""
    _remembered: Memo[list[Span]] = field(default_factory=lambda: Memo(REMEMBERED), repr=False)
    _ahead: dict[str, list[tuple[int, str]]] = field(default_factory=dict, repr=False)
    """The stretches of each text that `read_ahead` was given last."""

    def findings(self, texts: Sequence[str]) -> list[list[Span]]:
        """Each text's findings at the thresholds."""
        return [findings(text, words, self.thresholds) for text, words in zip(texts, self.words(texts), strict=True)]

    def words(self, texts: Sequence[str], everything: bool = False) -> list[list[Span]]:
        """Each text's words that could be personal data; with `everything` also those of sentences that say nothing by themselves."""
        known = {} if everything else self._ahead
        pieces = [known[text] if text in known else self._pieces(text, everything) for text in texts]
        unread = [shown for of_text in pieces for _, shown in of_text if shown not in self._remembered]
        read = dict(zip(unread, self.model.words(unread), strict=True)) if unread else {}
        words = {shown: read[shown] if shown in read else self._remembered[shown] for of_text in pieces for _, shown in of_text}
        return [[_moved(word, start) for start, shown in of_text for word in words[shown]] for of_text in pieces]

    def read_ahead(self, texts: Sequence[str]) -> None:
        """Read the sentences of many texts, each once, and remember their words, at least until the next call."""
        self._remembered.trim()
        self._ahead.clear()
        self._ahead.update((text, self._pieces(text, False)) for text in texts)
        distinct = dict.fromkeys(shown for pieces in self._ahead.values() for _, shown in pieces)
        unread = [shown for shown in distinct if shown not in self._remembered]
        for start in range(0, len(unread), READ_TOGETHER):
            together = unread[start : start + READ_TOGETHER]
            self._remembered.update(zip(together, self.model.words(together), strict=True))

    def _pieces(self, text: str, everything: bool) -> list[tuple[int, str]]:
        """Where each stretch that is to be read starts, and as what the model sees it."""
        pieces = []
        for start, end in sentences(text):
            part = (0, end - start) if everything else worth_reading(self._without_ids(text[start:end]))
            if part:
                pieces.append((start + part[0], self._shown(text[start + part[0] : start + part[1]])))
        return pieces

    def _shown(self, sentence: str) -> str:
        for pattern in self.ids if _DIGIT.search(sentence) else ():
            sentence = pattern.sub(lambda match: _DIGIT.sub("0", match.group()), sentence)
        return sentence

    def _without_ids(self, sentence: str) -> str:
        """The sentence with blanks where nothing the model says would count."""
        for pattern in [*(self.ids if _DIGIT.search(sentence) else ()), *([self.allowed] if self.allowed else [])]:
            sentence = pattern.sub(lambda match: " " * len(match.group()), sentence)
        return sentence


def _moved(word: Span, by: int) -> Span:
    return replace(word, start=word.start + by, end=word.end + by) if by else word
