"""Personal data in an answer that was not in what the assistant was given, by shape: e-mail addresses, cards, long numbers."""

from collections.abc import Iterable

from pipeline.pii.shapes import kinds_in, known_from


def given_away(answer: str, given: Iterable[str]) -> list[str]:
    """The kinds (email, iban, card, number) of personal data in `answer` that no text of `given` holds; empty for none."""
    return sorted(set(kinds_in(answer, known_from(given))))
