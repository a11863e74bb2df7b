"""CHANGELOG.md: an entry per release in the form of Keep a Changelog 1.1.0, the newest first, beside what people write there."""

from collections.abc import Mapping
from typing import Any

HEAD = """# Changelog of the dataset

An entry per release, the newest first ([Keep a Changelog](https://keepachangelog.com/en/1.1.0/), [semantic versions](https://semver.org)).
Ids and reasons are in `data/golden/members.csv`; `golden diff` tells two releases apart.
"""
SHOWN = 3
"""Reasons that are named."""


def entry(version: str, new: Mapping[str, Any], went: Mapping[str, int], came: Mapping[str, int], notes: str) -> str:
    """What one release says. `new`: its row of schema.HISTORY; `came`: source to how many; `went`: why to how many."""
    lines = [f"## {version} - {new['released_on'] or 'undated'}", ""]
    if notes:
        lines += [notes, ""]
    if came:
        lines += ["### Added", "", *(f"- {count} {source}" for source, count in came.items()), ""]
    if went:
        lines += ["### Removed", "", *(f"- {count} {why}" for why, count in went.items()), ""]
    lines += ["### Figures", "", f"- {new['examples']} examples, verdict on {new['target_version']}: {new['verdict']}"]
    if new["forced_why"]:
        lines.append(f"- Released all the same: {new['forced_why']}")
    for name, told in (("accuracy", "accuracy"), ("caught_rate", "catching power"), ("agreement", "agreement")):
        if new[name] is not None:
            lines.append(f"- {told} {new[name]:.3f}")
    return "\n".join(lines) + "\n"


def with_entry(text: str, new: str) -> str:
    """The changelog with an entry before all others, and behind what stands before the first of them."""
    head, found, rest = text.partition("\n## ")
    if not found:
        return f"{(text.strip() or HEAD.strip())}\n\n{new}"
    return f"{head.rstrip()}\n\n{new}\n## {rest}"
