import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline import params
from pipeline.errors import InputError
from pipeline.scorers import criteria
from pipeline.scorers.own import named
from tests.scorers.test_scorers import judged

MINE = """
from inspect_ai.scorer import Score, mean, scorer

@scorer(metrics=[mean()])
def kind():
    async def score(state, target):
        return Score(value="C" if "sorry" in state.output.completion else "I")
    return score

@scorer(metrics=[mean()])
def wild():
    async def score(state, target):
        return Score(value={"out": 7.0, "none": float("nan")}.get(state.output.completion) or 1 / 0)
    return score

def needs(an_argument): ...
def counted(texts): return [[1.0, float(len(text))] for text in texts]
not_a_scorer = lambda: 5
"""


@pytest.fixture(autouse=True)
def _mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "broken.py").write_text("1 / 0")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    for name in ("mine", "broken"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def own(name: str, **fields: Any) -> params.Score:
    return params.Score.model_validate({"scorers": {"mine": {"scorer": name, "version": "2", "part": "behaviour", **fields}}})


@pytest.mark.parametrize(
    ("tags", "answer", "expected"), [({"tone": "angry+brief"}, "sorry", 1), ({"tone": "angry"}, "", 0), ({}, "", None)]
)
def test_a_scorer_of_ones_own_judges_the_examples_of_its_slice(tags: dict[str, str], answer: str, expected: float | None) -> None:
    found = judged({"tags": tags, "must_include": [["x"]]}, criteria=criteria(own("mine:kind", slice="tone=angry")), answer=answer)
    assert found.get("mine") == expected
    assert criteria(own("mine:kind"))["mine"].version == "mine-2"


@pytest.mark.parametrize(
    ("answer", "error"), [("out", "score_out_of_range"), ("none", "scorer_gave_no_score"), ("", "scorer_raised:ZeroDivisionError")]
)
def test_whatever_it_does_costs_its_own_row_alone(answer: str, error: str) -> None:
    assert judged({}, criteria=criteria(own("mine:wild")), answer=answer) == {"mine": error, "safety": 1}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("mine:kin", "params.yaml: score.scorers.mine: mine has no function 'kin'; did you mean 'kind'"),
        ("minne:kind", "score.scorers.mine: no module 'minne'; it is looked for at the repository's root"),
        ("broken:kind", "importing broken raised ZeroDivisionError"),
        ("mine:needs", "mine:needs gives no scorer when it is called without arguments"),
        ("mine:not_a_scorer", "mine:not_a_scorer gives no scorer"),
    ],
)
def test_what_is_no_scorer_is_one_line(name: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        judged({}, criteria=criteria(own(name)), answer="x")


def test_a_model_of_vectors_is_named_the_same_way_and_its_threshold_is_part_of_the_version() -> None:
    wanted = params.Score(similarity=params.Similarity(model="mine:counted", at_least=0.9))
    found = criteria(wanted)
    assert found["similar"].version == "similar-1-mine:counted-0.9"
    assert judged({"answer": "four", "answer_match": "similar"}, criteria=found, answer="five") == {"similar": 1, "safety": 1}
    with pytest.raises(InputError, match=r"score.similarity.model: mine has no function 'count'; did you mean 'counted'"):
        named("score.similarity.model", "mine:count")


@pytest.mark.parametrize("name", ["regex", "graded", "answer"])
def test_a_name_that_is_taken_is_refused(name: str) -> None:
    wanted = params.Score.model_validate({"scorers": {name: {"scorer": "mine:kind", "version": "1", "part": "answer"}}})
    with pytest.raises(InputError, match=f"score.scorers.{name}: the name is taken"):
        criteria(wanted)


def test_a_reported_criterion_that_is_not_there_names_the_nearest() -> None:
    with pytest.raises(InputError, match=r"score.reported: no criterion 'citation_precision'; did you mean 'citations_precision'"):
        criteria(params.Score(reported=["citation_precision"]))


@pytest.mark.parametrize("fields", [{"part": "confidence"}, {"slice": "tone"}, {"version": ""}, {"scorer": "mine"}])
def test_what_params_yaml_says_of_it_is_checked(fields: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        own("mine:kind", **fields) if "scorer" not in fields else own(fields["scorer"])
