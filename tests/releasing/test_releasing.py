import pandas as pd
import pytest

from pipeline import expectations, schema, tables
from pipeline.errors import InputError
from pipeline.releasing import card, changelog, history, versions
from tests.frames import frame

FACTS = {"released_on": "2026-07-31", "target_version": "7f3a", "verdict": "undecided", "forced_why": "a first one"}
FIGURES = {
    "metrics": {"overall": {"accuracy": 0.87, "low": 0.8, "high": 0.9}},
    "power": {"caught_rate": 0.85, "cry_wolf": {"rate": 0.03}, "too_thin": 3},
    "pii": {"characters": {"recall": 0.99, "precision": 0.98}},
}


def members(*ids):
    return frame(schema.MEMBERS, [{"example_id": i, "source": {"p": "production", "r": "regression", "e": "expert"}[i[0]]} for i in ids])


def row():
    return history.row("1.1.0", members("p-1", "r-1", "e-1"), members("p-1", "p-2"), FIGURES, FACTS)


@pytest.mark.parametrize(
    ("version", "released", "told"),
    [
        ("1.2", [], "three numbers"),
        ("v1.2.0", [], "three numbers"),
        ("1.02.0", [], "three numbers"),
        ("1.0.0", ["1.0.0"], "released already"),
        ("1.9.0", ["1.10.0", "1.2.0"], "older than 1.10.0"),
    ],
)
def test_a_version_is_three_numbers_and_greater_than_all_before(version, released, told):
    with pytest.raises(InputError, match=told):
        versions.check(version, released)
    versions.check("2.0.0", released)


def test_a_row_counts_regressions_as_production_and_who_came_and_went():
    found = row()
    assert (found["examples"], found["production"], found["expert"], found["synthetic"]) == (3, 2, 1, 0)
    assert (found["added"], found["removed"]) == (2, 1)
    assert (found["accuracy"], found["cry_wolf_rate"], found["agreement"]) == (0.87, 0.03, None)


def test_a_history_is_read_back_as_it_was_written(tmp_path):
    path = tmp_path / "history.csv"
    first = history.with_row(tables.empty(schema.HISTORY), row())
    tables.write_csv(path, first, schema.HISTORY)
    again = history.with_row(tables.read_csv(path, schema.HISTORY), row() | {"version": "1.2.0"})
    tables.write_csv(path, again, schema.HISTORY)
    found = tables.read_csv(path, schema.HISTORY)
    assert list(found["version"]) == ["1.1.0", "1.2.0"]
    assert pd.isna(found["agreement"]).all()


def test_a_changelog_has_the_newest_first_and_keeps_what_people_wrote():
    one = changelog.entry("1.0.0", row(), {}, {"expert": 2}, "")
    two = changelog.entry("1.1.0", row(), {"retired": 1}, {}, "Refresh.")
    text = changelog.with_entry(changelog.with_entry("# Ours\n\nSome words.\n", one), two)
    assert text.startswith("# Ours\n\nSome words.\n\n## 1.1.0 - 2026-07-31\n\nRefresh.")
    assert text.index("- 1 retired") < text.index("## 1.0.0") < text.index("- 2 expert")
    assert "Released all the same: a first one" in text
    assert changelog.with_entry("", one).startswith("# Changelog")


def test_a_card_says_what_was_measured_and_no_more():
    text = card.card("help-desk", row(), FIGURES, expectations.load_contract(), "en")
    front = text.split("---")[1]
    assert "pretty_name: help-desk" in front
    assert "language: [en]" in front
    assert "size_categories: [n<1K]" in front
    assert "| agreement on the behaviour expected (Krippendorff's alpha) | not measured |  |" in text
    assert "| accuracy of the build it was measured by | 0.870 | 0.800 to 0.900 |" in text
    assert "The gate said undecided of 7f3a; released because: a first one." in text
    assert "1.0% were missed" in text
    assert "3 slices are too thin" in text
