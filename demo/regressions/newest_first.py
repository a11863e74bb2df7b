"""Follow-ups are answered with what was asked first: since its upgrade the chat hands over a conversation with the newest turn first."""

from typing import Any

from demo import assistant


def answer(messages: list[assistant.Message], fixtures: dict[str, Any] | None = None) -> dict[str, Any]:
    return assistant.answer(messages[::-1], fixtures)
