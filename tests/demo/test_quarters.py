"""The simulation of six quarters: its truth, its measures, and in small what a refresh is worth."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from demo import quarters
from demo.quarters import LENGTHS, TONES, TOPICS, Truth
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def runs():
    return [quarters.simulate(seed) for seed in range(3)]


def of(cells, difficulty=0.5):
    return pd.DataFrame({"cell": np.array(cells), "difficulty": difficulty})


def test_a_refreshed_dataset_is_nearer_to_the_last_quarter_than_one_that_was_left(runs):
    found = np.array([measures for measures, _, _ in runs])
    less_frozen = quarters.differences(found)["frozen"]
    assert less_frozen["divergence"][2] < 0 < less_frozen["backtest"][0]
    assert (found[:, 0] == found[:, 0, :1]).all()  # no refresh was due before the first quarter


def test_the_first_of_the_fifty_seeds_of_the_docs_are_in_the_range_of_what_the_file_says(runs):
    table = pd.read_json(ROOT / "docs/quarters.json").set_index(["measure", "quarter", "dataset"])["value"]
    assert len(table) == quarters.QUARTERS * len(quarters.DATASETS) * len(quarters.MEASURES)
    found = np.array([measures for measures, _, _ in runs]).mean(axis=0)
    for m, measure in enumerate(quarters.MEASURES):
        for d, name in enumerate(quarters.DATASETS):
            assert table[measure, quarters.QUARTERS, name] == pytest.approx(found[-1, d, m], abs=0.25)


def test_intervals_hold_the_true_rates_about_as_often_as_they_say(runs):
    holds = np.concatenate([of_all for _, of_all, _ in runs])
    assert len(holds) > 1000
    assert 0.92 < holds.mean() < 0.98


def test_a_seed_gives_the_same_figures_again_and_another_gives_others(runs):
    again = quarters.simulate(0)
    assert (again[0] == runs[0][0]).all()
    assert again[1:] == runs[0][1:]
    assert (runs[1][0] != runs[0][0]).any()


def test_a_truth_sums_to_one_and_in_each_quarter_a_topic_vanishes_and_another_comes():
    truths = quarters.drift(np.random.default_rng(1))
    assert len(truths) == quarters.QUARTERS + 1
    assert all(truth.share.sum() == pytest.approx(1) for truth in truths)
    present = [truth.share.sum(axis=(1, 2)) > 0 for truth in truths]
    assert [sum(now & ~before) for before, now in pairwise(present)] == [1] * quarters.QUARTERS


def test_measures_are_what_they_say():
    share, rate = np.zeros((TOPICS, TONES, LENGTHS)), np.full((TOPICS, TONES, LENGTHS), 0.25)
    share[0, 0, 0], share[1, 0, 0], rate[1] = 0.5, 0.5, 0.75
    truth = Truth(share, rate)
    whole = quarters.measured(of([0, TONES * LENGTHS] * 4), truth)
    assert whole == {"divergence": pytest.approx(0), "correlation": pytest.approx(1), "backtest": pytest.approx(1)}
    half = quarters.measured(of([0] * 4), truth)
    assert half["backtest"] == pytest.approx(0.25)
    assert half["divergence"] == pytest.approx(0.311, abs=1e-3)
    assert quarters.true_rate("topic=1", truth) == pytest.approx(0.75)
    assert quarters.true_rate("tone=0", truth) == pytest.approx(0.5)
