import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from pipeline import plots, schema
from pipeline.decision.calibration import expected_calibration_error
from pipeline.measures import Judged

ROOT = Path(__file__).parents[1]


def stating(*answers: tuple[float | None, int]) -> Judged:
    """Answers as confidence stated and whether they were right."""
    return Judged(pd.DataFrame(answers, columns=["stated", "correct"]).astype(float), pd.DataFrame())


def test_reliability_has_a_row_for_each_tenth_that_was_stated() -> None:
    rows = plots.reliability(stating((0.9, 1), (1.0, 0), (0.31, 1), (None, 1)), 0.95)
    assert [(row["bin"], row["n"], round(row["confidence"], 4), row["correct"]) for row in rows] == [
        ("0.3-0.4", 1, 0.31, 1.0),
        ("0.9-1.0", 2, 0.95, 0.5),
    ]
    assert all(row["low"] <= row["correct"] <= row["high"] for row in rows)
    assert plots.reliability(stating((None, 1)), 0.95) == []


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=1, max_size=30))
def test_the_calibration_error_is_the_mean_distance_of_the_rows_from_the_diagonal(answers: list[tuple[float, int]]) -> None:
    rows = plots.reliability(stating(*answers), 0.95)
    distance = sum(row["n"] * abs(row["confidence"] - row["correct"]) for row in rows) / len(answers)
    confidence, correct = np.array(answers).T
    assert distance == pytest.approx(expected_calibration_error(confidence, correct), abs=1e-9)


def shown(*rows: tuple[str, str, str]) -> pd.DataFrame:
    """Behaviour expected, behaviour returned and error, each of an example of its own."""
    frame = pd.DataFrame(rows, columns=["expected_behaviour", "behaviour", "error"]).assign(epoch=1)
    frame["example_id"] = [f"e-{place}" for place in range(len(frame))]
    return plots.behaviours(frame[["example_id", "expected_behaviour"]], frame.drop(columns="expected_behaviour"))


def test_behaviours_are_counted_by_what_was_expected() -> None:
    found = shown(("refuse", "refuse", ""), ("refuse", "", ""), ("refuse", "", "timeout"), ("answer", "answer", ""), ("", "answer", ""))
    assert list(found.columns) == schema.BEHAVIOURS.names
    assert len(found) == 4
    assert plots.confusion(found) == {
        "answer": {"answer": 1, "refuse": 0, "escalate": 0, "ask_back": 0, "degrade": 0, "no_answer": 0},
        "refuse": {"answer": 1, "refuse": 1, "escalate": 0, "ask_back": 0, "degrade": 0, "no_answer": 1},
    }
    assert plots.confusion(found.iloc[:0]) == {}


DECLARED: list[tuple[str, dict[str, Any]]] = [
    next(iter(plot.items())) for plot in YAML(typ="safe").load(ROOT / "dvc.yaml")["plots"] if "metrics/plots/" in next(iter(plot))
]


@pytest.mark.parametrize(("path", "wanted"), DECLARED)
def test_a_declared_plot_is_an_output_and_its_template_draws_columns_that_are_there(path: str, wanted: dict[str, Any]) -> None:
    stages = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]
    outs = [out for name in ("merge", "metrics", "power", "monitor") for out in stages[name]["outs"]]
    assert path in [out if isinstance(out, str) else next(iter(out)) for out in outs]
    columns = {
        "slices.json": {"slice", "dimension", "n", "accuracy", "low", "high"},
        "calibration.json": set(plots.reliability(stating((0.5, 1)), 0.95)[0]),
        "behaviour.csv": set(schema.BEHAVIOURS.names),
        "power.json": {"slice", "sample", "size", "n", "caught_rate", "low", "high", "is_chosen"},
        "alignment.json": {"slice", "off"}
        | {f"{side}_{key}" for side in ("production", "dataset") for key in ("rate", "low", "high", "n")},
        "coverage.json": {"row", "dimension", "column", "have", "share", "production_share"},
    }[Path(path).name]
    template = json.loads((ROOT / ".dvc" / "plots" / f"{wanted['template']}.json").read_text())
    made = {"answers", "share", "expected_so_often", "times_two", "at"}
    used = {field for field in fields(template) if not field.startswith("<DVC")} - {"rev"} - made
    assert used | {wanted["x"], wanted["y"]} <= columns


def fields(spec: Any) -> list[str]:
    if isinstance(spec, list):
        return [field for part in spec for field in fields(part)]
    if not isinstance(spec, dict):
        return []
    own = [spec["field"]] if isinstance(spec.get("field"), str) else []
    return own + [field for part in spec.values() for field in fields(part)]
