import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import coverage, schema
from pipeline.errors import InputError
from pipeline.expectations import Contract, Coverage, Tagging
from tests.frames import frame

TAGGING = Tagging.model_validate(
    {
        "version": "1",
        "dimensions": {
            "topic": {"meaning": "what", "values": ["bill", "ship"]},
            "risk": {"meaning": "harm", "values": ["pii", "legal"], "multiple": True},
        },
    }
)


def contract(clauses=(), **regressions):
    return Contract.model_validate(
        {
            "version": "1",
            "decision": {"kind": "ship", "question": "?", "cost_of_shipping_bad": 9, "cost_of_blocking_good": 1},
            "scope": {"answer": {"counts": True, "correct": "right"}},
            "clauses": [{"name": "overall", "at_least": 0.5, "why": "so"}]
            + [{"name": f"c{place}", "slice": where, "at_least": 0.5, "why": "so"} for place, where in enumerate(clauses)],
            "regressions": regressions,
        }
    )


def plan(topic=None, risk=None, **more):
    dimensions = {"topic": topic or {"bill": {}, "ship": {}}, "risk": risk or {"pii": {}, "legal": {}}}
    return Coverage.model_validate({"version": "1", "dimensions": dimensions} | more)


def targets(of, size=60, clauses=(), stratify_by=("topic", "risk")):
    return {one.goal.slice: one.target for one in coverage.wanted(of, contract(clauses), TAGGING, stratify_by, size)}


def test_a_dimension_shares_out_the_size_and_a_costlier_value_gets_more():
    found = targets(plan(topic={"bill": {"cost": 6}, "ship": {}}), size=30)
    assert found["topic=bill"] + found["topic=ship"] <= 30
    assert found["topic=bill"] > found["topic=ship"] > 0


def test_five_times_the_cost_raises_a_target_and_no_other_in_its_dimension():
    before, after = (targets(plan(risk={"pii": {"cost": cost}, "legal": {"cost": 2}}), size=40) for cost in (2, 10))
    assert after["risk=pii"] > before["risk=pii"]
    assert after["risk=legal"] <= before["risk=legal"]


def test_what_is_given_stands_and_floors_hold():
    found = targets(plan(topic={"bill": {"target": 7}, "ship": {"floor": 41}}), size=60)
    assert found["topic=bill"] == 7
    assert found["topic=ship"] >= 41


def test_a_slice_that_a_clause_judges_has_its_floor():
    (one,) = [
        one
        for one in coverage.wanted(plan(clause_floor=25), contract(["topic=bill & risk=pii"]), TAGGING, ["topic", "risk"], 60)
        if one.group == "contract"
    ]
    assert (one.name, one.goal.floor) == ("risk_pii_topic_bill", 25)
    assert one.target >= 25


def test_a_dimension_that_is_not_filled_has_no_slices():
    assert set(targets(plan(), stratify_by=("topic",))) == {"topic=bill", "topic=ship"}


@given(st.floats(1, 1000), st.integers(1, 300), st.floats(0.05, 0.9), st.floats(1e-6, 0.1))
def test_an_example_more_never_adds_more_than_the_one_before(units, size, fall, level):
    found = coverage.gains(units, size, fall, level)
    assert (np.diff(found) <= 0).all()
    assert (found > 0).all()
    assert len(found) <= size


def checked(of, stratify_by=("topic", "risk"), size=60, **regressions):
    coverage.check(of, contract(**regressions), TAGGING, stratify_by, size)


@pytest.mark.parametrize(
    ("of", "said"),
    [
        (
            plan(topic={"bill": {}, "shp": {}}),
            "coverage.yaml: dimensions: 'shp' is no value of topic in expectations/tagging.yaml; did you mean 'ship'?",
        ),
        (plan(combinations=[{"name": "x", "slice": "tpic=bill"}]), "combinations: x: no dimension 'tpic' .* did you mean 'topic'"),
        (plan(impossible=["risk=fire"]), "impossible: 'fire' is no value of risk .* there are legal, pii"),
        (
            plan(topic={"bill": {"target": 61}, "ship": {}}),
            "dimensions.topic.bill: 61 examples wanted in a dataset of 60; raise merge.size",
        ),
        (
            plan(topic={"bill": {"target": 40}, "ship": {"floor": 30}}),
            "dimensions.topic: targets and floors add up to 70 in a dataset of 60",
        ),
        (plan(combinations=[{"name": "x", "slice": "topic=bill", "floor": 80}]), "combinations: x: 80 examples wanted"),
    ],
)
def test_a_mistake_is_one_line_with_the_way_out(of, said):
    with pytest.raises(InputError, match=said):
        checked(of)


def test_values_that_lie_together_may_want_more_than_the_size():
    checked(plan(risk={"pii": {"target": 40}, "legal": {"target": 40}}))


def test_dimensions_and_slices_that_are_not_known_are_named():
    with pytest.raises(
        InputError, match=r"params\.yaml: merge\.stratify_by: .*coverage\.yaml has no dimension 'topics'; did you mean 'topic'"
    ):
        checked(plan(), stratify_by=["topics"])
    with pytest.raises(InputError, match=r"contract\.yaml: regressions\.zero_tolerance: risk=fire: 'fire' is no value"):
        checked(plan(), zero_tolerance=["risk=fire"])


def test_figures_weigh_a_lack_by_cost_and_production_by_inclusion():
    wanted = coverage.wanted(plan(topic={"bill": {"cost": 3, "target": 4}, "ship": {"target": 0}}), contract(), TAGGING, ["topic"], 10)
    figures = coverage.figures(wanted, np.array([1, 9]), np.array([[True, False], [False, True]]), np.array([3.0, 1.0]), 10)
    bill = figures["slices"]["topic"]["bill"]
    assert bill == {"wanted": 4, "have": 1, "shortfall": 3, "cost_weighted_shortfall": 9.0, "share": 0.1, "production_share": 0.75}
    assert figures["total"] == {"size": 10, "slices_short": 1, "shortfall": 3, "cost_weighted_shortfall": 9.0}
    assert coverage.collect(figures) == ["3 topic=bill"]


def test_the_heat_map_counts_pairs_with_the_first_dimension():
    tags = frame(
        schema.TAGS,
        [
            {"example_id": f"p-{i}", "dimension": d, "value": v}
            for i, d, v in [(0, "topic", "bill"), (0, "risk", "pii"), (1, "topic", "ship")]
        ],
    )
    wanted = coverage.wanted(plan(), contract(), TAGGING, ["topic", "risk"], 10)
    inside = coverage.inside([one.goal.slice for one in wanted], tags, pd.Series(["p-0", "p-1"]))
    rows = coverage.pairs(wanted, inside, inside, np.ones(2), 2)
    assert {(row["row"], row["column"]): row["have"] for row in rows} == {
        ("bill", "pii"): 1,
        ("bill", "legal"): 0,
        ("ship", "pii"): 0,
        ("ship", "legal"): 0,
    }
