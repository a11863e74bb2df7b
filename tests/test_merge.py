import json
import re

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import merge as stage
from pipeline import schema, tables
from pipeline.errors import InputError
from pipeline.expectations import Contract, Coverage, Tagging
from pipeline.params import Merge
from tests.frames import frame, said

COVERAGE = {"version": "1", "dimensions": {"tone": {"calm": {"cost": 1}, "angry": {"cost": 4}}}}
CONTRACT = Contract.model_validate(
    {
        "version": "1",
        "decision": {"kind": "ship", "question": "?", "cost_of_shipping_bad": 9, "cost_of_blocking_good": 1},
        "scope": {"answer": {"counts": True, "correct": "right"}},
        "clauses": [{"name": "overall", "at_least": 0.5, "why": "because"}],
    }
)
TAGGING = Tagging.model_validate({"version": "1", "dimensions": {"tone": {"meaning": "how", "values": ["calm", "angry", "sad"]}}})
WORDS = [
    "apple",
    "brook",
    "cedar",
    "delta",
    "ember",
    "flint",
    "grove",
    "heath",
    "iris",
    "jade",
    "kelp",
    "lotus",
    "maple",
    "north",
    "olive",
    "pearl",
    "quartz",
    "river",
    "stone",
    "thorn",
    "umber",
    "violet",
    "willow",
    "yarrow",
    "zinnia",
]


def sentence(number):
    """A text that is no near-duplicate of any other number's."""
    return " ".join(WORDS[(number * step + step) % len(WORDS)] + str(chr(97 + number % 26)) for step in range(3, 12))


def settings_(**changes):
    plain = {"size": 10, "ratios": {"production": 0.6, "expert": 0.4}, "stratify_by": ["tone"], "near_duplicate": 0.8, "seed": 1}
    return Merge.model_validate({**plain, **changes})


def candidates(production=20, expert=10, **columns):
    rows = [{"example_id": f"p-{i:02}", "input": said(sentence(i)), **columns} for i in range(production)]
    rows += [
        {"example_id": f"e-{i:02}", "input": said(sentence(100 + i)), "source": "expert", "inclusion_weight": 0.0} for i in range(expert)
    ]
    return frame(schema.CANDIDATES, rows)


def tags_of(found):
    return frame(
        schema.TAGS,
        [{"example_id": i, "dimension": "tone", "value": "angry" if int(i[-1]) % 3 == 0 else "calm"} for i in found["example_id"]],
    )


def selection(found, released=None, coverage=COVERAGE, **changes):
    released = tables.empty(schema.MEMBERS) if released is None else released
    production = found[found["source"].isin(["production", "regression"])]
    standards = stage.Standards(Coverage.model_validate(coverage), CONTRACT, TAGGING)
    return stage.select(found, tags_of(found), standards, production, released, settings_(**changes))


def select(found, released=None, **changes):
    return selection(found, released, **changes).members.sort_values("example_id").reset_index(drop=True)


def test_the_ratios_are_met_exactly_and_every_member_has_a_reason():
    members = select(candidates())
    assert members["source"].value_counts().to_dict() == {"production": 6, "expert": 4}
    assert (members["reason"] != "").all()
    assert set(members["since"]) == {"unreleased"}
    assert set(members["slices"]) <= {"tone=angry", "tone=calm"}


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_same_candidates_in_any_order_give_the_same_members(random):
    found = candidates()
    order = list(range(len(found)))
    random.shuffle(order)
    assert select(found.iloc[order].reset_index(drop=True)).equals(select(found))


def test_the_reason_names_a_slice_and_the_draw():
    assert select(candidates())["reason"].str.fullmatch(r"(needed for tone=(calm|angry)|for its source's share), drawn at 0\.\d{3}").all()


def test_failures_are_in_as_production_has_them_or_as_said():
    found = candidates()
    found["failed"] = [i.startswith("p-") and int(i[2:]) < 10 for i in found["example_id"]]
    failed = set(found.loc[found["failed"], "example_id"])
    assert len(failed & set(select(found)["example_id"])) == 3
    assert len(failed & set(select(found, failure_share=0.0)["example_id"])) == 0


def test_figures_say_what_is_wanted_and_what_is_lacking():
    coverage = {"version": "1", "dimensions": {"tone": {"calm": {}, "angry": {"cost": 4, "target": 9}}}}
    figures = selection(candidates(production=6, expert=4), coverage=coverage).coverage
    angry = figures["slices"]["tone"]["angry"]
    assert (angry["wanted"], angry["have"], angry["shortfall"], angry["cost_weighted_shortfall"]) == (9, 4, 5, 20.0)
    assert figures["total"]["size"] == 10
    assert figures["allocation"]["method"] == "program"


def test_an_impossible_slice_that_occurs_is_one_line():
    with pytest.raises(InputError, match=r"coverage\.yaml: impossible: 'tone=angry' occurs, 12 candidates have it, such as e-00"):
        select(candidates(), coverage=COVERAGE | {"impossible": ["tone=angry"]})


def test_a_value_without_a_place_in_coverage_is_one_line():
    with pytest.raises(InputError, match=r"dimensions\.tone: 'angry' is not here and 12 candidates have it.*add it with its cost"):
        select(candidates(), coverage={"version": "1", "dimensions": {"tone": {"calm": {}}}})


def pinned(found, incidents):
    """`found` with candidates flagged: example id to incident."""
    flagged = found["example_id"].isin(list(incidents))
    return found.assign(
        pinned=flagged,
        source=found["source"].where(~flagged, "regression"),
        incident_id=found["example_id"].map(incidents).fillna(""),
    )


def test_a_flagged_failure_is_never_dropped_and_counts_as_production():
    members = select(pinned(candidates(), {"p-03": "INC-1"})).set_index("example_id")
    assert members.loc["p-03", ["source", "reason"]].tolist() == ["regression", "pinned: incident INC-1"]
    assert members["source"].value_counts().to_dict() == {"production": 5, "expert": 4, "regression": 1}


def test_one_incident_is_one_example():
    members = select(pinned(candidates(), {"p-03": "INC-1", "p-04": "INC-1"}))
    assert (members["source"] == "regression").sum() == 1
    assert not members["example_id"].isin(["p-04"]).any()


def test_the_dataset_grows_rather_than_drop_a_pinned_example():
    members = select(pinned(candidates(), {f"p-{i:02}": f"INC-{i}" for i in range(4)}), max_pinned_share=0.25)
    assert len(members) == 16
    assert (members["source"] == "regression").sum() == 4


def test_near_duplicates_are_dropped_across_sources_and_pinned_ones_stay():
    found = candidates(production=8, expert=4)
    twin = found.index[found["example_id"] == "p-00"][0]
    found.at[twin, "input"] = said(sentence(100).upper())
    with pytest.raises(InputError, match="production is 1 short of 8"):
        select(found, size=12, ratios={"production": 8 / 12, "expert": 4 / 12})
    members = select(pinned(found, {"p-00": "INC-1"}), size=11, ratios={"production": 8 / 11, "expert": 3 / 11})
    assert "p-00" in set(members["example_id"])
    assert "e-00" not in set(members["example_id"])


def test_a_shortfall_says_what_to_do_next():
    with pytest.raises(
        InputError, match=r"params\.yaml: merge: production is 4 short of 6; label 4 more conversations.*label_queue\.csv.*scale or fill"
    ):
        select(candidates(production=2))


def test_members_of_the_last_release_stay_with_reason_and_release():
    found = candidates()
    released = frame(schema.MEMBERS, [{"example_id": i, "reason": "why then", "since": "1.0.0"} for i in ("p-16", "p-19")])
    members = select(found, released).set_index("example_id")
    assert members.loc["p-16", ["reason", "since"]].tolist() == ["why then", "1.0.0"]
    assert "p-19" in members.index


def test_control_is_drawn_by_weight_from_production_alone():
    found = candidates(production=200, expert=50)
    found["inclusion_weight"] = [100.0 if i in {"p-07", "p-08"} else 1.0 for i in found["example_id"]]
    drawn = [set(stage.control(found, 20, seed)["example_id"]) for seed in range(60)]
    assert all(len(sample) == 20 and all(i.startswith("p-") for i in sample) for sample in drawn)
    assert sum("p-07" in sample for sample in drawn) > 50
    assert sum("p-09" in sample for sample in drawn) < 20


def build(rows, expectations):
    found = frame(schema.CANDIDATES, rows)
    members = frame(schema.MEMBERS, [{"example_id": row["example_id"]} for row in rows])
    tags = frame(schema.TAGS, [{"example_id": rows[0]["example_id"], "dimension": "risk", "value": value} for value in ("pii", "money")])
    return stage.build(members, found, tags, frame(schema.EXPECTATIONS, expectations), Anonymize)


class Anonymize:
    """The one thing of params.anonymize that merge reads."""

    recognizers = ()


SPAN = {"turn": 0, "start": 5, "end": 15, "entity_type": "PERSON", "placeholder": "<PERSON_1>", "letter_case": "lower", "form": "given"}


def test_a_surrogate_is_the_same_in_text_fixtures_and_expectation():
    row = {"example_id": "p-1", "input": said("I am <PERSON_1>"), "spans": [SPAN], "fixtures": '{"name":"<PERSON_1>"}'}
    (example,) = build([row], [{"example_id": "p-1", "must_include": [["<PERSON_1>"]]}]).to_dict("records")
    name = dict(example["surrogates"])["<PERSON_1>"]
    assert example["input"][0]["content"] == f"I am {name.split()[0].lower()}"
    assert example["fixtures"] == f'{{"name":"{name}"}}'
    assert example["must_include"] == [[name]]
    (span,) = example["spans"]
    assert example["input"][0]["content"][span["start"] : span["end"]] == name.split()[0].lower()


def test_several_values_of_a_dimension_are_joined():
    (example,) = build([{"example_id": "p-1", "input": said("x")}], [{"example_id": "p-1"}]).to_dict("records")
    assert dict(example["tags"]) == {"risk": "money+pii"}


def test_examples_of_one_incident_are_one_cluster():
    rows = [{"example_id": f"p-{i}", "input": said("x"), "incident_id": incident} for i, incident in enumerate(["INC-1", ""])]
    examples = build(rows, [{"example_id": f"p-{i}"} for i in range(2)])
    assert list(examples["cluster"]) == ["INC-1", "p-1"]


def test_what_the_target_is_asked_has_its_own_hash():
    rows = [
        {"example_id": f"p-{i}", "input": said("x"), "fault": fault, "fixtures": fixtures}
        for i, (fault, fixtures) in enumerate([("", ""), ("timeout", ""), ("", '{"a":1}')])
    ]
    examples = build(rows, [{"example_id": f"p-{i}"} for i in range(3)])
    assert examples["input_sha"].nunique() == 3
    assert examples["expectation_sha"].nunique() == 1


def test_a_placeholder_in_a_pattern_or_a_schema_is_the_surrogate_and_nothing_more():
    wanted = {
        "example_id": "p-1",
        "regex": [r"^<URL_1>$"],
        "json_schema": '{"const":"<PERSON_1>"}',
        "answer": "<PERSON_1>",
        "answer_match": "exact",
    }
    (example,) = build([{"example_id": "p-1", "input": said("x")}], [wanted]).to_dict("records")
    values = dict(example["surrogates"])
    assert re.search(example["regex"][0], values["<URL_1>"])
    assert not re.search(example["regex"][0], values["<URL_1>"].replace(".", "x"))
    assert json.loads(example["json_schema"]) == {"const": values["<PERSON_1>"]}
    (line,) = stage.readable(pd.DataFrame([example]), frame(schema.MEMBERS, [{"example_id": "p-1"}]))
    assert line["expect"]["json_schema"] == {"const": example["answer"]}
    assert line["expect"]["answer_match"] == "exact"


def test_the_readable_form_leaves_out_what_is_empty():
    examples = build([{"example_id": "p-1", "input": said("x")}], [{"example_id": "p-1", "expected_behaviour": "refuse"}])
    (line,) = stage.readable(examples, frame(schema.MEMBERS, [{"example_id": "p-1", "reason": "why"}]))
    assert list(line) == ["example_id", "source", "reason", "tags", "input", "expect"]
    assert line["expect"] == {"behaviour": "refuse"}
