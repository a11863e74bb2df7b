import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import schema
from pipeline.monitoring import nearest
from tests.frames import frame

POOL = ["where is my parcel", "I want my money back for the lamp", "the app crashes when I open it", "please delete my account"]


def conversations(texts, source="production", day="2026-05-01"):
    rows = [
        {
            "example_id": f"{source[0]}-{n}",
            "source": source,
            "input": [{"role": "user", "content": text}],
            "occurred_at": pd.Timestamp(day, tz="UTC"),
        }
        for n, text in enumerate(texts)
    ]
    return frame(schema.CANDIDATES, rows)


def test_the_nearest_is_the_one_that_says_the_same_whatever_its_case_and_numbers():
    space = nearest.Space.of(POOL)
    distances, places = nearest.nearest(["Where is my PARCEL", "wheres my parcell", "xyzzy"], POOL, space)
    assert places.tolist()[:2] == [0, 0]
    assert distances[0] == 0 < distances[1] < 0.5
    assert distances[2] == 1


def test_without_others_everything_is_farthest_and_without_texts_there_is_nothing():
    space = nearest.Space.of([])
    assert [part.tolist() for part in nearest.nearest(["hello"], [], space)] == [[1.0], [-1]]
    assert [len(part) for part in nearest.nearest([], POOL, space)] == [0, 0]
    assert len(nearest.between([], space)) == 0


@given(st.lists(st.sampled_from([*POOL, "hello", ""]), min_size=1, max_size=8))
def test_chunks_change_no_distance(texts):
    space = nearest.Space.of(POOL)
    whole = nearest.nearest(texts, POOL, space)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearest, "TOGETHER", 2)
        parts = nearest.nearest(texts, POOL, space)
    assert all((one == other).all() for one, other in zip(whole, parts, strict=True))
    paired = nearest.between([(text, POOL[place]) for text, place in zip(texts, whole[1], strict=True)], space)
    assert paired.tolist() == pytest.approx(whole[0].tolist(), abs=1e-4)


def test_the_threshold_lets_at_most_the_stated_share_of_different_pairs_in():
    distances, same = np.array([0.1, 0.3, 0.5, 0.2, 0.6, 0.7, 0.8]), np.array([True, True, True, False, False, False, False])
    assert nearest.calibrated(distances, same, 0.0) == {"threshold": 0.1, "recall": pytest.approx(1 / 3), "false_alarm_rate": 0.0}
    assert nearest.calibrated(distances, same, 0.25) == {"threshold": 0.5, "recall": 1.0, "false_alarm_rate": 0.25}
    assert nearest.calibrated(np.array([0.4, 0.3]), np.array([True, False]), 0.0)["threshold"] == 0.0


def test_an_example_was_last_seen_when_the_latest_conversation_like_it_happened():
    pool = pd.concat(
        [
            conversations(POOL, day="2026-03-01"),
            conversations(POOL[:1], "regression", "2026-05-02"),
            conversations(["where is my parcel?", "sing"], "expert"),
        ]
    )
    members = pool.loc[pool["source"] != "regression", ["example_id", "source"]]
    seen = nearest.last_seen(members, pool, 0.4, nearest.Space.of(POOL)).set_index("example_id")
    assert seen["last_seen"].to_dict() == {
        "p-0": "2026-05-02", "p-1": "2026-03-01", "p-2": "2026-03-01", "p-3": "2026-03-01", "e-0": "2026-05-02", "e-1": ""
    }  # fmt: skip
    assert seen.loc["p-1", "distance"] == 0
    assert seen.loc["e-1", "distance"] == 1
