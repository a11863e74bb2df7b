"""Who is asked. A kind of target opens into one function, `ask`, and knows nothing of epochs, timeouts, retries or caches.

`ask(question)` returns what `pipeline.targets.reply.parse` accepts, or raises: `NoAnswerError` with a code of its own, anything else
becomes `raised:<type>`. A further kind is a file here with such an opener, a line in `KINDS` and its settings in `pipeline.params`.
"""

from collections.abc import Callable

from pipeline import params
from pipeline.targets import command, http, inspect_model, python, recorded
from pipeline.targets.question import Ask

KINDS: dict[str, Callable[[params.Target], Ask]] = {
    "python": python.open_target,
    "command": command.open_target,
    "http": http.open_target,
    "inspect": inspect_model.open_target,
    "recorded": recorded.open_target,
}
NEVER_REUSED = frozenset({"recorded"})
"""Kinds that cost nothing to ask again, and whose answers may be edited under one version: the journal is not used."""


def open_target(target: params.Target) -> Ask:
    """The target that params.yaml names. Raises InputError where it is not there."""
    return KINDS[target.kind](target)
