import numpy as np
import pandas as pd
import pytest

from pipeline import schema
from pipeline.monitoring.alignment import Side, alignment, comparable, uncovered
from pipeline.monitoring.resampling import Draws
from tests.frames import frame

DRAWS = Draws(0.95, 400, 7)


def side(prefix, failures, weight=1.0):
    """(Side, tags): for each tone so many failures of so many."""
    rows, tags = [], []
    for tone, (failed, of) in failures.items():
        for n in range(of):
            rows.append((f"{prefix}-{tone}-{n}", float(n < failed)))
            tags.append({"example_id": f"{prefix}-{tone}-{n}", "dimension": "tone", "value": tone})
            tags.append({"example_id": f"{prefix}-{tone}-{n}", "dimension": "end", "value": "bad" if n < failed else "good"})
    ids = pd.Series([i for i, _ in rows])
    return Side(ids, np.array([f for _, f in rows]), np.full(len(ids), weight), ids.to_numpy(str)), frame(schema.TAGS, tags)


def both(production, dataset):
    (one, of_one), (other, of_other) = side("p", production), side("d", dataset)
    return one, other, pd.concat([of_one, of_other], ignore_index=True)


def test_rates_that_agree_correlate_and_none_is_off():
    rates = {"calm": (10, 100), "angry": (60, 100), "sad": (30, 100), "polite": (1, 100)}
    found, rows = alignment(*both(rates, rates), 5, DRAWS)
    assert found["alignment"]["spearman"]["value"] == pytest.approx(1)
    assert found["alignment"]["off"] == []
    assert found["slices"]["tone"]["angry"]["production"]["failure_rate"] == pytest.approx(0.6)
    assert [row["slice"] for row in rows] == ["tone=angry", "tone=calm", "tone=polite", "tone=sad"]
    for one in found["slices"]["tone"].values():
        assert one["low"] <= one["difference"] <= one["high"]


def test_a_slice_that_fails_far_more_often_in_production_is_off_alone():
    production = {"calm": (10, 100), "angry": (60, 100), "sad": (30, 100)}
    found, _ = alignment(*both(production, production | {"angry": (5, 100)}), 5, DRAWS)
    assert found["alignment"]["off"] == ["tone=angry"]
    assert found["slices"]["tone"]["angry"]["difference"] == pytest.approx(-0.55)


def test_a_dimension_that_tells_how_it_ended_and_a_slice_with_too_few_are_not_compared():
    one, _, tags = both({"calm": (3, 10), "angry": (5, 10)}, {"calm": (1, 10)})
    assert [str(slice_) for slice_ in comparable(one, tags)] == ["tone=angry", "tone=calm"]
    found, rows = alignment(*both({"calm": (3, 10), "angry": (5, 10)}, {"calm": (1, 10), "angry": (1, 4)}), 5, DRAWS)
    assert [row["slice"] for row in rows] == ["tone=calm"]
    assert found["alignment"]["spearman"] == {}
    assert alignment(*both({"calm": (1, 3)}, {"calm": (1, 3)}), 5, DRAWS) == ({"alignment": {"slices": 0, "off": []}, "slices": {}}, [])


def test_production_counts_by_the_traffic_it_stands_for():
    heavy, tags = side("p", {"calm": (1, 2)})
    heavy = Side(heavy.example_id, heavy.failed, np.array([9.0, 1.0]), heavy.cluster)
    other, more = side("d", {"calm": (1, 2)})
    found, _ = alignment(heavy, other, pd.concat([tags, more], ignore_index=True), 1, DRAWS)
    assert found["slices"]["tone"]["calm"]["production"]["failure_rate"] == pytest.approx(0.9)


def test_intervals_hold_the_true_rate_about_as_often_as_they_say():
    rng, held, of = np.random.default_rng(5), 0, 0
    truth = {"calm": 0.05, "angry": 0.5, "sad": 0.2}
    for seed in range(40):
        drawn = {tone: (int(rng.binomial(60, rate)), 60) for tone, rate in truth.items()}
        found, _ = alignment(*both(drawn, drawn), 5, Draws(0.9, 200, seed))
        for tone, rate in truth.items():
            one = found["slices"]["tone"][tone]["production"]
            held, of = held + (one["low"] <= rate <= one["high"]), of + 1
    assert 0.83 <= held / of <= 0.97


def test_what_production_has_and_the_dataset_lacks_is_listed_by_its_share():
    one, other, tags = both({"calm": (0, 60), "angry": (1, 30), "sad": (2, 10)}, {"calm": (0, 5)})
    found = uncovered(one, other.example_id, tags, [["tone", "end"]], min_share=0.05)
    assert [(gap["slice"], gap["n"]) for gap in found] == [("tone=angry", 30), ("tone=sad", 10)]
    assert found[0]["share"] == pytest.approx(0.3)
    assert uncovered(one, other.example_id, tags, [], min_share=0.2)[0]["slice"] == "tone=angry"


def test_a_pair_of_values_that_the_dataset_has_each_of_but_not_together_is_uncovered():
    tags = frame(
        schema.TAGS,
        [
            {"example_id": i, "dimension": dimension, "value": value}
            for i, tone, length in (("p-1", "calm", "long"), ("p-2", "angry", "short"), ("d-1", "calm", "short"), ("d-2", "angry", "long"))
            for dimension, value in (("tone", tone), ("length", length))
        ],
    )
    ids = pd.Series(["p-1", "p-2"])
    production = Side(ids, np.zeros(2), np.ones(2), ids.to_numpy(str))
    found = uncovered(production, pd.Series(["d-1", "d-2"]), tags, [["tone", "length"]], min_share=0.1)
    assert [gap["slice"] for gap in found] == ["length=long & tone=calm", "length=short & tone=angry"]
