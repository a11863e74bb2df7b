import json

import pandas as pd
import pytest

from pipeline import schema, tables
from pipeline.reporting import charts, sections
from tests.conftest import ROOT
from tests.frames import frame

METRICS = {path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "metrics").glob("*.json"))}
PLOTS = {path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "metrics/plots").glob("*.json"))}


def cells(section):
    return [value for table in section.tables for row in table.rows for value in row]


@pytest.mark.parametrize(
    ("made", "drawn"),
    [
        (sections.accuracy(METRICS["metrics"], PLOTS["slices"]), {"slices"}),
        (sections.coverage(METRICS["coverage"], PLOTS["coverage"]), {"coverage"}),
        (sections.power(METRICS["power"], PLOTS["power"]), {"power"}),
        (sections.alignment(METRICS["monitor"], PLOTS["alignment"]), {"alignment"}),
        (sections.agreement(METRICS["labels"]), {"agreement"}),
        (sections.personal_data(METRICS["pii"], METRICS["anonymize"]), set()),
        (sections.validation(METRICS["validation"]), set()),
    ],
    ids=lambda value: getattr(value, "key", ""),
)
def test_a_section_shows_what_was_measured_beside_each_chart(made, drawn):
    assert set(made.charts) == drawn
    assert cells(made)
    assert all(len(row) == len(table.columns) for table in made.tables for row in table.rows)
    for spec in made.charts.values():
        assert spec["description"]
        assert "NaN" not in json.dumps(spec)


@pytest.mark.parametrize("made", [sections.coverage(None, []), sections.power(None, []), sections.alignment(None, []), sections.agreement(None), sections.personal_data(None, None), sections.validation(None), sections.feedback(None), sections.history(tables.empty(schema.HISTORY))])  # fmt: skip
def test_what_was_not_measured_says_what_makes_it(made):
    assert made.lead.startswith("Nothing yet: ")
    assert not made.charts


def test_composition_counts_flagged_failures_as_production():
    members = frame(
        schema.MEMBERS,
        [{"example_id": i, "source": source} for i, source in (("p-1", "production"), ("p-2", "regression"), ("e-1", "expert"))],
    )
    made = sections.composition(members, {"production": 2, "expert": 1})
    assert made.tables[0].rows[:2] == [("production", 2, 2), ("expert", 1, 1)]
    assert made.lead == "3 examples, 1 of them flagged failures, counted as production."


def test_releases_are_shown_with_what_was_measured_then():
    row = dict.fromkeys(schema.HISTORY.names) | {
        "version": "1.0.0",
        "examples": 20,
        "added": 20,
        "removed": 0,
        "accuracy": 0.8,
        "verdict": "ship",
    }
    made = sections.history(pd.DataFrame([row, row | {"version": "1.1.0", "accuracy": 0.9, "backtest": 0.4}]))
    assert "the last is 1.1.0 with 20 examples, verdict ship" in made.lead
    values = made.charts["history"]["datasets"] if "datasets" in made.charts["history"] else made.charts["history"]["data"]["values"]
    assert sum(len(part) for part in values.values()) == 3 if isinstance(values, dict) else len(values) == 3


def test_days_from_failure_to_example_are_told():
    assert (
        "Median 1 days, at worst 30; 66.7 % within a day."
        in sections.feedback({"flagged": 3, "days": {"median": 1.0, "worst": 30}, "within_a_day_rate": 2 / 3}).lead
    )


def test_what_to_do_next_begins_with_what_stands_in_the_way():
    figures = dict.fromkeys(("validation", "labels", "coverage", "power", "monitor"))
    assert sections.todo(figures, 0) == ["Compare with the last release (golden diff), commit, release."]
    failing = figures | {"validation": {"failed_critical": 2}, "labels": {"open": {"disagreement": 3}}}
    assert [step.split(":")[0] for step in sections.todo(failing, 140)] == [
        "Correct what failed", "Collect 140 more examples in the present mix", "Settle 3 open questions of annotators"
    ]  # fmt: skip


def test_a_share_beside_none_of_productions_is_at_the_end_of_the_scale():
    assert [charts._times({"share": a, "production_share": b}) for a, b in ((0, 0), (0.1, 0), (0, 0.1), (0.2, 0.1), (0.1, 0.1))] == [
        0,
        2,
        -2,
        1,
        0,
    ]
