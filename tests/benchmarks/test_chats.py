"""The invented chats: what is labelled is what was drawn, and the two parts share no name."""

import itertools
import random

from benchmarks.chats import names
from benchmarks.chats.made import conversations
from benchmarks.chats.people import TYPES, Person


def turns(part, number=400):
    return list(itertools.islice(conversations(part, number), number))


def test_the_same_seed_gives_the_same_turns():
    assert turns("dev") == turns("dev")


def test_spans_lie_in_their_text_and_never_overlap():
    for turn in turns("fresh"):
        marks = sorted([*turn["spans"], *turn["optional"]], key=lambda mark: mark["start"])
        assert all(0 <= mark["start"] < mark["end"] <= len(turn["text"]) for mark in marks)
        assert all(a["end"] <= b["start"] for a, b in itertools.pairwise(marks))


def test_every_type_occurs_and_most_turns_hold_nothing():
    made = turns("dev", 3000)
    assert {mark["entity_type"] for turn in made for mark in turn["spans"]} == set(TYPES.values())
    assert 0.5 < sum(not turn["spans"] for turn in made) / len(made) < 0.9


def test_the_parts_share_no_name():
    for kind in ("GIVEN", "FAMILY"):
        dev, fresh = (names._of_part(part, kind) for part in names.PARTS)
        assert all(set(a).isdisjoint(b) and a and b for a, b in zip(dev, fresh, strict=True))


def test_a_card_and_an_iban_have_valid_checksums():
    person = Person(random.Random(3), "dev")
    digits = [int(digit) for digit in person.value("card").replace(" ", "")]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    assert (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
    iban = person.value("iban")
    assert int("".join(str(int(sign, 36)) for sign in iban[4:] + iban[:4])) % 97 == 1
