"""Leak audit: what still looks like personal data where none may be, judged without the recognizers that should have found it.

Pure functions over one record each. They know where placeholders or surrogates stand and what the allow list names; everything else
that has the shape of personal data is a finding. A finding holds a kind, a field and, in the pool, a place, never a text.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import Any

import orjson

from pipeline.params import LOGGED
from pipeline.pii import lexicon
from pipeline.pii.entities import SHORTEST_VALUE, kind_of_value
from pipeline.pii.shapes import DATE, NOTHING, YEAR, Known, blank, kinds_in, known_from, places_in
from pipeline.pii.spans import PLACEHOLDER

SHAPES = ("email", "iban", "card", "number")
KINDS = ("placeholder", *SHAPES)
"""What an example or a response may hold."""
POOL_KINDS = ("name", "metadata", *SHAPES)
"""What a pooled conversation may give away."""
FIELDS = ("input", "fixtures", "expectation", "answer", "citations", "tool_calls")
BREAK = " ; "
"""Stands for what is taken out of a text, so that its neighbours do not become one number or address."""
SHORTEST_NAME = 3
ENTITY_TYPES = {"name": "PERSON", "email": "EMAIL_ADDRESS", "iban": "IBAN_CODE", "card": "CREDIT_CARD", "number": "REFERENCE_ID"}
"""What a finding is masked as, by its kind; metadata by the look of its value."""
REMEMBERED = 8_192
"""Texts whose shapes are kept in memory: templated answers recur."""
_WORD = re.compile(r"[^\W\d_]+")
_BESIDE = re.compile(r"([^\W\d_][\w'’-]*)(?= +<PERSON_\d+>)|<PERSON_\d+> +([^\W\d_][\w'’-]*)")
"""The word before and the word after a name that was replaced, on its line."""


@dataclass(frozen=True)
class Finding:
    """Something in a record that looks like personal data."""

    kind: str
    field: str


@dataclass(frozen=True)
class Place:
    """Where something stands in a pooled conversation that looks like personal data."""

    kind: str
    field: str
    """messages or fixtures."""
    text: int
    """Which text of the field: a message, or one of `leaves` of the fixtures."""
    start: int
    end: int


# What intake lets into the pool


@dataclass(frozen=True)
class Allowed:
    """The phrases of `anonymize.allow_list`, which are nobody's."""

    phrases: tuple[str, ...] = ()

    @cached_property
    def known(self) -> Known:
        return known_from(self.phrases) if self.phrases else NOTHING

    @cached_property
    def _any(self) -> re.Pattern[str] | None:
        longest_first = sorted({phrase for phrase in self.phrases if phrase}, key=lambda phrase: (-len(phrase), phrase))
        if not longest_first:
            return None
        return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)

    def without(self, text: str) -> str:
        """`text` without the phrases, where they stand as whole words; as long as before."""
        return self._any.sub(blank, text) if self._any else text


def audit_record(
    raw: Mapping[str, Any],
    pooled: Mapping[str, Any],
    hidden: Mapping[str, str],
    allowed: Allowed,
    is_common: Callable[[str], bool] = lexicon.is_common,
) -> list[Place]:
    """Where a conversation's pooled form (schema.POOL) gives away something of its raw form (schema.RECORDS); empty for nothing.

    name: a word of a name that was replaced somewhere in the conversation stands in another place, or the other half of one stands
    beside its placeholder, with a capital. metadata: a value of `hidden`, the raw metadata that is not kept, stands in it. Common words
    count for neither, nor does anything inside an allowed phrase. The other kinds are shapes (see pipeline.pii.shapes). Sorted by
    kind, then field, text and start.

    Raises ValueError where the pooled form is no form of the raw one.
    """
    raw_texts, pooled_texts = _texts(raw), _texts(pooled)
    names = {
        word
        for field, texts in raw_texts.items()
        for before, after in zip(texts, pooled_texts[field], strict=True)
        for entity_type, replaced in replacements(before, after)
        if entity_type == "PERSON"
        for word in _WORD.findall(replaced.casefold())
        if len(word) >= SHORTEST_NAME
    }
    looks = (
        ("name", lambda text: [*_names(text, names, is_common), *_halves(text, is_common)]),
        ("metadata", lambda text: [place for value in hidden.values() for place in _recurrences(value, text, is_common)]),
    )
    found = []
    for field, texts in pooled_texts.items():
        joined = "\n".join(texts)
        for kind, look in looks:
            # Few conversations have either, so that the allow list, which costs most, is looked at last.
            spans = look(joined) and look(allowed.without(joined))
            found += [Place(kind, field, *piece) for piece in _by_text(spans, texts)]
        found += [Place(kind, field, n, start, end) for n, text in enumerate(texts) for kind, start, end in _shapes(text, allowed)]
    return sorted(set(found), key=lambda one: (POOL_KINDS.index(one.kind), one.field != "messages", one.text, one.start, one.end))


@lru_cache(REMEMBERED)
def _shapes(pooled: str, allowed: Allowed) -> list[tuple[str, int, int]]:
    return places_in(PLACEHOLDER.sub(blank, pooled), allowed.known)


def missed(pooled: Mapping[str, Any], places: Iterable[Place]) -> dict[str, str]:
    """What stands at `places` of a pooled conversation, in lower case, and the entity type to mask it as."""
    texts = _texts(pooled)
    surfaces = [(texts[place.field][place.text][place.start : place.end], place.kind) for place in places]
    return {surface.casefold(): ENTITY_TYPES.get(kind) or kind_of_value(surface) for surface, kind in reversed(surfaces)}


def _by_text(spans: Iterable[tuple[int, int]], texts: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Number of the text, start and end in it, of what lies at `spans` of `texts` joined by line ends; what spans two is two."""
    begins = list(accumulate((len(text) + 1 for text in texts), initial=0))[:-1]
    for start, end in spans:
        for number, (begin, text) in enumerate(zip(begins, texts, strict=True)):
            a, b = max(start - begin, 0), min(end - begin, len(text))
            if a < b:
                yield number, a, b


def _texts(conversation: Mapping[str, Any]) -> dict[str, list[str]]:
    return {"messages": [message["content"] for message in conversation["messages"]], "fixtures": leaves(conversation["fixtures"])}


def replacements(raw: str, pooled: str) -> Iterator[tuple[str, str]]:
    """(entity type, text) of what each placeholder of `pooled` stands for, told from the text around it."""
    begin, *rest = PLACEHOLDER.split(pooled)
    at = len(begin) if raw.startswith(begin) else len(raw) + 1
    for place in range(0, len(rest), 3):
        entity_type, _, behind = rest[place : place + 3]
        is_last = place + 3 == len(rest)
        end = raw.find(behind, len(raw) - len(behind) if is_last else at + 1)
        if end <= at:
            raise ValueError("a pooled text is no form of its raw text")
        yield entity_type, raw[at:end]
        at = end + len(behind)
    if at != len(raw):
        raise ValueError("a pooled text is no form of its raw text")


def _names(pooled: str, names: set[str], is_common: Callable[[str], bool]) -> Iterator[tuple[int, int]]:
    """Where a word of `names` (lower case) that is no common one stands."""
    if not names:
        return
    lower, at = _folded(PLACEHOLDER.sub(blank, pooled))
    for match in _WORD.finditer(lower):
        if match[0] in names and not is_common(match[0]):
            yield at[match.start()], at[match.end() - 1] + 1


def _halves(pooled: str, is_common: Callable[[str], bool]) -> Iterator[tuple[int, int]]:
    """Where a word with a capital that is no common one stands beside a name's placeholder: "Mi-rae <PERSON_1>"."""
    for match in _BESIDE.finditer(pooled):
        word = match[match.lastindex or 0]
        if word[0].isupper() and any(len(part) >= SHORTEST_NAME and not is_common(part.casefold()) for part in _WORD.findall(word)):
            yield match.span(match.lastindex or 0)


def _recurrences(value: str, pooled: str, is_common: Callable[[str], bool]) -> Iterator[tuple[int, int]]:
    """Where `value` stands in `pooled` as whole words; an id however it is punctuated there: `CU-12` is also `cu12`."""
    value = value.casefold()
    parts = re.findall(r"[^\W\d_]+|\d+", value)
    lower, at = _folded(PLACEHOLDER.sub(blank, pooled))
    if len(value) < SHORTEST_VALUE or not parts or any(part not in lower for part in parts):
        return
    if YEAR.fullmatch(value) or DATE.match(value) or all(is_common(part) for part in parts):
        return
    however_punctuated = r"[\W_]*".join(map(re.escape, parts))
    for match in re.finditer(rf"(?<![^\W_]){however_punctuated}(?![^\W_])", lower):
        yield at[match.start()], at[match.end() - 1] + 1


def _folded(text: str) -> tuple[str, Sequence[int]]:
    """`text` without case, and where each of its characters stood: one may become two."""
    lower = text.casefold()
    return lower, range(len(text)) if len(lower) == len(text) else [place for place, one in enumerate(text) for _ in one.casefold()]


# What merge lets in, and what the target says


def in_example(example: Mapping[str, Any], allow_list: Iterable[str] = ()) -> list[Finding]:
    """What an example (schema.EXAMPLES) holds beside its surrogates: in input, fixtures and expectation."""
    known = known_from([*example["surrogates"].values(), *allow_list])
    authored = example["source"] not in LOGGED  # in a log nothing is excused because its range is reserved for examples
    turns = _without_spans([message["content"] for message in example["input"]], example["spans"])
    return [
        *_findings("input", turns, known, authored),
        *_findings("fixtures", leaves(example["fixtures"]), known, authored),
        *_findings("expectation", [*expected(example), example["canary"]], known, True),
    ]


def in_response(response: Mapping[str, Any], example: Mapping[str, Any], allow_list: Iterable[str] = ()) -> list[Finding]:
    """What a response (schema.RESPONSES) holds that neither `example` gave its target nor a correct response may hold."""
    given = [message["content"] for message in example["input"]] + leaves(example["fixtures"]) + expected(example)
    known = known_from([*example["surrogates"].values(), *allow_list, *given])
    places = {"answer": [response["answer"]], "citations": response["citations"], "tool_calls": leaves(response["tool_calls"])}
    return [finding for field, texts in places.items() for finding in _findings(field, texts, known, True) if finding.kind != "placeholder"]


def expected(example: Mapping[str, Any]) -> list[str]:
    """The texts of an example's expectation."""
    wordings = [wording for item in example["must_include"] for wording in item]
    return [
        example["answer"],
        *wordings,
        *example["must_not_include"],
        *example["citations"],
        *example["regex"],
        *leaves(example["json_schema"]),
    ]


def leaves(text: str) -> list[str]:
    """Every name, text and whole number in a JSON text, in the order of the names; empty for an empty one. A fraction is an amount."""

    def inside(value: Any) -> list[str]:
        if isinstance(value, dict):
            return [leaf for name, inner in sorted(value.items()) for leaf in (name, *inside(inner))]
        if isinstance(value, list):
            return [leaf for inner in value for leaf in inside(inner)]
        is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        return [value] if isinstance(value, str) else [str(int(value))] if is_whole else []

    return inside(orjson.loads(text)) if text else []


def _findings(field: str, texts: Iterable[str], known: Known, reserved: bool) -> list[Finding]:
    return [
        Finding(kind, field)
        for text in texts
        for kind in [*("placeholder" for _ in PLACEHOLDER.finditer(text)), *kinds_in(text, known, reserved)]
    ]


def _without_spans(texts: Sequence[str], spans: Sequence[Mapping[str, Any]]) -> list[str]:
    """The turns without the surrogates that stand in them."""
    blanked = list(texts)
    for span in sorted(spans, key=lambda span: -span["start"]):
        turn = span["turn"]
        blanked[turn] = blanked[turn][: span["start"]] + BREAK + blanked[turn][span["end"] :]
    return blanked
