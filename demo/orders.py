"""The order that the shop hands its assistant beside a conversation: the log's `context`, an example's fixtures."""

import datetime
import random
from typing import Any

from demo import products
from demo.people import Person
from demo.topics import Topic

CARRIERS = ("Swiftpost", "Greenway Parcel", "Northline", "Relay24")
CURRENCIES = {"en-GB": "GBP", "en-US": "USD", "en-IN": "INR", "en-AU": "AUD"}


def order_context(rng: random.Random, day: datetime.date, person: Person, topic: Topic, item: str) -> dict[str, Any] | None:
    """The order of a topic that needs one; for others a recent, delivered order, or None where nobody was signed in."""
    status = topic.order or ("delivered" if topic.category in ("returns", "billing") and rng.random() < 0.4 else "")
    if not status:
        return None
    days_since_delivery = {"late": rng.randrange(98, 240), "delivered": rng.randrange(3, 40)}.get(status)
    age = (days_since_delivery or 0) + rng.randrange(2, 7) if status != "processing" else rng.randrange(0, 3)
    placed = day - datetime.timedelta(days=age)
    order: dict[str, Any] = {
        "id": person.order,
        "status": "delivered" if status == "late" else status,
        "placed_on": placed.isoformat(),
        "items": [{"name": item, "colour": products.draw("colour", rng), "quantity": rng.choice([1, 1, 1, 2])}],
        "total": f"{rng.randrange(2000, 30000) / 100:.2f}",
        "currency": CURRENCIES.get(person.locale, "EUR"),
    }
    if status != "processing":
        order["carrier"] = rng.choice(CARRIERS)
    if status == "shipped":
        order["expected_on"] = (day + datetime.timedelta(days=rng.randrange(1, 5))).isoformat()
    if days_since_delivery is not None:
        order["days_since_delivery"] = days_since_delivery
    if rng.random() < 0.6:
        order["customer"] = {"name": person.full, "email": person.email, "street": person.street, "city": person.city, "zip": person.zip}
    return {"order": order}
