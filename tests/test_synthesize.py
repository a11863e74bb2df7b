from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline import schema, synthesize
from pipeline.errors import InputError
from pipeline.expectations import Coverage, Tagging
from pipeline.slices import parse
from pipeline.sources import Synthetic
from pipeline.yaml_models import build_model
from tests.frames import frame, said

TAGGING = build_model(
    "t",
    {
        "version": "1",
        "dimensions": {
            "category": {"meaning": "m", "values": ["billing", "returns", "short"]},
            "length": {"meaning": "m", "values": ["short", "long"]},
        },
    },
    Tagging,
)
COVERAGE = build_model(
    "c",
    {"version": "1", "dimensions": {}, "combinations": [{"name": "long-bills", "slice": "category=billing & length=long", "cost": 5}]},
    Coverage,
)
CELL = parse("category=billing")
NOTHING = synthesize.Present([], [], frozenset())


def proposal(text, **more):
    return {"method": "template:bills", "input": text, "tags": {"category": "billing"}, "expect": {"behaviour": "answer"}} | more


def chosen(*proposals, there=NOTHING, count=10):
    return synthesize.chosen(proposals, CELL, count, "2026-08-03", there, 0.8, [])


@pytest.mark.parametrize(
    ("text", "is_"),
    [
        ("billing & long", "category=billing & length=long"),
        ("length=short", "length=short"),
        ("long-bills", "category=billing & length=long"),
    ],
)
def test_a_gap_is_named_by_values_by_tags_or_by_a_combination_s_name(text, is_):
    assert str(synthesize.cell(text, TAGGING, COVERAGE)) == is_


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bilings", "no dimension has 'bilings'; did you mean 'billing'"),
        ("billing & ", "no dimension has ''"),
        ("short", "is a value of category and length; write category=short"),
        ("length=billing", "no dimension has 'length=billing'"),
    ],
)
def test_a_gap_that_there_is_none_of_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        synthesize.cell(text, TAGGING, COVERAGE)


def test_gaps_come_costliest_first_and_none_gets_more_than_it_lacks():
    figures = {
        "slices": {
            "category": {
                "billing": {"shortfall": 2, "cost_weighted_shortfall": 4.0},
                "returns": {"shortfall": 0, "cost_weighted_shortfall": 0.0},
            },
            "combinations": {"long-bills": {"shortfall": 3, "cost_weighted_shortfall": 15.0}},
            "contract": {"x_y": {"shortfall": 1, "cost_weighted_shortfall": 9.0}},
        }
    }
    lacks = synthesize.gaps(figures, COVERAGE, TAGGING)
    assert [(str(lacking), count) for lacking, count in lacks] == [("category=billing & length=long", 3), ("category=billing", 2)]
    assert [count for _, count in synthesize.shared_out(lacks, 3)] == [2, 1]
    assert [count for _, count in synthesize.shared_out(lacks, 99)] == [3, 2]


def test_a_proposal_is_pending_with_the_gap_it_is_for():
    ((entry,), refused) = chosen(proposal("Why is my invoice so high?"))
    assert (entry.status, entry.fills, entry.added, entry.id[:8]) == ("pending", "category=billing", "2026-08-03", "s-bills-")
    assert not refused


def test_what_is_nearly_there_already_is_refused_in_any_source_and_in_the_pool():
    pooled = frame(schema.CANDIDATES, [{"example_id": "p-1", "input": said("where is the refund for the blue rug")}])
    rejected = build_model(
        "s",
        proposal(
            "Do you take cheques from abroad?",
            id="s-1",
            added="2026-01-01",
            status="rejected",
            rejected_by="Dana",
            reason="odd",
            fills="all",
        ),
        Synthetic,
    )
    there = synthesize.present({"synthetic": [(Path("s.yaml"), rejected)]}, pooled)
    kept, refused = chosen(
        proposal("Do you take cheques from abroad??"),
        proposal("Where is the refund for the blue rug?"),
        proposal("Why is my invoice so high?"),
        proposal("why is my invoice so high"),
        there=there,
    )
    assert [entry.input for entry in kept] == ["Why is my invoice so high?"]
    assert refused == {synthesize.NEAR: 3}


def test_what_repeats_the_pool_or_holds_personal_data_is_refused_and_reserved_data_is_not():
    there = synthesize.Present([], ["so he told me that the parcel was at the depot by noon"], frozenset())
    kept, refused = chosen(
        proposal("Strange: he told me that the parcel was at the depot, or what is this charge?"),
        proposal("Send the invoice to jo.miller@corp-mail.net please"),
        proposal("Send the invoice to jo.miller@example.com please"),
        proposal("Is this right?", expect={"must_include": ["call +49 170 4455667"]}),
        there=there,
    )
    assert [entry.input for entry in kept] == ["Send the invoice to jo.miller@example.com please"]
    assert refused == {synthesize.POOLED: 1, synthesize.PERSONAL: 2}


def test_a_template_s_mistake_is_told_and_a_model_s_is_counted():
    with pytest.raises(InputError, match="template:bills, a scenario for category=billing: expect: nothing a scorer could judge"):
        chosen(proposal("Hello", expect={}))
    kept, refused = chosen(proposal("Hello", method="model:m", expect={}), proposal("Why is that?", method="model:m"))
    assert len(kept) == 1
    assert refused == {synthesize.UNFIT: 1}


def test_what_is_written_reads_as_what_was_proposed():
    odd = proposal(
        [{"user": 'He said: "no", #1'}, {"assistant": "yes"}, {"user": "true"}],
        fixtures={"order": {"id": "<ORDER_ID_1>", "total": 4.95}},
        expect={
            "behaviour": "refuse",
            "must_include": [["5 days", "five, or so"], "ok"],
            "answer": "No: it is\nnot",
            "answer_match": "graded",
        },
    )
    ((entry,), _) = chosen(odd)
    (read,) = YAML(typ="safe", pure=True).load(synthesize.as_yaml(entry))
    assert build_model("f", read, Synthetic) == entry


def test_a_run_never_writes_over_the_file_of_another(tmp_path):
    first = synthesize.file_for(tmp_path, [CELL], "2026-08-03")
    first.touch()
    assert [first.name, synthesize.file_for(tmp_path, [CELL], "2026-08-03").name] == [
        "2026-08-03-billing.yaml",
        "2026-08-03-billing-2.yaml",
    ]
