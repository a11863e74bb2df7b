"""One logged conversation: a customer, what they ask, and what the assistant of that time made of it.

The assistant that was logged is an older and worse one than demo/assistant.py. Whether it was right follows from how the
conversation ended, so that outcome and text agree as they do in real logs.
"""

import datetime
import random
import re
from dataclasses import dataclass, field
from typing import Any

from demo import people, products, writing
from demo.orders import order_context
from demo.topics import Expected, Topic

UTC_OFFSETS = {"en-GB": 0, "en-IE": 0, "en-US": -5, "en-IN": 5.5, "en-AU": 10, "en-DE": 1, "en-ES": 1}
SUMMER_TIME = {"en-GB", "en-IE", "en-US", "en-DE", "en-ES"}
SUMMER_BEGINS = datetime.date(2026, 3, 29)
FAILURES = (("thumbs_down", 0.42), ("escalated", 0.17), ("error", 0.16), ("abandoned", 0.25))
VAGUE = (
    "Hello", "hi", "Hi, I have a question about {it}.", "I need help with an order.", "hey can someone help me",
        "Is this a bot or a person?", "I've a problem with something I bought.",
    "Good morning, I need some help please.", "Question about {it}.", "Hello, is anybody there?", "hi there, about my last order", "help",
)  # fmt: skip
WHAT_IS_IT = (
    "Hello! How can I help you?",
    "Hi, what is it about?",
    "Sure. What would you like to know?",
    "Happy to help: what happened?",
    "Hello {given}, how can I help?",
    "Of course. Please tell me more.",
)
INSIST = (
    "That's not what I asked.", "No, you misunderstood.", "You're not reading what I write.", "That doesn't help me.", "no thats wrong",
        "I don't think that's right.", "Again:", "Wrong answer. I repeat:",
    "That can't be true.", "Please read again.",
)  # fmt: skip
ALSO = (
    "And another thing:",
    "One more question.",
    "While I have you:",
    "Also,",
    "Thanks. Second question:",
    "Good. Then something else:",
    "ok and",
    "Alright. By the way,",
)
THANKS = (
    "thanks",
    "Thank you!",
    "ok",
    "ok thanks",
    "great, thx",
    "Perfect, thank you.",
    "cheers",
    "Thanks a lot",
    "👍",
    "got it",
    "Thank you very much, bye",
    "alright then",
    "ok will do",
    "ty",
    "fine.",
    "Super, danke!",
)
WELCOME = ("You're welcome!", "Happy to help.", "Glad I could help. Have a nice day!", "Any time.", "You're welcome, {given}!")
HELLO = (
    "",
    "",
    "Thanks for your message. ",
    "Hello {given}, ",
    "Hi {given}, thanks for waiting. ",
    "Good question. ",
    "Dear {given}, ",
    "I understand. ",
    "I found your order {order}. ",
    "Hello {full}, ",
    "Sure. ",
    "Happy to help with that. ",
)
GOODBYE = (
    "",
    "",
    "",
    " Is there anything else?",
    " Have a nice day!",
    " I hope this helps.",
    " Let me know if you need more.",
    " Best wishes, your Hollow Lane team",
)
HANDOVER = (
    "I'm passing you on to a colleague.",
    "A colleague will take over from here.",
    "I can't solve this, so I connect you with a person.",
    "One moment, I hand you over to our team.",
)
RARE_DATA = {"iban", "bank", "government", "card", "transaction", "ip", "mac", "url", "wallet"}
"""Told in few topics, and there often: each kind must occur often enough to measure how well it is found."""
BROKEN = (
    "Sorry, something went wrong (E-503). Please try again.",
    "An error occurred while processing your request.",
    "I can't reach our order system at the moment.",
    "Error: upstream timeout",
)


@dataclass
class Conversation:
    """What one log line is made of, with the truth beside it."""

    id: str
    at: datetime.datetime
    channel: str
    person: people.Person
    topic: Topic
    tone: str
    outcome: str
    expected: Expected | None
    """A correct answer to the last customer turn; None where that asks nothing."""
    was_right: bool
    """Whether the logged bot's last answer was correct."""
    turns: list[tuple[str, str]] = field(default_factory=list)
    """customer or bot, and the text with its personal data marked."""
    context: dict[str, Any] | None = None

    @property
    def complexity(self) -> str:
        return "multi_turn" if sum(role == "customer" for role, _ in self.turns) > 1 else "single_turn"


@dataclass
class _Writer:
    """What stays the same for a customer within a conversation."""

    rng: random.Random
    person: people.Person
    tone: str
    habit: str
    shares_data: bool
    slots: dict[str, str]

    def write(self, *sentences: str, short: bool = False, data: tuple[str, ...] = ()) -> str:
        """The sentences as this customer writes them, with an opening, personal data and asides where they would put some."""
        rng = self.rng
        parts = [writing.fill(s, rng, self.slots) for s in sentences if s]
        if not short and self.habit == "rambling":
            asides = [a for a in writing.ASIDES if self.shares_data or not re.search(r"\{(friend|town)\}", a)]
            for aside in rng.sample(asides, rng.randrange(2, 8)):
                parts.insert(rng.randrange(len(parts) + 1), writing.fill(aside, rng, self.slots))
        told = [writing.personal_sentence(kind, self.person, rng, self.slots) for kind in data]
        signature = "".join(t for t in told if t.startswith("\n"))
        for sentence in (t for t in told if not t.startswith("\n")):
            parts.insert(rng.choice([0, len(parts), len(parts)]), sentence)
        if not (short or self.habit == "terse") or rng.random() < 0.3:
            parts = [rng.choice(writing.OPENINGS[self.tone]), *parts, rng.choice(writing.CLOSINGS[self.tone])]
        text = agree(" ".join(part for part in parts if part)) + signature
        return writing.habitual(text, self.habit, rng)

    def bot(self, template: str, *, greet: bool = True) -> str:
        hello, goodbye = (self.rng.choice(HELLO), self.rng.choice(GOODBYE)) if greet else ("", "")
        text = f"{hello}{template}{goodbye}"
        if not self.shares_data:
            text = (
                re.sub(r"(Hello|Hi|Dear) \{(given|full)\},", "Hello,", text)
                .replace(", {given}!", "!")
                .replace("I found your order {order}. ", "")
            )
        return writing.fill(text, self.rng, self.slots)


def agree(text: str) -> str:
    """Verbs after products that are pairs: 'the boots is' would be nobody's English."""
    for singular, plural in (
        ("is", "are"),
        ("isn't", "aren't"),
        ("was", "were"),
        ("has", "have"),
        ("doesn't", "don't"),
        ("hasn't", "haven't"),
    ):
        text = re.sub(rf"\b(boots|poles|trousers|gaiters|socks) {singular}\b", rf"\1 {plural}", text)
    return text


def create(rng: random.Random, day: datetime.date, topics: tuple[Topic, ...]) -> Conversation:
    """A conversation of that day."""
    topic = rng.choices(topics, [t.weight_in(day.month) for t in topics])[0]
    person = people.draw(rng)
    tone = rng.choices(writing.TONES, (40, 17, 20, 11, 12))[0]
    outcome = _outcome(rng, topic, tone, day.month)
    slots = (
        writing.personal_slots(person, rng) | _item_slots(rng, topic, day.month) | {"other": writing.mark("PERSON", people.full_name(rng))}
    )
    writer = _Writer(rng, person, tone, rng.choice(writing.HABITS), rng.random() < 0.40, slots)
    made = Conversation(
        f"c-{rng.getrandbits(40):010x}", _time(rng, day, person.locale), _channel(rng), person, topic, tone, outcome, topic.expected, True
    )
    made.context = order_context(rng, day, person, topic, slots["item"])
    _converse(made, writer, topics, day.month)
    return made


def _item_slots(rng: random.Random, topic: Topic, month: int) -> dict[str, str]:
    item, reason = products.item(rng, topic.item, month), products.draw("reason", rng)
    return {"item": item, "it": f"the {item}", "it_cap": f"The {item}", "reason": reason, "reason_cap": reason[0].upper() + reason[1:]}


def _outcome(rng: random.Random, topic: Topic, tone: str, month: int) -> str:
    if topic.expected.behaviour == "escalate" and rng.random() > topic.trouble:
        return "escalated"
    failing = 0.30 + topic.trouble + (0.08 if tone == "frustrated" else 0) + (0.03 if month >= 6 else 0)
    if rng.random() > failing:
        return "resolved"
    return rng.choices([name for name, _ in FAILURES], [share for _, share in FAILURES])[0]


def _time(rng: random.Random, day: datetime.date, locale: str) -> datetime.datetime:
    offset = UTC_OFFSETS[locale] + (1 if locale in SUMMER_TIME and day >= SUMMER_BEGINS else 0)
    zone = datetime.timezone(datetime.timedelta(hours=offset))
    hour = rng.choice([7, 8, 9, 9, 10, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 20, 21, 22, 23, 1])
    return datetime.datetime(day.year, day.month, day.day, hour, rng.randrange(60), rng.randrange(60), tzinfo=zone)


def _channel(rng: random.Random) -> str:
    return rng.choices(("chat", "app", "email"), (55, 28, 17))[0]


# ---- the course of a conversation


def _converse(made: Conversation, writer: _Writer, topics: tuple[Topic, ...], month: int) -> None:
    rng, topic = writer.rng, made.topic
    number = rng.randrange(60)
    ask, made.expected = topic.question(number)
    told = rng.choice(topic.told) if writer.habit != "terse" and rng.random() < 0.72 else ""
    question = (told, ask) if rng.random() < 0.7 else (ask, told)
    data = _data(writer, topic)
    vague = topic.expected.behaviour == "ask_back"
    course = (
        "single"
        if vague
        else rng.choices(("single", "follow_up", "clarify", "insist", "also"), (52, 24 if topic.follow_ups else 0, 9, 8, 7))[0]
    )
    good, bad = topic.good, topic.bad
    if course == "clarify":
        made.turns += [("customer", writer.write(rng.choice(VAGUE), short=True)), ("bot", writer.bot(rng.choice(WHAT_IS_IT), greet=False))]
    made.turns.append(("customer", writer.write(*question, short=vague, data=data)))
    if course == "follow_up":
        follow = rng.choice(topic.follow_ups)
        made.turns += [
            ("bot", writer.bot(rng.choice(good))),
            ("customer", writer.write(rng.choice(follow.asks), short=True, data=_late_data(writer, topic))),
        ]
        made.expected, good, bad = follow.expected, follow.good, follow.bad
    elif course == "insist":
        made.tone = "frustrated"
        again, made.expected = topic.question(number + rng.choice([0, 1, 2]))
        made.turns += [
            ("bot", writer.bot(rng.choice(bad))),
            ("customer", writer.write(rng.choice(INSIST), again, short=True, data=_late_data(writer, topic))),
        ]
    elif course == "also":
        second = _second_topic(rng, topic, topics, month)
        writer.slots |= _item_slots(rng, second, month)
        ask, made.expected = second.question(rng.randrange(60))
        made.turns += [("bot", writer.bot(rng.choice(good))), ("customer", writer.write(rng.choice(ALSO), ask, short=True))]
        made.topic, good, bad = second, second.good, second.bad
    _answer(made, writer, good, bad)


def _second_topic(rng: random.Random, first: Topic, topics: tuple[Topic, ...], month: int) -> Topic:
    """Something else to ask that needs no order to be looked up, since the order at hand is the first topic's."""
    others = [t for t in topics if t is not first and not t.order and t.expected.behaviour == "answer"]
    return rng.choices(others, [t.weight_in(month) for t in others])[0]


def _data(writer: _Writer, topic: Topic) -> tuple[str, ...]:
    if not writer.shares_data:
        return ()
    rng = writer.rng
    if topic.expected.behaviour == "ask_back":
        return (rng.choice(("name", "sign", "phone")),)
    usual = (
        topic.data * 3
        + tuple(kind for kind in topic.data if kind in RARE_DATA) * 8
        + ("name", "sign", "sign", "order", "email", "phone", "address", "account")
    )
    return tuple(dict.fromkeys(rng.choice(usual) for _ in range(rng.choice([1, 1, 2, 2, 3]))))


def _late_data(writer: _Writer, topic: Topic) -> tuple[str, ...]:
    """Personal data told in a later turn, mostly none."""
    return (writer.rng.choice(topic.data),) if writer.shares_data and writer.rng.random() < 0.3 else ()


def _answer(made: Conversation, writer: _Writer, good: tuple[str, ...], bad: tuple[str, ...]) -> None:
    """The bot's last answer, as the outcome has it, and sometimes the customer's thanks."""
    rng = writer.rng
    behaviour = made.expected.behaviour if made.expected else "answer"
    if made.outcome == "error":
        made.was_right = False
        if rng.random() < 0.7:
            made.turns.append(("bot", rng.choice(BROKEN)))
        return
    if made.outcome == "escalated":
        made.was_right = behaviour == "escalate"
        made.turns.append(("bot", writer.bot(rng.choice(good if made.was_right and rng.random() < 0.7 else HANDOVER))))
        return
    made.was_right = rng.random() < {"resolved": 0.94, "thumbs_down": 0.2, "abandoned": 0.5}[made.outcome]
    made.turns.append(("bot", writer.bot(rng.choice(good if made.was_right else bad))))
    if rng.random() < {"resolved": 0.15, "thumbs_down": 0.03, "abandoned": 0.04}[made.outcome]:
        made.turns.append(("customer", rng.choice(THANKS)))
        made.turns.append(("bot", writer.bot(rng.choice(WELCOME), greet=False)))
        made.expected = None
