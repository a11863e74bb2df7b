from typing import Any

import pytest
from inspect_ai.model import Model, ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import Scorer

from pipeline import params, schema
from pipeline.errors import InputError
from pipeline.expectations import Labeling
from pipeline.grader_eval import agreement, graded_by_people, line, needed_agreement, verdicts
from pipeline.scorers import graded
from tests.frames import frame, said

WANTED = params.Graded(model="openai/some-model", human="resolved", right=["yes"], min_labels=4)


def model(replies: dict[str, str], asked: list[str] | None = None) -> Model:
    """A grader that gives the first reply whose key occurs in what it is asked."""

    def reply(messages: Any, *_: Any) -> ModelOutput:
        text = messages[-1].text
        if asked is not None:
            asked.append(text)
        output = ModelOutput.from_content("mock", next(given for key, given in replies.items() if key in text))
        output.usage = ModelUsage()  # without it the mock fetches a tokenizer's table
        return output

    return get_model("mockllm/model", custom_outputs=reply)


def grader(replies: dict[str, str], asked: list[str] | None = None) -> Scorer:
    return graded.graded(WANTED, model(replies, asked))


def candidate(example_id: str, response: str, *turns: str) -> dict[str, Any]:
    return {"example_id": example_id, "response": response, "input": said(*(turns or ("Where is it?",)))}


def expects(example_id: str, match: str = "graded") -> dict[str, Any]:
    return {"example_id": example_id, "answer": "It has been shipped.", "answer_match": match}


def test_logged_answers_that_people_judged_are_graded_by_the_reference_and_the_whole_conversation() -> None:
    candidates = frame(
        schema.CANDIDATES,
        [
            candidate("p-1", "Shipped on Monday.", "Hello", "Yes?", "Where is it?"),
            candidate("p-2", "No idea."),
            candidate("p-3", "gibberish"),
            candidate("p-4", "unjudged by people"),
            candidate("p-5", ""),
            candidate("p-6", "not to be graded"),
        ],
    )
    expected = frame(schema.EXPECTATIONS, [*(expects(f"p-{n}") for n in range(1, 6)), expects("p-6", "contains")])
    asked: list[str] = []
    found = verdicts(
        candidates,
        expected,
        {"p-1": 1.0, "p-2": 1.0, "p-3": 0.0, "p-5": 0.0, "p-6": 1.0},
        grader({"Shipped on Monday": "Good. GRADE: C", "No idea": "GRADE: I", "gibberish": "I cannot say"}, asked),
    )
    assert found == [(1.0, 1.0), (1.0, 0.0), (0.0, None)]
    assert len(asked) == 3
    assert all("It has been shipped." in text for text in asked)
    assert any("user: Hello\n\nassistant: Yes?\n\nuser: Where is it?" in text for text in asked)


def test_people_agree_by_the_values_that_call_an_answer_right() -> None:
    agreed = frame(
        schema.LABELS,
        [
            {"example_id": "p-1", "dimension": "resolved", "value": "yes"},
            {"example_id": "p-2", "dimension": "resolved", "value": "no"},
            {"example_id": "p-3", "dimension": "faithful", "value": "yes"},
        ],
    )
    assert graded_by_people(agreed, WANTED) == {"p-1": 1.0, "p-2": 0.0}


@pytest.mark.parametrize(
    ("found", "alpha", "may_decide"),
    [
        ([(1, 1), (0, 0), (1, 1), (0, 0)], 1.0, True),
        ([(1, 1), (0, 0), (1, 1), (0, 1)], 0.5333, False),
        ([(1, 1), (0, 0), (1, 1)], 1.0, False),
        ([(1, 1), (0, 0), (1, 1), (0, None)], 1.0, False),
        ([(1, 1), (1, 1), (1, 1), (1, 1)], None, False),
        ([], None, False),
    ],
)
def test_a_grader_may_decide_where_it_agrees_enough_on_enough_answers_of_both_kinds(
    found: list[tuple[float, float | None]], alpha: float | None, may_decide: bool
) -> None:
    figures = agreement(found, WANTED, 0.7)
    assert (figures.get("agreement"), figures["may_decide"]) == (alpha, may_decide)
    assert ("may decide" in line(figures)) == may_decide


def test_alpha_is_krippendorffs() -> None:
    """Two raters of the ten units of Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, section A: 0.095."""
    first, second = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    assert agreement(list(zip(first, second, strict=True)), WANTED, 0.7)["agreement"] == pytest.approx(0.095, abs=5e-4)


def test_another_model_than_the_measured_one_decides_nothing() -> None:
    figures = agreement([(1, 1), (0, 0)] * 2, WANTED, 0.7)
    assert graded.may_decide(WANTED, figures)
    assert not graded.may_decide(WANTED.model_copy(update={"model": "openai/other"}), figures)
    assert not graded.may_decide(WANTED.model_copy(update={"method": "qa"}), figures)
    assert not graded.may_decide(WANTED, {"n": 0, "may_decide": False})


def standard(**resolved: Any) -> Labeling:
    dimension = {"kind": "judgement", "scale": "nominal", "values": {"yes": ".", "no": "."}, "criteria": ".", "decision_rule": "majority"}
    return Labeling.model_validate(
        {"version": "1", "changed": "2026-01-01", "dimensions": {"resolved": {**dimension, "min_agreement": 0.7, **resolved}}}
    )


@pytest.mark.parametrize(
    ("wanted", "resolved", "says"),
    [
        ({"human": "resloved"}, {}, "score.graded.human: no judgement 'resloved' in expectations/labeling.yaml; did you mean 'resolved'"),
        ({"right": ["ja"]}, {}, "score.graded.right: resolved has no value 'ja'; it has yes, no"),
        ({}, {"min_agreement": None}, "dimensions.resolved.min_agreement: missing; the grader must reach it"),
    ],
)
def test_a_grader_without_a_bar_to_reach_is_one_line(wanted: dict[str, Any], resolved: dict[str, Any], says: str) -> None:
    assert needed_agreement(standard(), WANTED) == 0.7
    with pytest.raises(InputError, match=says):
        needed_agreement(standard(**resolved), WANTED.model_copy(update=wanted))
