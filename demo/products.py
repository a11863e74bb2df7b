"""What Hollow Lane sells, and other small things customers mention: sizes, prices, dates, reasons.

Several products are named like places and people on purpose: a recognizer that masks the Paris chair is wrong.
"""

import random

OUTDOOR = [
    "Ridgeback hiking boots", "Fellside rain jacket", "Sierra 2 tent", "Tarn sleeping bag", "Cairn 40 backpack", "Ember camping stove",
        "Hazel merino base layer", "Kestrel trekking poles",
    "Lumen lantern", "Denali down jacket", "Brook water filter", "Pike wading trousers", "Austin camp chair", "Morgan fleece",
        "Everest gaiters", "Wren headlamp", "Dakota wool socks", "Otter dry bag",
]  # fmt: skip
HOME = [
    "Paris chair", "Jordan rug", "Austin bench", "Florence lamp", "Chelsea footstool", "Victoria bookcase", "Oslo coffee table",
        "Savannah throw", "Windsor dining table", "Madison duvet set",
    "Grace wall mirror", "Basil herb planter", "Jasper cast iron pan", "Olive garden sofa", "Heath fire bowl", "Willow hammock",
        "Milan curtain set", "Sydney parasol",
]  # fmt: skip
SLOTS: dict[str, list[str]] = {
    "outdoor": OUTDOOR,
    "home": HOME,
    "item": OUTDOOR + HOME,
    "item2": OUTDOOR + HOME,
    "wear": ["Ridgeback hiking boots", "Fellside rain jacket", "Hazel merino base layer", "Denali down jacket", "Morgan fleece",
        "Pike wading trousers", "Everest gaiters", "Dakota wool socks"],
    "bulky": ["Paris chair", "Austin bench", "Victoria bookcase", "Oslo coffee table", "Windsor dining table", "Olive garden sofa",
        "Heath fire bowl", "Sydney parasol"],
    "tent": ["Sierra 2 tent", "Sierra 4 tent", "Cairn 40 backpack", "Cairn 65 backpack"],
    "size": ["S", "M", "L", "XL", "EU 38", "EU 42", "UK 7", "UK 9.5", "US 10", "30x32", "12-14"],
    "colour": ["moss", "slate blue", "rust", "black", "oatmeal", "forest green", "mustard", "charcoal", "cherry red", "sand"],
    "model": ["RB-4410-X", "SR2-2024", "LM-300", "CN40/26", "FS-118-B", "PC-2210", "JR-160x230", "EMB-7"],
    "price": ["£129.00", "£48.50", "€89.95", "$64.00", "$210", "€35", "£19.99", "₹4,990", "$149.50", "£312.00", "€240.00"],
    "ago": ["three weeks ago", "last Tuesday", "on 4 May", "ten days ago", "on the 12th", "last month", "at the weekend", "a fortnight ago",
        "yesterday", "in early spring", "on Black Friday", "two weeks ago", "the other day"],
    "days": ["6", "8", "9", "11", "12", "13", "17"],
    "phone_model": ["Pixel 7", "iPhone 13", "Galaxy A54", "iPhone SE", "an old Moto G", "Fairphone 4", "iPad mini"],
    "code": ["SPRING15", "WELCOME10", "TRAIL20", "HELLO5", "MAY25"],
    "reason": [
        "it's too small", "the colour is not what I expected", "I simply changed my mind", "I found it doesn't suit the room",
            "it's heavier than I thought", "I ordered two by mistake",
        "it pinches at the toes", "my partner bought the same one", "the zip is on the wrong side for me", "it smells odd",
    ],
    "occasion": ["my daughter's birthday", "a wedding", "our anniversary", "a trip to the mountains", "Mother's Day", "a housewarming",
        "the school trip", "my dad's retirement", "a festival", "a christening"],
    "country": ["Ireland", "India", "France", "Norway", "Australia", "Portugal", "Canada", "New Zealand", "Switzerland"],
}  # fmt: skip
WINTER = {"Denali down jacket", "Everest gaiters", "Hazel merino base layer", "Savannah throw"}
SUMMER = {"Olive garden sofa", "Sydney parasol", "Willow hammock", "Heath fire bowl", "Otter dry bag", "Austin bench"}


def draw(slot: str, rng: random.Random) -> str:
    return rng.choice(SLOTS[slot])


def item(rng: random.Random, slot: str, month: int) -> str:
    """A product of the season: what sells in June is asked about in June."""
    first = draw(slot, rng)
    out_of_season = SUMMER if month <= 3 else WINTER if month >= 5 else set()
    return draw(slot, rng) if first in out_of_season else first
