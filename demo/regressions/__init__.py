"""Builds of the assistant that must not ship: five bugs such as happen, each of which a gate must find, and say where.

They are targets like any other, `demo.regressions.<name>:answer`.
"""

CULPRITS: dict[str, str] = {
    "stale_policy": "category=returns",
    "newest_first": "complexity=multi_turn",
    "moved_pages": "category=shipping",
    "short_with_the_angry": "tone=frustrated",
    "tells_on_others": "risk=personal_data",
}
"""Module to the slice that its bug lies in."""
