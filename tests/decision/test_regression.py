import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from pipeline.decision import familywise, pooled
from pipeline.decision.regression import Regressions, new_failures, regressions, repeated, state

IDS = [f"e{i:03}" for i in range(120)]
MEMBERS = pd.DataFrame({name: [place % step == 0 for place in range(120)] for name, step in (("a", 3), ("b", 5), ("c", 8))})


def pairs(before: np.ndarray, after: np.ndarray, clusters: list[str] | None = None) -> pd.DataFrame:
    return pd.DataFrame({"example_id": IDS[: len(before)], "cluster": clusters or IDS[: len(before)], "before": before, "after": after})


def compared(lost: list[int], gained: list[int] = [], wrong: list[int] = [], **more: object) -> Regressions:  # noqa: B006
    before = np.ones(120)
    before[wrong + gained] = 0
    after = before.copy()
    after[lost], after[gained] = 0, 1
    return regressions(pairs(before, after), MEMBERS, {}, seed=0, draws=999, **more)  # type: ignore[arg-type]


def test_what_did_not_change_is_no_regression() -> None:
    found = compared([])
    assert (found.found, found.p, found.blamed) == (False, 1.0, ())
    assert {change.slice for change in found.slices} == {"a", "b", "c", "all"}


def test_losses_in_one_slice_are_found_and_it_is_blamed_first() -> None:
    found = compared(list(range(0, 120, 8))[:8])
    assert found.found
    assert found.slices[0].slice == "c"
    assert found.slices[0].role == "named"
    assert found.slices[0].lost == tuple(IDS[i] for i in range(0, 64, 8))


def test_a_slice_that_holds_all_losses_is_blamed_before_a_part_of_it_that_holds_most() -> None:
    """As a policy gone stale looks: 12 of 37 right answers about returns lost, 9 of them in the 20 that are follow-ups; 11 were wrong before."""
    before = np.ones(200)
    before[[*range(20, 25), *range(42, 48), *range(100, 115)]] = 0
    after = before.copy()
    after[[*range(9), 25, 26, 27]] = 0
    members = pd.DataFrame({"returns": np.arange(200) < 48, "returns & follow-up": np.arange(200) < 25, "other": np.arange(200) >= 120})
    ids = [f"e{place:03}" for place in range(200)]
    paired = pd.DataFrame({"example_id": ids, "cluster": ids, "before": before, "after": after})
    found = regressions(paired, members, {"returns": 2.0, "returns & follow-up": 3.0}, seed=0, draws=999)
    assert [change.slice for change in found.blamed][:2] == ["returns", "returns & follow-up"]
    assert found.blamed[0].suspicion > 0.9


def test_the_more_of_a_slice_is_lost_the_clearer_it_is() -> None:
    found = [compared(list(range(0, 120, 8))[:many]) for many in range(2, 16)]
    assert all(change.found for change in found[1:])
    assert [change.slices[0].slice for change in found[1:]] == ["c"] * 13
    assert all(later.p <= earlier.p for earlier, later in itertools.pairwise(found[1:]))


def test_losses_too_few_to_name_a_slice_leave_a_suspect() -> None:
    found = compared([8, 16, 32, 40])  # all in c, one of them in b: raw p 1/16 at best
    assert found.found
    assert [(change.slice, change.role) for change in found.blamed] == [("c", "suspect")]
    assert found.blamed[0].p == pytest.approx(1 / 16)


def test_one_loss_is_no_pattern_however_rare_its_slices_are() -> None:
    found = compared([0])  # the only example in a, b and c
    assert (found.found, found.p_pooled) == (False, 1.0)


def test_as_many_losses_all_over_the_place_are_noise() -> None:
    assert not compared([1, 17, 31, 59]).found


def test_a_slice_in_which_answers_come_and_go_is_left_alone() -> None:
    """The same four losses with as many gains in the same slice: a change of what the system is unsure of."""
    assert compared([8, 16, 32, 56]).p < compared([8, 16, 32, 56], gained=[24, 48, 64, 72]).p / 3


def test_a_fall_everywhere_is_found_without_any_slice() -> None:
    lost = list(range(1, 120, 9))
    found = compared(lost)
    assert found.p_overall == pytest.approx(0.5 ** len(lost), abs=1e-6)
    assert found.found
    assert "all" in [change.slice for change in found.blamed]


@settings(max_examples=15, deadline=None)
@given(losses=st.integers(0, 12), gains=st.integers(0, 12))
def test_one_slice_is_the_exact_test_of_mcnemar(losses: int, gains: int) -> None:
    before = np.array([1.0] * (losses + 5) + [0.0] * (gains + 5))
    after = before.copy()
    after[:losses], after[losses + 5 : losses + 5 + gains] = 0, 1
    found = regressions(pairs(before, after), pd.DataFrame({"all": [True] * len(before)}), {}, seed=0, draws=99).slices[0]
    two_sided = mcnemar([[5, losses], [gains, 5]], exact=True).pvalue
    if losses > gains:
        assert 2 * found.p == pytest.approx(two_sided, abs=2e-6)
    assert found.p_adjusted >= found.p


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 119), max_size=25, unique=True), st.lists(st.integers(0, 119), max_size=15, unique=True))
def test_an_adjusted_p_is_never_below_its_own_and_a_name_never_contradicts_the_whole(lost: list[int], gained: list[int]) -> None:
    found = compared([i for i in lost if i not in gained], gained)
    assert all(change.p_adjusted >= change.p for change in found.slices)
    order = sorted(found.slices, key=lambda change: change.p)
    assert [change.p_adjusted for change in order] == sorted(change.p_adjusted for change in order)
    assert found.found == (found.p <= 0.05)
    assert sum(change.suspicion for change in found.slices) == pytest.approx(1, abs=0.001)
    assert bool(found.blamed) <= found.found


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(120)))
def test_the_order_of_examples_changes_nothing(order: list[int]) -> None:
    before, after = np.ones(120), np.ones(120)
    before[::11], after[[0, 8, 16, 22, 50]] = 0, 0
    frame, places = pairs(before, after), np.array(order)
    here = regressions(frame, MEMBERS, {"a": 4.0}, seed=3, draws=199)
    assert regressions(frame.iloc[places], MEMBERS.iloc[places], {"a": 4.0}, seed=3, draws=199) == here


def test_adjusted_p_values_lie_between_the_raw_ones_and_holms() -> None:
    rng = np.random.default_rng(2)
    by_cluster = np.where(rng.random((30, 6)) < 0.5, rng.choice([1.0, 1.0, -1.0], 30)[:, None], 0.0)
    raw, adjusted = familywise.adjusted_p(by_cluster, seed=0)
    holm = multipletests(raw, method="holm")[1]
    assert (adjusted >= raw).all()
    assert (adjusted <= holm + 0.02).all()


def test_turns_of_one_conversation_count_once() -> None:
    """Twelve losses in three conversations are three coin flips, not twelve."""
    before, after = np.ones(120), np.ones(120)
    after[:12] = 0
    clusters = [f"c{place // 4:02}" for place in range(120)]
    together = regressions(pairs(before, after, clusters), MEMBERS, {}, seed=0, draws=999)
    apart = regressions(pairs(before, after), MEMBERS, {}, seed=0, draws=999)
    assert together.p_overall == pytest.approx(1 / 8, abs=0.02)
    assert apart.p_overall == pytest.approx(1 / 4096, abs=1e-6)


def test_a_shuffled_conversation_keeps_its_losses_together() -> None:
    """Two of four conversations are lost as a whole: both are in the slice in one of six shuffles, however many turns they have."""
    right, members = np.ones(16, bool), np.zeros((16, 1), bool)
    members[:8] = True
    of = pooled.culprits(right, members, np.ones(1), np.repeat(["a", "b", "c", "d"], 4), 0.3)
    reference = pooled.null(of, np.repeat([1.0, 1.0, 0.0, 0.0], 4), np.empty(0), seed=0, draws=600)
    assert len(np.unique(reference)) == 3
    assert np.mean(reference == reference.max()) == pytest.approx(1 / 6, abs=0.06)


def test_the_majority_of_epochs_is_an_example_s_state_and_a_tie_a_failure() -> None:
    assert state(np.array([0.0, 1 / 3, 0.5, 0.1 * 3 + 0.2, 2 / 3, 1.0])).tolist() == [False, False, False, False, True, True]


def test_a_pair_without_a_score_is_refused_and_no_pair_is_no_regression() -> None:
    with pytest.raises(ValueError, match="leave it out"):
        regressions(pairs(np.array([1.0]), np.array([np.nan])), MEMBERS.iloc[:1], {}, seed=0)
    assert not regressions(pairs(np.array([]), np.array([])), MEMBERS.iloc[:0], {}, seed=0).found


def test_zero_tolerance_asks_again_and_holds_what_fails_twice() -> None:
    frame = pairs(np.array([1.0, 1.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0, 0.0]))
    assert new_failures(frame, np.array([True, True, True, False])) == ("e000",)
    again = pd.DataFrame({"example_id": ["x", "x", "y", "y"], "epoch": [1, 2, 1, 2], "right": [0, 0, 0, 1]})
    assert repeated(again) == ("x",)
    with pytest.raises(ValueError, match="has fewer"):
        repeated(again.iloc[:1])
