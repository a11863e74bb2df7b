"""Surrogates: what stands for a placeholder in an example, so that its text reads as a customer wrote it.

They come from ranges reserved for examples: mail at example.com (RFC 2606), telephones 555-01xx (NANPA), IPv4 192.0.2.0/24
(RFC 5737), MAC 00-00-5E-00-53-xx (RFC 7042), card networks' published test numbers, IBANs of the SWIFT registry's examples, US
social security numbers of area 000, which is never issued. Names, streets and cities are generated. The seed is the example id and
the placeholder: no secret, no table, and nothing of what was replaced.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from faker import Faker

from pipeline.identity import stable_order
from pipeline.pii.spans import PLACEHOLDER, REDACTED, Placed

LOCALES = ("en_US", "en_GB", "en_IN", "en_NZ")
CARDS = (
    "4111 1111 1111 1111",
    "4242 4242 4242 4242",
    "4012 8888 8888 1881",
    "5555 5555 5555 4444",
    "5105 1051 0510 5100",
    "6011 1111 1111 1117",
    "3782 822463 10005",
    "3566 0020 2036 0505",
)
IBANS = (
    "GB29 NWBK 6016 1331 9268 19",
    "DE89 3704 0044 0532 0130 00",
    "FR14 2004 1010 0505 0001 3M02 606",
    "NL91 ABNA 0417 1643 00",
    "IE29 AIBK 9311 5212 3456 78",
    "ES91 2100 0418 4502 0005 1332",
    "SE45 5000 0000 0583 9825 7466",
)
STATES = ("Ohio", "Oregon", "Kerala", "Punjab", "Otago", "Vermont", "Gujarat", "Kansas", "Nevada", "Kent", "Devon", "Norfolk")
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BLANKED = "[redacted]"
"""What stands for a redacted value: as people black something out. An invented one would say that it is one person or number."""
RESERVED_MAIL = ("example.com", "example.net", "example.org")


@dataclass(frozen=True)
class Rendered:
    """An example's texts with surrogates in place of placeholders."""

    texts: list[str]
    spans: list[list[Placed]]
    """Where the surrogates stand in the texts."""


def surrogates(example_id: str, placeholders: Sequence[str], patterns: Mapping[str, str]) -> dict[str, str]:
    """A surrogate for every placeholder, no two alike but of what is redacted. `patterns` are those of params.yaml, by entity type."""
    made: dict[str, str] = {}
    for placeholder in sorted(set(placeholders), key=_place):
        kind, number = _split(placeholder)
        if number == REDACTED:
            made[placeholder] = BLANKED
            continue
        for attempt in range(1000):
            faker = _faker(LOCALES[stable_order(attempt, example_id, placeholder, "locale") % len(LOCALES)])
            faker.seed_instance(stable_order(attempt, example_id, placeholder))
            value = faker.bothify(patterns[kind]).upper() if kind in patterns else _MAKERS.get(kind, _unknown)(faker, placeholder, made)
            if value not in made.values():
                break
        made[placeholder] = value
    return made


def render(texts: Sequence[str], spans: Sequence[Sequence[Placed]], values: Mapping[str, str]) -> Rendered:
    """`texts` with the surrogates of `values` where `spans` say placeholders stand, in the letter case and form of the original."""
    rendered, moved = [], []
    for text, found in zip(texts, spans, strict=True):
        out, places, at = "", [], 0
        for span in sorted(found, key=lambda span: span.start):
            out += text[at : span.start]
            value = _in_form(values[span.placeholder], span)
            places.append(replace(span, start=len(out), end=len(out) + len(value)))
            out, at = out + value, span.end
        rendered.append(out + text[at:])
        moved.append(places)
    return Rendered(rendered, moved)


def render_plain(text: str, values: Mapping[str, str]) -> str:
    """`text` with every placeholder that `values` knows replaced: for fixtures and expectations, which have no spans."""
    return PLACEHOLDER.sub(lambda match: values.get(match.group(), match.group()), text)


def _in_form(value: str, span: Placed) -> str:
    if span.form in ("given", "family"):
        value = value.split()[0 if span.form == "given" else -1]
    return {"lower": value.lower(), "upper": value.upper()}.get(span.letter_case, value)


def _place(placeholder: str) -> tuple[bool, str, int]:
    """People first: a mail address borrows its owner's name."""
    kind, number = _split(placeholder)
    return kind != "PERSON", kind, number


def _split(placeholder: str) -> tuple[str, int]:
    match = PLACEHOLDER.fullmatch(placeholder)
    if match is None:
        raise ValueError("not a placeholder")
    return match.group(1), int(match.group(2))


@cache
def _faker(locale: str) -> Faker:
    return Faker(locale)


def _mail(faker: Any, placeholder: str, made: Mapping[str, str]) -> str:
    owner = made.get(f"<PERSON_{_split(placeholder)[1]}>") or _person(faker, placeholder, made)
    name = ".".join(re.findall(r"[a-z]+", owner.lower()))
    taken = sum(value.startswith(f"{name}@") for value in made.values())
    return f"{name}{taken or ''}@{faker.random_element(RESERVED_MAIL)}"


def _person(faker: Any, placeholder: str, made: Mapping[str, str]) -> str:
    return f"{faker.first_name().split()[0]} {faker.last_name().split()[-1]}"


def _unknown(faker: Any, placeholder: str, made: Mapping[str, str]) -> str:
    """A type of another version of params.yaml: readable, and plainly not real."""
    return faker.bothify("??-######").upper()


_Maker = Callable[[Any, str, Mapping[str, str]], str]
_MAKERS: dict[str, _Maker] = {
    "PERSON": _person,
    "EMAIL_ADDRESS": _mail,
    "PHONE_NUMBER": lambda f, *_: f.numerify("%##-555-01##"),
    "STREET_ADDRESS": lambda f, *_: f.street_address().replace("\n", ", "),
    "CITY": lambda f, *_: f.city(),
    "STATE": lambda f, *_: f.random_element(STATES),
    "ZIP_CODE": lambda f, *_: f.numerify("00%##"),
    "CREDIT_CARD": lambda f, *_: f.random_element(CARDS),
    "IBAN_CODE": lambda f, *_: f.random_element(IBANS),
    "BANK_ACCOUNT": lambda f, *_: f.numerify("000#######"),
    "GOVERNMENT_ID": lambda f, *_: f.numerify("000-%#-####"),
    "IP_ADDRESS": lambda f, *_: f"192.0.2.{f.random_int(1, 254)}",
    "MAC_ADDRESS": lambda f, *_: f"00:00:5E:00:53:{f.random_int(0, 255):02X}",
    "CRYPTO": lambda f, *_: "1" + "".join(f.random_choices(BASE58, 33)),
    "REFERENCE_ID": lambda f, *_: f.bothify("??######").upper(),
    "PASSWORD": lambda f, *_: f.bothify("???-####-???").lower(),
    "URL": lambda f, *_: f"https://{f.random_element(RESERVED_MAIL)}/{f.last_name().split()[-1].lower()}",
}
