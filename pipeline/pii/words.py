"""From the model's opinion of single words to findings: how sure it must be depends on what the word is and where it stands.

The model alone takes menu items, car makes and greetings for names, and lower-case house numbers for anything. A word's general
meaning (`pipeline.pii.lexicon`) and its neighbours say more than a threshold could.
"""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache

import regex
from faker.providers.address.en import Provider as Addresses

from pipeline.pii import lexicon
from pipeline.pii.chat import codes_in, is_date, is_year
from pipeline.pii.spans import Span

ADDRESS = ("STREET_ADDRESS", "CITY", "STATE", "ZIP_CODE")
PLACES = ("CITY", "STATE")
NUMBERS = ("PHONE_NUMBER", "BANK_ACCOUNT", "GOVERNMENT_ID", "URL", "EMAIL_ADDRESS")
FLOOR = 0.04
"""A word that the model is less sure of than this is of no interest in any context."""
LONELY_NAME = 0.08
"""Enough for a word that is no everyday word where the whole message is one to three of them."""
COMMON_WORD_AS_NAME = 0.9
WRITTEN_AS_A_NAME = 0.2
"""Enough for a known name with a capital letter."""
RATHER_COMMON = 4.2
"""Zipf frequency up to which a capital letter inside a sentence makes a name of an everyday word that no locale lists."""
IN_A_SENTENCE = 0.3
"""For a name among other words, where the model has seen enough to be sure."""
NEAR_AN_ADDRESS = 0.05
BESIDE_A_NAME = 0.5
"""For an everyday word directly beside a name: "reka xu"."""
AROUND = 3
"""So many words before the first and behind the last that could be personal data are read with them."""
SENTENCES = 8_192
"""Distinct sentences whose verdict is kept."""

_STREET = re.compile(
    r"(?:street|st|road|rd|avenue|ave|av|lane|ln|drive|dr|boulevard|blvd|way|court|ct|place|pl|square|sq|terrace|close|crescent|highway|hwy|parkway|pkwy|nagar|colony|"
    r"apartments?|apt|suite|ste|floor|flat|unit|block|complex|building|bldg|mall|villa|layout|plaza|box|house|room|ext|extension|circle|row|walk|gardens?|estate|alley|trail|"
    r"gate|cross|mansion|tower|towers|strasse|straße|rue|via|calle|rua|platz)",
    re.IGNORECASE,
)
_NAME_CUE = re.compile(
    r"\b(?:(?:my|the|his|her|full|first|last|sur|given|family|cardholder|account) ?names?(?: (?:is|are|on it is|would be)|s)?|name ?:|names?|i am|i'm|im|this is|myself|called|it'?s|mr|mrs|ms|miss|dr|"
    r"for|under|to|from|with|by|signed|thanks|thank you|thx|cheers|wife|husband|son|daughter|mother|father|mom|mum|dad|brother|sister|friend|partner|colleague|manager|boss|agent|technician|driver)"
    r"[\s:,.-]*$",
    re.IGNORECASE,
)
_STRONG_NAME_CUE = re.compile(
    r"\b(?:(?:my|his|her|their|full|first|last|given|family|sur) ?names?(?: (?:is|are)|'?s)?|name ?:|names? (?:on|of) (?:the |my |this )?\w+ (?:is|are)|in the name of|under the name(?: of)?|myself|"
    r"(?:mr|mrs|ms|dr)\.?|calls? me|(?:passengers?|travell?ers?|guests?|holder|beneficiary|insured|recipient)(?: (?:is|are|one|two|1|2))|on behalf of|"
    r"(?:kind |best |warm )?(?:regards|wishes)|sincerely|yours (?:truly|faithfully)|registered to)[\s:,.-]*$",
    re.IGNORECASE,
)
_INTRODUCED = re.compile(r"(?: [^\W\d_]+)? (?:is|'?s) (?:my|the|his|her) (?:full |first |last )?name\b", re.IGNORECASE)
_PRESENTS_ITSELF = re.compile(r"(?: [^\W\d_]+)?[\s,]{1,2}(?:here|again|speaking|writing|by the way)\b", re.IGNORECASE)
_PRESENTING = re.compile(r"(?:^|[.,!?\n]\s*|\b(?:hi|hello|hey|it'?s|this is|i'?m|i am)[ ,]+)(?:[^\W\d_]+ )?$", re.IGNORECASE)
_LIVES_IN = re.compile(
    r"\b(?:(?:live|lives|living|based|located|reside|we'?re|i'?m|we are|i am|am) in|moved to|(?:ships?|shipped|delivered?|send|sent|goes|go) (?:it )?to)\s+$",
    re.IGNORECASE,
)
_PLACE_CUE = re.compile(
    r"\b(?:live|lives|living|based|located|reside|moved|address|home|house|ship|deliver|send|sent|city|town|state|from|(?:we'?re|i'?m|we are|i am) in)(?: \w+){0,2}\s*$",
    re.IGNORECASE,
)
_ADDRESS_CUE = re.compile(r"\b(?:address|live|reside|deliver|ship|street|located|house|home)\b", re.IGNORECASE)
_BEFORE_ADDRESS = re.compile(
    r"(?:\b(?:no|number|num|flat|room no|room|door no|door|house no|plot no|plot|po|p o|unit|apt|suite|block|#)[\s.:#-]*)$", re.IGNORECASE
)


_WORD = re.compile(r"[^\W\d_]+")
_SAID = re.compile(r"\S+")
_NUMBER_OR_AT = re.compile(r"[@\d]+")
_AROUND_AN_AT = re.compile(r"[^\s@]+@[^\s@]*\w")
_NO_STREET = re.compile(r"\b(?:i|you|we|they|he|she|to|can|will|the|a|my|your|this|that)\s$", re.IGNORECASE)
_NEXT_WORD = re.compile(r"[ -]([^\W\d_]+)(?![\w@])")
_WORD_BEFORE = re.compile(r"(?<![\w.])([^\W\d_]+)[ -]$")
_BRAND_BEFORE = re.compile(r"(?:\b([^\W\d_]+) )?\b([^\W\d_]+) $")
_SIGNATURE = re.compile(
    r"^[^\n]*\b(?:regards|wishes|sincerely|thanks|thank you|thx|cheers|truly|faithfully)[,.! ]*\n\s*(?P<name>[^\W\d_][^\W\d_'’.-]*(?:[ -][^\W\d_][\w'’.-]*){0,2})[ ]*(?=\n|$)",
    re.IGNORECASE | re.MULTILINE,
)
_AS_A_FULL_NAME = regex.compile(r"(?<![\w@.'’-])(?P<part>\p{Lu}\p{Ll}+(?:[-'’]\p{L}\p{Ll}+)*)(?: (?&part)){1,3}(?![\w@-])")
_PLAIN_NUMBER = re.compile(
    r"[$€£₹] ?\d[\d,.]*|(?<![\w-])(?:19|20)\d\d-[01]\d-[0-3]\d(?:[T ][\d:.+Z]*)?(?![\w-])|(?<![\w.,/-])\d{1,3}(?:\.\d{1,2})?(?![\w/]|[.,-]\d|[ -]\d)"
)
"""An amount of money, a date, or a number of at most three digits that no other follows."""
_STREET_WORD = re.compile(rf"\b{_STREET.pattern}\b", re.IGNORECASE)
_BETWEEN_PARTS = lexicon.STOP_WORDS | {"city", "state", "code", "postcode", "zipcode", "near"}
"""Words between the parts of an address that are none of it."""
_OTHER_NUMBER = re.compile(r"\b(?:error|err|http|version|build|model)(?: code)?[\s:#]*(?:$|\d)|0x", re.IGNORECASE)


@dataclass(frozen=True)
class Asked:
    """What the message before asked for: then a bare answer needs no more evidence."""

    name: bool = False
    address: bool = False


NOTHING_ASKED = Asked()


def findings(text: str, words: Sequence[Span], thresholds: Mapping[str, float], asked: Asked = NOTHING_ASKED) -> list[Span]:
    """The words that are personal data, neighbours of one type joined, without what only looks like it."""
    without_codes = _without_codes(text)
    lonely = _is_lonely(without_codes)
    has_address = _has_address(text, words, thresholds) or asked.address
    kinds = [_kind(text, word, thresholds, lonely, has_address, asked) for word in words]
    kinds = _with_neighbours(text, words, kinds)
    kept = [replace(word, entity_type=kind) for word, kind in zip(words, kinds, strict=True) if kind is not None]
    standing = [one for one in _joined(text, kept) if _stands(text, one, kept, has_address)]
    speaks_of_a_person = text != without_codes or asked.name
    names = _bare_names(without_codes, standing, thresholds, speaks_of_a_person) if lonely or asked.name else []
    names += _signatures(text, [*standing, *names], thresholds)
    names += _full_names(text, words, [*standing, *names], thresholds)
    standing = sorted([*standing, *names], key=lambda word: word.start)
    standing += _rest_of_names(text, standing, lonely)
    joined = _joined(text, sorted(standing, key=lambda word: word.start))
    return _filled(text, joined) if has_address else joined


@lru_cache(SENTENCES)
def worth_reading(sentence: str) -> tuple[int, int] | None:
    """Start and end of what the model is to read of a sentence: all words that could stand as a finding, were it sure of them, and a
    few around them. None where there is no such word.

    Everyday words alone cannot stand, nor can amounts, counts, dates and what stands around an @, which patterns find.
    """
    plain = _PLAIN_NUMBER.sub(_blanked, _AROUND_AN_AT.sub(_blanked, sentence)) if _NUMBER_OR_AT.search(sentence) else sentence
    if _ADDRESS_CUE.search(sentence) or (plain != sentence and _STREET_WORD.search(sentence)):
        return 0, len(sentence)
    could = [word.span() for word in _WORD.finditer(plain) if _could_be(sentence, word)]
    could += [number.span() for number in _NUMBER_OR_AT.finditer(plain)]
    if not could:
        return None
    said = [word.span() for word in _SAID.finditer(sentence)]
    first = sum(end <= min(could)[0] for _, end in said)
    last = sum(start < max(end for _, end in could) for start, _ in said) - 1
    return said[max(0, first - AROUND)][0], said[min(len(said) - 1, last + AROUND)][1]


def _could_be(sentence: str, word: re.Match[str]) -> bool:
    surface, before = word.group(), sentence[: word.start()]
    if not lexicon.is_common(surface) or _is_introduced(sentence, word.start(), word.end()) or _LIVES_IN.search(before[-40:]):
        return True
    return surface[:1].isupper() and word.start() > 0 and (_though_common(surface) or _PLACE_CUE.search(before[-40:]) is not None)


def _blanked(match: re.Match[str]) -> str:
    return " " * len(match.group())


def _though_common(surface: str) -> bool:
    """Whether an everyday word with a capital letter inside a sentence may be a name."""
    return lexicon.is_name(surface) or (lexicon.frequency(surface.lower()) < RATHER_COMMON and surface.lower() not in lexicon.BRANDS)


def _is_introduced(text: str, start: int, end: int) -> bool:
    """Whether a word is said to be a name, whatever it means: "my name is ...", "... is my name"."""
    return _STRONG_NAME_CUE.search(text[:start][-40:]) is not None or _INTRODUCED.match(text, end) is not None


def _with_neighbours(text: str, words: Sequence[Span], kinds: Sequence[str | None]) -> list[str | None]:
    """Words directly beside a name, or joined to it by "and", are names where the model gives them a chance."""
    grown = list(kinds)
    for way in (1, -1):
        for place in range(len(words))[::way]:
            beside = place - way
            if grown[place] is not None or not 0 <= beside < len(words) or grown[beside] != "PERSON":
                continue
            first, second = sorted((words[beside], words[place]), key=lambda word: word.start)
            if words[place].score >= _beside_a_name(text, words[place], text[first.end : second.start]):
                grown[place] = "PERSON"
    return grown


def _beside_a_name(text: str, word: Span, between: str) -> float:
    surface = text[word.start : word.end]
    if not re.fullmatch(r" ?|[-'’]| (?:and|&) ", between) or not (surface.isalpha() or surface == "-"):
        return 2.0
    if not lexicon.is_common(surface):
        return LONELY_NAME
    lower = surface.lower()
    if lower in lexicon.STOP_WORDS or lower in lexicon.BRANDS or lexicon.INTERJECTIONS.fullmatch(lower) or len(between) > 1:
        return 2.0
    if between in ("", "-"):
        return LONELY_NAME
    if surface[:1].isupper() and _though_common(surface):
        return LONELY_NAME
    is_of_a_compound = "-" in (text[word.start - 1 : word.start], text[word.end : word.end + 1])
    return min(BESIDE_A_NAME, IN_A_SENTENCE) if is_of_a_compound else BESIDE_A_NAME


def _without_codes(text: str) -> str:
    """The text with codes blanked out, so that their letters do not count as words."""
    for start, end, _ in codes_in(text):
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def _is_lonely(text: str) -> bool:
    """Whether a message is one to three words beside those that carry no meaning, none of them an everyday word."""
    words = [
        word
        for word in re.findall(r"[^\W\d_]+", text)
        if word.lower() not in lexicon.STOP_WORDS and not lexicon.INTERJECTIONS.fullmatch(word.lower())
    ]
    return 0 < len(words) <= 3 and not any(lexicon.is_common(word) for word in words)


def _bare_names(text: str, found: Sequence[Span], thresholds: Mapping[str, float], speaks_of_a_person: bool) -> list[Span]:
    """Words of a lonely message that the model passed over: known names, and any word beside a number or code that only a person has."""
    if "PERSON" not in thresholds or re.search(r"[@/\\_]", text):
        return []
    beside_a_number = speaks_of_a_person or re.search(r"(?<!\d)(?!(?:19|20)\d\d\b)\d(?:[ -]?\d){3,}(?!\d)", text) is not None
    return [
        Span(match.start(), match.end(), "PERSON", 0.5)
        for match in re.finditer(r"(?<![\w.])[^\W\d_]{3,}(?![\w@])", text)
        if not lexicon.is_common(match.group())
        and (lexicon.is_name(match.group()) or (beside_a_number and len(match.group()) > 3))
        and not any(word.start < match.end() and match.start() < word.end for word in found)
    ]


def _signatures(text: str, found: Sequence[Span], thresholds: Mapping[str, float]) -> list[Span]:
    """A line of one to three words under "Kind regards," that holds a word which is no everyday word."""
    if "PERSON" not in thresholds or "\n" not in text:
        return []
    return [
        Span(match.start("name"), match.end("name"), "PERSON", 0.5)
        for match in _SIGNATURE.finditer(text)
        if not all(lexicon.is_common(word) for word in _WORD.findall(match["name"]))
        and not any(one.start < match.end("name") and match.start("name") < one.end for one in found)
    ]


def _full_names(text: str, words: Sequence[Span], found: Sequence[Span], thresholds: Mapping[str, float]) -> list[Span]:
    """Two or three words with a capital side by side, as a full name is written, where one is no everyday word, none is a frequent one,
    and the model gives one of them a chance, in a text that does not write every word so. What of it is not found yet."""
    if "PERSON" not in thresholds or not any(said[:1].islower() for said in text.split()):
        return []
    names = []
    for match in _AS_A_FULL_NAME.finditer(text):
        # "Hello Mi-rae Tanvaro": what begins a sentence has a capital as well.
        parts = list(itertools.dropwhile(lambda part: not _is_no_frequent_word(part), match.group().split(" ")))
        start = match.end() - len(" ".join(parts))
        chance = max((word.score for word in words if word.start < match.end() and start < word.end), default=0.0)
        if (
            len(parts) < 2
            or chance < FLOOR
            or not any(_is_rare(part, chance) for part in parts)
            or not all(map(_is_no_frequent_word, parts))
        ):
            continue
        names += [
            Span(part.start(), part.end(), "PERSON", 0.5)
            for part in _WORD.finditer(text, start, match.end())
            if not any(one.start < part.end() and part.start() < one.end for one in found)
        ]
    return names


def _is_rare(part: str, chance: float) -> bool:
    """Whether a part of a full name is no everyday word; of "Mi-rae" each half is one, so that the model has to be sure."""
    halves = _WORD.findall(part)
    return not any(map(lexicon.is_common, halves)) or (len(halves) > 1 and chance >= IN_A_SENTENCE)


def _is_no_frequent_word(part: str) -> bool:
    """A half with a hyphen behind or before it may be any word but both."""
    return any(not lexicon.is_common(half) or _though_common(half) for half in _WORD.findall(part))


def _rest_of_names(text: str, found: Sequence[Span], lonely: bool) -> list[Span]:
    """What stands directly beside a found name and is no everyday word, where the message introduces somebody or says nothing else."""
    rest = []
    for name in found:
        if name.entity_type != "PERSON" or not (lonely or _is_introduced(text, name.start, name.end)):
            continue
        beside = (_NEXT_WORD.match(text, name.end), _WORD_BEFORE.search(text[: name.start]))
        for match in beside:
            if (
                match
                and not lexicon.is_common(match.group(1))
                and not any(o.start < match.end(1) and match.start(1) < o.end for o in found)
            ):
                rest.append(Span(match.start(1), match.end(1), "PERSON", name.score))
    return rest


def _kind(text: str, word: Span, thresholds: Mapping[str, float], lonely: bool, has_address: bool, asked: Asked) -> str | None:
    """The type a word is kept under, or None where it is let go."""
    surface = text[word.start : word.end]
    threshold = thresholds.get(word.entity_type, 2.0)
    if surface.isalpha() and _is_a_model(text, word) and not _is_introduced(text, word.start, word.end):
        return None
    if word.entity_type == "PERSON":
        if word.score < _name_threshold(text, word, surface, threshold, lonely, asked):
            return None
        return "PERSON"
    if surface.isalpha() and not has_address and _is_a_name_of_another_kind(text, word, surface, thresholds, lonely, asked):
        return "PERSON"
    if word.entity_type in PLACES:
        near = has_address or _PLACE_CUE.search(text[: word.start][-40:]) is not None
        return word.entity_type if near and word.score >= min(threshold, NEAR_AN_ADDRESS) else None
    if word.entity_type in NUMBERS and surface.isalpha() and not re.search(r"[@.\d]", text[max(0, word.start - 1) : word.end + 1]):
        beside_a_digit = re.search(r"\d\W?$", text[: word.start][-2:]) or re.match(r"\W?\d", text[word.end : word.end + 2])
        return word.entity_type if beside_a_digit and not lexicon.is_common(surface) and word.score >= threshold else None
    if word.entity_type == "STREET_ADDRESS" and has_address:
        threshold = min(threshold, NEAR_AN_ADDRESS)
    return word.entity_type if word.score >= threshold else None


def _is_a_name_of_another_kind(text: str, word: Span, surface: str, thresholds: Mapping[str, float], lonely: bool, asked: Asked) -> bool:
    """Whether the model takes for a place or a number what stands where a name does: it tells names it does not know from other
    personal data badly."""
    if "PERSON" not in thresholds or lexicon.is_common(surface) or word.score < min(thresholds["PERSON"], LONELY_NAME):
        return False
    return asked.name or _is_introduced(text, word.start, word.end) or (lonely and lexicon.is_name(surface) and word.entity_type in NUMBERS)


def _is_a_model(text: str, word: Span) -> bool:
    """Whether a word stands one or two words behind a brand: "renault megane", "jeep grand cherokee"."""
    behind = _BRAND_BEFORE.search(text[: word.start])
    return behind is not None and any(one is not None and one.lower() in lexicon.BRANDS for one in behind.groups())


def _is_of_a_brand(text: str, word: Span) -> bool:
    return text[word.start : word.end].lower() in lexicon.BRANDS or _is_a_model(text, word)


def _name_threshold(text: str, word: Span, surface: str, threshold: float, lonely: bool, asked: Asked) -> float:
    if surface.isdigit():
        return 2.0
    before = text[: word.start][-40:]
    introduced = asked.name or _is_introduced(text, word.start, word.end)
    in_a_sentence = word.start > 0 and not re.search(r"[.!?\n]\s*$", before)
    if lexicon.is_common(surface):
        if introduced:
            return max(threshold, 0.5) if lexicon.is_known(surface) else LONELY_NAME
        return COMMON_WORD_AS_NAME if surface[:1].isupper() and in_a_sentence and _though_common(surface) else 2.0
    if introduced or (_PRESENTS_ITSELF.match(text, word.end) and _PRESENTING.search(before)):
        return FLOOR
    if lonely or _NAME_CUE.search(before):
        return min(threshold, LONELY_NAME)
    is_written_so = surface[:1].isupper() and in_a_sentence and lexicon.is_name(surface)
    return min(threshold, WRITTEN_AS_A_NAME) if is_written_so else max(threshold, IN_A_SENTENCE)


def _has_address(text: str, words: Sequence[Span], thresholds: Mapping[str, float]) -> bool:
    """Whether an address stands in the text: a street's word with a number, a street and a place, or a place with a postcode."""
    sure = [
        word
        for word in words
        if word.entity_type in ADDRESS and word.score >= thresholds.get(word.entity_type, 2.0) and not _is_of_a_brand(text, word)
    ]
    kinds = {word.entity_type for word in sure}
    streets = [text[word.start : word.end] for word in sure if word.entity_type == "STREET_ADDRESS"]
    named = any(word.entity_type == "STREET_ADDRESS" and _names_a_street(text, word) for word in sure)
    numbered = any(word.isdigit() for word in streets)
    spelled = any(word.isalpha() and not lexicon.is_common(word) and len(word) > 3 for word in streets)
    if named and (numbered or len(streets) > 2):
        return True
    if {"CITY", "STATE"} & kinds and ("ZIP_CODE" in kinds or (streets and (numbered or spelled))):
        return True
    places = [word for word in sure if word.entity_type in PLACES]
    if any(re.fullmatch(r"[\s,]{1,2}", text[a.end : b.start]) and a.entity_type != b.entity_type for a, b in itertools.pairwise(places)):
        return True
    if places and re.search(r"\d(?:[ -]?\d){6}", text):
        return True
    if _is_only_a_place(text, words):
        return True
    numbered = numbered and (len(streets) > 1 or any(_BEFORE_ADDRESS.search(text[: word.start]) for word in sure))
    return bool(_ADDRESS_CUE.search(text)) and bool(sure) and (numbered or named or "ZIP_CODE" in kinds or bool(places))


def _names_a_street(text: str, word: Span) -> bool:
    """Whether a word is a street's, and not "i drive a" or "the place"."""
    return _STREET.fullmatch(text, word.start, word.end) is not None and _NO_STREET.search(text[: word.start][-10:]) is None


def _is_of_an_address(text: str, word: Span) -> bool:
    """Whether a word that the model takes for an address's is neither a brand nor an everyday word like "drive"."""
    if _is_of_a_brand(text, word):
        return False
    return word.entity_type in PLACES or (word.entity_type in ADDRESS and not lexicon.is_common(text[word.start : word.end]))


def _is_only_a_place(text: str, words: Sequence[Span]) -> bool:
    """Whether a message names places and little else, which is how one answers where one lives; a journey has a "to"."""
    said = [match for match in re.finditer(r"[^\W\d_]+", text) if not lexicon.INTERJECTIONS.fullmatch(match.group().lower())]
    if re.search(r"\b(?:to|and|or|via|flight|weather|time)\b", text, re.IGNORECASE):
        return False
    places = [
        match
        for match in said
        if any(w.start <= match.start() < w.end and w.score >= NEAR_AN_ADDRESS and _is_of_an_address(text, w) for w in words)
    ]
    said = [match for match in said if match.group().lower() not in lexicon.STOP_WORDS or match in places]
    return 1 < len(said) <= 5 and len(places) >= 2 and 2 * len(places) > len(said)


BETWEEN = {"PERSON": r"(?:[\s.'’-]{1,2}|\s\w\s)", "STREET_ADDRESS": r"[\s,.#/-]{0,3}"}
"""What may stand between two words of one finding, by type; for the others see `_ANY_BETWEEN`."""
_ANY_BETWEEN = r"[^\w]{0,2}"


def _joined(text: str, words: Sequence[Span]) -> list[Span]:
    """Neighbouring words of one type as one finding, with the highest score of them."""
    joined: list[Span] = []
    for word in words:
        if joined and joined[-1].entity_type == word.entity_type:
            between = text[joined[-1].end : word.start]
            if re.fullmatch(BETWEEN.get(word.entity_type, _ANY_BETWEEN), between):
                joined[-1] = replace(joined[-1], end=word.end, score=max(joined[-1].score, word.score))
                continue
        if word.entity_type == "PERSON" and re.search(r"\b[OoDd]['’]$", text[: word.start]):
            word = replace(word, start=word.start - 2)  # noqa: PLW2901 - O'Sullivan
        joined.append(word)
    return joined


def _stands(text: str, found: Span, kept: Sequence[Span], has_address: bool) -> bool:
    """Whether a finding is more than a number, a year, a brand or a menu item that stands by itself."""
    surface = text[found.start : found.end]
    parts = re.findall(r"\w+", surface)
    if found.entity_type == "PERSON":
        is_word = all(lexicon.is_common(part) for part in parts)
        return not is_word or surface[:1].isupper() or _is_introduced(text, found.start, found.end)
    digits = sum(character.isdigit() for character in surface)
    bare = digits and not any(character.isalpha() for character in surface)
    if found.entity_type in ADDRESS:
        if any(part.lower() in lexicon.BRANDS for part in parts):
            return False
        if has_address:
            counts = bare and (digits < 4 or is_year(surface) or is_date(surface))
            is_street = found.entity_type == "STREET_ADDRESS"
            return _is_part_of_an_address(text, found, kept) if counts or (is_street and not digits) else True
        if found.entity_type in PLACES:
            before = next((one for one in kept if one.entity_type in PLACES and 0 <= found.start - one.end <= 2), found)
            return any(_LIVES_IN.search(text[: one.start][-40:]) for one in (found, before))
        if found.entity_type == "ZIP_CODE" and not bare:
            return digits >= 2
        named = any(_names_a_street(text, replace(found, start=part.start(), end=part.end())) for part in _parts(text, found))
        return found.entity_type == "STREET_ADDRESS" and named and digits > 0 and len(parts) > 2
    if _OTHER_NUMBER.search(text[: found.start][-30:]) or _OTHER_NUMBER.match(surface):
        return False
    return not (
        bare
        and (
            digits < 4
            or is_date(surface)
            or is_year(surface)
            or re.search(r"[$€£₹] ?$", text[: found.start]) is not None
            or surface[0] in "$€£₹"
            or (digits < 6 and len(kept) == 1 and re.search(r"[^\W\d_]{2}", text) is not None and found.score < 0.9)
        )
    )


def _parts(text: str, found: Span) -> list[re.Match[str]]:
    return list(re.compile(r"\w+").finditer(text, found.start, found.end))


def _is_part_of_an_address(text: str, street: Span, kept: Sequence[Span]) -> bool:
    """Whether a street without a number is more than "in the shop on the high street", or a short number more than "at 7 in"."""
    if street.entity_type == "STREET_ADDRESS" and any(
        not lexicon.is_common(part) for part in _WORD.findall(text[street.start : street.end])
    ):
        return True
    return any(
        other.entity_type in ADDRESS
        and other.start != street.start
        and (0 <= other.start - street.end <= 3 or 0 <= street.start - other.end <= 3)
        and not street.start <= other.start < street.end
        for other in kept
    )


def _filled(text: str, found: Sequence[Span]) -> list[Span]:
    """An address as one stretch of findings: what stands between its parts, a number before it and a country behind it belong to it."""
    filled: list[Span] = []
    for one in found:
        if one.entity_type in ADDRESS:
            last = filled[-1] if filled else None
            if last and last.entity_type in ADDRESS and re.fullmatch(r"[\s,.#/-]*(?:[\w.'-]+[\s,.#/-]+){0,3}", text[last.end : one.start]):
                gap = text[last.end : one.start]
                if any(part.lower() not in _BETWEEN_PARTS for part in re.findall(r"\w+", gap)):
                    end = last.end + len(gap.rstrip(" ,.#/-"))
                    filled[-1] = replace(last, end=end)
            before = _BEFORE_ADDRESS.search(text[: one.start])
            free_from = filled[-1].end if filled else 0
            start = before.start() if before and before.start() >= free_from and one.entity_type == "STREET_ADDRESS" else one.start
            one = replace(one, start=start)  # noqa: PLW2901 - the finding grows to the left
        filled.append(one)
    for place, one in enumerate(filled):
        if one.entity_type in ADDRESS and (behind := _countries().match(text, one.end)):
            limit = filled[place + 1].start if place + 1 < len(filled) else len(text)
            if behind.end() <= limit:
                filled[place] = replace(one, end=behind.end())
    return filled


@cache
def _countries() -> re.Pattern[str]:
    names = sorted(
        {name.lower() for name in Addresses.countries}
        | {"usa", "us", "uk", "uae", "united states", "england", "scotland", "wales", "america"},
        key=lambda n: (-len(n), n),
    )
    return re.compile(rf"[\s,.]*(?:{'|'.join(map(re.escape, names))})\b", re.IGNORECASE)
