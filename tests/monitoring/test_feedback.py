import pandas as pd

from pipeline import schema
from pipeline.monitoring.feedback import feedback
from pipeline.sources import Expect, Regression
from tests.frames import frame, said


def flag(digit, day):
    return Regression(
        id="p-" + digit * 16, incident_id="i", reason="wrong", flagged_by="dana", flagged_at=day, expect=Expect(behaviour="answer")
    )


def test_days_are_counted_from_the_conversation_to_its_flag():
    rows = [{"example_id": "p-" + digit * 16, "input": said("hi"), "occurred_at": pd.Timestamp(at)} for digit, at in (
        ("1", "2026-03-02T23:59:00Z"), ("2", "2026-03-01T10:00:00Z"), ("3", "2026-02-01T10:00:00Z"))]  # fmt: skip
    candidates = frame(schema.CANDIDATES, rows)
    found = feedback([flag("1", "2026-03-02"), flag("2", "2026-03-02"), flag("3", "2026-03-03"), flag("4", "2026-03-03")], candidates)
    assert found == {"flagged": 4, "without_time": 1, "days": {"median": 1.0, "worst": 30}, "within_a_day_rate": 2 / 3}


def test_without_a_flag_there_is_nothing_to_tell():
    assert feedback([], frame(schema.CANDIDATES, [])) == {"flagged": 0, "without_time": 0}
