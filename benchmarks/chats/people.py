"""Slots of the templates: one invented customer's data, in the many forms in which it is typed."""

import random
import re
import zlib
from collections.abc import Callable
from functools import cache

from benchmarks.chats import names, small_talk

PHONES = [
    "(###) 555-01##",
    "###-555-01##",
    "### 555 01##",
    "###55501##",
    "+1 ### 555 01##",
    "+44 7700 900###",
    "07700 900###",
    "020 7946 0###",
    "+91 9#### #####",
    "9#########",
    "+49 30 2312 5###",
    "0151 2354####",
    "+33 1 99 00 ## ##",
    "06 39 98 ## ##",
    "+61 491 570 ###",
    "0491570###",
    "+353 20 910 ####",
    "+234 803 ### ####",
    "0803#######",
    "+81 90 #### ####",
    "+55 11 9####-####",
    "+52 55 #### ####",
    "+27 82 ### ####",
    "+971 50 ### ####",
    "+64 21 ### ####",
    "+48 5## ### ###",
    "+34 6## ### ###",
    "1 800 555 01##",
]
CODES = "??####|???###|######|??-#####|?#?#?#|###??#|????##|#?????|#########|???#########|XX-########|?##-####-??|########|??##??|?######"
PLATES = "??## ???|???-####|#???###|## ?? ####|??-??-##|??? ###|?? ## ?? ####"
PASSWORDS = "{w}{d}{d}|{W}{d}{d}!|{w}_{w}{d}|{c}{c}{c}{d}{c}{c}{d}|{W}@{d}{d}{d}{d}|{d}{d}{c}{c}{c}{c}|{w}{w}{d}|{c}{c}{c}{c}{c}{c}{c}{c}"
STREETS = [
    "{n} {family} {s}",
    "{n} {word} {s}",
    "{n} {word} {s}, Apt {m}",
    "{word} {s} {n}",
    "no {m} {word} {s}",
    "flat {m}, {n} {word} {s}",
    "{n} {d} {word} {s}",
    "{m}/{n} {word} {s}",
    "unit {m} {n} {family} {s}",
    "{n} {o} {s}",
    "house no {n}, {word} {f}",
    "{n}, {w} cross, {word} nagar",
    "{word}straße {m}",
    "{m} rue de {word}",
    "{n} {family} {s} #{m}",
    "po box {n}",
    "calle {word} {m}",
    "plot {m} {word} colony",
    "{n}{c} {word} {s}",
]
STREET_WORDS = [
    "Maple",
    "Oak",
    "Cedar",
    "Pine",
    "Elm",
    "Willow",
    "Church",
    "Mill",
    "Station",
    "Park",
    "Victoria",
    "King",
    "Queen",
    "High",
    "Lake",
    "Hill",
    "Sunset",
    "River",
    "Spring",
    "Highland",
    "Washington",
    "Lincoln",
    "Jackson",
    "Madison",
    "Gandhi",
    "Nehru",
    "Temple",
    "Market",
    "Garden",
    "Rosewood",
    "Birchfield",
    "Kestrel",
    "Harbour",
    "Quarry",
    "Chapel",
    "Foundry",
    "Meadow",
    "Linden",
    "Juniper",
    "Hawthorne",
    "Bellevue",
    "Goethe",
    "Mozart",
    "Colón",
]
STREET_KINDS = [
    "Street",
    "St",
    "Road",
    "Rd",
    "Avenue",
    "Ave",
    "Lane",
    "Drive",
    "Dr",
    "Boulevard",
    "Blvd",
    "Way",
    "Court",
    "Close",
    "Crescent",
    "Terrace",
    "Place",
    "Square",
]
STATES = [
    "Texas",
    "California",
    "NY",
    "Ohio",
    "WA",
    "Florida",
    "Illinois",
    "Georgia",
    "New South Wales",
    "Victoria",
    "Kerala",
    "Maharashtra",
    "Tamil Nadu",
    "Ontario",
    "BC",
    "Bavaria",
    "Lagos State",
    "Gauteng",
    "Nevada",
    "Oregon",
    "CO",
    "North Carolina",
    "Punjab",
    "Karnataka",
    "Massachusetts",
]
CITIES = [
    "Ludhiana",
    "Coimbatore",
    "Vijayawada",
    "Kochi",
    "Jaipur",
    "Leeds",
    "Swansea",
    "Bath",
    "Reading",
    "Dundee",
    "Galway",
    "Limerick",
    "Boise",
    "Tulsa",
    "Spokane",
    "Chattanooga",
    "Fargo",
    "Mobile",
    "Erie",
    "Provo",
    "El Paso",
    "Baton Rouge",
    "Ballarat",
    "Wollongong",
    "Hobart",
    "Hamilton",
    "Tauranga",
    "Kelowna",
    "Guelph",
    "Durban",
    "Ibadan",
    "Kisumu",
    "Kumasi",
    "Augsburg",
    "Freiburg",
    "Lyon",
    "Rennes",
    "Zaragoza",
    "Bilbao",
    "Bergamo",
    "Parma",
    "Ghent",
    "Utrecht",
    "Aarhus",
    "Tampere",
    "Krakow",
    "Brno",
    "Cluj",
    "Izmir",
    "Haifa",
    "Tabriz",
    "Almaty",
    "Lahore",
    "Sylhet",
    "Kandy",
    "Cebu",
    "Bandung",
    "Penang",
    "Da Nang",
    "Chiang Mai",
    "Busan",
    "Osaka",
    "Chengdu",
    "Recife",
    "Medellin",
    "Cusco",
    "Oaxaca",
    "Rosario",
]
ZIPS = "#####|#####-####|##### ####|?#? #?#|??# #??|??## #??|######|####|### ###"
DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
HOSTS = "gmail|yahoo|hotmail|outlook|icloud|protonmail|rediffmail|aol|gmx"
TYPES = {
    "full": "PERSON",
    "given": "PERSON",
    "family": "PERSON",
    "other": "PERSON",
    "other_given": "PERSON",
    "any_email": "EMAIL_ADDRESS",
    "email": "EMAIL_ADDRESS",
    "stripped_email": "EMAIL_ADDRESS",
    "spoken_email": "EMAIL_ADDRESS",
    "phone": "PHONE_NUMBER",
    "spelled_phone": "PHONE_NUMBER",
    "code": "REFERENCE_ID",
    "plate": "REFERENCE_ID",
    "account": "BANK_ACCOUNT",
    "routing": "BANK_ACCOUNT",
    "iban": "IBAN_CODE",
    "card": "CREDIT_CARD",
    "ssn": "GOVERNMENT_ID",
    "passport": "GOVERNMENT_ID",
    "four": "REFERENCE_ID",
    "spelled_four": "REFERENCE_ID",
    "street": "STREET_ADDRESS",
    "city": "CITY",
    "state": "STATE",
    "zip": "ZIP_CODE",
    "password": "PASSWORD",
}
"""The slots that are personal data. An agent's name and the cities of a journey (`~place`) are optional; every other slot is none."""
OPTIONAL = ("agent", "~place")


class Person:
    """One customer: a name that stays, and a fresh value in a fresh form at every call for anything else."""

    def __init__(self, draw: random.Random, part: str) -> None:
        self.draw = draw
        self.part = part
        self.given, self.family = names.given_name(draw, part), names.family_name(draw, part)
        self.agent = draw.choice(small_talk.AGENTS)

    def value(self, slot: str) -> str:
        slot = slot.removeprefix("~")
        if slot in small_talk.WORDS:
            return self.draw.choice(_of_part(slot, self.part))
        made = SLOTS.get(slot)
        return made(self) if made else str(getattr(self, slot))

    def filled(self, patterns: str | list[str]) -> str:
        """One of the patterns with # as a digit, ? as a letter."""
        pattern = self.draw.choice(patterns.split("|") if isinstance(patterns, str) else patterns)
        code = re.sub("#", lambda _: self.digit(), pattern)
        return re.sub(r"\?", lambda _: self.letter(), code)

    def digit(self) -> str:
        return str(self.draw.randrange(10))

    def letter(self) -> str:
        return self.draw.choice("ABCDEFGHJKLMNPQRSTUVWXYZ")


@cache
def _of_part(slot: str, part: str) -> list[str]:
    """A slot's words. Dishes, cars and products are halved between the parts, so that a list of such words is not measured on itself."""
    listed = small_talk.WORDS[slot].split("|")
    if slot not in ("food", "car", "product"):
        return listed
    return [word for word in listed if zlib.crc32(word.encode()) % 2 == names.PARTS.index(part)]


def full(person: Person) -> str:
    middle = f" {person.letter()}" if person.draw.random() < 0.06 else ""
    if person.draw.random() < 0.05:
        return f"{person.family} {person.given}"
    return f"{person.given}{middle} {person.family}"


def other(person: Person) -> str:
    return f"{other_given(person)} {names.family_name(person.draw, person.part)}"


def other_given(person: Person) -> str:
    return names.given_name(person.draw, person.part)


def _local(person: Person) -> str:
    given, family = (re.sub(r"[^a-z]", "", name.lower()) for name in (person.given, person.family))
    number = person.draw.choice(["", "", person.digit(), person.digit() + person.digit(), str(person.draw.randint(1950, 2008))])
    local = person.draw.choice(
        [f"{given}.{family}", f"{given}{family}", f"{given[0]}{family}", f"{family}.{given[0]}", given, f"{given}_{family}"]
    )
    return local + number


def email(person: Person) -> str:
    host = person.draw.choice([f"{person.draw.choice(HOSTS.split('|'))}.com", "example.com", "mail.example.org", "inbox.example.net"])
    return f"{_local(person)}@{host}"


def stripped_email(person: Person) -> str:
    local = re.sub(r"[._]", "", _local(person))
    if person.draw.random() < 0.4:
        local = re.sub(r"(?<=[a-z])(?=\d)", " ", local)
    joint, host = person.draw.choice([" ", " ", "" if local[-1].isalpha() else " "]), person.draw.choice(HOSTS.split("|"))
    return f"{local}{joint}{host}{person.draw.choice(['com', 'com', ' com', '.com'])}"


def spoken_email(person: Person) -> str:
    return f"{_local(person)} at {person.draw.choice(HOSTS.split('|'))} dot com"


def any_email(person: Person) -> str:
    return person.draw.choice([email, email, stripped_email, spoken_email])(person)


def code(person: Person) -> str:
    """As it stands on a ticket, or with its letters and digits apart."""
    made = person.filled(CODES)
    if person.draw.random() < 0.3:
        made = re.sub(r"-", " ", made)
        made = re.sub(r"(?<=[A-Z])(?=\d)|(?<=\d)(?=[A-Z])", " ", made)
    return made


def password(person: Person) -> str:
    pattern = person.draw.choice(PASSWORDS.split("|"))
    words = [word.lower() for word in STREET_WORDS if word.isascii()]
    return re.sub(
        r"\{(.)\}",
        lambda m: {
            "w": person.draw.choice(words),
            "W": person.draw.choice(words).title(),
            "d": person.digit(),
            "c": person.letter().lower(),
        }[m[1]],
        pattern,
    )


def street(person: Person) -> str:
    draw = person.draw
    values = {
        "n": str(draw.choice([draw.randint(1, 99), draw.randint(100, 999), draw.randint(1000, 19999)])),
        "m": str(draw.randint(1, 60)),
        "o": draw.choice(["1st", "2nd", "5th", "12th", "42nd"]),
        "d": draw.choice(["N", "West", "S", "East"]),
        "f": draw.choice(["apartments", "residency", "colony"]),
        "w": draw.choice(["1st", "4th", "9th"]),
        "c": draw.choice("abc"),
        "s": draw.choice(STREET_KINDS),
        "family": names.family_name(draw, person.part),
        "word": draw.choice(STREET_WORDS),
    }
    return draw.choice(STREETS).format(**values)


def city(person: Person) -> str:
    return person.draw.choice([*CITIES, *small_talk.WORDS["place"].title().split("|")])


def card(person: Person) -> str:
    number = "4" + "".join(person.digit() for _ in range(14))
    total = sum(sum(divmod(int(d) * (2 if place % 2 == 0 else 1), 10)) for place, d in enumerate(number))
    number += str(-total % 10)
    return number if person.draw.random() < 0.5 else " ".join(number[i : i + 4] for i in range(0, 16, 4))


def iban(person: Person) -> str:
    account = "WEST" + "".join(person.digit() for _ in range(14))
    as_digits = "".join(str(int(c, 36)) for c in account + "GB00")
    return f"GB{98 - int(as_digits) % 97:02d}{account}"


def _spelled(digits: str) -> str:
    return " ".join(DIGITS[int(digit)] for digit in digits)


SLOTS: dict[str, Callable[[Person], str]] = {
    "full": full,
    "other": other,
    "other_given": other_given,
    "email": email,
    "stripped_email": stripped_email,
    "spoken_email": spoken_email,
    "any_email": any_email,
    "phone": lambda person: person.filled(PHONES),
    "spelled_phone": lambda person: _spelled("".join(person.digit() for _ in range(10))),
    "code": code,
    "plate": lambda person: person.filled(PLATES),
    "account": lambda person: person.filled("########|##########|############|#### #### ####"),
    "routing": lambda person: person.filled("0########"),
    "iban": iban,
    "card": card,
    "ssn": lambda person: person.filled("9##-##-####|9########|9## ## ####"),
    "passport": lambda person: person.filled("?########|?#######|??#######|#########"),
    "four": lambda person: person.filled("####"),
    "spelled_four": lambda person: _spelled("".join(person.digit() for _ in range(4))),
    "street": street,
    "city": city,
    "state": lambda person: person.draw.choice(STATES),
    "zip": lambda person: person.filled(ZIPS),
    "password": password,
}
