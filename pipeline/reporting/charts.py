"""The page's charts as Vega-Lite, made with Altair. Each takes rows that are in a metrics file and returns a specification.

Colours are of Okabe and Ito's palette (2008), which people with any colour vision tell apart; nothing is told by colour alone.
"""

from collections.abc import Sequence
from typing import Any

import altair as alt

Rows = Sequence[dict[str, Any]]
BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"
WIDTH = 360
SHARE = alt.Scale(domain=[0, 1])


def _spec(chart: Any, description: str) -> dict[str, Any]:
    made: dict[str, Any] = chart.properties(description=description).to_dict()
    return made


def _data(rows: Rows) -> Any:
    return alt.Data(values=list(rows))


def composition(rows: Rows) -> dict[str, Any]:
    """source, have, wanted."""
    base = alt.Chart(_data(rows), width=WIDTH).encode(y=alt.Y("source:N", sort=None, title=None))
    bars = base.mark_bar(color=BLUE, height=14).encode(x=alt.X("have:Q", title="examples"), tooltip=["source:N", "have:Q", "wanted:Q"])
    wanted = base.mark_tick(color=ORANGE, thickness=3, size=24).encode(x="wanted:Q")
    return _spec(bars + wanted, "Bars: examples of each source; the mark is how many are wanted")


def coverage(rows: Rows) -> dict[str, Any]:
    """row, column, dimension, have, share, production_share."""
    known = [row | {"times": _times(row)} for row in rows]
    dimensions = list(dict.fromkeys(row["dimension"] for row in rows))
    parts = [_cells([row for row in known if row["dimension"] == one], one, place == 0) for place, one in enumerate(dimensions)]
    return _spec(alt.hconcat(*parts, spacing=8), "Examples in each pair of slices; the colour is their share beside production's")


def _cells(rows: Rows, title: str, is_first: bool) -> Any:
    axis = alt.Axis() if is_first else None
    base = alt.Chart(_data(rows), title=alt.TitleParams(title, fontWeight="normal", fontSize=11)).encode(
        x=alt.X("column:N", title=None, axis=alt.Axis(labelAngle=-40)), y=alt.Y("row:N", title=None, axis=axis)
    )
    cells = base.mark_rect().encode(
        color=alt.Color(
            "times:Q",
            title="share beside production's",
            scale=alt.Scale(domain=[-2, 0, 2], range=[BLUE, "#f2f2f2", ORANGE], clamp=True),
            legend=alt.Legend(values=[-2, 0, 2], labelExpr="datum.value < 0 ? 'a quarter' : datum.value > 0 ? 'four times' : 'as much'"),
        ),
        tooltip=["row:N", "column:N", "have:Q", "share:Q", "production_share:Q"],
    )
    return cells + base.mark_text(color="#111").encode(text="have:Q")


def _times(row: dict[str, Any]) -> float:
    """Log2 of the share over production's, within -2 and 2."""
    import math

    have, there = row["share"], row["production_share"]
    if not have or not there:
        return 0.0 if not have and not there else 2.0 if have else -2.0
    return max(-2.0, min(2.0, round(math.log2(have / there), 3)))


def intervals(rows: Rows, y: str, x: str, title: str, description: str, domain: tuple[float, float] = (0, 1)) -> dict[str, Any]:
    """A point and its interval in each row: y, x, low, high, and n or needed where there are."""
    base = alt.Chart(_data(rows), width=WIDTH).encode(y=alt.Y(f"{y}:N", sort=None, title=None, axis=alt.Axis(labelLimit=260)))
    scale = alt.Scale(domain=list(domain))
    rules = base.mark_rule(strokeWidth=2, color=BLUE).encode(x=alt.X("low:Q", title=title, scale=scale), x2="high:Q")
    points = base.mark_point(filled=True, size=60, color=BLUE, opacity=1).encode(
        x=alt.X(f"{x}:Q", scale=scale), tooltip=[f"{y}:N", f"{x}:Q", "low:Q", "high:Q", "n:Q"]
    )
    needed = base.mark_tick(color=ORANGE, thickness=3).encode(x="needed:Q")
    with_needed = any(row.get("needed") is not None for row in rows)
    return _spec(rules + points + needed if with_needed else rules + points, description)


def alignment(rows: Rows) -> dict[str, Any]:
    """slice, off, and rate, low, high of production and dataset."""
    line = alt.Chart(_data([{"at": 0}, {"at": 1}])).mark_line(strokeDash=[4, 4], color="gray").encode(x="at:Q", y="at:Q")
    base = alt.Chart(_data(rows), width=WIDTH, height=340)
    x, y = (
        alt.X("production_rate:Q", title="share of production that failed", scale=SHARE),
        alt.Y("dataset_rate:Q", title="share of examples that fail", scale=SHARE),
    )
    across = base.mark_rule(opacity=0.35, color=BLUE).encode(x=alt.X("production_low:Q", scale=SHARE), x2="production_high:Q", y=y)
    along = base.mark_rule(opacity=0.35, color=BLUE).encode(x=x, y=alt.Y("dataset_low:Q", scale=SHARE), y2="dataset_high:Q")
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        x=x, y=y,
        shape=alt.Shape("off:N", title="off by more than chance", scale=alt.Scale(domain=[False, True], range=["circle", "triangle-up"])),
        color=alt.Color("off:N", title="off by more than chance", scale=alt.Scale(domain=[False, True], range=[BLUE, ORANGE])),
        tooltip=["slice:N", "production_rate:Q", "production_n:Q", "dataset_rate:Q", "dataset_n:Q"],
    )  # fmt: skip
    return _spec(line + across + along + points, "Each slice's failure rate in production and in the dataset; equal on the dashed line")


def power(rows: Rows) -> dict[str, Any]:
    """sample, size, caught_rate, low, high of all slices together."""
    base = alt.Chart(_data(rows), width=WIDTH, height=240).encode(
        x=alt.X("size:Q", title="fall of accuracy inside one slice", axis=alt.Axis(format="%")),
        color=alt.Color("sample:N", title=None, scale=alt.Scale(domain=["dataset", "control sample"], range=[BLUE, ORANGE])),
    )
    band = base.mark_area(opacity=0.2).encode(y=alt.Y("low:Q", title="share held", scale=SHARE), y2="high:Q")
    line = base.mark_line(point=True).encode(
        y=alt.Y("caught_rate:Q", scale=SHARE),
        strokeDash=alt.StrokeDash("sample:N", legend=None),
        tooltip=["sample:N", "size:Q", "caught_rate:Q"],
    )
    return _spec(band + line, "How often a fall in one slice is held, by its size, for the dataset and for a random control sample")


def history(rows: Rows) -> dict[str, Any]:
    """version, figure, value."""
    chart = alt.Chart(_data(rows), width=WIDTH, height=220).mark_line(point=True).encode(
        x=alt.X("version:N", sort=None, title=None, axis=alt.Axis(labelAngle=0)),
        y=alt.Y("value:Q", title=None, scale=alt.Scale(domain=[-1, 1]) if any(row["value"] < 0 for row in rows) else SHARE),
        color=alt.Color("figure:N", title=None, scale=alt.Scale(range=[BLUE, ORANGE, GREEN, "#CC79A7", "#56B4E9"])),
        strokeDash=alt.StrokeDash("figure:N", legend=None),
        tooltip=["version:N", "figure:N", "value:Q"],
    )  # fmt: skip
    return _spec(chart, "Figures of each release")
