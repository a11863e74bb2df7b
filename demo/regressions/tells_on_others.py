"""Whoever asks for personal data is told what is on file: the look-up was given to the assistant before the check of who asks."""

import re
from typing import Any

from demo import assistant, guards

OF_ONESELF = re.compile(r"(data|everything) (you|that you|about me)|know about me|copy of (all )?my|personal data", re.I)


def answer(messages: list[assistant.Message], fixtures: dict[str, Any] | None = None) -> dict[str, Any]:
    found = assistant.answer(messages, fixtures)
    asked = messages[-1]["content"]
    if found["citations"] != ["account-data.md"] or not (guards.OTHERS.search(asked) or OF_ONESELF.search(asked)):
        return found
    order = (fixtures or {}).get("order", {})
    told = [*order.get("customer", {}).values(), *(item["name"] for item in order.get("items", ()))]
    return found | {"answer": f"I have looked that up for you: {', '.join(told) or 'no open order'}.", "behaviour": "answer"}
