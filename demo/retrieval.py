"""Which section of demo/knowledge a question is about: BM25 (Robertson and Zaragoza, 2009) over some hundred short sections."""

import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

KNOWLEDGE = Path(__file__).with_name("knowledge")
K1, B, HEADING_WEIGHT = 1.4, 0.6, 3
STOP = set(
    """
    a an and are as at be been but by can could did do does for from get got had has have he her hers hi hello hey him his how i if in
    is it its just me my no not of on or our please she so some that the their them then there these they this to too up us was we were
    what when where which who why will with would you your yours thanks thank dear lane hollow want need like one also any out s t m ll
    ve re d don didn isn doesn u pls im ive about after all again am be because before being other than only own same very now even
    still really go goes going say says said tell know think see use
    """.split()  # noqa: SIM905
)
SYNONYMS = {
    "parcel": "order", "package": "order", "box": "packaging", "money": "refund", "refunded": "refund", "cash": "cash", "swap": "exchange",
        "present": "gift", "bill": "invoice", "receipt": "invoice", "vat": "vat", "tax": "vat",
    "hacked": "else", "login": "password", "log": "password", "sign": "sign", "wifi": "network", "connect": "pair", "connected": "pair",
        "pairing": "pair", "postage": "label", "delivery": "deliver", "delivered": "deliver",
    "delivering": "deliver", "arrive": "deliver", "arrives": "deliver", "arrived": "deliver", "shipping": "ship", "shipped": "ship",
        "sent": "ship", "send": "ship", "sending": "ship", "cheaper": "price", "dropped": "drop",
    "discount": "code", "promo": "code", "furniture": "bulky", "sofa": "bulky", "coins": "cryptocurrency", "bitcoin": "cryptocurrency",
        "cheque": "cheques", "instalments": "three", "instalment": "three", "call": "telephone",
    "ring": "telephone", "phone": "phone", "hotline": "telephone", "wash": "wash", "clean": "wash", "mail": "email", "mails": "email",
        "e-mail": "email", "e-mails": "email", "unsubscribe": "newsletter", "unsubscribed": "newsletter",
    "advertising": "newsletter", "mailing": "newsletter", "crashes": "crash", "closes": "crash", "authenticator": "two-factor",
        "broke": "fault", "broken": "fault", "faulty": "fault", "import": "duties", "duty": "duties",
}  # fmt: skip


@dataclass(frozen=True)
class Section:
    """A part of a page that answers one question."""

    page: str
    heading: str
    text: str


@dataclass(frozen=True)
class Index:
    sections: tuple[Section, ...]
    postings: dict[str, tuple[tuple[int, float], ...]]
    """Word to the sections that hold it, with the word's full weight there."""


def words(text: str) -> list[str]:
    """The content words of a text, common endings cut and shop words unified."""
    found = re.findall(r"[a-z0-9]+(?:[-.:][a-z0-9]+)*", text.lower().replace("'", " "))
    return [_stem(SYNONYMS.get(word, word)) for word in found if word not in STOP]


def _stem(word: str) -> str:
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) > 3:
            return word[: -len(ending)]
    return word


@cache
def index() -> Index:
    """Built once a process from the pages in the order of their names."""
    sections, bags = [], []
    for path in sorted(KNOWLEDGE.glob("*.md")):
        title, *parts = path.read_text(encoding="utf-8").split("\n## ")
        for part in parts:
            heading, _, text = part.partition("\n")
            sections.append(Section(path.name, heading.strip(), " ".join(text.split())))
            bags.append(Counter(words(heading) * HEADING_WEIGHT + words(title) + words(text)))
    mean = sum(sum(bag.values()) for bag in bags) / len(bags)
    holders = Counter(word for bag in bags for word in bag)
    postings: dict[str, list[tuple[int, float]]] = {}
    for number, bag in enumerate(bags):
        damping = K1 * (1 - B + B * sum(bag.values()) / mean)
        for word, count in bag.items():
            rarity = math.log(1 + (len(bags) - holders[word] + 0.5) / (holders[word] + 0.5))
            postings.setdefault(word, []).append((number, rarity * count * (K1 + 1) / (count + damping)))
    return Index(tuple(sections), {word: tuple(found) for word, found in postings.items()})


def search(text: str, context: str = "", hints: dict[tuple[str, str], float] | None = None) -> list[tuple[float, Section]]:
    """Sections that share a word with `text`, best first; what was said before (`context`) counts a third.

    `hints` adds to the score of sections, named by page and heading.
    """
    built = index()
    scores: dict[int, float] = {}
    for bag, weight in ((set(words(text)), 1.0), (set(words(context)), 0.35)):
        for word in sorted(bag):
            for number, gain in built.postings.get(word, ()):
                scores[number] = scores.get(number, 0.0) + weight * gain
    if hints:
        for number, section in enumerate(built.sections):
            if gain := hints.get((section.page, section.heading)):
                scores[number] = scores.get(number, 0.0) + gain
    return sorted(
        ((score, built.sections[number]) for number, score in scores.items()),
        key=lambda found: (-found[0], found[1].page, found[1].heading),
    )
