from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.decision.joint import ClauseScores, evidence_of, probabilities
from pipeline.decision.power import After, Gate, difference, judge, lift, measured, probability_all_met, simulated, worsened
from pipeline.decision.regression import regressions

N = 120
BEFORE = np.where(np.arange(N) % 10 == 9, 0.0, 1.0)
MEMBERS = pd.DataFrame({"large": np.arange(N) < 40, "small": np.arange(N) % 20 == 0, "odd": np.arange(N) % 2 == 1})
GATE = Gate(BEFORE, np.arange(N).astype(str), MEMBERS, {"large": 4.0}, [ClauseScores("all", BEFORE, 0.7)], 10 / 11)
NOBODY = np.zeros(N, bool)


def test_a_fall_is_as_deep_as_it_says_and_the_background_moves_nothing() -> None:
    inside = MEMBERS["large"].to_numpy()
    after = worsened(BEFORE, inside, 0.3, 0.02, 4_000, seed=0)
    assert (BEFORE[inside].mean() - after.scores[:, inside].mean()) == pytest.approx(0.3, abs=0.01)
    assert after.scores[:, ~inside].mean() == pytest.approx(BEFORE[~inside].mean(), abs=0.002)
    changed = after.scores != BEFORE
    assert changed[:, ~inside].mean() == pytest.approx(0.04, abs=0.003)
    assert after.lasting is not None
    assert not after.lasting[:, ~inside].any()


def test_an_answer_made_worse_has_the_score_of_one_of_its_ways_and_stays_where_it_has_none() -> None:
    worse = np.column_stack([np.full(N, 0.25), np.full(N, np.nan), np.full(N, 0.75)])
    worse[:20] = np.nan
    after = worsened(BEFORE, ~NOBODY, 1.0, 0.0, 300, seed=0, worse=worse).scores
    assert (after[:, :20] == BEFORE[:20]).all()
    right = (np.arange(N) >= 20) & (BEFORE == 1)
    assert set(np.unique(after[:, right])) == {0.25, 0.75}
    assert (after[:, right] == 0.25).mean() == pytest.approx(0.5, abs=0.02)
    assert (after[:, BEFORE == 0] == 0).all()


@given(size=st.floats(0, 1), background=st.floats(0, 0.2), ways=st.lists(st.sampled_from([0.0, 0.5, 1.0, np.nan]), min_size=1, max_size=3))
def test_inside_the_slice_nothing_comes_out_better(size: float, background: float, ways: list[float]) -> None:
    inside = MEMBERS["large"].to_numpy()
    after = worsened(BEFORE, inside, size, background, 5, seed=1, worse=np.tile(ways, (N, 1))).scores
    assert (after[:, inside] <= BEFORE[inside]).all()


def test_a_fall_that_no_scorer_sees_is_caught_as_often_as_nothing_is() -> None:
    power = simulated(replace(GATE, worse=np.ones((N, 1))), 0.5, releases=60, seed=1)
    assert max(one.caught_rate for one in power.slices) <= 0.1


def test_large_falls_are_caught_more_often_than_small_ones_and_quiet_is_quiet() -> None:
    small, large = (simulated(GATE, size, releases=60, seed=1) for size in (0.1, 0.5))
    assert large.caught_rate > small.caught_rate
    assert large.slices[0].caught_rate > 0.95
    assert large.cry_wolf_rate <= 0.1
    assert large.low <= large.caught_rate <= large.high
    assert "small" in small.too_thin
    assert [(one.slice, one.n, one.right, one.cost) for one in large.slices] == [
        ("large", 40, 36, 4.0),
        ("small", 6, 6, 1.0),
        ("odd", 60, 48, 1.0),
    ]


def test_it_judges_as_the_gate_does() -> None:
    after = worsened(BEFORE, MEMBERS["large"].to_numpy(), 0.2, 0.02, 30, seed=3)
    verdicts = judge(replace(GATE, clauses=[]), seed=0)(after)
    for scores, verdict in zip(after.scores, verdicts, strict=True):
        paired = pd.DataFrame({"example_id": [f"{i:03}" for i in range(N)], "cluster": GATE.clusters, "before": BEFORE, "after": scores})
        p = regressions(paired, MEMBERS, GATE.costs, seed=0, draws=999).p
        if abs(p - 0.05) > 0.02:
            assert (verdict == "hold") == (p <= 0.05)


def test_the_quick_probability_is_close_to_the_gate_s_with_conversations_and_epochs() -> None:
    rng = np.random.default_rng(2)
    scores = rng.binomial(3, 0.9, (3, N)) / 3
    inner = np.where(MEMBERS["large"], 1.0, np.nan)
    clauses = [ClauseScores("all", np.ones(N), 0.86), ClauseScores("large", inner, 0.82)]
    for clusters in (np.arange(N), np.arange(N) // 2):
        quick = probability_all_met(clauses, clusters, scores, seed=0)
        for row, close in zip(scores, quick, strict=True):
            filled = [replace(c, scores=np.where(np.isnan(c.scores), np.nan, row)) for c in clauses]
            assert close == pytest.approx(probabilities(filled, evidence_of(filled, clusters), seed=0, draws=20_000)[1], abs=0.03)


def test_real_answers_made_worse_are_judged_like_simulated_ones() -> None:
    same = After(np.tile(BEFORE, (5, 1)))
    broken = After(np.tile(np.where(MEMBERS["large"], 0.0, BEFORE), (5, 1)))
    found = measured(GATE, {"large": broken, "odd": same}, same, seed=0)
    assert [one.caught for one in found.slices] == [5, 0]
    assert found.caught_rate == pytest.approx(4 / 5)
    assert found.cry_wolf_rate == 0


def test_zero_tolerance_holds_one_failure_that_repeats_and_not_one_that_does_not() -> None:
    strict = replace(GATE, zero_tolerance=MEMBERS["small"].to_numpy())
    one = np.tile(BEFORE, (1, 1))
    one[0, 20] = 0
    assert judge(strict, seed=0)(After(one)) == ["hold"]
    assert judge(strict, seed=0)(After(one, NOBODY[None])) == ["ship"]
    assert judge(GATE, seed=0)(After(one)) == ["ship"]


def test_a_dataset_that_has_the_slice_catches_more_than_a_control_sample_that_lacks_it() -> None:
    without = replace(GATE, members=MEMBERS.assign(large=NOBODY))
    ours, theirs = (simulated(gate, 0.3, releases=60, seed=5) for gate in (GATE, without))
    found = difference(ours, theirs, seed=0)
    assert found.low < found.difference < found.high
    assert found.difference > 0.4
    same = difference(ours, ours, seed=0)
    assert same.low < 0 < same.high
    assert same.difference == 0


def test_a_thin_slice_is_lifted_by_examples_of_its_kind() -> None:
    more = lift(GATE, "small", 0.5, releases=60, seed=0)
    assert more is not None
    assert more >= 1
    assert lift(replace(GATE, members=MEMBERS.assign(small=NOBODY)), "small", 0.5, releases=10, seed=0) is None
