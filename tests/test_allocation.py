import itertools
import os

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.allocation import Goal, Problem, allocate, fit, greedy, kinds_of, needed_for, quotas, shortlist
from pipeline.errors import InputError

SHARES = st.lists(st.integers(0, 100), min_size=4, max_size=4).filter(any)
INSTANCES = int(os.environ.get("GOLDEN_ALLOCATIONS", "150"))
"""How many random small allocations are compared with brute force."""


def ratios(shares):
    return {name: share / sum(shares) for name, share in zip("abcd", shares, strict=True)}


@given(st.integers(1, 5000), SHARES)
def test_quotas_sum_to_the_size_and_are_off_by_less_than_one(size, shares):
    counts = quotas(size, ratios(shares))
    assert sum(counts.values()) == size
    assert all(abs(counts[name] - size * ratio) < 1 + 1e-6 for name, ratio in ratios(shares).items())


def test_quotas_of_the_usual_mix():
    assert quotas(200, {"production": 0.6, "expert": 0.2, "adversarial": 0.1, "synthetic": 0.1}) == {
        "production": 120,
        "expert": 40,
        "adversarial": 20,
        "synthetic": 20,
    }
    assert quotas(7, {"a": 0.5, "b": 0.5}) == {"a": 4, "b": 3}


HALF = {"a": 0.5, "b": 0.5}


def test_a_short_source_fails_scales_or_is_filled_up():
    assert fit(10, HALF, {"a": 9, "b": 9}, "fail") == {"a": 5, "b": 5}
    with pytest.raises(InputError, match="a is 2 short of 5"):
        fit(10, HALF, {"a": 3, "b": 9}, "fail")
    assert fit(10, HALF, {"a": 3, "b": 9}, "scale") == {"a": 3, "b": 3}
    assert fit(10, HALF, {"a": 3, "b": 9}, "fill") == {"a": 3, "b": 7}
    with pytest.raises(InputError, match="1 short of 10 examples from all sources"):
        fit(10, HALF, {"a": 3, "b": 6}, "fill")


@given(st.integers(1, 60), SHARES, st.lists(st.integers(0, 40), min_size=4, max_size=4))
def test_scaling_keeps_the_ratios_and_never_takes_more_than_there_is(size, shares, have):
    available = dict(zip("abcd", have, strict=True))
    counts = fit(size, ratios(shares), available, "scale")
    assert all(counts[name] <= available[name] for name in counts)
    assert counts == quotas(sum(counts.values()), ratios(shares))


def goal(name="s", cost=1.0, floor=0, gains=()):
    return Goal(name, cost, floor, max(1, round(10 * cost)), np.array(sorted(gains, reverse=True), np.int64))


def candidates(rows):
    """Rows of source, failed, released and the places of the goals that the candidate lies in."""
    frame = pd.DataFrame(
        [(f"c-{place:02}", source, failed, released) for place, (source, failed, released, _) in enumerate(rows)],
        columns=["example_id", "source", "failed", "released"],
    )
    return frame, [set(slices) for *_, slices in rows]


def problem_of(frame, slices, goals, counts, before=None, failures=None, order=None):
    inside = np.array([[goal in of for goal in range(len(goals))] for of in slices], bool).reshape(len(slices), len(goals))
    order = np.arange(len(frame)) if order is None else np.array(order, int)
    kinds = kinds_of(frame.iloc[order].reset_index(drop=True), inside[order], 3)
    return Problem(kinds, goals, counts, np.array(before or [0] * len(goals)), failures)


@st.composite
def problems(draw):
    goals = [
        goal(f"s{place}", draw(st.integers(1, 5)), draw(st.integers(0, 3)), draw(st.lists(st.integers(1, 9), max_size=4)))
        for place in range(draw(st.integers(0, 3)))
    ]
    row = st.tuples(
        st.sampled_from(["production", "expert"]),
        st.booleans(),
        st.booleans(),
        st.sets(st.sampled_from(range(len(goals)))) if goals else st.just(set()),
    )
    frame, slices = candidates(draw(st.lists(row, min_size=1, max_size=8)))
    have = frame["source"].value_counts()
    counts = {source: draw(st.integers(0, int(have.get(source, 0)))) for source in ("production", "expert")}
    before = [draw(st.integers(0, 2)) for _ in goals]
    failures = draw(st.none() | st.integers(0, 4))
    return (frame, slices, goals, counts, before, failures), draw(st.permutations(range(len(frame))))


def all_counts(problem):
    """Every way to take the sources' counts from the kinds."""
    for taken in itertools.product(*(range(len(kind.ids) + 1) for kind in problem.kinds)):
        of_source = dict.fromkeys(problem.counts, 0)
        for kind, count in zip(problem.kinds, taken, strict=True):
            of_source[kind.source] += count
        if of_source == problem.counts:
            yield np.array(taken, np.int64)


@settings(max_examples=INSTANCES, deadline=None)
@given(problems())
def test_the_allocation_is_as_good_as_the_best_of_all_and_the_same_in_any_order(drawn):
    arguments, order = drawn
    problem = problem_of(*arguments)
    found = allocate(problem)
    taken = np.array([sum(i in found.ids for i in kind.ids) for kind in problem.kinds], np.int64)
    best = min(map(problem.values, all_counts(problem)))
    assert problem.values(taken) == best
    assert found.values == {"shortfall": best[0], "mix": best[1], "power": -best[2], "churn": -best[3], "draw": best[4]}
    assert found.have == tuple(problem.have(taken))
    assert found.gaps == {}
    source_of = dict(zip(arguments[0]["example_id"], arguments[0]["source"], strict=True))
    assert {source: sum(source_of[i] == source for i in found.ids) for source in problem.counts} == problem.counts
    assert allocate(problem_of(*arguments, order=order)) == found


def taken(rows, goals, counts, **more):
    return set(allocate(problem_of(*candidates(rows), goals, counts, **more)).ids)


PLAIN = ("production", False, False, ())


def test_a_floor_comes_before_power():
    rows = [("production", False, False, {0})] * 3 + [("production", False, False, {1})] * 3
    found = allocate(problem_of(*candidates(rows), [goal(floor=2), goal(gains=[9, 9, 9])], {"production": 3}))
    assert found.have == (2, 1)
    assert found.values["power"] == 9


def test_what_cannot_be_met_costs_least_where_a_failure_is_cheap():
    rows = [("production", False, False, {0}), ("production", False, False, {1})]
    assert taken(rows, [goal(cost=1, floor=1), goal(cost=5, floor=1)], {"production": 1}) == {"c-01"}


def test_failures_are_as_many_as_production_has():
    rows = [("production", True, False, ())] * 6 + [PLAIN] * 6
    assert sum(i < "c-06" for i in taken(rows, [], {"production": 5}, failures=2)) == 2


def test_members_of_the_last_release_stay_where_nothing_is_gained_by_others():
    rows = [("production", False, place in (4, 7), ()) for place in range(9)]
    assert taken(rows, [], {"production": 2}) == {"c-04", "c-07"}


def test_what_pinned_examples_hold_counts():
    rows = [("production", False, False, {0}), ("production", False, False, {1})]
    assert taken(rows, [goal(gains=[5]), goal(gains=[4])], {"production": 1}, before=[1, 0]) == {"c-01"}


def test_the_greedy_baseline_takes_the_thinnest_slice_first():
    rows = [("production", False, False, {0})] * 4 + [("production", False, False, {1})] * 2
    problem = problem_of(*candidates(rows), [goal("common"), goal("rare")], {"production": 4})
    assert problem.have(greedy(problem)).tolist() == [2, 2]


def test_a_newcomer_takes_only_the_place_of_its_like_with_a_higher_draw():
    rows = [PLAIN] * 30
    frame, slices = candidates(rows)
    before = set(allocate(problem_of(frame[:29], slices[:29], [], {"production": 10})).ids)
    after = set(allocate(problem_of(frame, slices, [], {"production": 10})).ids)
    assert after - before <= {"c-29"}


def test_the_reason_is_the_slice_that_would_lose_most():
    problem = problem_of(*candidates([PLAIN]), [goal("a", floor=2), goal("b", gains=[9, 1]), goal("c", gains=[3, 3])], {"production": 1})
    assert needed_for(problem, (2, 1, 1), (0, 1)) == "a"
    assert needed_for(problem, (3, 2, 1), (0, 1, 2)) == "c"
    assert needed_for(problem, (3, 3, 3), (0, 1, 2)) == ""


def test_the_shortlist_is_bounded_and_holds_what_was_released():
    frame = pd.DataFrame(
        {
            "example_id": [f"c-{i}" for i in range(5000)],
            "source": "production",
            "failed": False,
            "released": [i == 4321 for i in range(5000)],
        }
    )
    inside = np.zeros((5000, 1), bool)
    inside[:40] = True
    places = shortlist(frame, inside, {"production": 50}, 3)
    assert 4321 in places
    assert 60 <= len(places) <= 62
    assert (places < 40).sum() >= 10
