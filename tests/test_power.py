from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from pipeline import params
from pipeline.power import Asked, Standard, gate_of, line, power
from pipeline.score import score
from pipeline.scorers import CRITERIA
from pipeline.tables import rounded
from tests.asked import asked, example, response
from tests.test_metrics import COVERAGE, contract

WANTED = params.Power(sizes=[0.6], releases=20)
BY = Standard(contract(counts=("answer", "citations", "behaviour", "safety")), COVERAGE, CRITERIA, [])


def sample(billing: int, other: int, right: float = 1.0) -> Asked:
    """So many examples of two categories; the last ones of each are answered wrongly."""
    pairs = [
        (
            example(f"{category[0]}{i:02}", tags={"category": category}, citations=["p.md"]),
            response(f"{category[0]}{i:02}", f"90 days, {i}" if i < right * count else f"no, {i}", citations=["p.md"]),
        )
        for category, count in (("billing", billing), ("other", other))
        for i in range(count)
    ]
    examples, responses = asked(*pairs)
    return Asked(examples, responses, score(examples, responses))


def test_a_large_slice_is_caught_a_small_one_is_too_thin_and_says_how_many_more_it_needs() -> None:
    content, records = power(sample(25, 3), None, BY, WANTED, 0.6)
    shown = content["slices"]["category"]
    assert (shown["billing"]["n"], shown["billing"]["right"], shown["billing"]["more"]) == (25, 25, 0)
    assert shown["billing"]["caught_rate"] > 0.8 > shown["other"]["caught_rate"]
    assert 1 <= shown["other"]["more"] <= 200
    assert content["too_thin"] == 1
    assert content["cry_wolf"]["rate"] <= 0.05
    assert content["cry_wolf"]["releases"] == 200
    assert "control" not in content
    overall = {row["size"]: row["caught_rate"] for row in records if row["slice"] == "overall"}
    assert overall == {0.0: content["cry_wolf"]["rate"], 0.6: content["caught_rate"]}
    assert rounded(content) == rounded(power(sample(25, 3), None, BY, WANTED, 0.6)[0])


def test_the_control_sample_stands_beside_it_with_the_slices_that_it_lacks() -> None:
    content, records = power(sample(25, 25), sample(25, 0), BY, WANTED, 0.6)
    assert content["control"]["slices_absent"] == 1
    assert content["difference"]["n"] == 2
    assert content["difference"]["low"] <= content["difference"]["value"] <= content["difference"]["high"]
    assert {row["sample"] for row in records} == {"dataset", "control sample"}
    assert line(rounded(content)).startswith("a fall of 60 points in one slice is caught in ")


def test_what_the_scorers_do_not_see_is_told_and_not_caught() -> None:
    blind = replace(BY, contract=contract(counts=("safety",)))
    content, _ = power(sample(25, 25), None, blind, WANTED, 0.6)
    assert content["ways"]["answer_swapped"] == {"n": 50, "seen_rate": 0.0}
    assert content["ways"]["pii_given_away"] == {"n": 50, "seen_rate": 1.0}
    seeing, _ = power(sample(25, 25), None, BY, WANTED, 0.6)
    assert content["caught_rate"] < seeing["caught_rate"]


def test_wrong_answers_are_the_gates_before_and_an_error_is_left_out() -> None:
    of = sample(10, 10, right=0.5)
    failed = of.responses["example_id"] == "b00"
    responses = of.responses.assign(error=failed.map({True: "timeout", False: ""}))
    gate, worse = gate_of(Asked(of.examples, responses, score(of.examples, responses)), BY)
    assert gate.before.tolist() == [1.0] * 4 + [0.0] * 5 + [1.0] * 5 + [0.0] * 5
    assert len(worse) == 19
    assert not worse.loc["b01", ["citations_dropped", "pii_given_away"]].any()
    assert worse["refusal_lost"].isna().all()


def test_a_clause_that_a_fall_says_nothing_of_is_no_part_of_the_gate() -> None:
    clauses: list[dict[str, Any]] = [
        {"name": "all", "at_least": 0.5, "why": "."},
        {"name": "sources", "metric": "citations_recall", "at_least": 0.9, "why": "."},
        {"name": "other", "slice": "category=other", "at_least": 0.5, "why": "."},
    ]
    of = sample(5, 0)
    gate, _ = gate_of(of, replace(BY, contract=contract(*clauses, counts=("answer", "safety"))))
    assert [clause.name for clause in gate.clauses] == ["all"]


def test_no_grading_model_is_asked() -> None:
    graded = replace(CRITERIA["contains"], applies=lambda example: True, scorer=lambda: pytest.fail("asked"))
    criteria = {**CRITERIA, "graded": graded}
    of = sample(4, 0)
    scored = pd.concat([of.scores, of.scores[of.scores["criterion"] == "must_include"].assign(criterion="graded")])
    _, worse = gate_of(Asked(of.examples, of.responses, scored), replace(BY, criteria=criteria))
    assert (worse["answer_swapped"] == 0).all()
    assert (worse["citations_dropped"] == 0).all()
