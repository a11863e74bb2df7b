import re
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import params
from pipeline.errors import InputError
from pipeline.expectations import Contract, Coverage
from pipeline.metrics import line, metrics
from pipeline.scorers import criteria
from pipeline.tables import rounded

WANTED = params.Metrics(pairs=[["category", "tone"]], min_examples=2)
COVERAGE = Coverage.model_validate(
    {
        "version": "1",
        "dimensions": {"category": {"billing": {"cost": 3}, "other": {"cost": 0.5}}},
        "combinations": [{"name": "angry-billing", "slice": "category=billing & tone=angry", "cost": 8}],
    }
)


def contract(*clauses: dict[str, Any], counts: tuple[str, ...] = ("answer", "safety")) -> Contract:
    return Contract.model_validate(
        {
            "version": "1",
            "decision": {"kind": "ship", "question": "?", "cost_of_shipping_bad": 5, "cost_of_blocking_good": 1},
            "scope": {
                name: {"counts": name in counts, "correct": "."} for name in ("answer", "citations", "confidence", "behaviour", "safety")
            },
            "clauses": list(clauses) or [{"name": "all", "at_least": 0.5, "why": "."}],
        }
    )


def examples(**tags: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "example_id": i,
            "source": "expert" if i < "c" else "production",
            "tags": t,
            "input_sha": "i",
            "expectation_sha": "x",
            "cluster": i,
            "inclusion_weight": 0.0 if i < "c" else float("bcd".find(i[0])),
        }
        for i, t in tags.items()
    )


def scores(*rows: tuple[str, int, str, float | None]) -> pd.DataFrame:
    """Rows of example, epoch, criterion and score; a score of None is an error."""
    frame = pd.DataFrame(rows, columns=["example_id", "epoch", "criterion", "score"]).astype({"score": float})
    error = frame["score"].isna().map({True: "timeout", False: ""})
    return frame.assign(input_sha="i", expectation_sha="x", scorer_version="s-1", target_version="1.0", error=error)


FOUR = examples(
    a={"category": "billing", "tone": "angry"},
    b={"category": "billing", "tone": "calm+brief"},
    c={"category": "other", "tone": "calm"},
    d={"tone": "calm"},
)


def figures(judged: pd.DataFrame, of: pd.DataFrame = FOUR, agreed: Contract | None = None) -> dict[str, Any]:
    return rounded(metrics(judged, of, agreed or contract(), COVERAGE, WANTED)[0])  # type: ignore[no-any-return]


def answers(**score_by_example: float | None) -> pd.DataFrame:
    return scores(*[(i, 1, "must_include", value) for i, value in score_by_example.items()])


def test_an_example_is_right_where_all_that_counts_is_right_and_its_score_is_the_mean_over_epochs() -> None:
    judged = scores(
        ("a", 1, "must_include", 1), ("a", 1, "safety", 1), ("a", 1, "citations_recall", 0),
        ("a", 2, "must_include", 1), ("a", 2, "safety", 0), ("a", 2, "citations_recall", 1),
    )  # fmt: skip
    one = examples(a={})
    plain = metrics(judged, one, contract(), COVERAGE, params.Metrics())[0]
    strict = metrics(judged, one, contract(counts=("answer", "safety", "citations")), COVERAGE, params.Metrics())[0]
    assert plain["overall"]["accuracy"] == 0.5
    assert {part: (figure["n"], figure["mean"]) for part, figure in plain["parts"].items()} == {
        "answer": (1, 1.0), "citations": (1, 0.5), "safety": (1, 0.5),
    }  # fmt: skip
    assert strict["overall"]["accuracy"] == 0.0


def test_figures_have_their_counts_and_intervals_by_source_slice_and_pair() -> None:
    found = figures(answers(a=1, b=0, c=1, d=None))
    assert found["overall"] == {"n": 3, "accuracy": 0.6667, "low": 0.1767, "high": 0.9613, "errors": 1, "not_testable": 0}
    assert found["sources"]["expert"]["accuracy"] == 0.5
    assert found["sources"]["production"] == {"n": 1, "accuracy": 1.0, "low": 0.1467, "high": 1.0, "errors": 1}
    assert found["slices"]["category"]["billing"]["n"] == 2
    assert {value: figure["n"] for value, figure in found["slices"]["tone"].items()} == {"angry": 1, "brief": 1, "calm": 2}
    assert "category_x_tone" not in found["slices"]


def test_a_pairs_combination_is_shown_from_its_least_size_on() -> None:
    five = examples(**{i: {"category": "billing", "tone": "calm" if i > "a" else "angry"} for i in "abcde"})
    found = figures(answers(a=1, b=1, c=1, d=0, e=None), five)
    assert found["slices"]["category_x_tone"] == {"billing_x_calm": {"n": 3, "accuracy": 0.6667}}


def test_a_slice_of_errors_alone_has_a_count_of_nothing_and_no_rate() -> None:
    content, plots = metrics(answers(a=None, b=1, c=1, d=1), FOUR, contract(), COVERAGE, WANTED)
    records = plots["slices"]
    assert content["slices"]["tone"]["angry"] == {"n": 0}
    assert [record["slice"] for record in records] == ["all", "category=billing", "category=other", "tone=brief", "tone=calm"]
    assert set(records[0]) == {"slice", "dimension", "n", "accuracy", "low", "high"}


def test_an_example_weighs_as_much_as_its_costliest_slice() -> None:
    found = figures(answers(a=0, b=1, c=1, d=1))
    assert found["cost_weighted_accuracy"]["value"] == round((3 + 0.5 + 1) / (8 + 3 + 0.5 + 1), 4)


def test_clauses_say_by_how_many_examples_and_are_judged_by_the_figure_shown() -> None:
    found = figures(
        answers(a=1, b=0, c=1, d=None),
        agreed=contract(
            {"name": "exact", "at_least": 0.6667, "why": "."},
            {"name": "billing", "slice": "category=billing", "at_least": 0.6, "why": "."},
            {"name": "wrong", "metric": "answer", "slice": "category=billing & tone=calm", "at_most": 0.1, "why": "."},
            {"name": "errors", "metric": "error_rate", "at_most": 0.1, "why": "."},
            {"name": "unjudged", "metric": "citations", "at_most": 1, "why": "."},
        ),
    )
    assert found["clauses"] == {
        "exact": {"n": 3, "value": 0.6667, "low": 0.1767, "high": 0.9613, "threshold": 0.6667, "met": True},
        "billing": {"n": 2, "value": 0.5, "low": 0.0608, "high": 0.9392, "threshold": 0.6, "met": False},
        "wrong": {"n": 1, "value": 0.0, "low": 0.0, "high": 0.8533, "threshold": 0.1, "met": True},
        "errors": {"n": 4, "value": 0.25, "low": 0.0285, "high": 0.7162, "threshold": 0.1, "met": False},
        "unjudged": {"n": 0, "threshold": 1.0, "met": False},
    }
    assert line(found) == "accuracy 0.667 [0.177, 0.961] of 3 examples, 1 errors; 2 of 5 clauses met (not billing, errors, unjudged)"


@pytest.mark.parametrize(
    ("clause", "says"),
    [
        ({"metric": "acuracy"}, "no metric 'acuracy'; there are accuracy, traffic_accuracy, cost_weighted_accuracy, error_rate"),
        ({"slice": "tonne=calm"}, "no example lies in 'tonne=calm'; dimensions are tone, category"),
        ({"slice": "topic=billing"}, "no example lies in 'topic=billing'; dimensions are category, tone"),
        ({"slice": "tone=clam"}, "values of tone are calm, angry, brief"),
        ({"slice": "tone=angry & category=other"}, "its values exist, and no example has them together"),
    ],
)
def test_a_clause_over_what_is_not_there_lists_what_is(clause: dict[str, str], says: str) -> None:
    with pytest.raises(InputError, match=rf"^expectations/contract.yaml: clauses: it: .*{re.escape(says)}"):
        figures(answers(a=1, b=1, c=1, d=1), agreed=contract({"name": "it", "at_least": 0.5, "why": ".", **clause}))


def test_a_regression_slice_that_is_not_there_lists_what_is() -> None:
    for key, slices in (("zero_tolerance", ["tone=clam"]), ("costs", {"tone=clam": 3})):
        agreed = Contract.model_validate({**contract().model_dump(), "regressions": {key: slices}})
        with pytest.raises(
            InputError, match=f"regressions.{key}: tone=clam: no example lies in 'tone=clam'; values of tone are calm, angry"
        ):
            figures(answers(a=1, b=1, c=1, d=1), agreed=agreed)


def test_a_weighted_accuracy_has_an_interval_that_is_wider_where_few_examples_carry_the_weight() -> None:
    found = metrics(answers(a=1, b=0, c=1, d=0), FOUR, contract(), COVERAGE, params.Metrics())[0]
    for name in ("cost_weighted_accuracy", "traffic_accuracy"):
        assert 0 <= found[name]["low"] < found[name]["value"] < found[name]["high"] <= 1
    plain = found["overall"]
    weighted = found["cost_weighted_accuracy"]
    assert weighted["high"] - weighted["low"] > plain["high"] - plain["low"]


def test_examples_of_one_incident_count_for_less_than_as_many_strangers() -> None:
    strangers = examples(**{i: {"category": "billing"} for i in "abcdefgh"})
    alike = strangers.assign(cluster=[i if i < "e" else "e" for i in strangers["example_id"]])
    right = answers(**{i: int(i != "a") for i in "abcdefgh"})
    apart, together = (metrics(right, of, contract(), COVERAGE, params.Metrics())[0]["overall"] for of in (strangers, alike))
    assert together["accuracy"] == apart["accuracy"]
    assert together["high"] - together["low"] > apart["high"] - apart["low"]


def test_traffic_accuracy_weighs_production_by_the_conversations_it_stands_for_and_leaves_authored_ones_out() -> None:
    found = figures(answers(a=0, b=0, c=1, d=0))
    assert found["traffic_accuracy"]["value"] == round(1 / (1 + 2), 4)
    authored = metrics(answers(a=1), examples(a={}), contract(), COVERAGE, params.Metrics())[0]
    assert "traffic_accuracy" not in authored


def test_a_part_is_right_where_all_its_criteria_are_and_those_only_reported_take_nothing_from_it() -> None:
    judged = scores(
        ("a", 1, "must_include", 1), ("a", 1, "regex", 0), ("a", 1, "citations_recall", 1), ("a", 1, "citations_precision", 0.5),
    )  # fmt: skip
    one = examples(a={})
    found = metrics(judged, one, contract(counts=("citations",)), COVERAGE, params.Metrics())[0]
    strict = metrics(judged, one, contract(counts=("citations",)), COVERAGE, params.Metrics(), criteria(params.Score(reported=[])))[0]
    assert found["parts"]["answer"]["mean"] == 0.0
    assert (found["overall"]["accuracy"], strict["overall"]["accuracy"]) == (1.0, 0.0)
    assert found["criteria"]["citations_precision"]["decides"] is False
    assert (found["parts"]["citations"]["mean"], strict["parts"]["citations"]["mean"]) == (1.0, 0.5)


def test_a_grader_counts_only_once_it_may_decide() -> None:
    asked = params.Score(graded=params.Graded(model="openai/x", human="resolved", right=["yes"]))
    judged = scores(("a", 1, "graded", 0), ("a", 1, "behaviour", 1), ("a", 1, "confidence", 1 - 0.1**2))
    one, agreed = examples(a={}), contract(counts=("answer", "behaviour"))
    shown = metrics(judged, one, agreed, COVERAGE, params.Metrics(), criteria(asked))[0]
    deciding = metrics(judged, one, agreed, COVERAGE, params.Metrics(), criteria(asked, grader_may_decide=True))[0]
    assert (shown["overall"]["accuracy"], deciding["overall"]["accuracy"]) == (1.0, 0.0)
    assert shown["criteria"]["graded"]["mean"] == 0.0
    with pytest.raises(InputError, match=r"grader.json: the grader may not decide yet, and nothing else that a expects counts"):
        metrics(
            scores(("a", 1, "graded", 0), ("a", 1, "safety", 1)),
            one,
            contract(counts=("answer",)),
            COVERAGE,
            params.Metrics(),
            criteria(asked),
        )


def test_scores_of_a_criterion_that_nothing_names_are_refused() -> None:
    with pytest.raises(InputError, match=r"judged by 'kind', which params.yaml does not name; run 'dvc repro score'"):
        figures(scores(("a", 1, "kind", 1), ("b", 1, "must_include", 1), ("c", 1, "must_include", 1), ("d", 1, "must_include", 1)))


def test_calibration_reads_the_confidence_back_from_its_score() -> None:
    judged = scores(
        ("a", 1, "must_include", 1), ("a", 1, "confidence", 1 - 0.1**2),
        ("b", 1, "must_include", 0), ("b", 1, "confidence", 1 - 0.8**2),
        ("c", 1, "must_include", 1), ("d", 1, "must_include", 1),
    )  # fmt: skip
    assert figures(judged)["calibration"] == {"n": 2, "brier": 0.325, "ece": 0.45}
    assert figures(answers(a=1, b=1, c=1, d=1))["calibration"] == {"n": 0}


def test_a_confidence_that_counts_must_lie_on_the_right_side_of_one_half() -> None:
    judged = scores(
        *[(i, 1, "must_include", 1) for i in "abcd"], ("a", 1, "confidence", 1 - 0.1**2), ("b", 1, "confidence", 1 - 0.7**2),
    )  # fmt: skip
    assert figures(judged, agreed=contract(counts=("answer", "confidence")))["overall"]["accuracy"] == 0.75


def test_an_example_of_which_nothing_counts_is_refused() -> None:
    with pytest.raises(InputError, match="nothing that d expects counts in scope"):
        figures(scores(("a", 1, "must_include", 1), ("b", 1, "must_include", 1), ("c", 1, "must_include", 1), ("d", 1, "behaviour", 1)))


@pytest.mark.parametrize("change", [{"expectation_sha": "y"}, {"input_sha": "j"}, {"example_id": "z"}])
def test_judgements_of_other_examples_are_refused(change: dict[str, str]) -> None:
    with pytest.raises(InputError, match="run 'dvc repro score'"):
        figures(answers(a=1, b=1, c=1, d=1).assign(**change))


def test_two_tags_with_one_key_are_refused() -> None:
    with pytest.raises(InputError, match="rename a tag"):
        figures(answers(a=1, b=1), examples(a={"category": "a.b"}, b={"category": "a b"}))


def test_an_unknown_dimension_in_a_pair_lists_the_dimensions() -> None:
    with pytest.raises(InputError, match="no example has a tag 'tone'; tags are category"):
        figures(answers(a=1), examples(a={"category": "billing"}))


def keys_of(value: Any) -> list[str]:
    return [key for name, inner in value.items() for key in (name, *keys_of(inner))] if isinstance(value, dict) else []


SCORE = st.sampled_from([0.0, 1.0, None])


@settings(max_examples=10, deadline=None)
@given(values=st.lists(SCORE, min_size=8, max_size=8), order=st.permutations(range(8)), value=st.text("a.b -&=ä", min_size=1, max_size=4))
def test_order_does_not_matter_and_keys_are_plain(values: list[float | None], order: list[int], value: str) -> None:
    rows = [(i, epoch, "must_include", values[4 * epoch - 4 + k]) for k, i in enumerate("abcd") for epoch in (1, 2)]
    of = examples(**{i: {"category": value, "tone": "calm"} for i in "abcd"})
    found = metrics(scores(*rows), of, contract(), COVERAGE, WANTED)
    assert metrics(scores(*[rows[k] for k in order]), of.iloc[::-1], contract(), COVERAGE, WANTED) == found
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", key) for key in keys_of(found[0]))


@settings(max_examples=10, deadline=None)
@given(values=st.lists(st.sampled_from([0.0, 1.0]), min_size=2, max_size=6), errors=st.integers(1, 4))
def test_errors_never_change_a_rate(values: list[float], errors: int) -> None:
    ids = [f"e{k}" for k in range(len(values) + errors)]
    of = examples(**{i: {"category": "billing", "tone": "calm"} for i in ids})
    known = answers(**dict(zip(ids, values, strict=False)))
    failed = answers(**dict.fromkeys(ids[len(values) :]))
    without = metrics(known, of.iloc[: len(values)], contract(), COVERAGE, WANTED)[0]
    among = metrics(pd.concat([known, failed], ignore_index=True), of, contract(), COVERAGE, WANTED)[0]
    assert among["overall"] == {**without["overall"], "errors": errors}
    for part in ("slices", "parts", "criteria", "clauses", "cost_weighted_accuracy"):
        assert among[part] == without[part]
