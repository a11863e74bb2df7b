"""Invented customers: names of many cultures, addresses and numbers in the forms people really type them.

Every number is drawn from a range nobody owns (example.com, drama telephone numbers, test cards) or made up, so that the demo
holds no real person and still tests what a recognizer must find.
"""

import random
import string
import unicodedata
from dataclasses import dataclass

GIVEN = {
    culture: names.split()
    for culture, names in {
        "gb": "Amelia Oliver Harriet George Isla Callum Poppy Alfie Freya Rhys Bronwen Gareth Fiona Hamish Imogen Nigel",
        "ie": "Aoife Ciarán Niamh Declan Siobhán Oisín Róisín Padraig Gráinne Eoin Sinéad Cormac",
        "us": "Madison Tyler Brianna Marcus Kayla Dwayne Savannah Cody Latoya Trevor Whitney Brandon Hailey Jamal",
        "in": "Priya Arjun Ananya Rohan Lakshmi Vikram Deepika Sanjay Kavya Harpreet Meera Farhan Ishaan Nandini Suresh",
        "de": "Jürgen Anneliese Lukas Heike Björn Sabine Matthias Ingrid Thorsten Käthe",
        "es": "Lucía Javier Marisol Alejandro Ximena Guillermo Inés Raúl Itziar Beatriz",
        "pl": "Agnieszka Tomasz Małgorzata Krzysztof Zofia Wojciech Bożena Piotr",
        "ng": "Chidi Ngozi Oluwaseun Adaeze Emeka Folasade Tunde Amara",
        "cn": "Wei Xiaoling Jun Meihua Zhiyuan Lan Haoran Yifei",
        "ar": "Layla Omar Yasmin Khalid Fatima Tariq Nour Hassan",
        "vn": "Thuy Minh Linh Duc Hanh Quang",
        "fr": "Benoît Océane Thibault Maëlle Étienne Solène",
        "jp": "Haruka Kenji Sakura Daichi Yuki Takumi",
    }.items()
}
FAMILY = {
    culture: names.split()
    for culture, names in {
        "gb": "Ashworth Pemberton Whitlock Thackeray Llewellyn Sutcliffe Braithwaite Holloway Cartwright Penrose Kerr Macleod",
        "ie": "O'Sullivan Byrne Gallagher O'Rourke Kavanagh Fitzgerald Doherty Brennan Mulcahy",
        "us": "Kowalczyk-Reed Washburn Delgado Hutchins Baxter Okafor-Mills Landry Prescott Ramirez Tillman Vance Underwood",
        "in": "Nair Sharma Iyer Chatterjee Reddy Kapoor Banerjee Deshpande Gill Menon Qureshi Subramanian Joshi",
        "de": "Müller-Lang Schäfer Hoffmann Krüger Vogelsang Brandt Weißenborn Lindner Oberholzer",
        "es": "García Ibáñez Navarro Quiroga Echeverría Salcedo Morales Zubiri Castaño",
        "pl": "Wiśniewska Kowalski Dąbrowski Zielińska Nowakowski Szymańska Wójcik",
        "ng": "Okonkwo Adeyemi Eze Balogun Nwosu Abiola Ibekwe",
        "cn": "Zhang Liu Huang Zhou Xu Lin Guo",
        "ar": "Al-Masri Haddad Rahman El-Sayed Khoury Aziz Nasser",
        "vn": "Nguyen Tran Pham Bui Vo Dang",
        "fr": "Lefèvre Moreau Delacroix Girard Fontaine Rousselot",
        "jp": "Tanaka Kobayashi Shimizu Yamamoto Fujiwara Nakagawa",
    }.items()
}
CULTURES = {
    "en-GB": ["gb"] * 8 + ["in", "in", "pl", "ng", "ar", "cn", "fr"],
    "en-IE": ["ie"] * 8 + ["pl", "pl", "gb", "ng"],
    "en-US": ["us"] * 7 + ["es", "es", "cn", "vn", "in", "jp"],
    "en-IN": ["in"],
    "en-AU": ["gb"] * 4 + ["vn", "cn", "ar", "ie"],
    "en-DE": ["de"] * 4 + ["pl", "ar"],
    "en-ES": ["es"] * 4 + ["fr"],
}
PLACES = {
    "en-GB": [
        ("Leeds", "", "LS6 2QT"),
        ("Cardiff", "", "CF24 3AB"),
        ("Norwich", "", "NR2 1TF"),
        ("Inverness", "", "IV1 1QY"),
        ("Bath", "", "BA1 5LR"),
        ("Stoke-on-Trent", "", "ST4 7QL"),
        ("Reading", "", "RG1 8EQ"),
        ("Whitby", "", "YO21 3PU"),
    ],
    "en-IE": [
        ("Galway", "", "H91 X2K4"),
        ("Cork", "", "T12 R8W6"),
        ("Sligo", "", "F91 K3P7"),
        ("Dublin", "", "D06 V9C2"),
        ("Kilkenny", "", "R95 T4N8"),
    ],
    "en-US": [
        ("Austin", "Texas", "78704"),
        ("Portland", "Oregon", "97211-4402"),
        ("Burlington", "VT", "05401"),
        ("Boise", "Idaho", "83702"),
        ("Madison", "WI", "53703"),
        ("Tucson", "Arizona", "85719"),
        ("Asheville", "North Carolina", "28801"),
        ("Duluth", "MN", "55802"),
    ],
    "en-IN": [
        ("Bengaluru", "Karnataka", "560038"),
        ("Pune", "Maharashtra", "411004"),
        ("Kochi", "Kerala", "682 016"),
        ("Jaipur", "Rajasthan", "302001"),
        ("Chennai", "Tamil Nadu", "600020"),
    ],
    "en-AU": [("Hobart", "Tasmania", "7000"), ("Geelong", "VIC", "3220"), ("Fremantle", "WA", "6160"), ("Cairns", "Queensland", "4870")],
    "en-DE": [("Freiburg", "", "79104"), ("Lübeck", "", "23552"), ("Münster", "", "48143")],
    "en-ES": [("Bilbao", "", "48009"), ("Girona", "", "17004"), ("Málaga", "", "29012")],
}
STREETS = {
    "en-GB": ["Orchard Road", "Station Lane", "Mill Hill", "Albert Terrace", "Quarry Close", "Church View"],
    "en-IE": ["Shop Street", "Abbey Lane", "St. Brigid's Terrace", "Quay Road", "Rosehill"],
    "en-US": ["Juniper Avenue", "Old Mill Rd", "E 14th St", "Cedar Hollow Drive", "Maple Ct", "County Road 12"],
    "en-IN": ["MG Road", "2nd Cross, Indiranagar", "Nehru Nagar", "Temple Street", "Lake View Layout"],
    "en-AU": ["Wattle Street", "Bay Rd", "Kookaburra Crescent", "Flinders Parade"],
    "en-DE": ["Lindenstraße", "Am Mühlbach", "Goethestr.", "Kirchgasse"],
    "en-ES": ["Calle Mayor", "Avenida del Puerto", "Calle de la Luna"],
}
LOCALES = ["en-GB"] * 36 + ["en-US"] * 26 + ["en-IE"] * 12 + ["en-IN"] * 14 + ["en-AU"] * 5 + ["en-DE"] * 4 + ["en-ES"] * 3
MAIL_HOSTS = ["example.com", "example.org", "example.net", "mail.example.com", "inbox.example.org", "post.example.net"]
EXAMPLE_WALLETS = ["bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"]
"""Addresses that standards and wikis print as examples."""
TEST_CARDS = ["411111", "400000", "555555", "510510", "222300", "378282", "601111"]


@dataclass(frozen=True)
class Person:
    """Who writes, and everything they may tell about themselves."""

    locale: str
    given: str
    family: str
    email: str
    customer_id: str
    order: str
    phone: str
    street: str
    city: str
    state: str
    zip: str

    @property
    def full(self) -> str:
        return f"{self.given} {self.family}"


def draw(rng: random.Random) -> Person:
    """A new customer."""
    locale = rng.choice(LOCALES)
    culture = rng.choice(CULTURES[locale])
    given, family = rng.choice(GIVEN[culture]), rng.choice(FAMILY[culture])
    city, state, code = rng.choice(PLACES[locale])
    return Person(
        locale, given, family, email(rng, given, family), f"CU-{rng.randrange(10**7):07d}", f"HL-{rng.randrange(10**6):06d}", phone(rng,
            locale),
        street(rng, locale), city, state, code,
    )  # fmt: skip


def given_name(rng: random.Random) -> str:
    """Somebody the customer mentions."""
    return rng.choice(GIVEN[rng.choice(list(GIVEN))])


def full_name(rng: random.Random) -> str:
    culture = rng.choice(list(GIVEN))
    return f"{rng.choice(GIVEN[culture])} {rng.choice(FAMILY[culture])}"


def city(rng: random.Random) -> str:
    return rng.choice(PLACES[rng.choice(LOCALES)])[0]


def plain(name: str) -> str:
    """A name as it stands in an e-mail address."""
    folded = unicodedata.normalize("NFD", name.lower().replace("ß", "ss").replace("ł", "l"))
    return "".join(c for c in folded if c in string.ascii_lowercase)


def email(rng: random.Random, given: str, family: str) -> str:
    first, last, number = plain(given), plain(family), rng.randrange(10, 99)
    local = rng.choice(
        [f"{first}.{last}", f"{first}{last}{number}", f"{first[0]}.{last}", f"{last}_{first}", f"{first}{number}", f"{first}-{last}"]
    )
    return f"{local}@{rng.choice(MAIL_HOSTS)}"


def phone(rng: random.Random, locale: str) -> str:
    """A number from a range kept for fiction where the country has one, as people write it."""
    d = f"{rng.randrange(1000):03d}"
    forms = {
        "en-GB": [f"07700 900{d}", f"+44 7700 900 {d}", f"07700900{d}", f"020 7946 0{d}", f"(0161) 496 0{d}", f"+447700900{d}"],
        "en-IE": [f"020 91{d[0]} 1{d}", f"+353 85 555 0{d}", f"085 555 0{d}", f"(01) 555 0{d}"],
        "en-US": [f"(512) 555-01{d[:2]}", f"503-555-01{d[:2]}", f"+1 608 555 01{d[:2]}", f"802.555.01{d[:2]}", f"52055501{d[:2]}"],
        "en-IN": [f"+91 98450 12{d}", f"098450-12{d}", f"9845012{d}", f"+91-80-4012 3{d}"],
        "en-AU": [f"0491 570 {d}", f"+61 491 570 {d}", f"(03) 5550 1{d}"],
        "en-DE": [f"+49 30 23125 {d}", f"0171 39200 {d[:2]}", f"030/23125{d}"],
        "en-ES": [f"+34 600 000 {d}", f"600 000 {d}", f"+34 943 00 0{d[0]} {d[1:]}"],
    }
    return rng.choice(forms[locale])


def street(rng: random.Random, locale: str) -> str:
    number, name = rng.randrange(1, 190), rng.choice(STREETS[locale])
    if locale in ("en-DE", "en-ES"):
        return rng.choice(
            [f"{name} {number}", f"{name} {number}, 3. OG"] if locale == "en-DE" else [f"{name} {number}", f"{name} {number}, 2º B"]
        )
    if locale == "en-US":
        return rng.choice(
            [f"{number * 10} {name}", f"{number * 10} {name}, Apt {number % 9 + 1}B", f"{number} {name} Unit {number % 30 + 1}"]
        )
    if locale == "en-IN":
        return rng.choice([f"#{number}, {name}", f"Flat {number % 40 + 101}, {number} {name}", f"{number}/{number % 7 + 1} {name}"])
    return rng.choice([f"{number} {name}", f"Flat {number % 12 + 1}, {number} {name}", f"{number}A {name}"])


def card(rng: random.Random) -> str:
    """A card number of a test range with a valid Luhn digit."""
    start = rng.choice(TEST_CARDS)
    body = start + "".join(rng.choice(string.digits) for _ in range((15 if start == "378282" else 16) - 1 - len(start)))
    total = sum(sum(divmod(int(c) * (2 if i % 2 == 0 else 1), 10)) for i, c in enumerate(reversed(body)))
    number = body + str(-total % 10)
    groups = [number[:4], number[4:10], number[10:]] if len(number) == 15 else [number[i : i + 4] for i in range(0, 16, 4)]
    return rng.choice([number, " ".join(groups), "-".join(groups)])


def iban(rng: random.Random, locale: str) -> str:
    """An account number with valid check digits."""
    digits = lambda n: "".join(rng.choice(string.digits) for _ in range(n))  # noqa: E731
    country, bban = {
        "en-GB": ("GB", "NWBK" + digits(14)), "en-IE": ("IE", "AIBK" + digits(14)), "en-DE": ("DE", digits(18)), "en-ES": ("ES",
            digits(20)),
    }.get(locale, ("NL", "INGB" + digits(10)))  # fmt: skip
    as_number = "".join(str(int(c, 36)) for c in bban + country + "00")
    number = f"{country}{98 - int(as_number) % 97:02d}{bban}"
    return rng.choice([number, " ".join(number[i : i + 4] for i in range(0, len(number), 4))])


def bank_account(rng: random.Random, locale: str) -> str:
    n = f"{rng.randrange(10**9):09d}"
    return {"en-US": f"{n}{n[:3]}", "en-GB": n[:8], "en-IN": f"0{n}{n[:4]}"}.get(locale, n)


def government_id(rng: random.Random, locale: str) -> tuple[str, str]:
    """What it is called and the number."""
    n, letters = f"{rng.randrange(10**9):09d}", "".join(rng.choice("ABCEGHJKLMNPRSTWXZ") for _ in range(6))
    pan = f"{letters[:3]}P{letters[3]}{n[:4]}{letters[4]}"
    aadhaar = f"{rng.randrange(2, 9)}{n[:3]} {n[3:7]} {n[5:9]}"
    forms = {
        "en-US": [
            ("ssn", f"{900 + int(n[:2])}-{n[2:4]}-{n[4:8]}"),
            ("social security number", f"{900 + int(n[:2])}{n[2:8]}"),
            ("passport no", n),
        ],
        "en-GB": [
            ("NI number", f"{letters[0]}{letters[1]} {n[:2]} {n[2:4]} {n[4:6]} C"),
            ("passport number", n),
            ("national insurance number", f"{letters[0]}{letters[1]}{n[:6]}B"),
        ],
        "en-IN": [("PAN", pan), ("Aadhaar", aadhaar), ("passport", f"{letters[0]}{n[:7]}")],
        "en-IE": [("PPS number", f"{n[:7]}{letters[0]}A"), ("passport", f"P{letters[0]}{n[:7]}")],
    }
    return rng.choice(forms.get(locale, [("passport number", f"C{letters[:2]}{n[:6]}"), ("id card number", f"L{n[:8]}")]))


def ip_address(rng: random.Random) -> str:
    if rng.random() < 0.2:
        return f"2001:db8:{rng.randrange(16**4):x}::{rng.randrange(16**4):x}"
    return f"{rng.choice(['203.0.113', '198.51.100', '192.0.2'])}.{rng.randrange(1, 255)}"


def mac_address(rng: random.Random) -> str:
    parts = ["02", *(f"{rng.randrange(256):02x}" for _ in range(5))]
    return rng.choice([":", "-"]).join(parts)


def transaction(rng: random.Random) -> str:
    return f"TX-{rng.randrange(16**8):08X}"
