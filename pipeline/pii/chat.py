"""Recognizers for personal data as people type it into a chat: no punctuation, no capitals, codes with blanks in them.

Each is a Presidio recognizer on a text alone: a pattern, and a check of its words in `pipeline.pii.lexicon`.
"""

import itertools
import re
from abc import abstractmethod
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from presidio_analyzer import AnalysisExplanation, LocalRecognizer, RecognizerResult

from pipeline.pii import lexicon

PROVIDERS = (
    "gmail|g mail|yahoo|yahoomail|ymail|hotmail|outlook|live|msn|aol|icloud|proton|protonmail|rediff|rediffmail|zoho|gmx|yandex|mail|email|inbox|"
    "comcast|att|verizon|sbcglobal|cox|bellsouth|charter|btinternet|web|qq"
)
ENDINGS = "com|net|org|edu|co ?in|co ?uk|com ?au|couk|coin|de|fr|in"
CODE_CUE = r"(?:confirmation|booking|reservation|policy|claim|reference|ref|order|account|acct|ticket|tracking|member(?:ship)?|customer|transaction|invoice|case|pnr|licen[cs]e|plate|serial|code|id|pin)"
NUMBER_CUE = r"(?:ssn|social|security|last (?:four|4|\w+ digits)|digits|end(?:s|ing)|phone|mobile|cell|contact|call|tel|telephone|fax|whatsapp|zip|postcode|pin ?code|card|cvv|cvc|account|acct|routing|iban|number|no|num|passport|licen[cs]e)"


CUED = 0.8
"""Score of a code behind a word that announces one, or of one that is the whole message."""


LATEST = 256
"""Texts whose codes are kept in memory."""
RARE = 2.0
"""Zipf frequency below which a word that no locale lists may be a name."""


class ChatRecognizer(LocalRecognizer):
    """A recognizer of one type whose `found` yields (start, end, score) of a text."""

    entity = ""

    def __init__(self) -> None:
        super().__init__([self.entity], name=type(self).__name__)

    def load(self) -> None:
        """Nothing to load."""

    @abstractmethod
    def found(self, text: str) -> Iterator[tuple[int, int, float]]:
        """Start, end and score of each finding in `text`."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        if self.entity not in entities:
            return []
        return [
            RecognizerResult(self.entity, start, end, score, AnalysisExplanation(self.name, score))
            for start, end, score in self.found(text)
        ]


class StrippedEmail(ChatRecognizer):
    """`oksana 77 gmailcom`, `bellapetrov gmail com`, `o.k at gmail dot com`: a mail address that lost its signs."""

    entity = "EMAIL_ADDRESS"
    _dot = r"\s*(?:\.|\(dot\)|\[dot\]|\bdot\b)\s*"
    _spoken = re.compile(
        rf"(?<![\w.])[\w.+-]+(?: \d+)?\s*(?:@|\(at\)|\[at\]| at )\s*[\w-]+(?:{_dot}[\w-]+){{0,3}}?{_dot}(?:{ENDINGS})\b", re.IGNORECASE
    )
    _glued = re.compile(rf"\b(?P<name>[\w.+-]*?)(?P<host>{PROVIDERS})[ .,]?(?P<end>{ENDINGS})\b", re.IGNORECASE)
    _any_host = re.compile(r"\b(?=\w{8})[\w.+-]*\w(?:com|net|org|edu)\b", re.IGNORECASE)
    _cue = re.compile(r"\b(?:e-?mails?|mail|mailid|emailid|gmail|id|address|at|its|it is|is)\b", re.IGNORECASE)
    _before = re.compile(r"(?:(?P<word>[\w.+-]+)[ ._-]+)?(?:(?P<digits>\d{1,6})[ ._-]*)?$")

    def found(self, text: str) -> Iterator[tuple[int, int, float]]:
        if not re.search(rf"@|\bat\b|(?:{ENDINGS})\b", text, re.IGNORECASE):
            return
        for match in self._spoken.finditer(text):
            yield match.start(), match.end(), 0.9
        for match in self._glued.finditer(text):
            start = match.start()
            if len(match["name"]) < 2 and (before := self._before.search(text[:start])) and before.group():
                start = self._name_start(before, start)
            if start < match.start() or len(match["name"]) >= 2:
                yield start, match.end(), 0.85
        for match in self._any_host.finditer(text):
            if lexicon.frequency(match.group().lower()) < 1 and self._cue.search(text[: match.start()][-40:]):
                yield match.start(), match.end(), 0.8

    @staticmethod
    def _name_start(before: re.Match[str], start: int) -> int:
        """Where the name before a lone `gmailcom` begins: digits, and the word before them where it is no everyday word."""
        word, digits = before["word"], before["digits"]
        if word and (digits or not lexicon.is_common(word)) and (lexicon.frequency(word.lower()) < 5.5 or digits is None):
            return before.start("word")
        return before.start("digits") if digits else start


class DigitRun(ChatRecognizer):
    """Runs of digits that are no year, price, amount or clock time: six and more anywhere, four and five where they stand alone or
    behind a word that asks for one ("last four of my ssn 3468")."""

    entity = "REFERENCE_ID"
    _run = re.compile(r"(?<![\w.,$€£₹#/-])\+?\(?\d(?:[ ().-]{0,2}\d)*(?!\w|[.,/]\d)")
    _cue = re.compile(rf"\b{NUMBER_CUE}\b[^.?!\n]{{0,24}}$", re.IGNORECASE)
    _code_cue = re.compile(rf"\b{CODE_CUE}\b[^.?!\n]{{0,24}}$", re.IGNORECASE)
    _ends_in = re.compile(r"\bend(?:s|ing) (?:in|with|on) $", re.IGNORECASE)
    _amount = re.compile(
        r"(?:[$€£₹]|\b(?:rs|usd|inr|eur|gbp|version|model|size|year|since|in|of|from|until|til|before|after|for|only|room|page)\.?) ?$",
        re.IGNORECASE,
    )
    _unit = re.compile(
        r" ?(?:%|°|am\b|pm\b|x\b|km|kg|lb|lbs|cm|mm|miles?|hours?|hrs?|mins?|minutes?|days?|weeks?|months?|years?|yrs?|dollars?|usd|euros?|pounds?|rupees?|rs\b|bucks|pieces?|pcs|times|people|"
        r"passengers?|points?|mb|gb|watts?|volts?|calories|degrees|percent|million|thousand)",
        re.IGNORECASE,
    )
    _price = re.compile(r"\d{1,4}[.,]\d\d")

    def found(self, text: str) -> Iterator[tuple[int, int, float]]:
        for match in self._run.finditer(text):
            run = match.group()
            if (year := re.search(r"(?<=\d)[ -](?:19|20)\d\d$", run)) and len(run) < 10:
                run = run[: year.start()]
            end = match.start() + len(run)
            digits = sum(character.isdigit() for character in run)
            before = text[: match.start()]
            asked = bool(self._cue.search(before) or self._code_cue.search(before))
            is_amount = not self._ends_in.search(before) and (
                self._amount.search(before) is not None or self._unit.match(text, end) is not None
            )
            if digits < 3 or is_date(run) or self._is_table(run) or self._price.fullmatch(run) or (digits < 7 and is_amount):
                continue
            few_digits_asked = digits == 3 and re.search(r"\b(?:ssn|social|digits|cvv|cvc)\b[^.?!\n]{0,16}$", before, re.IGNORECASE)
            if digits >= 6 or (asked and digits >= 4) or few_digits_asked:
                yield match.start(), end, 0.7
            elif digits >= 4 and not is_year(run) and not self._is_counted(before, text[end:]):
                yield match.start(), end, 0.5

    @staticmethod
    def _is_table(run: str) -> bool:
        """Whether a run is a row of results rather than a number in groups: one and two digits in turn, `10 6 2 2 21`."""
        groups = run.split(" ")
        return len(groups) > 3 and {len(group) for group in groups} == {1, 2}

    @staticmethod
    def _is_counted(before: str, after: str) -> bool:
        """Whether words stand around a short number that it may count, other than names."""
        words = [word for word in re.findall(r"[^\W\d_]{2,}", f"{before} {after}") if word.lower() not in lexicon.STOP_WORDS]
        return len(words) > 4 or any(lexicon.is_common(word) for word in words)


class SpelledDigits(ChatRecognizer):
    """Four digits and more as words: "seven oh four one"."""

    entity = "REFERENCE_ID"
    _digit = r"(?:zero|oh|nought|one|two|three|four|five|six|seven|eight|nine|double|triple)"
    _said = re.compile(rf"\b{_digit}(?:[ ,-]{{1,2}}{_digit}){{3,}}\b", re.IGNORECASE)

    def found(self, text: str) -> Iterator[tuple[int, int, float]]:
        yield from ((match.start(), match.end(), 0.7) for match in self._said.finditer(text))


class MixedCode(ChatRecognizer):
    """Codes of letters and digits, also with blanks in them: `kt 4 wq 9`, `zpq 731`, `rvb 204417563`, `XK9-44Q21`."""

    entity = "REFERENCE_ID"
    _digits = re.compile(r"\d\D*\d")
    _token = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
    _cue = re.compile(rf"\b(?:{CODE_CUE}|number|no|num|is|its)\b[^.,?!\n]{{0,24}}$", re.IGNORECASE)
    _other_cue = re.compile(
        r"\b(?:error|err|http|build|model|version|ios|android|galaxy|iphone|pixel|size|series|type|voucher|coupon|promo|discount)\b[^.?!\n]{0,12}$",
        re.IGNORECASE,
    )
    _unit = re.compile(
        r"(?:oz|lbs?|kgs?|km|cm|mm|ml|gb|mb|tb|hp|mp|am|pm|st|nd|rd|th|pcs|nos|pc|cal|cals|kcal|cc|pack|pcs|veg|rs|inr|usd|hrs?|min|sec|mph|bhk|inch|in|ft|xl|xxl|x)",
        re.IGNORECASE,
    )

    _day = re.compile(r"(?:[0-3]?\d)(?:st|nd|rd|th)?|\d\d", re.IGNORECASE)
    _month = re.compile(
        r"jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?",
        re.IGNORECASE,
    )
    _stop_words_in_codes = frozenset(("as", "he", "me", "we", "am", "at", "or", "us", "up", "do", "go", "an", "by", "so", "be", "if", "on"))

    def found(self, text: str) -> Iterator[tuple[int, int, float]]:
        yield from codes_in(text)

    def codes(self, text: str) -> Iterator[tuple[int, int, float]]:
        """Start, end and score of each code."""
        if not self._digits.search(text):
            return
        tokens = list(self._token.finditer(text))
        alone = 0 < len(tokens) <= 6 and all(self._may_belong(token.group(), True) for token in tokens)
        run: list[re.Match[str]] = []
        for token in tokens:
            belongs = self._may_belong(token.group(), alone)
            if run and (not belongs or text[run[-1].end() : token.start()] not in (" ", "-", " - ")):
                yield from self._code(text, run, alone)
                run = []
            if belongs:
                run.append(token)
        if run:
            yield from self._code(text, run, alone)

    def _may_belong(self, token: str, alone: bool) -> bool:
        lower = token.lower()
        if token.isdigit():
            return True
        if any(c.isdigit() for c in token):
            return not re.fullmatch(rf"\d+{self._unit.pattern}", token, re.IGNORECASE)
        if lower in lexicon.BRANDS or (
            lower in lexicon.STOP_WORDS and len(token) > 1 and not (alone and lower in self._stop_words_in_codes)
        ):
            return False
        if self._unit.fullmatch(token) and not alone:
            return False
        return len(token) <= 3 or (len(token) == 4 and lexicon.frequency(lower) < 2.5)

    def _code(self, text: str, run: list[re.Match[str]], alone: bool) -> Iterator[tuple[int, int, float]]:
        """The run as a code, without the words beside it, where letters and digits are mixed enough."""
        run = self._trimmed(run, alone)
        tokens = [token.group() for token in run]
        joined = "".join(tokens)
        digits, letters = sum(c.isdigit() for c in joined), sum(c.isalpha() for c in joined)
        if digits < 2 or letters < 1 or len(joined) < 5 or len(tokens) > 9:
            return
        before = text[max(0, run[0].start() - 40) : run[0].start()]
        cued = bool(self._cue.search(before))
        if re.fullmatch(rf"[\d ]+{self._unit.pattern}", " ".join(tokens), re.IGNORECASE) or joined.lower().startswith("0x"):
            return
        if not cued and self._is_date(tokens):
            return
        if digits == 4 and any(is_year(token) for token in tokens) and (letters > 3 or any(lexicon.is_known(token) for token in tokens)):
            return
        rest = re.findall(r"[^\W\d_]{2,}", text[: run[0].start()] + " " + text[run[-1].end() :])
        in_a_sentence = any(lexicon.is_common(word) and word.lower() not in lexicon.STOP_WORDS for word in rest)
        behind_a_brand = (word := re.search(r"([^\W\d_]+) $", before)) and word.group(1).lower() in lexicon.BRANDS
        if (
            self._other_cue.search(before)
            or (behind_a_brand and len(joined) < 7)
            or (in_a_sentence and not cued and (len(joined) < 7 or digits < 3))
        ):
            return
        yield run[0].start(), run[-1].end(), CUED if cued or alone else 0.6

    @classmethod
    def _is_date(cls, tokens: list[str]) -> bool:
        """Whether a month stands among numbers that can all be days and years."""
        numbers = [token for token in tokens if any(c.isdigit() for c in token)]
        return any(cls._month.fullmatch(token) for token in tokens) and all(cls._day.fullmatch(n) or is_year(n) for n in numbers)

    @staticmethod
    def _trimmed(run: list[re.Match[str]], alone: bool) -> list[re.Match[str]]:
        """Without a word at its left that stands before another word, or an article before a number."""
        while len(run) > 1 and run[0].group().isalpha() and run[1].group().isalpha():
            if len(run[0].group()) + len(run[1].group()) <= 4 and not lexicon.is_name(run[0].group()):
                break
            run = run[1:]
        if len(run) > 1 and run[0].group().lower() in ("a", "i") and not any(c.isalpha() for token in run[1:] for c in token.group()):
            run = run[1:]
        while len(run) > 1 and run[0].group().isalpha() and _is_a_code(run[1].group()):
            run = run[1:]
        while len(run) > 1 and run[-1].group().isalpha() and _is_a_code(run[-2].group()):
            run = run[:-1]
        while len(run) > 1 and run[-1].group().isalpha() and run[-2].group().isalpha() and len(run[-1].group()) > 2:
            run = run[:-1]
        while len(run) > 1 and not alone and run[-1].group().isalpha() and _is_a_word(run[-1].group()):
            run = run[:-1]
        return run


_MIXED_CODES = MixedCode()


@lru_cache(LATEST)
def codes_in(text: str) -> tuple[tuple[int, int, float], ...]:
    """Start, end and score of each code of letters and digits. They are findings, and no words of what stands around them, so a text
    is looked at twice within its batch."""
    return tuple(_MIXED_CODES.codes(text))


class WebAddress(ChatRecognizer):
    """Addresses that are written as such; a bare `main.py` or `ok.so` is none."""

    entity = "URL"
    _said = re.compile(r"(?:https?://|\bwww\.)[^\s<>\"']*[^\s<>\"'.,;:!?)]", re.IGNORECASE)

    def found(self, text: str) -> Iterator[tuple[int, int, float]]:
        yield from ((match.start(), match.end(), 0.9) for match in self._said.finditer(text))


class CuedName(ChatRecognizer):
    """What stands behind "my name is", where it is no everyday word, whatever the model thinks of it."""

    entity = "PERSON"
    _name = r"(?P<first>[^\W\d_][\w'’-]*)(?: (?:[^\W\d_] )?(?P<second>[^\W\d_][\w'’-]*))?"
    _said = re.compile(
        rf"\b(?:(?:my|full|first|last|given|family|sur|cardholder'?s?|her|his) ?names?(?: ?(?:is|are|'?s|:|-))*|^names?(?: (?:is|are))?|myself) +{_name}",
        re.IGNORECASE,
    )
    _meant = re.compile(
        rf"\b(?:calls? me|in the name of|under(?: the name(?: of)?)?|on behalf of|regards|sincerely|passengers? (?:is|are|one)|holder is|mrs?|ms)[,.:]? {_name}",
        re.IGNORECASE,
    )
    """Behind these an unusual word is a name; others are not."""
    _presenting = re.compile(
        rf"(?:^|[.!?,\n]\s*)(?:(?:hi|hello|hey)[ ,]+)?(?:(?P<cue>it'?s|this is|i'?m|i am) )?{_name}[ ,]{{1,2}}(?P<after>here|again|speaking|by the way)\b",
        re.IGNORECASE,
    )

    _addressed = re.compile(rf"(?:^|\n)(?:[Hh]i|[Hh]ello|[Hh]ey|[Dd]ear|[Gg]ood (?:morning|afternoon|evening)) (?=[^\W\d_a-z]){_name},")

    def found(self, text: str) -> Iterator[tuple[int, int, float]]:
        for match in self._said.finditer(text):
            if self._may_be(match["first"]):
                yield match.start("first"), self._end(match, self._may_be), 0.6
        for match in itertools.chain(self._meant.finditer(text), self._addressed.finditer(text)):
            if self._is_rare(match["first"]):
                yield match.start("first"), self._end(match, self._is_rare), 0.6
        for match in self._presenting.finditer(text):
            said = [match[name] for name in ("first", "second") if match[name]]
            if (match["cue"] or match["after"] == "here") and all(map(self._is_rare, said)):
                yield match.start("first"), self._end(match, self._is_rare), 0.6

    @staticmethod
    def _end(match: re.Match[str], may_be: Callable[[str], bool]) -> int:
        return match.end("second") if match["second"] and may_be(match["second"]) else match.end("first")

    @classmethod
    def _is_rare(cls, word: str) -> bool:
        if not word.isalpha():
            return cls._may_be(word)
        return cls._may_be(word) and (lexicon.is_name(word) or lexicon.frequency(word.lower()) < RARE)

    @staticmethod
    def _may_be(word: str) -> bool:
        return bool(_uncommon_parts(word)) and not any(c.isdigit() for c in word)


class Password(ChatRecognizer):
    """What stands behind "password", where it is no everyday word."""

    entity = "PASSWORD"
    _said = re.compile(
        r"\b(?:password|passcode|passwort|pass ?phrase|pwd)\b(?: (?:is|was|to|as|should be|would be))?\s*[:=]?\s*[\"'“]?(?P<value>[^\s\"'”]{3,})",
        re.IGNORECASE,
    )

    def found(self, text: str) -> Iterator[tuple[int, int, float]]:
        for match in self._said.finditer(text):
            value = match["value"].rstrip(".,!?;")
            if any(c.isdigit() for c in value) or (lexicon.frequency(value.lower()) < 3 and not lexicon.is_common(value)):
                yield match.start("value"), match.start("value") + len(value), 0.8


def _uncommon_parts(word: str) -> list[str]:
    """The parts of a word with hyphens or apostrophes that are no everyday words."""
    return [part for part in re.split(r"[-'’]", word) if part and not lexicon.is_common(part)]


def _is_a_word(token: str) -> bool:
    lower = token.lower()
    if len(token) > 2:
        return lexicon.is_known(token)
    return lower in ("a", "i") or lower in lexicon.STOP_WORDS or lexicon.INTERJECTIONS.fullmatch(lower) is not None


def _is_a_code(token: str) -> bool:
    return len(token) >= 5 and any(c.isdigit() for c in token) and any(c.isalpha() for c in token)


_DATE = re.compile(
    r"(?:0?[1-9]|[12]\d|3[01])[ .-]?(?:0?[1-9]|1[0-2])[ .-]?(?:19|20)\d\d|(?:0?[1-9]|1[0-2])[ .-]?(?:0?[1-9]|[12]\d|3[01])[ .-]?(?:19|20)\d\d|(?:19|20)\d\d[ .-](?:0?[1-9]|1[0-2])[ .-](?:0?[1-9]|[12]\d|3[01])"
)


def is_date(text: str) -> bool:
    """Whether digits are a day, a month and a year: `04 09 2018`, `2018-09-04`."""
    return _DATE.fullmatch(text) is not None


def is_year(text: str) -> bool:
    return re.fullmatch(r"(?:19[3-9]|20[0-4])\d", text) is not None


def recognizers() -> list[ChatRecognizer]:
    return [StrippedEmail(), DigitRun(), SpelledDigits(), MixedCode(), CuedName(), Password(), WebAddress()]
