import numpy as np
import pandas as pd
import pytest

from pipeline.decision.epochs import LEVEL, differs, pool

IDS = [f"e{place:03}" for place in range(100)]
MEMBERS = pd.DataFrame({"even": [place % 2 == 0 for place in range(100)], "first": [place < 20 for place in range(100)]}, index=IDS)


def answers(*epochs: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        [(IDS[place], epoch, float(right)) for epoch, rights in enumerate(epochs, 1) for place, right in enumerate(rights)],
        columns=["example_id", "epoch", "right"],
    )


def test_one_epoch_and_one_that_is_equal_tell_nothing() -> None:
    right = np.arange(100) < 90
    assert differs(answers(right), MEMBERS, seed=0) == 1.0
    assert differs(answers(right, right), MEMBERS, seed=0) == 1.0


def test_fifteen_losses_and_no_gain_are_another_system() -> None:
    assert differs(answers(np.ones(100), np.arange(100) >= 15), MEMBERS, seed=0) < LEVEL
    assert differs(answers(np.arange(100) >= 15, np.ones(100)), MEMBERS, seed=0) < LEVEL


def test_losses_and_gains_that_balance_are_another_system_from_the_third_epoch_on() -> None:
    old = np.arange(100) < 50
    new = np.roll(old, 8)
    assert differs(answers(old, new), MEMBERS, seed=0) > LEVEL
    assert differs(answers(old, old, new), MEMBERS, seed=0) < LEVEL


def test_a_system_that_answers_by_chance_is_the_same_system() -> None:
    rng = np.random.default_rng(0)
    probability = rng.beta(2, 1, 100)
    found = [differs(answers(*(rng.random((3, 100)) < probability)), MEMBERS, seed=0, draws=999) for _ in range(100)]
    assert np.mean(np.array(found) <= 0.1) <= 0.2
    assert min(found) > LEVEL


def test_an_error_is_no_answer() -> None:
    right = np.ones(100)
    missing = np.where(np.arange(100) < 15, np.nan, 1.0)
    assert differs(answers(right, missing), MEMBERS, seed=0) == 1.0


def row(example: str, epoch: int, score: float = 1.0, **more: object) -> dict[str, object]:
    base = {"example_id": example, "input_sha": "i", "expectation_sha": "x", "scorer_version": "answer-1", "target_version": "v1"}
    return base | {"epoch": epoch, "criterion": "answer", "score": score, "error": ""} | more


def test_a_rerun_is_the_next_epoch_of_what_is_known() -> None:
    earlier = pd.DataFrame([row("a", 1, 1.0), row("b", 1, 0.0), row("a", 1, target_version="v0")])
    fresh = pd.DataFrame([row("a", 1, 0.0), row("b", 1, 0.0)])
    found = pool(earlier, fresh, 5)
    assert (found.epochs, found.earlier) == (2, 1)
    assert list(zip(found.scores["example_id"], found.scores["epoch"], found.scores["score"], strict=True)) == [
        ("a", 1, 1.0),
        ("a", 2, 0.0),
        ("b", 1, 0.0),
        ("b", 2, 0.0),
    ]


def test_an_answer_to_another_text_or_by_another_scorer_is_not_pooled() -> None:
    fresh = pd.DataFrame([row("a", 1), row("b", 1)])
    for stale in ({"input_sha": "j"}, {"expectation_sha": "y"}, {"scorer_version": "answer-0"}):
        found = pool(pd.DataFrame([row("a", 1, **stale), row("b", 1)]), fresh, 5)
        assert list(found.scores["example_id"]) == ["a", "b", "b"]
        assert found.epochs == 2


def test_an_empty_ledger_leaves_the_run_as_it_is() -> None:
    fresh = pd.DataFrame([row("a", 1), row("a", 2)])
    found = pool(fresh.iloc[:0], fresh, 2)
    assert (found.epochs, found.earlier) == (2, 0)
    pd.testing.assert_frame_equal(found.scores, fresh)


def test_more_epochs_than_allowed_are_refused() -> None:
    fresh = pd.DataFrame([row("a", 1)])
    with pytest.raises(ValueError, match="at most 1"):
        pool(fresh, fresh, 1)
    with pytest.raises(ValueError, match="one target version"):
        pool(fresh, pd.DataFrame([row("a", 1), row("b", 1, target_version="v2")]), 5)
