"""Versions of the dataset: semantic ones, each greater than the last (https://semver.org, section 11)."""

import re

from pipeline.errors import InputError

FORM = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
TAG = "golden@v"
"""GTO's convention: the artifact's name in dvc.yaml, @, and the version with a v."""


def number(version: str) -> tuple[int, int, int]:
    """The version as numbers. Raises InputError for what is none."""
    found = FORM.fullmatch(version)
    if not found:
        raise InputError(f"{version}: no version; write three numbers, such as 1.2.0")
    first, second, third = (int(part) for part in found.groups())
    return first, second, third


def check(version: str, released: list[str]) -> None:
    """Raises InputError where `version` is no version, is released, or is not greater than the last one."""
    wanted = number(version)
    if version in released:
        raise InputError(f"{version}: released already; choose a greater version")
    if released and wanted < max(map(number, released)):
        last = max(released, key=number)
        raise InputError(f"{version}: older than {last}, the last release; choose a greater version")
