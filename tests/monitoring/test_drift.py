import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import schema
from pipeline.monitoring.alignment import Side
from pipeline.monitoring.drift import divergence, jensen_shannon, new_topics
from pipeline.monitoring.nearest import Space
from pipeline.monitoring.resampling import Draws
from tests.frames import frame

MASSES = st.lists(st.floats(0, 9), min_size=3, max_size=3).filter(lambda masses: sum(masses) > 0.1)


@given(MASSES, MASSES)
def test_the_divergence_is_symmetric_lies_in_one_bit_and_is_0_for_the_same(one, other):
    a, b = np.array([one]), np.array([other])
    assert jensen_shannon(a, b) == pytest.approx(jensen_shannon(b, a))
    assert 0 <= jensen_shannon(a, b)[0] <= 1
    assert jensen_shannon(a, a * 3)[0] == pytest.approx(0, abs=1e-9)


def test_the_divergence_of_what_has_nothing_in_common_is_one_bit():
    assert jensen_shannon(np.array([[1.0, 0, 0]]), np.array([[0, 1.0, 1.0]]))[0] == pytest.approx(1)
    # Half of one in common: 1 - log2(4/3) * 3/4 + ... worked out by hand, 0.3113 bits.
    assert jensen_shannon(np.array([[1.0, 0]]), np.array([[1.0, 1.0]]))[0] == pytest.approx(0.3113, abs=1e-4)


def spread(prefix, values):
    ids = pd.Series([f"{prefix}-{n}" for n in range(len(values))])
    tags = [{"example_id": i, "dimension": "tone", "value": value} for i, value in zip(ids, values, strict=True)]
    return Side(ids, np.zeros(len(ids)), np.ones(len(ids)), ids.to_numpy(str)), frame(schema.TAGS, tags)


def test_samples_of_one_distribution_do_not_diverge_once_their_bias_is_off():
    rng = np.random.default_rng(3)
    (one, a), (other, b) = (spread(prefix, list(rng.choice(list("abcdefgh"), 60))) for prefix in "pd")
    found = divergence(one, other, pd.concat([a, b]), Draws(0.95, 300, 7))["tone"]
    assert found["value"] < 0.02
    assert found["low"] == 0
    (far, c) = spread("x", ["a"] * 60)
    assert divergence(one, far, pd.concat([a, c]), Draws(0.95, 300, 7))["tone"]["low"] > 0.3


def conversations(prefix, texts):
    return pd.DataFrame(
        {"example_id": [f"{prefix}-{n}" for n in range(len(texts))], "text": texts, "failed": [True] * len(texts), "inclusion_weight": 1.0}
    )


def test_a_topic_is_new_where_several_read_alike_and_like_nothing_before():
    before = conversations("b", ["where is my parcel", "cancel my order please"])
    now = conversations(
        "n", ["the drone dropped my lamp", "where is my parcel?", "drone dropped the lamp!", "a drone dropped my lamp", "singing fish"]
    )
    space = Space.of([*before["text"], *now["text"]])
    tags = frame(schema.TAGS, [{"example_id": "n-0", "dimension": "tone", "value": "angry"}])
    assert new_topics(before, now, tags, 0.6, space, 3) == [{"example_id": "n-0", "n": 3, "failure_rate": 1.0, "tags": "tone=angry"}]
    assert new_topics(before, before, tags, 0.6, space, 1) == []
