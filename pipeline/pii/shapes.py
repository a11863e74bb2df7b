"""What looks like personal data by its shape alone: e-mail addresses, cards, bank accounts, long numbers.

Simple on purpose, and independent of the recognizers that made the dataset: what they overlook, this must not overlook too.
Light: needs nothing beside the standard library.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

LEAST_DIGITS = 7
CARD_DIGITS = range(13, 20)
IBAN_LENGTHS = range(15, 35)
_ENDINGS = "com|net|org|edu|gov|info|biz|io|co|uk|ca|au|nz|ie|de|fr|es|nl|se|dk|pl|pt|br|mx|jp|cn|ru|ch|eu"
_MAILERS = "gmail|googlemail|yahoo|ymail|hotmail|outlook|icloud|protonmail|rediffmail|aol|gmx"
EMAIL = re.compile(
    rf"""(?<![\w.+%'-])(?:
      [\w.+%'-]* @ [\w-]+ (?:[.,][\w-]+)+                                                # jo@corp.io, jo@corp,io, and @corp.io alone
    | [\w.+%'-]+ @ [\w-]* [^\W\d_] [\w-]*                                                # jo@intranet
    | [\w.+%'-]+ \s?@\s? [\w-]+ (?:\s?[.,]\s?[\w-]+)*? \s?[.,]\s? (?:{_ENDINGS})\b       # jo @ corp . com
    | [\w.+%'-]+ \s[(\[]?at[)\]]?\s [\w-]+ (?:\s[(\[]?dot[)\]]?\s [\w-]+)+               # jo at corp dot com
    | [\w.+%'-]+ (?:\s\d+)? \s at\s (?:{_MAILERS}) (?:\s?[.,]\s?|\sdot\s)? (?:com|net|org|co)\b   # jo at gmail.com
    | [\w.+%'-]+ (?:\s\d+)? \s (?:{_MAILERS}) (?:\s|\sdot\s)? (?:com|net|org|co)\b       # jo 45 gmailcom
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_HINTS_AT_EMAIL = re.compile(rf"@|\bdot\b|{_MAILERS}", re.IGNORECASE)
"""One of them is in every address that EMAIL finds; looked for first, since most texts have none."""
_HAS_DIGITS = re.compile(rf"\d(?:\D*\d){{{LEAST_DIGITS - 1}}}")
RESERVED_HOST = re.compile(r"(?:^|[.@])(?:example\.(?:com|net|org)|example|test|invalid)$", re.IGNORECASE)
"""Domains that nobody can own (RFC 2606)."""
RESERVED_NUMBER = re.compile(r"(?:1?[1-9]\d\d)?55501\d\d|(?:44|0)7700900\d{3}")
"""Telephones kept for fiction (NANPA 555-01xx, Ofcom 07700 900xxx)."""
NUMBER = re.compile(r"(?<!\d)\+?\(?\d+(?:(?: ?[-./] ?|,|\)? \(?|\)-?)\d+)*")
DATE = re.compile(r"(?<!\d)(?:(?:19|20)\d\d([-./ ]?)(?:0?[1-9]|1[0-2])\1(?:3[01]|[0-2]?\d)|\d{1,2}([-./ ])\d{1,2}\2(?:19|20)\d\d)(?!\d)")
AMOUNT = re.compile(r"(?<!\d)(?<!\d[-.,/])(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,3}(?:\.\d{3})+,\d\d|\d{1,7}[.,]\d\d)(?![-.,/]?\d)")
YEAR = re.compile(r"(?:19|20)\d\d")
YEAR_AND_SERIAL = re.compile(r"(?:19|20)\d\d[-/]\d{3,4}")
"""A document's number as people make one up: invoice 2026-0417."""
IBAN = re.compile(r"(?<![^\W_])[A-Z]{2}\d\d(?:[ -]?[A-Z0-9]){11,40}", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Known:
    """Addresses and numbers that are nobody's secret: surrogates, what an allow list names, what somebody said before."""

    emails: frozenset[str]
    numbers: tuple[str, ...]
    """Digits alone, the longest first."""
    ibans: frozenset[str]

    def covers(self, number: str) -> bool:
        """Whether nothing of the digits in `number` is left when known numbers, which may stand in it side by side, are taken out."""
        for length, known in self._by_length.items():
            if length <= len(number):
                for one in _standing_in(number, known, length):
                    number = number.replace(one, " ")
        return all(len(rest) < LEAST_DIGITS or self._holds(rest) for rest in number.split())

    @cached_property
    def _by_length(self) -> dict[int, dict[str, None]]:
        """Numbers by how long they are, in the order of `numbers`: of a long text's thousands only a few can stand in another number."""
        found: dict[int, dict[str, None]] = {}
        for one in self.numbers:
            found.setdefault(len(one), {})[one] = None
        return found

    @cached_property
    def _begins(self) -> dict[str, list[str]]:
        """Every row of LEAST_DIGITS digits in `numbers`, with the numbers that it stands in."""
        found: dict[str, list[str]] = {}
        for one in self.numbers:
            for place in dict.fromkeys(one[at : at + LEAST_DIGITS] for at in range(len(one) - LEAST_DIGITS + 1)):
                found.setdefault(place, []).append(one)
        return found

    def _holds(self, digits: str) -> bool:
        """Whether `digits` stand inside of a known number."""
        return any(digits in one for one in self._begins.get(digits[:LEAST_DIGITS], ()))


def _standing_in(number: str, known: Mapping[str, None], length: int) -> list[str]:
    """Those of `known`, all of one length, that stand in `number`; what is looked for is whichever of the two is less."""
    if len(known) <= len(number) - length:
        return [one for one in known if one in number]
    return sorted({part for at in range(len(number) - length + 1) if (part := number[at : at + length]) in known})


def known_from(texts: Iterable[str]) -> Known:
    """All addresses and numbers that stand in `texts`."""
    texts = list(texts)
    numbers = {number for text in texts for number in numbers_in(text)}
    return Known(
        frozenset(email for text in texts for email in emails_in(text)),
        tuple(sorted(numbers, key=lambda number: (-len(number), number))),
        frozenset(iban for text in texts for iban in ibans_in(text)),
    )


NOTHING = known_from([])


def kinds_in(text: str, known: Known = NOTHING, reserved: bool = False) -> list[str]:
    """The kind of everything that `places_in` finds."""
    return [kind for kind, _, _ in places_in(text, known, reserved)]


def places_in(text: str, known: Known = NOTHING, reserved: bool = False) -> list[tuple[str, int, int]]:
    """Kind (email, iban, card or number), start and end of everything in `text` that looks like personal data and is not `known`.

    With `reserved`, what lies in ranges that belong to nobody is no finding either: right where people write examples, too
    lenient where a log is looked at that has no reason to hold any.
    """
    places = [
        ("email", *match.span())
        for match in _emails(text)
        if (email := _one_spelling(match[0])) not in known.emails and not (reserved and RESERVED_HOST.search(email))
    ]
    for start, end, iban in _ibans(text):
        if iban not in known.ibans:
            places.append(("iban", start, end))
    for match, number in _runs(_without_ibans(text)):
        is_nobodys = reserved and (RESERVED_NUMBER.fullmatch(number) or YEAR_AND_SERIAL.fullmatch(match[0]))
        if not is_nobodys and not known.covers(number):
            places.append(("card" if len(number) in CARD_DIGITS and luhn(number) else "number", *match.span()))
    return places


def blank(match: re.Match[str]) -> str:
    """What stands in a text for a match that is taken out of it: as long, and no part of a number or an address."""
    return ";".center(len(match[0]))


def emails_in(text: str) -> list[str]:
    """Every e-mail address in one spelling: `Jo at corp dot com` is jo@corp.com."""
    return [_one_spelling(match[0]) for match in _emails(text)]


def _emails(text: str) -> Iterator[re.Match[str]]:
    return EMAIL.finditer(text) if _HINTS_AT_EMAIL.search(text) else iter(())


def _one_spelling(email: str) -> str:
    email = re.sub(r"\s[(\[]?at[)\]]?\s", "@", email.casefold())
    email = re.sub(r"\s[(\[]?dot[)\]]?\s|,", ".", email)
    return re.sub(r"\s", "", email).strip(".'")


def ibans_in(text: str) -> list[str]:
    """Every account number whose check digits are right (ISO 13616), upper case without blanks."""
    return [iban for _, _, iban in _ibans(text)]


def _ibans(text: str) -> list[tuple[int, int, str]]:
    """Start, end and one spelling of each."""
    found = [(match.start(), *_iban(match[0])) for match in IBAN.finditer(text)]
    return [(start, start + length, iban) for start, length, iban in found if iban]


def _iban(candidate: str) -> tuple[int, str]:
    """The longest part of `candidate`, which may have run into the next words, that ends with a group and is an account number: how
    long it is as written, and its one spelling; (0, "") for none."""
    groups = re.split(r"[ -]", candidate)
    for count in range(len(groups), 0, -1):
        compact = "".join(groups[:count]).upper()
        is_long_enough = len(compact) in IBAN_LENGTHS and sum(c.isdigit() for c in compact) > LEAST_DIGITS
        if is_long_enough and int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1:
            return len(compact) + count - 1, compact
    return 0, ""


def _without_ibans(text: str) -> str:
    return IBAN.sub(lambda match: blank(match) if _iban(match[0])[1] else match[0], text)


def numbers_in(text: str) -> list[str]:
    """The digits of every run long enough to be somebody's, and not a date, an amount, years or a row of small numbers."""
    return [digits for _, digits in _runs(text)]


def _runs(text: str) -> list[tuple[re.Match[str], str]]:
    """Each such run as it is written and its digits."""
    if not _HAS_DIGITS.search(text):
        return []
    found = []
    for match in NUMBER.finditer(AMOUNT.sub(blank, DATE.sub(blank, text))):
        groups = re.findall(r"\d+", match[0])
        digits = "".join(groups)
        small = len(digits) < 10 and max(map(len, groups)) < 3
        years = len(groups) > 1 and all(YEAR.fullmatch(group) for group in groups)
        if len(digits) >= LEAST_DIGITS and not small and not years:
            found.append((match, digits))
    return found


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    doubled = [int(d) * (2 if place % 2 else 1) for place, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0
