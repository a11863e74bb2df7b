from pathlib import Path

import pytest

from pipeline import params, schema
from pipeline import tag as stage
from pipeline.errors import InputError
from pipeline.expectations import Tagging
from pipeline.sources import Adversarial, Expert, Regression, Synthetic
from pipeline.yaml_models import build_model
from tests.frames import frame, said

STANDARD = build_model(
    "tagging.yaml",
    {
        "version": "1",
        "dimensions": {
            "category": {"meaning": "what about", "values": ["billing", "returns", "other"], "default": "other",
                "rules": [{"value": "billing", "any": [r"\binvoice"]}, {"value": "returns", "any": ["send .* back", "return"], "none": ["return call"], "confidence": 0.8}]},
            "complexity": {"meaning": "turns", "values": ["single", "multi"], "rules": [{"value": "multi", "min_user_turns": 2}, {"value": "single"}]},
            "outcome": {"meaning": "how it ended", "values": ["resolved", "failed", "refuse"],
                "rules": [{"value": "resolved", "outcome": ["resolved"]}, {"value": "refuse", "outcome": ["refuse"]}, {"value": "failed"}]},
            "risk": {"meaning": "what could go wrong", "values": ["pii", "money"], "multiple": True,
                "rules": [{"value": "pii", "entities": ["PERSON"]}, {"value": "money", "any": ["refund|invoice"]}]},
            "domain": {"meaning": "from a field", "values": ["tax", "law"], "from_metadata": "domain", "rules": [{"value": "law", "any": ["court"]}]},
            "channel": {"meaning": "from the log", "values": ["chat"], "rules": [{"value": "chat", "metadata": {"channel": ["chat"]}}]},
        },
    },
    Tagging,
)  # fmt: skip


def tagged(*rows, given=None):
    pool = frame(schema.POOL, [{"example_id": f"p-{i}", **row} for i, row in enumerate(rows)])
    described = pool.assign(entities=[{span["entity_type"] for span in spans} for spans in pool["spans"]])
    return {
        (r["example_id"], r["dimension"], r["value"]): (r["origin"], r["confidence"])
        for r in stage.tag(described, STANDARD, given or {}).to_dict("records")
    }


def test_the_first_rule_that_holds_gives_the_value():
    tags = tagged({"messages": said("I want to return this and the INVOICE is wrong")})
    assert ("p-0", "category", "billing") in tags
    assert ("p-0", "category", "returns") not in tags


def test_a_rule_s_exclusions_and_confidence_count():
    tags = tagged({"messages": said("please return it")}, {"messages": said("please return call me")})
    assert tags["p-0", "category", "returns"] == ("rule", 0.8)
    assert tags["p-1", "category", "other"] == ("default", 0.0)


def test_a_multiple_dimension_gets_every_value_and_may_have_none():
    span = {"turn": 0, "start": 0, "end": 10, "entity_type": "PERSON", "placeholder": "<PERSON_1>", "letter_case": "title", "form": "full"}
    tags = tagged({"messages": said("<PERSON_1> wants a refund"), "spans": [span]}, {"messages": said("hello")})
    assert {key for key in tags if key[1] == "risk"} == {("p-0", "risk", "pii"), ("p-0", "risk", "money")}


def test_outcome_and_metadata_are_tags_of_the_log():
    tags = tagged({"messages": said("a", "b", "c"), "metadata": {"channel": "chat"}})
    assert tags["p-0", "outcome", "resolved"] == ("log", 1.0)
    assert tags["p-0", "channel", "chat"] == ("log", 1.0)
    assert ("p-0", "complexity", "multi") in tags


def test_a_field_of_the_log_is_the_tag_and_rules_say_the_rest():
    tags = tagged({"messages": said("court"), "metadata": {"domain": "tax"}}, {"messages": said("court")}, {"messages": said("hello")})
    assert tags["p-0", "domain", "tax"] == ("log", 1.0)
    assert tags["p-1", "domain", "law"] == ("rule", 1.0)
    assert [key for key in tags if key[1] == "domain"] == [("p-0", "domain", "tax"), ("p-1", "domain", "law")]


def test_a_field_s_unknown_value_is_refused_and_not_shown():
    with pytest.raises(InputError, match=r"dimensions\.domain\.from_metadata: domain of p-0 is none of tax, law") as told:
        tagged({"messages": said("x"), "metadata": {"domain": "SECRET"}})
    assert "SECRET" not in str(told.value)


def test_a_field_that_never_reaches_the_pool_is_refused():
    wanted = params.load()
    with pytest.raises(InputError, match="domain does not reach the pool"):
        stage.check_metadata(STANDARD, wanted)


def test_a_rule_never_matches_the_name_of_a_placeholder():
    assert ("p-0", "category", "other") in tagged({"messages": said("<INVOICE_1> please")})


def test_what_an_author_gave_stands():
    tags = tagged({"messages": said("my invoice")}, given={"p-0": {"category": ["returns"]}})
    assert [key for key in tags if key[1] == "category"] == [("p-0", "category", "returns")]
    assert tags["p-0", "category", "returns"] == ("author", 1.0)


def test_what_the_target_is_asked_ends_with_the_last_user_turn():
    pool = frame(schema.POOL, [{"example_id": "p-1", "messages": said("one", "two", "three", "four")}])
    (row,) = stage.candidates(pool, "w1").to_dict("records")
    assert [m["content"] for m in row["input"]] == ["one", "two", "three"]
    assert row["response"] == "four"


def test_of_a_conversation_in_two_files_the_earliest_counts():
    found = frame(schema.CANDIDATES, [{"example_id": "p-1", "partition": name, "input": said("x")} for name in ("b", "a")])
    listed = frame(
        schema.PARTITIONS,
        [{"partition": "a", "first": "2026-02-01T00:00:00+00:00"}, {"partition": "b", "first": "2026-01-01T00:00:00+00:00"}],
    )
    assert list(stage.earliest(found, listed)["partition"]) == ["b"]


EXPECT = {"behaviour": "refuse"}
ENTRIES = {
    "expert": [(Path("e.yaml"), Expert(id="e-1", added="2026-01-02", input="Hi", author="Dana", asked="What worries you?", tags={"category": "billing"}, expect=EXPECT))],
    "adversarial": [(Path("a.yaml"), Adversarial(id="a-1", added="2026-01-02", input="Hi", author="Dana", attack="prompt_injection", canary="X1", cycle="2026-Q1", why="w", expect=EXPECT))],
    "synthetic": [
        (Path("s.yaml"), Synthetic(id="s-1", added="2026-01-02", input="Hi", status="pending", method="template:x", fills="all", expect=EXPECT)),
        (Path("s.yaml"), Synthetic(id="s-2", added="2026-01-02", input="Ho", status="approved", approved_by="Dana", method="template:x", fills="all", expect=EXPECT)),
        (Path("s.yaml"), Synthetic(id="s-3", added="2026-01-02", input="Hu", status="rejected", rejected_by="Dana", reason="odd", method="template:x", fills="all", expect=EXPECT)),
    ],
    "regression": [(Path("r.yaml"), Regression(id="p-" + "0" * 16, incident_id="INC-1", reason="refunded twice", flagged_by="Dana", flagged_at="2026-01-03", expect=EXPECT))],
}  # fmt: skip


def test_pending_and_rejected_synthetic_scenarios_are_no_candidates():
    assert sorted(stage.authored(ENTRIES)["example_id"]) == ["a-1", "e-1", "s-2"]


def test_a_flagged_conversation_is_pinned_with_its_incident():
    found = frame(schema.CANDIDATES, [{"example_id": i, "input": said("x")} for i in ("p-" + "0" * 16, "p-1")])
    rows = stage.pin(found, ENTRIES).set_index("example_id")
    assert rows.loc["p-" + "0" * 16, ["source", "incident_id", "reason", "pinned"]].tolist() == [
        "regression",
        "INC-1",
        "refunded twice",
        True,
    ]
    assert rows.loc["p-1", ["source", "pinned"]].tolist() == ["production", False]


def test_a_flagged_conversation_that_the_pool_lacks_is_refused():
    with pytest.raises(InputError, match=r"r\.yaml, p-0{16}: not in the pool"):
        stage.pin(frame(schema.CANDIDATES, []), ENTRIES)


@pytest.mark.parametrize(
    ("tags", "message"), [({"categry": "billing"}, "did you mean 'category'"), ({"category": "biling"}, "did you mean 'billing'")]
)
def test_a_misspelt_tag_of_an_author_is_refused(tags, message):
    entry = ENTRIES["expert"][0][1].model_copy(update={"tags": tags})
    with pytest.raises(InputError, match=f"e.yaml, e-1: .*{message}"):
        stage.given_tags({"expert": [(Path("e.yaml"), entry)]}, STANDARD)


def test_everything_together_has_each_id_once_and_authored_outcome_is_the_expected_behaviour():
    pool = frame(schema.POOL, [{"example_id": "p-" + "0" * 16, "messages": said("x")}])
    part = stage.candidates(pool, "w1"), stage.tag(pool.assign(entities=[set()]), STANDARD, {})
    listed = frame(schema.PARTITIONS, [{"partition": "w1"}, {"partition": "w2", "first": "2026-04-01T00:00:00+00:00"}])
    found, tags = stage.assemble([part, (part[0].assign(partition="w2"), part[1])], listed, ENTRIES, STANDARD)
    assert sorted(found["example_id"]) == ["a-1", "e-1", "p-" + "0" * 16, "s-2"]
    assert not tags.duplicated(["example_id", "dimension", "value"]).any()
    outcome = tags[tags["dimension"] == "outcome"].set_index("example_id")["value"]
    assert outcome["e-1"] == "refuse"
    assert "w2" not in set(found["partition"])


def test_what_is_retired_is_no_candidate_unless_it_was_flagged():
    flagged = "p-" + "0" * 16
    pool = frame(schema.POOL, [{"example_id": i, "messages": said("x")} for i in (flagged, "p-1", "p-2")])
    part = stage.candidates(pool, "w1"), stage.tag(pool.assign(entities=[set()] * 3), STANDARD, {})
    listed = frame(schema.PARTITIONS, [{"partition": "w1"}])
    found, tags = stage.assemble([part], listed, ENTRIES, STANDARD, frozenset({flagged, "p-1"}))
    assert {i for i in found["example_id"] if i.startswith("p-")} == {flagged, "p-2"}
    assert "p-1" not in set(tags["example_id"])
