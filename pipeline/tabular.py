"""Rows of text as people read them: in columns on a screen, as a Markdown table."""

from collections.abc import Iterator, Sequence


def in_columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A line per row; every column as wide as its widest cell."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(f"{one:<{width}}" for one, width in zip(row, widths, strict=True)).rstrip()


def as_markdown(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first row is its head."""
    shown = [f"| {' | '.join(cell(one) for one in row)} |" for row in rows]
    return "\n".join([shown[0], "|" + " --- |" * len(rows[0]), *shown[1:]])


def cell(text: str) -> str:
    """Text that Markdown shows as it stands, on one line."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
