"""What the page says: each function makes one section from what is in metrics/, or a sentence that says what makes it.

A section is a heading, a lead sentence, tables (columns and rows, numbers as numbers so that they sort) and the charts that show them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from pipeline.coverage import collect
from pipeline.params import SOURCES
from pipeline.reporting import charts
from pipeline.slices import of_metrics_keys

Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    open: bool = False
    """Shown, not folded behind its chart."""


@dataclass(frozen=True)
class Section:
    key: str
    title: str
    lead: str
    tables: Sequence[Table] = ()
    charts: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    """Name to Vega-Lite, in the order in which they are shown."""


def absent(key: str, title: str, how: str) -> Section:
    return Section(key, title, f"Nothing yet: {how}.")


def percent(value: float | None) -> str:
    return "not measured" if value is None else f"{100 * value:.1f} %"


def within(found: Mapping[str, Any], key: str = "value") -> str:
    """A share with its interval, in words."""
    if found.get(key) is None:
        return "not measured"
    return f"{percent(found[key])} ({100 * found['low']:.1f} to {100 * found['high']:.1f})" if "low" in found else percent(found[key])


def composition(members: pd.DataFrame, wanted: Mapping[str, int]) -> Section:
    counts = members["source"].replace("regression", "production").value_counts()
    rows = [{"source": source, "have": int(counts.get(source, 0)), "wanted": wanted.get(source, 0)} for source in SOURCES]
    pinned = int((members["source"] == "regression").sum())
    lead = f"{len(members):,} examples" + (f", {pinned} of them flagged failures, counted as production" if pinned else "") + "."
    table = Table("Sources", ("source", "examples", "wanted"), [tuple(row.values()) for row in rows])
    return Section("composition", "Composition", lead, [table], {"composition": charts.composition(rows)})


def coverage(figures: Figures | None, pairs: Sequence[dict[str, Any]]) -> Section:
    if figures is None:
        return absent("coverage", "Coverage", "stage merge makes it")
    rows = [
        (dimension, value, one["have"], one["wanted"], one["shortfall"], one["share"], one["production_share"])
        for dimension, values in figures["slices"].items()
        for value, one in values.items()
    ]
    short = figures["total"]["slices_short"]
    lead = f"{short} of {len(rows)} slices have fewer examples than wanted." if short else f"All {len(rows)} slices have what is wanted."
    columns = ("dimension", "value", "examples", "wanted", "lacking", "share", "production's share")
    return Section("coverage", "Coverage", lead, [Table("Slices", columns, rows)], {"coverage": charts.coverage(pairs)} if pairs else {})


def agreement(figures: Figures | None) -> Section:
    if figures is None:
        return absent("agreement", "Agreement of annotators", "stage label makes it")
    measured = {name: one["agreement"] for name, one in figures["dimensions"].items() if one.get("agreement", {}).get("alpha") is not None}
    rows = [
        {
            "dimension": name,
            "alpha": one["alpha"],
            "low": one.get("low"),
            "high": one.get("high"),
            "n": one["n"],
            "needed": one.get("needed"),
        }
        for name, one in measured.items()
    ]
    if not rows:
        return absent("agreement", "Agreement of annotators", "two annotators label the same conversations: golden label next")
    below = [row["dimension"] for row in rows if row["needed"] is not None and row["alpha"] < row["needed"]]
    lead = "Krippendorff's alpha. " + (f"The standard is unclear on {', '.join(below)}." if below else "Every bar is reached.")
    table = Table("Dimensions", ("dimension", "alpha", "low", "high", "conversations", "needed"), [tuple(row.values()) for row in rows])
    chart = charts.intervals(
        rows, "dimension", "alpha", "alpha", "Agreement by dimension with its interval; the mark is what is needed", (-0.2, 1)
    )
    return Section("agreement", "Agreement of annotators", lead, [table], {"agreement": chart})


def accuracy(figures: Figures, plotted: Sequence[dict[str, Any]]) -> Section:
    rows = [
        {"slice": row["slice"], "accuracy": row["accuracy"], "low": row["low"], "high": row["high"], "n": row["n"]}
        for row in plotted
        if "_x_" not in row["dimension"]
    ]
    lead = (
        f"Accuracy {within(figures['overall'], 'accuracy')} of {figures['overall']['n']:,} examples, {figures['overall']['errors']} errors."
    )
    table = Table("Slices", ("slice", "accuracy", "low", "high", "examples"), [tuple(row.values()) for row in rows])
    parts = [(name, one["mean"], one["low"], one["high"], one["n"]) for name, one in figures["criteria"].items()]
    more = Table("Criteria", ("criterion", "mean", "low", "high", "examples"), parts)
    chart = charts.intervals(rows, "slice", "accuracy", "accuracy", "Accuracy by slice, with intervals")
    return Section("slices", "Accuracy by slice", lead, [table, more], {"slices": chart})


def alignment(figures: Figures | None, rows: Sequence[dict[str, Any]]) -> Section:
    title = "Failures, dataset against production"
    if figures is None:
        return absent("alignment", title, "stage monitor makes it")
    found, tested = figures["alignment"], figures["backtest"]
    rank = found.get("spearman") or {}
    lead = (
        f"Ranks of {found['slices']} slices go together by {rank['value']:+.2f} ({rank['low']:+.2f} to {rank['high']:+.2f}); "
        f"{len(found['off'])} are off by more than chance. "
        if rank
        else "Too few slices fail on both sides to compare. "
    )
    if "dataset" in tested:
        lead += (
            f"Backtest: {within(tested['dataset'])} of a month's failures lie near to the dataset of the month before, "
            f"{within(tested['control'])} to a random sample."
        )
    columns = ("slice", "production fails", "low", "high", "conversations", "dataset fails", "low", "high", "examples", "off")
    shown = [tuple(row[f"{side}_{key}"] for side in ("production", "dataset") for key in ("rate", "low", "high", "n")) for row in rows]
    table = Table(
        "Slices", columns, [(row["slice"], *values, "yes" if row["off"] else "no") for row, values in zip(rows, shown, strict=True)]
    )
    spread = [(name, one["value"], one["low"], one["high"]) for name, one in figures["divergence"].items()]
    gaps = [(one["slice"], one["share"], one["n"]) for one in figures["uncovered"]]
    tables = [table, Table("Divergence by dimension, bits", ("dimension", "divergence", "low", "high"), spread)]
    if gaps:
        tables.append(Table("Of production, and not in the dataset", ("slice", "share", "conversations"), gaps))
    return Section("alignment", title, lead, tables, {"alignment": charts.alignment(rows)} if rows else {})


def power(figures: Figures | None, plotted: Sequence[dict[str, Any]]) -> Section:
    if figures is None:
        return absent("power", "Catching power", "stage power makes it")
    lead = (
        f"A fall of {100 * figures['size']:g} points inside one slice is held in {within(figures, 'caught_rate')}; "
        f"nothing worse is held in {percent(figures['cry_wolf']['rate'])}. {figures['too_thin']} slices are too thin."
    )
    rows = [row for row in plotted if row["slice"] == "overall"]
    thin = [
        (of_metrics_keys(dimension, value), one["n"], one["caught_rate"], "more than 200" if one["more"] is None else one["more"])
        for dimension, values in figures["slices"].items()
        for value, one in values.items()
        if one["more"] != 0
    ]
    table = Table("By size of the fall", ("sample", "fall", "held", "low", "high"), [
        (row["sample"], row["size"], row["caught_rate"], row["low"], row["high"]) for row in rows
    ])  # fmt: skip
    return Section(
        "power", "Catching power", lead,
        [table, Table("Too thin", ("slice", "examples", "held", "examples more"), thin)], {"power": charts.power(rows)} if rows else {},
    )  # fmt: skip


def personal_data(figures: Figures | None, leaks: Figures | None) -> Section:
    title = "Personal data"
    characters = (figures or {}).get("characters")
    if not characters:
        return absent("pii", title, "label texts and name them in pii_eval.spans")
    lead = f"Of labelled characters {percent(characters['recall'])} are found, of what is found {percent(characters['precision'])} is personal data."
    if leaks is not None:
        lead += f" The leak audit found {leaks['leaks']} leaks in examples, control sample and answers."
    rows = [(name, one["n"], one.get("recall"), one.get("span_recall")) for name, one in (figures or {}).get("types", {}).items()]
    overall = [(name, characters[name], characters[f"{name}_low"], characters[f"{name}_high"]) for name in ("recall", "precision", "f2")]
    tables = [Table("Overall, by character", ("figure", "value", "low", "high"), overall, True)]
    if rows:
        tables.append(Table("By type", ("type", "labelled", "recall", "recall by span"), rows))
    return Section("pii", title, lead, tables)


def validation(figures: Figures | None) -> Section:
    if figures is None:
        return absent("validation", "Validation", "stage validate makes it")
    rows = [
        (suite, name, one["severity"], "holds" if one["success"] else "fails" if one.get("checked", True) else "not checked")
        for suite, checks in figures["checks"].items()
        for name, one in checks.items()
    ]
    lead = f"{figures['held']} checks hold, {figures['failed_warning']} warnings and {figures['failed_critical']} critical ones failed."
    return Section("validation", "Validation", lead, [Table("Expectations", ("suite", "expectation", "severity", "result"), rows)])


def feedback(figures: Figures | None) -> Section:
    title = "From failure to example"
    if not figures or not figures["flagged"]:
        return absent("feedback", title, "golden flag makes a production failure an example")
    days = figures.get("days")
    told = (
        f" Median {days['median']:g} days, at worst {days['worst']}; {percent(figures['within_a_day_rate'])} within a day." if days else ""
    )
    return Section("feedback", title, f"{figures['flagged']} failures were flagged.{told}")


HISTORY = {
    "accuracy": "accuracy",
    "caught_rate": "catching power",
    "pii_recall": "personal data found",
    "agreement": "agreement",
    "backtest": "backtest",
}


def history(releases: pd.DataFrame) -> Section:
    if releases.empty:
        return absent("history", "Releases", "golden release 1.0.0 makes the first")
    rows = [
        {"version": version, "figure": told, "value": float(value)}
        for name, told in HISTORY.items()
        for version, value in zip(releases["version"], releases[name], strict=True)
        if not pd.isna(value)
    ]
    columns = ["version", "released_on", "examples", "added", "removed", "target_version", "verdict", *HISTORY]
    shown = [[None if pd.isna(value) else value for value in row] for row in releases[columns].astype(object).to_numpy().tolist()]
    last = releases.iloc[-1]
    lead = f"{len(releases)} releases; the last is {last['version']} with {last['examples']} examples, verdict {last['verdict']}."
    return Section("history", "Releases", lead, [Table("Releases", columns, shown)], {"history": charts.history(rows)} if rows else {})


def todo(figures: Mapping[str, Figures | None], more: int | None) -> list[str]:
    """What to do next, what stands most in the way first."""
    steps = []
    validated, labels, covered, powered, monitored = (figures[name] for name in ("validation", "labels", "coverage", "power", "monitor"))
    if validated and validated["failed_critical"]:
        steps.append(f"Correct what failed: {validated['failed_critical']} critical checks, in reports/validation.html.")
    if more:
        steps.append(f"Collect {more:,} more examples in the present mix: then the gate decides in four of five cases.")
    if labels and (waiting := sum(labels["open"].values())):
        steps.append(f"Settle {waiting} open questions of annotators: golden label next --open.")
    if covered and (lacking := collect(covered)):
        steps.append(f"Label or write what is lacking: {'; '.join(lacking[:6])}.")
    if powered and powered["too_thin"]:
        steps.append(f"Thicken the {powered['too_thin']} slices in which a fall would be missed: golden power.")
    if monitored and monitored["uncovered"]:
        steps.append(f"Cover what production has and the dataset lacks: {', '.join(one['slice'] for one in monitored['uncovered'][:4])}.")
    if monitored and monitored["last_seen"]["unseen"]:
        steps.append(f"Look at the {monitored['last_seen']['unseen']} examples that production does not show: golden refresh --plan.")
    return steps or ["Compare with the last release (golden diff), commit, release."]
