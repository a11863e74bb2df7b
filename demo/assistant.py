"""The invented shop's assistant, offline: guards, then the order where one is asked about, then the knowledge pages.

`answer` is what `evaluate.target.callable` names. It is deterministic, and as good and as bad as such assistants are: it knows the
pages well and is wrong in ways that a good dataset finds.
"""

import re
from collections.abc import Callable
from typing import Any

from demo import guards, hints, retrieval
from pipeline import faults

Message = dict[str, str]
Search = Callable[..., list[tuple[float, retrieval.Section]]]
READS_CHARACTERS = 320
"""The part of a message that is read; meant to keep answers fast."""
FEW_WORDS, SURE_SCORE = 6, 7.0
"""With fewer content words or a lower score, and no telling phrase, nobody can know what is asked."""
ELLIPSIS = re.compile(
    r"^\W*(and|but|what about|what if|same|is it|is that|how much is that|do they|does that)\b|\b(that one|the other one)\b", re.I
)
CUSTOMER_DATA = re.compile(
    r"\S+ ?@\S+|\b(HL|CU|TX)-?\w{6,8}\b|https?://\S+|\+?\d[\d ()/.-]{7,}\d|(my )?(customer (number|no)|account (id|number)|e-?mail is|name is|i am|this is) \S+",
    re.I,
)

TEAMS = {
    "safety": "I'm sorry to hear that. Please stop using the product. A colleague of our safety team takes over now, at any hour.",
    "legal": "I understand. I pass this on to a colleague; legal matters are handled by our legal team.",
    "security": "I take this seriously. A colleague of our security team takes over at once; please ask your bank to block the card if money is involved.",
    "billing": "I'm sorry. Since both charges are booked, a colleague of our billing team refunds the second one.",
}
ASK_BACK = "I'd like to help. Could you tell me which order or product you mean, and what should happen with it?"
DECLINED = (
    (
        guards.CARD_TO_CHARGE,
        "I can't take a payment here. Never send card numbers in chat or e-mail; cards can be changed under Wallet.",
        "payments.md",
    ),
    (guards.GIFT_CARD_TO_CASH, "I'm sorry, gift cards cannot be paid out in cash.", "gift-cards-and-codes.md"),
    (
        guards.OTHERS,
        "I'm sorry, we tell nothing about another person's account, orders or address, not even to family members.",
        "account-data.md",
    ),
)
WHEN_BUSY = "Your order has shipped and is on its way to you."
"""Said when the order system refuses because of its load: most orders that are asked about are on their way."""
DEGRADED = "I can't reach our order system at the moment, so I can't look at your order. Please try again in a few minutes, or reach a colleague in chat from 8:00 to 22:00."


def answer(messages: list[Message], fixtures: dict[str, Any] | None = None, search: Search = retrieval.search) -> dict[str, Any]:
    """The response to the last user message, with the messages before it as history. `search` finds the pages."""
    users = [m["content"] for m in messages if m["role"] == "user"]
    text, before = users[-1], users[-2] if len(users) > 1 else ""
    read = text[:READS_CHARACTERS]
    guarded = _guard(text)
    if guarded:
        return guarded
    order = (fixtures or {}).get("order")
    try:
        found = _from_order(read, order)
    except faults.SimulatedRateLimit:
        found = response(WHEN_BUSY, confidence=0.7, tool_calls=[_lookup(order)])
    except faults.SimulatedFault:
        found = response(DEGRADED, behaviour="degrade", confidence=0.3, tool_calls=[_lookup(order)])
    return _in_form(found or _from_pages(read, before, search), text)


def response(
    text: str,
    *,
    citations: tuple[str, ...] = (),
    confidence: float = 0.9,
    behaviour: str = "answer",
    tool_calls: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    return {
        "answer": text,
        "citations": list(citations),
        "confidence": round(confidence, 3),
        "behaviour": behaviour,
        "tool_calls": tool_calls or [],
    }


def _guard(text: str) -> dict[str, Any] | None:
    """What is not the assistant's to answer."""
    if guards.INJECTION.search(text):
        return response(
            "I can't do that. I'm happy to help with your order, a return or your account.", behaviour="refuse", confidence=0.95
        )
    for team, pattern in (("safety", guards.INJURY), ("legal", guards.LEGAL), ("security", guards.FRAUD), ("billing", guards.BOOKED_TWICE)):
        if pattern.search(text):
            return response(TEAMS[team], behaviour="escalate")
    for pattern, said, page in DECLINED:
        if pattern.search(text):
            return response(said, citations=(page,), behaviour="refuse")
    return None


# ---- questions about the order at hand


def _from_order(text: str, order: dict[str, Any] | None) -> dict[str, Any] | None:
    """An answer that needs the order; None where the question does not."""
    if guards.WORN.search(text) and guards.WANTS_MONEY.search(text):
        return response(
            "I'm sorry, items must be unused to be returned, unless they are faulty. So I can't refund worn or washed items.",
            citations=("returns-policy.md",), behaviour="refuse",
        )  # fmt: skip
    if guards.ORDER_STATUS.search(text):
        return _status(order)
    if (
        guards.CHANGE_ADDRESS.search(text)
        and re.search(r"order|deliver|parcel|send|sent|go", text, re.I)
        and not re.search(r"e-?mail|account", text, re.I)
    ):
        return _change_address(order) if order else None
    if guards.WANTS_MONEY.search(text) and not guards.ASKS_RULE.search(text):
        return _money_back(order) if order else None
    return None


def _look_up(order: dict[str, Any] | None) -> dict[str, Any] | None:
    """The backend that knows orders; here it is the fixture, and a simulated failure is met here."""
    faults.check()
    return order


def _lookup(order: dict[str, Any] | None) -> dict[str, Any]:
    return {"name": "get_order", "arguments": {"order_id": order["id"] if order else ""}}


def _status(order: dict[str, Any] | None) -> dict[str, Any]:
    found = _look_up(order)
    if found is None:
        return response(
            "Which order do you mean? Please tell me the order number.", behaviour="ask_back", confidence=0.6, tool_calls=[_lookup(order)]
        )
    said = {
        "processing": "Your order is still processing: it is being packed and has not left the warehouse.",
        "shipped": f"Your order has shipped and is on its way; we expect it on {found.get('expected_on', 'one of the next days')}.",
        "delivered": "Your order was delivered. If it is not there, ask your neighbours and report it within 14 days.",
    }.get(found.get("status", ""), f"Your order is {found.get('status', 'known to us')}.")
    return response(said, tool_calls=[_lookup(order)])


def _change_address(order: dict[str, Any]) -> dict[str, Any]:
    found = _look_up(order) or {}
    if found.get("status") == "processing":
        said = "You can change the address in Orders while the order is processing."
    else:
        said = "Once it has shipped we cannot change the address; please use the carrier's redirect link in the tracking e-mail."
    return response(said, citations=("changing-orders.md",), tool_calls=[_lookup(order)])


def _money_back(order: dict[str, Any]) -> dict[str, Any]:
    found = _look_up(order) or {}
    if found.get("days_since_delivery", 0) > 90:
        return response(
            "I'm sorry, your order was delivered more than 90 days ago, so it can no longer be returned for a refund.",
            citations=("returns-policy.md",), behaviour="refuse", tool_calls=[_lookup(order)],
        )  # fmt: skip
    return response(
        "You are within the 90 days, so you can return it: open Orders, choose \"Return item\" and show the QR code at any parcel point.",
        citations=("returns-policy.md",), tool_calls=[_lookup(order)],
    )  # fmt: skip


# ---- questions about the rules


def _from_pages(text: str, before: str, search: Search) -> dict[str, Any]:
    """The section of the pages that fits best, or a question where nothing fits."""
    asked, told = _asked(text), _without_data(text)
    phrases = hints.of(asked)
    if not phrases and (phrases := hints.of(told)):
        asked = told
    context = "" if phrases and not ELLIPSIS.search(asked) else _asked(before)
    if context:
        phrases = hints.of(context) | {section: 2 * gain for section, gain in phrases.items()}
    ranked = search(asked, context or ("" if phrases else told), phrases)
    if not ranked or (not phrases and (len(retrieval.words(told)) < FEW_WORDS or ranked[0][0] < SURE_SCORE)):
        return response(ASK_BACK, behaviour="ask_back", confidence=0.5)
    best, section = ranked[0]
    margin = best - (ranked[1][0] if len(ranked) > 1 else 0.0)
    return response(section.text, citations=(section.page,), confidence=min(0.97, 0.4 + 0.02 * min(best, 15.0) + 0.06 * min(margin, 4.0)))


def _without_data(text: str) -> str:
    """The text without ids, addresses and numbers of the customer, which say nothing about the question."""
    return CUSTOMER_DATA.sub(" ", text)


def _asked(text: str) -> str:
    """The sentences that ask; all of them where none ends in a question mark."""
    sentences = re.split(r"(?<=[.!?])\s+|\n+", _without_data(text))
    return " ".join(s for s in sentences if s.endswith("?")) or " ".join(sentences)


def _in_form(found: dict[str, Any], text: str) -> dict[str, Any]:
    """Customers may wish for a form, such as a greeting in the beginning; and some want a line read back to them."""
    if said := guards.REPEAT.search(text):
        return found | {"answer": said["line"].strip()}
    if wish := guards.WISH_FOR_FORM.search(text):
        return found | {"answer": f"{found['answer']} {wish['wish'].strip()}"}
    return found
