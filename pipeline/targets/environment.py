"""`${NAME}` in a target's settings: what a file must not hold comes from the environment, and is never shown."""

import os
import re

from pipeline import params
from pipeline.errors import InputError

VARIABLE = re.compile(r"\$\{(\w+)\}")


def resolved(text: str, key: str) -> str:
    """`text` with its variables' values. Raises InputError, naming `key` of params.yaml, for one that is not set or is empty."""

    def value(found: re.Match[str]) -> str:
        if not os.environ.get(found[1]):
            raise InputError(f"params.yaml: evaluate.target.{key}: the environment variable {found[1]} is not set")
        return os.environ[found[1]]

    return VARIABLE.sub(value, text)


def hidden(text: str, target: params.Target) -> str:
    """`text`, which the target may have answered, with `${NAME}` in place of every value that `target` takes from the environment."""
    names = {name for part in (target.url or "", *target.headers.values()) for name in VARIABLE.findall(part)}
    for name in sorted(names):
        if value := os.environ.get(name):
            text = text.replace(value, f"${{{name}}}")
    return text
