import xml.etree.ElementTree as ET

import pandas as pd
import pytest

from pipeline import schema
from pipeline.errors import InputError
from pipeline.labeling import guide, tasks
from pipeline.labeling.assignment import questions
from tests.frames import frame
from tests.labeling.standards import STANDARD, candidates, labels


def sheets(count=6, written=None):
    asked = questions([f"p-{n}" for n in range(count)], ["amara", "bjorn", "chen"], 2, STANDARD, 7)
    return tasks.sheets(asked, candidates(count), written or {}, STANDARD, 7)


def test_a_sheet_holds_one_annotator_s_questions_and_no_label_of_anybody():
    made = sheets()
    assert sorted(made) == ["amara", "bjorn", "chen"]
    for annotator, sheet in made.items():
        assert set(sheet["annotator"]) == {annotator}
        assert set(sheet["value"]) == {""}
        assert set(sheet["standard_version"]) == {"2"}


def test_two_annotators_meet_their_common_records_in_different_orders():
    made = sheets(30)
    orders = {name: list(dict.fromkeys(sheet["example_id"])) for name, sheet in made.items()}
    both = set(orders["amara"]) & set(orders["bjorn"])
    assert len(both) == 10
    assert [i for i in orders["amara"] if i in both] != [i for i in orders["bjorn"] if i in both]
    assert sheets(30)["amara"].equals(made["amara"])


def test_a_conversation_stands_once_and_no_line_of_it_begins_like_a_formula():
    sheet = sheets()["amara"]
    told = sheet[sheet["conversation"] != ""]
    assert list(told["example_id"]) == list(dict.fromkeys(sheet["example_id"]))
    assert told["conversation"].iloc[0].splitlines()[0] == 'at hand: {"order":1}'
    assert told["conversation"].iloc[0].splitlines()[-1] == "logged response: =reply"
    assert not [line for text in told["conversation"] for line in text.splitlines() if line[0] in "=+-@"]


def test_sheets_are_written_read_again_and_numbered(tmp_path):
    made = sheets()
    assert tasks.next_batch(tmp_path).name == "001"
    tasks.write(tasks.next_batch(tmp_path), made)
    assert tasks.next_batch(tmp_path).name == "002"
    read = tasks.given_out(tmp_path)
    assert [sheet.to_dict("records") for sheet in read] == [sheet.to_dict("records") for sheet in made.values()]


def test_what_an_annotator_answered_is_not_asked_again_and_a_text_may_stay_empty():
    rows = [("p-1", name, "amara") for name in STANDARD.dimensions] + [("p-2", "expected.must_include", "amara")]
    sheet = frame(schema.TASKS, [dict(zip(("example_id", "dimension", "annotator"), row, strict=True)) for row in rows])
    given = labels(("p-1", "resolved", "yes", "amara"), ("p-1", "expected.behaviour", "answer", "bjorn"))
    left = tasks.unanswered([sheet], given, STANDARD)
    assert list(zip(left["example_id"], left["dimension"], strict=True)) == [
        ("p-1", "expected.behaviour"),
        ("p-2", "expected.must_include"),
    ]


def test_a_label_of_an_older_meaning_answers_nothing():
    sheet = frame(schema.TASKS, [{"example_id": "p-1", "dimension": "resolved", "annotator": "amara"}])
    old = labels(("p-1", "resolved", "yes", "amara")).assign(standard_version="1")
    assert len(tasks.unanswered([sheet], old, STANDARD)) == 1


def test_a_name_to_whom_nothing_is_given_out_is_one_line():
    with pytest.raises(InputError, match="--annotator dora: nothing is given out to that name; there are open tasks of amara, bjorn, chen"):
        tasks.open_sheets(pd.concat(sheets().values()), ["dora"])


def test_the_labelling_interface_has_a_control_for_each_dimension_with_its_criteria():
    root = ET.fromstring(tasks.configuration(STANDARD))
    choices = {control.get("name"): [choice.get("value") for choice in control] for control in root.iter("Choices")}
    assert choices == {"resolved": ["yes", "no"], "expected_behaviour": ["answer", "refuse"]}
    assert [area.get("name") for area in root.iter("TextArea")] == ["expected_must_include", "note"]
    assert "facts & figures" in [text.get("value") for text in root.iter("Text")]


def test_a_task_carries_what_the_label_needs_and_a_text_to_approve_as_prediction():
    made = sheets(1, {("p-0", "expected.must_include"): "90 days"})
    (with_text,) = [sheet for sheet in made.values() if "expected.must_include" in set(sheet["dimension"])]
    (task,) = tasks.label_studio(with_text, candidates(1))
    assert {name: task["data"][name] for name in ("example_id", "standard_version", "text_sha")} == {
        "example_id": "p-0",
        "standard_version": "2",
        "text_sha": "t0",
    }
    assert [turn["role"] for turn in task["data"]["conversation"]] == ["at hand", "user", "logged response"]
    assert task["predictions"][0]["result"][0]["value"] == {"text": ["90 days"]}


def test_the_guide_shows_the_standard_escaped_and_needs_nothing_from_elsewhere():
    page = guide.render(STANDARD, "shop")
    for text in (
        "Labelling standard 2 of 2026-03-01",
        "changed with 2, 2026-03-01",
        "<code>page</code>",
        "May I &lt;b&gt;?",
        "hand-overs &lt;count&gt;",
        "not done",
        "facts &amp; figures",
    ):
        assert text in page
    assert not [text for text in ("<script", "http://", "https://", "<link", "<img") if text in page]
    assert guide.render(STANDARD, "shop") == page
