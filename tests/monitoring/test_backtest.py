import pandas as pd
import pytest

from pipeline import schema, tables
from pipeline.errors import InputError
from pipeline.monitor import check, dataset_side, drifted, production_side, seen
from pipeline.monitoring import backtest, verdicts
from pipeline.monitoring.backtest import History, known_at, months
from pipeline.monitoring.nearest import Space, asked
from pipeline.monitoring.resampling import Draws
from pipeline.params import Merge, Monitor
from pipeline.scorers import CRITERIA
from pipeline.sources import Expect, Expert, Regression
from tests.frames import frame, said
from tests.labeling.standards import STANDARD
from tests.test_merge import CONTRACT, TAGGING, Coverage, sentence

WANTED = Monitor(threshold=0.5, resamples=100, backtest_months=2)


def at(day):
    return pd.Timestamp(f"{day}T10:00:00Z")


def logged(rows):
    """Conversations as (id, day, text, failed)."""
    return frame(
        schema.CANDIDATES,
        [{"example_id": i, "occurred_at": at(day), "input": said(text), "failed": failed} for i, day, text, failed in rows],
    )


def history(candidates, labels=(), entries=None, pairs=()):
    empty = {"expert": [], "adversarial": [], "synthetic": [], "regression": []}
    by_rule = [{"example_id": i, "dimension": "tone", "value": "calm"} for i in candidates["example_id"]]
    return History(
        candidates, frame(schema.TAGS, by_rule), frame(schema.LABELS, list(labels)), empty | (entries or {}),
        pd.DataFrame(list(pairs), columns=schema.PAIRS.names),
    )  # fmt: skip


def test_a_month_is_tried_where_a_whole_month_of_production_follows():
    found = list(months(logged([("p-1", "2026-01-15", "a", False), ("p-2", "2026-04-10", "b", True)]), 9))
    assert [(end.strftime("%m-%d"), after.strftime("%m-%d")) for end, after in found] == [("02-01", "03-01"), ("03-01", "04-01")]
    ((end, after),) = months(logged([("p-1", "2026-01-15", "a", False), ("p-2", "2026-04-30", "b", True)]), 1)
    assert (end.strftime("%m-%d"), after.strftime("%m-%d")) == ("04-01", "05-01")
    assert list(months(logged([]), 3)) == []
    assert list(months(logged([("p-1", "2026-01-15", "a", False), ("p-2", "2026-04-10", "b", True)]), 0)) == []


def test_nothing_that_was_learnt_later_is_known():
    expert = {
        day: Expert(id=f"e-{day}", added=day, author="Ada", asked="?", input="hi", expect=Expect(behaviour="answer"))
        for day in ("2026-01-10", "2026-02-10")
    }
    flag = Regression(
        id="p-" + "1" * 16, incident_id="i", reason="wrong", flagged_by="dana", flagged_at="2026-02-03", expect=Expect(behaviour="answer")
    )
    production = logged([("p-" + "1" * 16, "2026-01-05", "x", True), ("p-2", "2026-01-06", "y", False), ("p-3", "2026-02-01", "z", False)])
    production.loc[0, ["source", "pinned"]] = ["regression", True]
    authored = frame(
        schema.CANDIDATES,
        [{"example_id": e.id, "source": "expert", "occurred_at": at(day), "input": said("hi")} for day, e in expert.items()],
    )
    everything = history(
        pd.concat([production, authored], ignore_index=True),
        [{"example_id": "p-2", "dimension": "tag.tone", "value": "calm", "labelled_at": day} for day in ("2026-01-31", "2026-02-01")],
        {"expert": [(None, e) for e in expert.values()], "regression": [(None, flag)]},
        [("p-2", "p-3", "yes", "amara", "2026-01-31"), ("p-2", "p-3", "no", "amara", "2026-02-01")],
    )
    then = known_at(everything, pd.Timestamp("2026-02-01", tz="UTC"))
    assert list(then.candidates["example_id"]) == ["p-" + "1" * 16, "p-2", "e-2026-01-10"]
    assert list(then.candidates["source"]) == ["production", "production", "expert"]
    assert not then.candidates["pinned"].any()
    assert set(then.by_rule["example_id"]) == set(then.candidates["example_id"])
    assert list(then.labels["labelled_at"]) == ["2026-01-31"]
    assert [e.id for _, e in then.entries["expert"]] == ["e-2026-01-10"]
    assert then.entries["regression"] == []
    assert list(then.pairs["same"]) == ["yes"]
    later = known_at(everything, pd.Timestamp("2026-03-01", tz="UTC"))
    assert later.candidates["pinned"].sum() == 1


def test_the_threshold_is_what_people_said_of_pairs_or_the_one_that_is_set():
    candidates = logged(
        [
            ("p-1", "2026-01-05", "where is my parcel", True),
            ("p-2", "2026-01-05", "where is my parcel now", True),
            ("p-3", "2026-01-05", "delete me", True),
        ]
    )
    space = Space.of(asked(candidates))
    pairs = pd.DataFrame([("p-1", "p-2", "yes", "a", "2026-01-06"), ("p-1", "p-3", "no", "a", "2026-01-06")], columns=schema.PAIRS.names)
    found = backtest.threshold(pairs, candidates, space, WANTED)
    assert (found["pairs"], found["recall"], found["false_alarm_rate"]) == (2, 1.0, 0.0)
    assert 0 < found["threshold"] < 0.5
    for lacking in (pairs.iloc[:1], pairs.assign(other_id="p-gone")):
        assert backtest.threshold(lacking, candidates, space, WANTED) == {"pairs": 0, "threshold": 0.5}


def test_a_failure_is_caught_where_the_dataset_of_the_month_before_held_one_like_it():
    rows = [(f"p-{n:02}", f"2026-01-{1 + n % 28:02}", sentence(n), n % 2 == 0) for n in range(20)]
    coming = [
        ("p-90", "2026-02-10", sentence(3), True),
        ("p-91", "2026-02-11", "zzz qqq vvv", True),
        ("p-92", "2026-02-12", "not failed", False),
        ("p-93", "2026-03-05", "c", True),
    ]
    candidates = logged([*rows, *coming])
    labels = [
        {"example_id": i, "dimension": "expected.behaviour", "value": "answer", "annotator": who, "labelled_at": "2026-01-30"}
        for i, *_ in rows for who in ("amara", "bjorn")
    ]  # fmt: skip
    settings = Merge(size=20, ratios={"production": 1.0}, stratify_by=["tone"])
    standards = backtest.Standards(
        Coverage.model_validate({"version": "1", "dimensions": {"tone": {"calm": {"cost": 1}}}}), CONTRACT, TAGGING
    )
    found = backtest.backtest(history(candidates, labels), STANDARD, standards, settings, WANTED, Draws(0.95, 100, 7))
    assert (found["months"], found["not_built"], found["failures"]) == (1, [], 2)
    assert found["dataset"]["value"] == found["control"]["value"] == 0.5
    assert found["difference"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    nothing = backtest.backtest(history(candidates), STANDARD, standards, settings, WANTED, Draws(0.95, 100, 7))
    assert nothing == {"months": 0, "not_built": ["2026-02"], "failures": 0}


def test_an_answer_that_users_were_unhappy_with_is_called_wrong_by_what_its_expectation_says_of_the_text():
    candidates = logged(
        [("p-1", "2026-01-05", "how long", True), ("p-2", "2026-01-05", "how long?", False), ("p-3", "2026-01-05", "who", True)]
    )
    candidates = candidates.assign(response=["9 days", "5 days", "me"])
    wanted = [
        {"example_id": "p-1", "must_include": [["5 days"]]}, {"example_id": "p-2", "must_include": [["5 days"]]}, {"example_id": "p-3", "expected_behaviour": "refuse"}
    ]  # fmt: skip
    found = verdicts.verdicts(candidates, frame(schema.EXPECTATIONS, wanted), [], CRITERIA)
    assert found.to_dict("list") == {"example_id": ["p-1", "p-2"], "failed": [True, False], "wrong": [True, False]}
    figures = verdicts.figures(found, Draws(0.95, 100, 7))
    assert (figures["n"], figures["failed_and_wrong"], figures["resolved_and_right"]) == (2, 1, 1)
    assert figures["called_wrong_rate"]["value"] == 1.0
    assert verdicts.figures(found[found["failed"]], Draws(0.95, 100, 7)) == {
        "n": 1, "failed_and_wrong": 1, "failed_and_right": 0, "resolved_and_wrong": 0, "resolved_and_right": 0
    }  # fmt: skip
    assert len(verdicts.verdicts(candidates.assign(response=""), frame(schema.EXPECTATIONS, wanted), [], CRITERIA)) == 0


def test_drift_needs_two_windows_and_an_answer_of_a_pair_is_yes_or_no():
    candidates = logged([("p-1", "2026-01-05", "a question", True), ("p-2", "2026-02-20", "another", False)])
    tags, space = frame(schema.TAGS, []), Space.of(asked(candidates))
    assert drifted(candidates.iloc[:1], tags, 0.5, space, WANTED, Draws(0.95, 50, 7)) == {}
    wide = Monitor(window_days=40, resamples=50)
    found = drifted(candidates, tags, 0.5, space, wide, Draws(0.95, 50, 7))
    assert (found["before"]["to"], found["now"]["from"], found["before"]["failure_rate"]) == ("2026-01-05", "2026-02-20", 1.0)
    with pytest.raises(InputError, match=r"data/pairs.csv, line 2: same: expected yes or no"):
        check(pd.DataFrame([("p-1", "p-2", "maybe", "a", "2026-01-01")], columns=schema.PAIRS.names))


def test_sides_weigh_conversations_and_leave_out_examples_that_could_not_be_judged():
    one = production_side(logged([("p-1", "2026-01-05", "a", True)]).assign(inclusion_weight=4.0))
    assert (one.failed.tolist(), one.mass.tolist()) == ([1.0], [4.0])
    judged = pd.DataFrame({"score": [1.0, 0.25, float("nan")], "cluster": ["a", "b", "c"]}, index=["e-1", "e-2", "e-3"])
    assert dataset_side(judged).failed.tolist() == [0.0, 0.75]
    assert seen(tables.empty(schema.LAST_SEEN), {"pairs": 0, "threshold": 0.7}) == {"pairs": 0, "threshold": 0.7, "seen": 0, "unseen": 0}
