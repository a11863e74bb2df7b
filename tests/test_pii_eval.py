from pathlib import Path

import orjson
import pytest
from ruamel.yaml import YAML

from pipeline import pii_eval, tables
from pipeline.errors import InputError
from pipeline.pii.evaluation import Mark
from tests.conftest import ROOT


def written(tmp_path, *rows):
    path = tmp_path / "labelled.jsonl"
    path.write_bytes(b"".join((row if isinstance(row, bytes) else orjson.dumps(row)) + b"\n" for row in rows))
    return path


def row(**changes):
    return {"id": "c-1:0", "text": "I am Ana Bell", "spans": [{"start": 5, "end": 13, "entity_type": "PERSON"}]} | changes


def test_a_line_becomes_a_turn_of_its_conversation_and_a_user_s_message(tmp_path):
    ((turn, message),) = pii_eval.read(written(tmp_path, row(id="a:b:2", optional=[{"start": 0, "end": 1}])))
    assert (turn.conversation, turn.gold, turn.optional, turn.weight) == ("a:b", [Mark(5, 13, "PERSON")], [Mark(0, 1, "")], 1.0)
    assert message == {"role": "user", "content": "I am Ana Bell"}


def test_an_id_without_a_turn_is_a_conversation_by_itself(tmp_path):
    ((turn, _),) = pii_eval.read(written(tmp_path, row(id="alone")))
    assert turn.conversation == "alone"


def test_turns_without_any_span_weigh_what_is_asked_for_unless_they_say_so_themselves(tmp_path):
    rows = row(), row(id="c:1", spans=[]), row(id="c:2", spans=[], optional=[{"start": 0, "end": 1}]), row(id="c:3", spans=[], weight=2)
    assert [turn.weight for turn, _ in pii_eval.read(written(tmp_path, *rows), empty_weight=4)] == [1, 4, 1, 2]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"{not json Ana", "not JSON; expected {"),
        (b'["Ana"]', "not an object; expected {"),
        (b'\xff{"id":"Ana"}', "not JSON"),
        ({"text": "Ana", "spans": []}, "id is missing; expected {"),
        (row(text=None), "text is of another type"),
        ({"id": "c:1", "text": "Ana"}, "spans is missing"),
        (row(spans=["Ana"]), "spans[0]: expected start and end"),
        (row(spans=[{"start": 0, "end": True, "entity_type": "PERSON"}]), "spans[0]: expected start and end"),
        (
            row(spans=[{"start": 5, "end": 14, "entity_type": "PERSON"}]),
            "spans[0]: 5 to 14 is no stretch of the text, which has 13 characters",
        ),
        (row(spans=[{"start": -1, "end": 3, "entity_type": "PERSON"}]), "spans[0]: -1 to 3 is no stretch"),
        (row(spans=[{"start": 3, "end": 3, "entity_type": "PERSON"}]), "spans[0]: 3 to 3 is no stretch"),
        (row(spans=[{"start": 0, "end": 3}]), "spans[0]: expected entity_type"),
        (row(optional=[{"start": 0, "end": 99}]), "optional[0]: 0 to 99 is no stretch"),
        (row(optional="Ana"), "expected optional to be a list"),
        (row(weight=-1), "expected weight to be a number of 0 or more"),
        (row(role="customer"), "expected role to be one of user, assistant, system, tool"),
        (row(id="first"), "the id of line 1 again"),
    ],
)
def test_a_line_that_does_not_fit_is_refused_with_file_and_line_and_without_its_text(line, expected, tmp_path):
    path = written(tmp_path, row(id="first"), line)
    with pytest.raises(InputError) as caught:
        list(pii_eval.read(path))
    assert str(caught.value).startswith(f"{path}, line 2: {expected}")
    assert "Ana" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_turns_of_a_conversation_are_context_for_each_other_and_others_are_not(tmp_path, finder):
    # "Zorvath" alone is no name that anything knows; the sentence before says that it is one.
    rows = (
        row(id="c:0", text="my name is Zorvath Bell", spans=[]),
        row(id="d:0", text="Tell zorvath that it is fine", spans=[]),
        row(id="c:1", text="Tell zorvath that it is fine", spans=[]),
    )
    _, other, same = pii_eval.mark(list(pii_eval.read(written(tmp_path, *rows))), finder)
    assert [(mark.start, mark.end) for mark in same.found] == [(5, 12)]
    assert len(other.found) <= len(same.found)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    def settle(spans):
        params = YAML(typ="safe").load(ROOT / "params.yaml")
        params["pii_eval"] = {"spans": spans, "resamples": 20}
        YAML().dump(params, tmp_path / "params.yaml")
        monkeypatch.chdir(tmp_path)

    return settle


def test_the_stage_writes_stable_rounded_figures_and_reads_no_raw_log(repository, tmp_path):
    path = written(tmp_path, row(), row(id="c-2:0", text="where is HL-123456?", spans=[{"start": 9, "end": 18, "entity_type": "ORDER_ID"}]))
    repository(path.name)
    assert pii_eval.work() == "2 labelled turns, recall 1.000, precision 1.000 by character"
    once = pii_eval.METRICS.read_bytes()
    figures = tables.read_json(pii_eval.METRICS)
    assert set(figures) == {"measured", "turns", "conversations", "characters", "spans", "types", "found_types"}
    assert set(figures["characters"]) == {"gold", "found"} | {
        f"{name}{end}" for name in ("recall", "precision", "f2") for end in ("", "_low", "_high")
    }
    assert figures["types"]["ORDER_ID"] == {"n": 1, "recall": 1.0, "span_recall": 1.0}
    pii_eval.work()
    assert pii_eval.METRICS.read_bytes() == once


def test_without_a_labelled_text_nothing_is_measured_and_that_is_said(repository, tmp_path):
    repository(written(tmp_path).name)
    assert "nothing measured" in pii_eval.work()
    assert tables.read_json(pii_eval.METRICS) == {"measured": False}


def test_a_file_that_is_not_there_is_one_line(repository):
    repository("gone.jsonl")
    with pytest.raises(InputError, match=r"^gone\.jsonl: not there; "):
        pii_eval.work()


def test_the_stage_depends_on_what_decides_its_figures():
    stage = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]["pii_eval"]
    assert set(stage["params"]) == {"anonymize", "pii_eval"}
    assert {"${pii_eval.spans}", "pipeline/pii", "pipeline/pii_eval.py"} <= set(stage["deps"])
    assert not [dep for dep in stage["deps"] if dep.startswith("data/interim") or not (dep.startswith("$") or Path(ROOT, dep).exists())]
