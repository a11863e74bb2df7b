import datetime
import json

import pytest

from pipeline import schema
from pipeline.errors import InputError
from pipeline.labeling import incoming
from pipeline.labeling.reading import read_file, read_labels
from tests.labeling.standards import STANDARD, candidates, labels

TODAY = datetime.date(2026, 4, 2)
HEADER = ",".join(schema.LABELS.names)
GOOD = "p-1,resolved,yes,amara,2026-04-02,2,t1,"


def csv(folder, *lines, header=HEADER):
    path = folder / "amara.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def take(path, given=None, people=None, erased=frozenset(), repeat=False):
    found = incoming.read(path, STANDARD, TODAY, people or {})
    incoming.check(found, labels() if given is None else given, candidates(), STANDARD, [], erased, repeat)
    return found


def test_a_sheet_comes_in_without_its_empty_rows_and_conversation(tmp_path):
    path = csv(
        tmp_path,
        'p-1,resolved,yes,amara,,2,t1,,"user: one\nlogged response: two"',
        "p-1,expected.behaviour,,amara,,2,t1,,",
        "p-2,resolved,no,amara,2026-04-01,2,t2,unclear,user: x",
        header=",".join(schema.TASKS.names),
    )
    found = take(path)
    assert [(one.where.rpartition(" ")[2], one.row["example_id"], one.row["labelled_at"]) for one in found] == [
        ("2", "p-1", "2026-04-02"),
        ("5", "p-2", "2026-04-01"),
    ]
    assert set(found[0].row) == set(schema.LABELS.names)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("p-99,resolved,yes,amara,2026-04-02,2,t1,", "line 3: example_id: no such conversation in the pool"),
        ("p-2,resolved,yes,amara,2026-04-02,2,t1,", "line 3: text_sha: the text is another one than what was labelled"),
        ("p-2,resolved,maybe,amara,2026-04-02,2,t2,", "line 3: value: not one of yes, no for resolved"),
        ("p-2,resolvd,yes,amara,2026-04-02,2,t2,", r"line 3: dimension: .*did you mean 'resolved'\?"),
        ("p-2,resolved,yes,amra,2026-04-02,2,t2,", r"line 3: annotator: amra .*did you mean 'amara'\?"),
        ("p-2,resolved,yes,amara,2026-04-02,7,t2,", "line 3: standard_version: 7: not in the changelog"),
        ("p-2,resolved,yes,amara,2026-04-02,1,t2,", "line 3: standard_version: resolved means something else since 2"),
        ("p-2,resolved,yes,amara,yesterday,2,t2,", "line 3: labelled_at: expected a date"),
        ("p-1,resolved,no,amara,2026-04-03,2,t1,", r"line 3: amara labelled resolved of it before \(.*line 2\)"),
        ("p-3,resolved,yes,bjorn,2026-04-02,2,t3,", r"line 3: bjorn labelled resolved of it before \(data/labels\); .* --repeat"),
        ("p-5,resolved,yes,amara,2026-04-02,2,t5,", "line 3: example_id: p-5 was erased"),
        ("p-2,expected.must_include,ask jo@corp.io,amara,2026-04-02,2,t2,", "line 3: value: holds what looks like an e-mail address"),
    ],
)
def test_a_row_that_may_not_come_in_is_refused_by_line(line, says, tmp_path):
    with pytest.raises(InputError, match=rf"amara\.csv, {says}"):
        take(csv(tmp_path, GOOD, line), labels(("p-3", "resolved", "no", "bjorn")), erased=frozenset(["p-5"]))


def test_all_that_is_refused_is_counted_and_nothing_is_taken(tmp_path):
    bad = [f"p-{n},resolved,maybe,amara,2026-04-02,2,t{n}," for n in (2, 3)]
    with pytest.raises(InputError, match=r"line 3: .* \(1 more like it\); nothing was taken$"):
        take(csv(tmp_path, GOOD, *bad))


def test_a_second_opinion_of_the_same_person_comes_in_when_asked_for_and_on_another_day(tmp_path):
    before = labels(("p-1", "resolved", "no", "amara"))
    assert len(take(csv(tmp_path, GOOD), before, repeat=True)) == 1
    with pytest.raises(InputError, match="before"):
        take(csv(tmp_path, GOOD.replace("2026-04-02", "2026-04-01")), before, repeat=True)


def test_a_label_of_an_older_meaning_is_no_obstacle_to_a_new_one(tmp_path):
    old = labels(("p-1", "resolved", "no", "amara")).assign(standard_version="1")
    assert len(take(csv(tmp_path, GOOD), old)) == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (HEADER.replace(",", ";").encode(), "line 1: separated by semicolons; save it as CSV with commas"),
        (b"", "empty; expected the columns example_id"),
        (HEADER.encode() + b"\np-1,resolved,\xff,a,2026-04-02,2,t1,\n", "not readable as CSV in UTF-8"),
        (b"example_id,label\np-1,yes\n", "line 1: expected the columns"),
    ],
)
def test_a_file_of_another_form_is_one_line(content, says, tmp_path):
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(InputError, match=says):
        take(tmp_path / "x.csv")


def test_a_byte_order_mark_is_read_over(tmp_path):
    (tmp_path / "x.csv").write_bytes(f"\ufeff{HEADER}\n{GOOD}\n".encode())
    assert len(take(tmp_path / "x.csv")) == 1


def test_labels_are_added_to_a_file_and_sorted_and_read_by_the_stage(tmp_path):
    target = tmp_path / "labels/001-amara.csv"
    first = take(csv(tmp_path, "p-2,resolved,yes,amara,2026-04-02,2,t2,"))
    assert incoming.append(target, first) == 1
    assert incoming.append(target, take(csv(tmp_path, GOOD))) == 1
    assert list(read_file(target, schema.LABELS)["example_id"]) == ["p-1", "p-2"]
    assert len(read_labels(target.parent, STANDARD)) == 2


# ---- Label Studio: the form that version 1.23 exports, as tried by hand


def result(name, kind, *values):
    return {"from_name": name, "to_name": "conversation", "type": kind, "value": {"choices" if kind == "choices" else "text": list(values)}}


def exported(folder, *results, **changes):
    annotation = {"id": 1, "completed_by": 3, "result": list(results), "was_cancelled": False, "created_at": "2026-04-02T09:30:00.1Z"}
    data = {"example_id": "p-1", "annotator": "amara", "standard_version": "2", "text_sha": "t1", "asked": [], "conversation": []}
    task = {"id": 17, "data": data | changes.pop("data", {}), "annotations": [annotation | changes.pop("annotation", {})], **changes}
    path = folder / "export.json"
    path.write_text(json.dumps([task]))
    return path


def test_choices_texts_and_the_note_of_an_export_become_labels(tmp_path):
    path = exported(
        tmp_path,
        result("expected_behaviour", "choices", "refuse"),
        result("expected_must_include", "textarea", "90 days", "free"),
        result("note", "textarea", "against the page"),
    )
    assert [one.row for one in take(path)] == [
        {
            "example_id": "p-1",
            "annotator": "amara",
            "labelled_at": "2026-04-02",
            "standard_version": "2",
            "text_sha": "t1",
            "note": "against the page",
            "dimension": dimension,
            "value": value,
        }
        for dimension, value in (("expected.behaviour", "refuse"), ("expected.must_include", "90 days | free"))
    ]


def test_a_skipped_task_gives_no_label(tmp_path):
    assert take(exported(tmp_path, result("resolved", "choices", "yes"), annotation={"was_cancelled": True})) == []


@pytest.mark.parametrize("completed_by", [3, {"id": 3, "email": "a@example.com"}])
def test_a_user_of_label_studio_is_known_by_id_or_address(completed_by, tmp_path):
    path = exported(tmp_path, result("resolved", "choices", "yes"), annotation={"completed_by": completed_by})
    assert take(path, people={"3": "amara"})[0].row["annotator"] == "amara"
    with pytest.raises(InputError, match="task 17: bjorn labelled what amara was asked"):
        take(path, people={"3": "bjorn"})
    with pytest.raises(InputError, match="task 17: completed_by: 3 is nobody that --by names; add --by 3=NAME"):
        take(path, people={"4": "bjorn"})


@pytest.mark.parametrize(
    ("results", "changes", "says"),
    [
        ([result("resolved", "choices", "maybe")], {}, "task 17: value: not one of yes, no"),
        ([result("resolved", "choices", "yes", "no")], {}, "task 17: resolved: 2 choices; one is expected"),
        ([result("mood", "choices", "yes")], {}, "task 17: mood: no dimension of the standard"),
        ([result("resolved", "choices", "yes")], {"data": {"text_sha": "old"}}, "task 17: text_sha: the text is another one"),
        ([result("resolved", "choices", "yes")], {"annotations": None}, "task 17: no data or no annotations; .* not as JSON-MIN"),
    ],
)
def test_an_annotation_that_may_not_come_in_is_refused_by_task(results, changes, says, tmp_path):
    with pytest.raises(InputError, match=rf"export\.json, {says}"):
        take(exported(tmp_path, *results, **changes))


def test_two_annotations_of_one_task_are_a_double_label(tmp_path):
    path = exported(tmp_path, result("resolved", "choices", "yes"))
    (task,) = json.loads(path.read_text())
    path.write_text(json.dumps([task | {"annotations": task["annotations"] * 2}]))
    with pytest.raises(InputError, match=r"task 17: amara labelled resolved of it before \(.*task 17\)"):
        take(path)


@pytest.mark.parametrize(("text", "says"), [("{", "not JSON"), ("{}", "expected a list of tasks")])
def test_another_file_than_an_export_is_one_line(text, says, tmp_path):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(InputError, match=says):
        take(tmp_path / "x.json")
