from pathlib import Path

import pandas as pd
import pytest

from pipeline import label as stage
from pipeline import schema, tables
from pipeline.errors import InputError
from pipeline.expectations import Labeling
from pipeline.identity import content_sha
from pipeline.labeling import expecting, resolving
from pipeline.labeling.reading import read_labels
from pipeline.params import Label
from pipeline.sources import Expect, Expert
from pipeline.yaml_models import build_model
from tests.frames import frame, said


def standard(min_annotators=1, behaviour_rule="consensus", **more):
    text = {"kind": "expectation", "scale": "texts", "criteria": "c", "decision_rule": "approved"}
    return build_model(
        "labeling.yaml",
        {
            "version": "1",
            "changed": "2026-01-01",
            "min_annotators": min_annotators,
            "adjudicators": ["judge"],
            "dimensions": {
                "resolved": {
                    "kind": "judgement",
                    "scale": "nominal",
                    "values": {"yes": "y", "no": "n"},
                    "criteria": "c",
                    "decision_rule": "majority",
                },
                "expected.behaviour": {
                    "kind": "expectation",
                    "scale": "nominal",
                    "values": {"answer": "a", "refuse": "r"},
                    "criteria": "c",
                    "decision_rule": behaviour_rule,
                },
                "expected.must_include": text,
                "expected.citations": {**text, "decision_rule": "any_of"},
                **more,
            },
        },
        Labeling,
    )


def candidates(*ids, **columns):
    return frame(schema.CANDIDATES, [{"example_id": i, "input": said("x"), **columns} for i in ids])


def labels(*rows):
    """Rows of (example_id, dimension, value, annotator)."""
    return frame(schema.LABELS, [dict(zip(("example_id", "dimension", "value", "annotator"), row, strict=True)) for row in rows])


def resolve(rows, min_annotators=1, rule="consensus", found=None):
    agreed, open_ = resolving.resolve(labels(*rows), candidates("p-1", "p-2") if found is None else found, standard(min_annotators, rule))
    return (
        {(r["example_id"], r["dimension"]): r["value"] for r in agreed.to_dict("records")},
        {(r["example_id"], r["dimension"]): (r["why"], r["values"]) for r in open_.to_dict("records")},
    )


B = "expected.behaviour"


def test_annotators_who_agree_make_an_agreed_value():
    assert resolve([("p-1", B, "refuse", "a"), ("p-1", B, "refuse", "b")], 2) == ({("p-1", B): "refuse"}, {})


def test_a_disagreement_waits_with_both_values():
    assert resolve([("p-1", B, "refuse", "a"), ("p-1", B, "answer", "b")]) == ({}, {("p-1", B): ("disagreement", "refuse | answer")})


def test_one_annotator_is_too_few_where_two_are_needed():
    assert resolve([("p-1", B, "refuse", "a")], 2) == ({}, {("p-1", B): ("too_few_annotators", "refuse")})


def test_a_majority_decides_where_the_standard_says_so_and_a_tie_does_not():
    three = [("p-1", B, "refuse", "a"), ("p-1", B, "answer", "b"), ("p-1", B, "answer", "c")]
    assert resolve(three, rule="majority")[0] == {("p-1", B): "answer"}
    assert resolve(three[:2], rule="majority")[1] == {("p-1", B): ("disagreement", "refuse | answer")}


def test_an_adjudicator_decides():
    assert resolve([("p-1", B, "refuse", "a"), ("p-1", B, "answer", "b"), ("p-1", B, "refuse", "judge")])[0] == {("p-1", B): "refuse"}


def test_any_of_joins_what_annotators_found():
    assert resolve([("p-1", "expected.citations", "a.md | b.md", "a"), ("p-1", "expected.citations", "b.md | c.md", "b")])[0] == {
        ("p-1", "expected.citations"): "a.md | b.md | c.md"
    }


def test_the_queue_never_shows_free_text():
    assert resolve([("p-1", "expected.must_include", "secret one", "a"), ("p-1", "expected.must_include", "secret two", "b")])[1] == {
        ("p-1", "expected.must_include"): ("disagreement", "2 texts")
    }


def test_a_label_of_another_text_is_stale_and_counts_for_nothing():
    assert resolve([("p-1", B, "refuse", "a")], found=candidates("p-1", text_sha="changed")) == ({}, {("p-1", B): ("stale_text", "refuse")})


def test_a_label_that_names_a_placeholder_is_stale_when_the_placeholder_is_gone():
    span = {"turn": 0, "start": 0, "end": 12, "entity_type": "ORDER_ID", "placeholder": "<ORDER_ID_1>", "letter_case": "upper", "form": ""}
    row = ("p-1", "expected.must_include", "<ORDER_ID_1>", "a")
    assert resolve([row], found=candidates("p-1", spans=[span]))[0] == {("p-1", "expected.must_include"): "<ORDER_ID_1>"}
    assert resolve([row])[1] == {("p-1", "expected.must_include"): ("stale_text", "<ORDER_ID_1>")}


def test_a_label_of_an_example_that_is_gone_is_counted_and_not_used():
    agreed, open_ = resolving.resolve(labels(("p-9", B, "refuse", "a")), candidates("p-1"), standard())
    assert len(agreed) == len(open_) == 0
    found = (agreed, open_, tables.empty(schema.EXPECTATIONS))
    told = stage.figures(labels(("p-9", B, "refuse", "a")), candidates("p-1"), tables.empty(schema.TAGS), found, standard(), Label())
    assert told["unknown_examples"] == 1
    assert "1 labels name examples that are not in the pool" in stage.line(told)


def expectations(rows, entries=None):
    agreed, open_ = resolving.resolve(labels(*rows), candidates("p-1", "p-2"), standard())
    return expecting.expected(agreed, open_, entries or {}).set_index("example_id")


def test_wordings_and_items_of_a_label_become_lists():
    row = expectations([("p-1", "expected.must_include", "90 days / ninety days | original box", "a"), ("p-1", B, "answer", "a")]).loc[
        "p-1"
    ]
    assert row["must_include"] == [["90 days", "ninety days"], ["original box"]]
    assert row["expected_behaviour"] == "answer"


def test_an_example_with_an_open_expectation_is_held_back_whole():
    rows = [("p-1", B, "answer", "a"), ("p-1", "expected.must_include", "x", "a"), ("p-1", "expected.must_include", "y", "b")]
    assert "p-1" not in expectations(rows).index


def test_a_judgement_alone_is_no_expectation():
    assert "p-1" not in expectations([("p-1", "resolved", "yes", "a")]).index


def test_an_author_s_expectation_is_one():
    entry = Expert(
        id="e-1",
        added="2026-01-02",
        input="Hi",
        author="Dana Whitfield (returns)",
        asked="?",
        expect=Expect(must_include=["a", ["b", "c"]]),
    )
    row = expectations([], {"expert": [(Path("e.yaml"), entry)]}).loc["e-1"]
    assert row["must_include"] == [["a"], ["b", "c"]]
    assert row["agreed_by"] == "Dana_Whitfield"


def test_the_queue_proposes_failures_first_and_no_more_than_it_may():
    found = frame(schema.CANDIDATES, [{"example_id": f"p-{i}", "input": said("x"), "failed": i == 7} for i in range(9)])
    waiting = stage.queue(tables.empty(schema.QUEUE), tables.empty(schema.EXPECTATIONS), found, 1, 0)
    assert waiting[["example_id", "why"]].to_dict("records") == [{"example_id": "p-7", "why": "unlabelled"}]


def test_what_a_refresh_wants_is_labelled_before_failures():
    found = frame(schema.CANDIDATES, [{"example_id": f"p-{i}", "input": said("x"), "failed": i == 7} for i in range(9)])
    waiting = stage.queue(tables.empty(schema.QUEUE), tables.empty(schema.EXPECTATIONS), found, 2, 0, frozenset({"p-3"}))
    assert dict(zip(waiting["example_id"], waiting["why"], strict=True)) == {"p-3": "wanted", "p-7": "unlabelled"}


HEADER = ",".join(schema.LABELS.names)
LATER = ("must_include", *expecting.LATER)
TEXT = {"kind": "expectation", "scale": "text", "criteria": "c", "decision_rule": "approved"}


def labelled(**values):
    agreed = pd.DataFrame([{"example_id": "p-1", "dimension": f"expected.{k}", "value": v, "agreed_by": "a"} for k, v in values.items()])
    return expecting.expected(agreed, tables.empty(schema.QUEUE), {}).set_index("example_id").loc["p-1"]


def test_labels_say_how_a_reference_answer_is_compared():
    row = labelled(
        answer="20 degrees", answer_match="numeric", answer_tolerance="0.5", regex=r"\d+ | degrees", json_schema='{"type":"string"}'
    )
    assert (row["answer_match"], row["answer_tolerance"], row["regex"]) == ("numeric", 0.5, [r"\d+", "degrees"])
    assert row["json_schema"] == '{"type":"string"}'


def test_labels_that_do_not_fit_together_are_refused_by_example():
    with pytest.raises(InputError, match=r"data/labels: the labels of p-1 do not fit together: expected\.answer: holds no number"):
        labelled(answer="soon", answer_match="numeric")


def test_kinds_of_expectation_that_came_later_change_no_hash_where_they_are_not_given():
    assert labelled(behaviour="answer")["expectation_sha"] == content_sha(
        {"expected_behaviour": "answer", "must_include": [], "must_not_include": [], "answer": "", "citations": []}
    )
    plain, exact = labelled(answer="x"), labelled(answer="x", answer_match="exact")
    assert plain["expectation_sha"] != exact["expectation_sha"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["p-1,resolvd,yes,a,2026-01-01,1,t,"], r"line 2: dimension: .*did you mean 'resolved'\?"),
        (
            ["p-1,resolved,yes,a,2026-01-01,1,t,", 'p-2,resolved,maybe,a,2026-01-01,1,t,"two\nlines"'],
            "line 3: value: not one of yes, no for resolved",
        ),
        (
            ["p-1,resolved,yes,a,2026-01-01,1,t,", "p-1,resolved,no,a,2026-01-01,1,t,"],
            r"line 3: a labelled resolved of p-1 before on that day \(.*line 2\); keep one",
        ),
        (["p-1,expected.must_include, ,a,2026-01-01,1,t,"], "line 2: value: empty"),
        (["p-1,expected.regex,(open,a,2026-01-01,1,t,"], r"line 2: value: not a regular expression: missing \) at position 5"),
        (["p-1,expected.json_schema,{,a,2026-01-01,1,t,"], "line 2: value: not JSON"),
        (["p-1,expected.answer_match,fuzzy,a,2026-01-01,1,t,"], "line 2: value: not one of contains, exact, normalised, numeric"),
        (["p-1,expected.answer_tolerance,some,a,2026-01-01,1,t,"], "line 2: value: expected a number such as 0.5"),
        (["p-1,expected.answer_tolerance,nan,a,2026-01-01,1,t,"], "line 2: value: expected a number from 0 on"),
        (["p-1,expected.must_include,90 days /  / a month,a,2026-01-01,1,t,"], "line 2: value: holds an entry without words"),
        (["p-1;resolved;yes"], "not readable as CSV"),
        (["p-1,resolved,yes,a,3 May,1,t,"], "line 2: labelled_at: expected a date such as 2026-03-31"),
        (["p-1,resolved,yes,a b,2026-01-01,1,t,"], "line 2: annotator: expected a name without blanks"),
        (["p-1,resolved,yes,a,2026-01-01,7,t,"], "line 2: standard_version: 7: not in the changelog .* known: 1"),
    ],
)
def test_a_label_that_does_not_fit_is_refused_with_its_line(lines, message, tmp_path):
    (tmp_path / "l.csv").write_text("\n".join([HEADER, *lines]) + "\n")
    with pytest.raises(InputError, match=message):
        read_labels(tmp_path, standard(**{f"expected.{name}": TEXT for name in LATER}))


def test_a_byte_order_mark_does_no_harm(tmp_path):
    (tmp_path / "l.csv").write_bytes(b"\xef\xbb\xbf" + HEADER.encode() + b"\np-1,resolved,yes,a,2026-01-01,1,t,\n")
    assert len(read_labels(tmp_path, standard())) == 1


def test_a_behaviour_that_no_target_can_show_is_refused():
    with pytest.raises(InputError, match="unknown behaviour dance"):
        standard(
            **{B: {"kind": "expectation", "scale": "nominal", "values": {"dance": "d"}, "criteria": "c", "decision_rule": "consensus"}}
        )


# ---- texts that another approves, and standards that change


M = "expected.must_include"


def test_a_text_of_one_waits_for_another_to_approve_it():
    assert resolve([("p-1", M, "90 days", "a")], 2) == ({}, {("p-1", M): ("not_approved", "1 text")})
    assert resolve([("p-1", M, "90 days", "a"), ("p-1", M, "90 days", "b")], 2)[0] == {("p-1", M): "90 days"}


def dated(*rows):
    """Rows of (dimension, value, annotator, labelled_at, standard_version, note)."""
    names = ("dimension", "value", "annotator", "labelled_at", "standard_version", "note")
    return frame(schema.LABELS, [{"example_id": "p-1", **dict(zip(names, row, strict=True))} for row in rows])


def changed(dimension="resolved"):
    """A standard of two versions; `dimension` means something else since the second."""
    plain = standard(2).model_dump()
    log = [{"version": v, "changed": day, "what": "w"} for v, day in (("1", "2026-01-01"), ("2", "2026-03-01"))]
    plain["dimensions"][dimension]["version"] = "2"
    return build_model("labeling.yaml", plain | {"version": "2", "changed": "2026-03-01", "changelog": log}, Labeling)


OLD = [("resolved", "yes", "a", "2026-01-02", "1", "n1"), ("resolved", "yes", "b", "2026-01-03", "1", "")]


def test_a_value_of_an_older_meaning_is_used_and_listed_until_it_is_labelled_anew():
    def settled(*rows):
        agreed, open_ = resolving.resolve(dated(*rows), candidates("p-1"), changed())
        return [*agreed["value"]], [*open_["why"]]

    assert settled(*OLD) == (["yes"], ["stale_standard"])
    new = [("resolved", "no", "a", "2026-04-01", "2", ""), ("resolved", "no", "b", "2026-04-01", "2", "")]
    assert settled(*OLD, new[0]) == (["yes"], ["stale_standard"]), "one new label decides nothing yet"
    assert settled(*OLD, *new) == (["no"], [])
    assert settled(*OLD[:1]) == ([], ["stale_standard"])


def test_a_changed_expectation_holds_no_example_back():
    agreed, open_ = resolving.resolve(
        dated(*((B, value, who, "2026-01-02", "1", "") for value, who in (("answer", "a"), ("answer", "b")))), candidates("p-1"), changed(B)
    )
    assert list(open_["why"]) == ["stale_standard"]
    assert list(expecting.expected(agreed, open_, {})["example_id"]) == ["p-1"]


def test_a_disagreement_waits_with_both_notes_and_the_criteria_it_touches():
    rows = [(B, "answer", "a", "2026-01-02", "1", "the page says it"), (B, "refuse", "b", "2026-01-02", "1", "against the rules")]
    open_ = resolving.resolve(dated(*rows), candidates("p-1"), standard(2))[1]
    assert open_[["why", "values", "notes", "criteria"]].to_dict("records") == [
        {
            "why": "disagreement",
            "values": "answer | refuse",
            "notes": "the page says it | against the rules",
            "criteria": "answer: a | refuse: r",
        }
    ]


def test_the_last_label_of_an_annotator_decides():
    rows = [(B, "answer", "a", "2026-01-02", "1", ""), (B, "refuse", "b", "2026-01-02", "1", ""), (B, "answer", "b", "2026-02-02", "1", "")]
    agreed, open_ = resolving.resolve(dated(*rows), candidates("p-1"), standard(2))
    assert (list(agreed["value"]), len(open_)) == (["answer"], 0)


def test_labels_are_counted_by_dimension_with_agreement_per_version_and_adjudicators_left_out():
    rows = [*OLD, ("resolved", "no", "judge", "2026-04-02", "2", "")]
    found = dated(*rows)
    tags = frame(schema.TAGS, [])
    settled = resolving.resolve(found, candidates("p-1"), changed())
    told = stage.figures(
        found, candidates("p-1"), tags, (*settled, tables.empty(schema.EXPECTATIONS)), changed(), Label(min_examples=2, resamples=5)
    )
    of = told["dimensions"]["resolved"]
    assert (of["labelled"], of["agreed"], of["open"], of["agreement"]) == (1, 1, {}, {"n": 0})
    assert of["versions"] == {}, "one example is too few to show"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"version": "3"}, "changelog: expected its last entry to be version 3, changed 2026-03-01"),
        ({"dimensions": {"resolved": {"version": "9"}}}, "dimensions.resolved.version: 9 is not in the changelog; known: 1, 2"),
        (
            {"dimensions": {"resolved": {"boundary_cases": [{"input": "i", "value": "perhaps", "because": "b"}]}}},
            "dimensions.resolved: a worked example has the value perhaps; known: yes, no",
        ),
    ],
)
def test_a_standard_that_contradicts_itself_is_one_line(changes, says):
    plain = changed().model_dump()
    for name, of in changes.get("dimensions", {}).items():
        plain["dimensions"][name] |= of
    with pytest.raises(InputError, match=says):
        build_model("labeling.yaml", plain | {"version": changes.get("version", "2")}, Labeling)


def test_an_unknown_annotator_is_refused_with_the_nearest_name(tmp_path):
    (tmp_path / "l.csv").write_text(f"{HEADER}\np-1,resolved,yes,amaraa,2026-01-01,1,t,\n")
    known = standard().model_copy(update={"annotators": ["amara", "bjorn"]})
    with pytest.raises(InputError, match=r"line 2: annotator: amaraa is not in expectations/labeling\.yaml; did you mean 'amara'\?"):
        read_labels(tmp_path, known)


@pytest.mark.parametrize(("separator", "name"), [(";", "semicolons"), ("\t", "tabs")])
def test_another_separator_is_named(separator, name, tmp_path):
    (tmp_path / "l.csv").write_text(HEADER.replace(",", separator) + "\n")
    with pytest.raises(InputError, match=f"l.csv, line 1: separated by {name}; save it as CSV with commas, in UTF-8"):
        read_labels(tmp_path, standard())
