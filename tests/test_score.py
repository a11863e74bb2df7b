import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import schema, tables
from pipeline.errors import InputError
from pipeline.score import complete, score


def example(example_id: str, **fields: Any) -> dict[str, Any]:
    return {
        **dict.fromkeys(("fixtures", "canary", "expected_behaviour", "answer", "answer_match", "json_schema"), ""),
        "answer_tolerance": 0.0,
        "regex": [],
        "tags": {},
        "example_id": example_id,
        "input": [{"role": "user", "content": "a question"}],
        "must_include": [["yes"]],
        "must_not_include": [],
        "citations": [],
        "surrogates": {},
        "input_sha": f"i-{example_id}",
        "expectation_sha": f"x-{example_id}",
        **fields,
    }


def response(example_id: str, answer: str = "yes", epoch: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        **dict.fromkeys(("behaviour", "tool_calls", "error"), ""),
        "example_id": example_id,
        "input_sha": f"i-{example_id}",
        "target_version": "1.0",
        "epoch": epoch,
        "answer": answer,
        "citations": [],
        "confidence": None,
        **fields,
    }


def scores_of(examples: list[dict[str, Any]], responses: list[dict[str, Any]]) -> pd.DataFrame:
    return score(pd.DataFrame(examples), pd.DataFrame(responses))


def test_which_criteria_apply_follows_from_the_expectation_and_safety_applies_to_all() -> None:
    everything = example("all", must_include=[["yes"]], citations=["kb"], expected_behaviour="answer")
    scores = scores_of([everything, example("b", must_include=[], expected_behaviour="refuse")], [response("all"), response("b")])
    assert scores.groupby("example_id")["criterion"].apply(list).to_dict() == {
        "all": ["behaviour", "citations_precision", "citations_recall", "must_include", "safety"],
        "b": ["behaviour", "safety"],
    }
    assert set(scores["scorer_version"]) == {f"{name}-1" for name in set(scores["criterion"])}


@pytest.mark.parametrize(
    ("answer", "confidence", "expected"), [("yes", 0.9, 0.99), ("no", 0.9, 0.19), ("no", 0.0, 1.0), ("yes", None, None)]
)
def test_confidence_is_judged_by_what_the_other_criteria_say(answer: str, confidence: float | None, expected: float | None) -> None:
    scores = scores_of([example("a")], [response("a", answer, confidence=confidence)]).set_index("criterion")["score"]
    assert scores.get("confidence") == expected


def test_a_criterion_that_is_only_reported_does_not_decide_whether_a_confidence_was_right() -> None:
    scores = scores_of([example("a", citations=["kb"])], [response("a", citations=["kb", "other"], confidence=1.0)])
    assert scores.set_index("criterion")["score"].to_dict() == {
        "citations_precision": 0.5, "citations_recall": 1, "confidence": 1, "must_include": 1, "safety": 1,
    }  # fmt: skip


def test_confidence_is_not_judged_where_only_safety_would_decide() -> None:
    assert list(scores_of([example("a", must_include=[], canary="x9")], [response("a", confidence=0.5)])["criterion"]) == ["safety"]


def test_an_error_has_no_score_in_any_criterion() -> None:
    scores = scores_of([example("a"), example("b")], [response("a", "", error="timeout"), response("b")])
    failed = scores[scores["example_id"] == "a"]
    assert failed["criterion"].tolist() == ["must_include", "safety"]
    assert failed["error"].tolist() == ["timeout", "timeout"]
    assert failed["score"].isna().all()


def test_a_simulated_failure_that_got_through_is_wrong_and_not_an_error() -> None:
    scores = scores_of([example("a", must_include=[], expected_behaviour="answer")], [response("a", "", error="unhandled_fault")])
    assert scores[["criterion", "score", "error"]].values.tolist() == [["behaviour", 0.0, ""], ["safety", 1.0, ""]]


def test_an_answer_to_another_input_is_refused() -> None:
    with pytest.raises(InputError, match="the answer to a is to another input than the present one; run 'dvc repro evaluate'"):
        scores_of([example("a", input_sha="new")], [response("a")])


def test_an_example_that_nothing_can_judge_is_refused() -> None:
    nothing = {"must_include": []}
    with pytest.raises(InputError, match=r"a \(and 1 more\) expects nothing that a scorer can judge"):
        scores_of([example("a", **nothing), example("b", **nothing)], [response("a"), response("b")])


@pytest.mark.parametrize(
    ("expects", "says"),
    [
        ({"regex": ["(open"]}, "examples.parquet: a: regex: not a regular expression: missing ) at position 5"),
        ({"regex": [""]}, "a: regex: a pattern is empty"),
        ({"json_schema": "{"}, "a: json_schema: not JSON"),
        ({"json_schema": '{"type":"strin"}'}, "a: json_schema: not a JSON schema (at $.type)"),
        (
            {"json_schema": '{"$ref":"https://example.com/s.json"}'},
            "json_schema: refers to https://example.com/s.json; only references into itself",
        ),
        ({"answer": "soon", "answer_match": "numeric"}, "a: answer: holds no number, and answer_match is numeric"),
        ({"answer": "...", "answer_match": "normalised"}, "a: answer: holds no letter or digit"),
        ({"answer": " ", "answer_match": "exact"}, "a: answer_match: exact compares with a reference answer; give answer too"),
        ({"answer": "x", "answer_match": "fuzzy"}, "a: answer_match: not one of contains, exact, normalised, numeric, similar, graded"),
        ({"answer": "3", "answer_tolerance": 1.0}, "a: answer_tolerance: belongs to answer_match: numeric"),
        ({"must_include": [[]]}, "a: must_include: holds an entry without words"),
        ({"must_not_include": [" "]}, "a: must_not_include: holds an entry without words"),
        ({"answer": "x", "answer_match": "similar"}, "params.yaml: score.similarity: not set, and a says answer_match: similar"),
        ({"answer": "x", "answer_match": "graded"}, "params.yaml: score.graded: not set, and a says answer_match: graded"),
    ],
)
def test_an_expectation_that_no_scorer_can_read_is_one_line_with_its_example(expects: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=re.escape(says)) as raised:
        scores_of([example("a", **expects)], [response("a")])
    assert "\n" not in str(raised.value)


def test_missing_and_left_over_answers_are_refused() -> None:
    examples = pd.DataFrame([example("a"), example("b")])
    complete(examples, pd.DataFrame([response("b"), response("a")]), 1)
    for found in ([response("a")], [response("a"), response("b"), response("b", epoch=2)]):
        with pytest.raises(InputError, match="run 'dvc repro evaluate'"):
            complete(examples, pd.DataFrame(found), 1)


def test_what_is_written_holds_no_text_and_is_what_is_read(tmp_path: Path) -> None:
    scores = scores_of(
        [example("a", must_include=[["SECRET"]])], [response("a", "SECRET", confidence=0.3), response("a", epoch=2, error="timeout")]
    )
    path = tmp_path / "scores.csv"
    tables.write_csv(path, scores, schema.SCORES)
    assert "SECRET" not in path.read_text()
    pd.testing.assert_frame_equal(tables.read_csv(path, schema.SCORES), scores, check_dtype=False)


@settings(max_examples=25, deadline=None)
@given(order=st.permutations(range(6)))
def test_the_order_of_examples_and_responses_does_not_matter(order: list[int]) -> None:
    examples = [example(f"e{i}", expected_behaviour="answer") for i in range(3)]
    responses = [
        response(f"e{i}", answer="yes" if (i + epoch) % 2 else "no", epoch=epoch, confidence=0.1 * i) for i in range(3) for epoch in (1, 2)
    ]
    shuffled = scores_of(sorted(examples, key=lambda e: order[int(e["example_id"][1])]), [responses[i] for i in order])
    pd.testing.assert_frame_equal(shuffled, scores_of(examples, responses))
