import pandas as pd

from pipeline.suggesting import SCORED, suggestions
from tests.test_flagging import BURNT, ONE, THREE, TWO, candidates

NO_TAGS = pd.DataFrame({"example_id": [], "dimension": [], "value": []}, dtype="str")


def failures(**texts: str) -> pd.DataFrame:
    return candidates(**texts).assign(failed=True, pinned=False, inclusion_weight=1.0)


def suggested(
    found: pd.DataFrame, tags: pd.DataFrame = NO_TAGS, costs: dict[str, float] | None = None, wrong: tuple[str, ...] = ()
) -> pd.DataFrame:
    return suggestions(found, tags, pd.Series(costs or {}, dtype=float), wrong, 0.8)


def test_failures_that_read_alike_are_one_suggestion():
    found = suggested(failures(**{ONE: BURNT, TWO: f"{BURNT}!", THREE: "where is my parcel, it was due on Monday"}))
    assert sorted(found["n"]) == [1, 2]


def test_the_costliest_come_first():
    pool = failures(**{ONE: BURNT, TWO: "where is my parcel, it was due on Monday"})
    assert list(suggested(pool, costs={TWO: 10.0})["example_id"]) == [TWO, ONE]


def test_what_reads_like_a_flagged_failure_is_no_suggestion():
    pool = failures(**{ONE: BURNT, TWO: f"{BURNT}!"})
    assert suggested(pool.assign(pinned=pool["example_id"] == ONE)).empty


def test_why_is_the_outcome_or_that_the_present_system_is_wrong():
    pool = failures(**{ONE: BURNT, TWO: "where is my parcel, it was due on Monday", THREE: "may I pay by invoice, and until when"})
    pool["failed"] = pool["example_id"] == ONE
    tags = pd.DataFrame({"example_id": [ONE], "dimension": ["outcome"], "value": ["thumbs_down"]})
    found = suggested(pool, tags, wrong=(TWO,)).set_index("example_id")["why"]
    assert found.to_dict() == {ONE: "thumbs_down", TWO: SCORED}
