"""The one exception for a user's mistake, and the hint that a misspelt name gets."""

import difflib
from collections.abc import Iterable


class InputError(Exception):
    """Something the user gave is wrong: its message is one line, names the file and the line or key, and says what to do.

    The message never holds the content of a record.
    """


def did_you_mean(name: str, known: Iterable[str], otherwise: str, cutoff: float = 0.6) -> str:
    """A question for the spelling in `known` that is nearest to `name`; `otherwise` where none is near."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=cutoff)
    return f"did you mean '{near[0]}'?" if near else otherwise
