import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.allocation import choose, fit, quotas
from pipeline.errors import InputError

SHARES = st.lists(st.integers(0, 100), min_size=4, max_size=4).filter(any)


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


def taken(ids, count, tags, costs=None, released=(), have=None):
    return [
        choice.example_id for choice in choose(list(ids), count, tags, costs or {}, {} if have is None else have, frozenset(released), 1)
    ]


@given(st.permutations([f"p-{i}" for i in range(12)]), st.integers(0, 12))
def test_the_choice_does_not_depend_on_the_order_of_its_input(ids, count):
    tags = {i: (f"c={int(i[2:]) % 3}", f"t={int(i[2:]) % 2}") for i in ids}
    assert taken(ids, count, tags) == taken(sorted(ids), count, tags)
    assert len(set(taken(ids, count, tags))) == count


def test_values_are_represented_evenly():
    ids = [f"p-{i}" for i in range(40)]
    tags = {i: (f"c={'rare' if int(i[2:]) < 4 else 'common'}",) for i in ids}
    assert sum(tags[i] == ("c=rare",) for i in taken(ids, 8, tags)) == 4


def test_a_costlier_slice_gets_more():
    ids = [f"p-{i}" for i in range(40)]
    tags = {i: (f"c={int(i[2:]) % 2}",) for i in ids}
    assert sum(tags[i] == ("c=1",) for i in taken(ids, 12, tags, {"c=1": 3.0})) == 9


def test_members_of_the_last_release_come_first():
    ids = [f"p-{i}" for i in range(20)]
    assert set(taken(ids, 3, {}, released={"p-7", "p-11", "p-13"})) == {"p-7", "p-11", "p-13"}


def test_what_other_sources_hold_counts():
    have = {"c=a": 5}
    assert taken(["p-a", "p-b"], 1, {"p-a": ("c=a",), "p-b": ("c=b",)}, have=have) == ["p-b"]
    assert have == {"c=a": 5, "c=b": 1}


def test_the_reason_names_the_slice_an_example_was_needed_for():
    (choice,) = choose(["p-b"], 1, {"p-b": ("c=b", "t=x")}, {"c=b": 9.0}, {"t=x": 3}, frozenset(), 1)
    assert choice.reason == "needed for c=b"
