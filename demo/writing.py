"""How customers write: slots, personal data in natural places, tone, and habits such as lower case, typos and rambling.

While a text is made, personal data stands in it as marked spans, so that a habit (lower case) may change it and its place is still
known in the end. `finish` takes the marks out.
"""

import random
import re
from collections.abc import Callable

from demo import people, products

OPEN, SEP, CLOSE = "\ue000", "\ue001", "\ue002"
MARK = re.compile(f"{OPEN}([A-Z_]+){SEP}([^{CLOSE}]*){CLOSE}")
SLOT = re.compile(r"\{(\w+)\}")
Span = dict[str, int | str]


def mark(entity_type: str, value: str) -> str:
    return f"{OPEN}{entity_type}{SEP}{value}{CLOSE}"


def finish(text: str) -> tuple[str, list[Span]]:
    """The text without marks, and where what stood in it."""
    out, spans, at = "", [], 0
    for found in MARK.finditer(text):
        out += text[at : found.start()]
        spans.append({"start": len(out), "end": len(out) + len(found[2]), "entity_type": found[1]})
        out += found[2]
        at = found.end()
    return out + text[at:], spans


def outside_marks(text: str, change: Callable[[str], str]) -> str:
    """`change` applied to what is not personal data."""
    parts, at = [], 0
    for found in MARK.finditer(text):
        parts += [change(text[at : found.start()]), found[0]]
        at = found.end()
    return "".join([*parts, change(text[at:])])


def fill(template: str, rng: random.Random, slots: dict[str, str]) -> str:
    """The template with `{slot}`s filled; what a conversation has settled (its item) comes from `slots`."""

    def one(found: re.Match[str]) -> str:
        name = found[1]
        if name not in slots:
            if name == "friend":
                return mark("PERSON", people.given_name(rng))
            if name == "town":
                return mark("CITY", people.city(rng))
            slots[name] = products.draw(name, rng)
        return slots[name]

    return SLOT.sub(one, template)


# ---- personal data, each kind in sentences in which it is natural

DATA: dict[str, list[str]] = {
    "order": [
        "My order number is {order}.", "Order {order}.", "It's about order {order}.", "order no. {order}", "The order is {order}.",
            "(order {order})",
        "For reference: {order}.", "Ref {order}.", "This concerns {order}, placed {ago}.", "Order number {order} if you need it.",
            "{order} is the one I mean.",
    ],
    "email": [
        "My email is {email}.", "The account is under {email}.", "You can reply to {email}.", "I ordered with {email}.", "email {email}",
        "It should be registered to {email}.", "Please write to me at {email}, not by phone.", "I use {email} for your shop.",
    ],
    "phone": [
        "You can call me on {phone}.", "My number is {phone}.", "Phone: {phone}", "Reach me at {phone} after five.", "call me {phone}",
            "Mobile {phone}.",
        "Best to ring {phone}, I'm home all day.",
    ],
    "name": [
        "This is {full}.", "My name is {full}.", "{full} here.", "The name on the order is {full}.", "i am {full}", "Name: {full}",
            "It's {given} again.", "{given} here.",
    ],
    "sign": [
        "\n\nRegards,\n{full}", "\n\nThanks,\n{given}", "\n\n{full}", "\nBest wishes\n{given}", "\n\nKind regards,\n{full}\n{phone}",
            "\n\n- {given}",
        "\n\nMany thanks\n{full}\n{street}, {city}", "\n\nCheers, {given}", "\n\nSincerely\n{full}\n{email}",
    ],
    "address": [
        "The address is {street}, {city} {zip}.", "I live at {street}, {city}.", "Delivery address: {street}, {city}, {zip}",
            "It should go to {street}, {zip} {city}.",
        "We are at {street} in {city}.", "My postcode is {zip}.", "I'm in {city} by the way.", "Ship to:\n{full}\n{street}\n{city} {zip}",
    ],
    "state_address": ["I live at {street}, {city}, {state} {zip}.", "Address on file: {street}, {city}, {state} {zip}.",
        "We're in {city}, {state}.", "It ships to {state}, zip {zip}."],
    "account": ["My customer number is {account}.", "Account {account}.", "customer no {account}", "I'm {account} in your system.",
        "(account id {account})"],
    "transaction": ["The transaction is {transaction}.", "My statement says {transaction}.", "Reference {transaction} on the bank app.",
        "transaction id {transaction}"],
    "card": ["The card is {card}.", "I paid with {card}.", "card number {card}", "My card {card} was used.",
        "It was charged to {card}, expiry 09/28."],
    "iban": ["My IBAN is {iban}.", "Please refund to {iban}.", "Bank details: {iban}", "iban {iban}, account holder {full}."],
    "bank": ["My account number is {bank}.", "Refund it to account {bank} please.", "bank account {bank}, name {full}"],
    "government": ["My {idname} is {government} if you need to verify me.", "For customs: {idname} {government}.",
        "{idname} {government}, {full}"],
    "ip": ["My IP is {ip}.", "It says 'your address {ip} is blocked'.", "ip shown on the page: {ip}", "I'm connecting from {ip}."],
    "mac": ["The MAC on the sticker is {mac}.", "device mac {mac}", "My router shows it as {mac}."],
    "wallet": ["Could you pay it to {wallet}?", "My wallet is {wallet}."],
    "url": ["There's a screenshot at {url}.", "I put photos on {url}.", "See {url}"],
}  # fmt: skip


def personal_slots(person: people.Person, rng: random.Random) -> dict[str, str]:
    """Marked values of everything the person may tell."""
    idname, government = people.government_id(rng, person.locale)
    values = {
        "order": ("ORDER_ID", rng.choice([person.order] * 5 + [person.order.replace("-", "")])),
        "email": ("EMAIL_ADDRESS", _mistyped(person.email, rng)),
        "phone": ("PHONE_NUMBER", person.phone),
        "full": ("PERSON", person.full),
        "given": ("PERSON", person.given),
        "street": ("STREET_ADDRESS", person.street),
        "city": ("CITY", person.city),
        "state": ("STATE", person.state),
        "zip": ("ZIP_CODE", person.zip),
        "account": ("ACCOUNT_ID", person.customer_id),
        "transaction": ("TRANSACTION_ID", people.transaction(rng)),
        "card": ("CREDIT_CARD", people.card(rng)),
        "iban": ("IBAN_CODE", people.iban(rng, person.locale)),
        "bank": ("BANK_ACCOUNT", people.bank_account(rng, person.locale)),
        "government": ("GOVERNMENT_ID", government),
        "ip": ("IP_ADDRESS", people.ip_address(rng)),
        "mac": ("MAC_ADDRESS", people.mac_address(rng)),
        "wallet": ("CRYPTO", rng.choice(people.EXAMPLE_WALLETS)),
        "url": (
            "URL",
            f"https://{people.plain(person.given)}{people.plain(person.family)}.example.com/{rng.choice(['box', 'photos', 'blog/returns', 'pic1'])}",
        ),
    }
    return {name: mark(kind, value) for name, (kind, value) in values.items()} | {"idname": idname}


def _mistyped(email: str, rng: random.Random) -> str:
    """Now and then an address as hasty people type it."""
    name, host = email.split("@")
    return rng.choice([email] * 14 + [f"{name} @{host}", f"{name}@{host.replace('.', ',')}", email.upper()])


def personal_sentence(kind: str, person: people.Person, rng: random.Random, slots: dict[str, str]) -> str:
    if kind == "address" and person.state and rng.random() < 0.6:
        kind = "state_address"
    return fill(rng.choice(DATA[kind]), rng, slots)


# ---- tone

OPENINGS = {
    "neutral": ["", "", "", "Hi.", "Hello,", "Hey,", "Question:", "Hi there,", "Morning.", "Good evening."],
    "polite": ["Hello, I hope you are well.", "Good morning,", "Hi, sorry to bother you.", "Dear Hollow Lane team,", "Good afternoon!",
        "Hi there, quick question if I may.", "Hello and thanks for your help so far."],
    "frustrated": ["This is the third time I'm asking.", "Honestly, I'm fed up.", "I'm really annoyed now.", "This is ridiculous.",
        "Your chat keeps sending me in circles.", "I have had enough of this.", "Unbelievable.", "Not happy at all."],
    "urgent": ["URGENT.", "I need an answer today.", "Quick please, I'm about to leave.", "This is urgent.", "I'm in a hurry.",
        "Need help right now.", "We leave tomorrow morning and I need this sorted.", "Time is short here."],
    "confused": ["I'm a bit lost here.", "Sorry, I don't understand your website.", "Maybe I'm missing something.", "I'm confused.",
        "I'm not good with computers.", "I read the help page twice and still don't get it."],
}  # fmt: skip
CLOSINGS = {
    "neutral": ["", "", "", "", "Thanks.", "Cheers.", "Let me know."],
    "polite": ["Thank you so much in advance!", "Many thanks for your help.", "I'd be very grateful.", "Thanks, and have a lovely day.",
        "Would be kind of you to check.", "Please take your time."],
    "frustrated": ["Why is this so hard?", "I won't order here again like this.", "Sort it out.", "What a joke.", "Nobody seems to care.",
        "I expected better from you.", "Worst service I've had in years."],
    "urgent": ["Please answer asap.", "I need to know now.", "It can't wait.", "Today please!", "Hurry please.", "asap please"],
    "confused": ["Can you explain it simply?", "What am I supposed to do?", "Which one is it?", "Please explain step by step.",
        "I really don't get it."],
}  # fmt: skip
TONES = tuple(OPENINGS)

ASIDES = [
    "We were on holiday in {town} and only opened it when we came back.",
        "My sister {friend} recommended your shop, she has ordered from you for years.",
    "I had the {item2} before and loved it.", "The weather here has been awful all week, so I couldn't even try it.",
        "Last year I bought the 2024 model in EU 42 and that was fine.",
    "The dog got to the box first, but the item itself is ok.", "I paid {price}, which is not nothing for me.",
        "My husband says I should just leave it, but it bothers me.",
    "There were two things in the basket, the {item2} and this one.",
        "I looked in your FAQ and at the page from 2025, and they say different things.",
        "I was going to use it in May for a walk along the coast.",
    "I usually take size {size} in everything.", "In the shop on the high street they told me to write here.",
        "I also asked {friend} at work and got a different answer.",
    "We moved house in between and half our things are still in boxes.", "It was meant for the cabin, where we have no signal at all.",
        "I'm 67 and did all this on my phone, so bear with me.",
    "The kids were so excited about it.", "I have been a customer since 2019 and never had a problem.",
        "Maybe it matters: it was the {colour} one.", "I've got the receipt for {price} in front of me.",
    "I don't want to make a fuss.", "Between work and the baby I just forgot about it.", "I'll be honest, I did not read the small print.",
    "On the box it says {model}, if that helps.", "My basket was: 1x {item}, 1x {item2}, 2x tent pegs (set of 10).",
        "I tried on a Sunday, on a Monday and again this morning.",
    "The lady on the phone was very nice but could not say.", "We have the Jordan rug and the Austin bench from you too.",
        "The Paris chair came without any trouble, so I know you can do it.",
]  # fmt: skip

# ---- habits

ABBREVIATIONS = {
    r"\byou\b": "u",
    r"\bplease\b": "pls",
    r"\bthanks\b": "thx",
    r"\bare\b": "r",
    r"\bbecause\b": "cos",
    r"\btomorrow\b": "tmrw",
    r"\bmessage\b": "msg",
    r"\border\b": "ordr",
}
SECOND_LANGUAGE = {
    r"\bfor (\d+ days|two weeks|three weeks)": r"since \1", r"\bI bought\b": "I have buyed", r"\bI ordered\b": "I have order", r"\bdoes it\b": "do it", r"\bdidn't\b": "not", r"\bhow do I\b": "how I can",
    r"\bHow do I\b": "How I can", r"\bcan I\b": "I can", r"\bIs there\b": "There is", r"\bit has\b": "it have", r"\bThe\b": "", r"\bthe\b": "", r"\b a\b": "", r"\bI'd like\b": "I want", r"\bhow long\b": "how much time",
}  # fmt: skip
NEAR = {"a": "s", "e": "r", "i": "o", "o": "p", "t": "y", "n": "m", "r": "t", "s": "d", "l": "k", "u": "i", "d": "f", "h": "j", "c": "v"}
HABITS = (
    ["clean"] * 30 + ["lower"] * 20 + ["typos"] * 14 + ["rambling"] * 18 + ["terse"] * 8 + ["second_language"] * 7 + ["abbreviated"] * 5
)


def typos(text: str, rng: random.Random, count: int) -> str:
    """A few slips of the finger in longer words."""
    words = text.split(" ")
    long = [i for i, word in enumerate(words) if len(word) > 4 and word.isalpha()]
    for i in rng.sample(long, min(count, len(long))):
        word, at = words[i], rng.randrange(1, len(words[i]) - 1)
        slip = rng.randrange(4)
        if slip == 0:
            word = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        elif slip == 1:
            word = word[:at] + word[at + 1 :]
        elif slip == 2:
            word = word[:at] + word[at] + word[at:]
        else:
            word = word[:at] + NEAR.get(word[at], word[at]) + word[at + 1 :]
        words[i] = word
    return " ".join(words)


def _replaced(text: str, table: dict[str, str]) -> str:
    for pattern, instead in table.items():
        text = re.sub(pattern, instead, text)
    return re.sub(r"  +", " ", text).strip(" ") if text.strip() else text


def _lower(text: str) -> str:
    """All in lower case, marks kept."""
    return MARK.sub(lambda found: mark(found[1], found[2].lower()), outside_marks(text, str.lower))


def habitual(text: str, habit: str, rng: random.Random) -> str:
    """The text as somebody with this habit types it."""
    if habit == "lower":
        text = outside_marks(_lower(text), lambda part: re.sub(r"[.,!](?=\s|$)", rng.choice(["", "", ","]), part).replace("'", ""))
    elif habit == "abbreviated":
        text = outside_marks(_lower(text), lambda part: _spaced(part, ABBREVIATIONS))
    elif habit == "typos":
        text = outside_marks(text, lambda part: typos(part, rng, 2))
    elif habit == "second_language":
        text = outside_marks(text, lambda part: _spaced(part, SECOND_LANGUAGE))
    return text.strip()


def _spaced(part: str, table: dict[str, str]) -> str:
    """Replace within a part, keeping the blanks at its ends, which border on personal data."""
    core = part.strip(" ")
    lead, trail = len(part) - len(part.lstrip(" ")), len(part) - len(part.rstrip(" "))
    return part if not core else " " * lead + _replaced(core, table) + " " * trail
