import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.pii.audit import Allowed, Finding, audit_record, in_example, in_response, leaves, replacements
from tests.frames import said

PLAIN = {
    "source": "production", "input": said("where is it"), "fixtures": "", "canary": "", "spans": [], "surrogates": {},
    "must_include": [], "must_not_include": [], "answer": "", "citations": [],
    "regex": [], "json_schema": "",
}  # fmt: skip


def example(*texts, **columns):
    return {**PLAIN, **({"input": said(*texts)} if texts else {}), **columns}


def found(row, allow_list=()):
    return [(one.kind, one.field) for one in in_example(row, allow_list)]


def test_a_surrogate_is_no_leak_wherever_it_stands():
    text = "call 212-555-0134 now"
    span = {"turn": 0, "start": 5, "end": 17}
    values = {"<PHONE_NUMBER_1>": "212-555-0134"}
    assert found(example(text, spans=[span], surrogates=values)) == []
    assert found(example("x", fixtures='{"phone": "2125550134"}', answer="(212) 555 0134", surrogates=values)) == []
    assert found(example("call 212-555-0134 now")) == [("number", "input")]


@pytest.mark.parametrize(
    ("columns", "finding"),
    [
        ({"input": said("ok", "mail jo at corp dot io", "ok")}, ("email", "input")),
        ({"fixtures": '{"order": {"card": 4539148803436467}}'}, ("card", "fixtures")),
        ({"fixtures": '{"jo@corp.io": []}'}, ("email", "fixtures")),
        ({"must_include": [["yes", "call 415-867-2093"]]}, ("number", "expectation")),
        ({"must_not_include": ["GB29 NWBK 6016 1331 9268 19"]}, ("iban", "expectation")),
        ({"regex": ["call (me|us) at 415-867-2093"]}, ("number", "expectation")),
        ({"json_schema": '{"const": "jo@corp.io"}'}, ("email", "expectation")),
        ({"canary": "415-867-2093", "source": "adversarial"}, ("number", "expectation")),
        ({"answer": "Dear <PERSON_1>"}, ("placeholder", "expectation")),
    ],
)
@pytest.mark.parametrize("source", ["production", "regression", "expert", "adversarial", "synthetic"])
def test_a_leak_is_found_in_every_field_and_source(columns, finding, source):
    assert found(example(**{"source": source, **columns})) == [finding]


def test_halves_around_a_surrogate_do_not_become_one_number_and_half_an_address_is_one():
    span = {"turn": 0, "start": 5, "end": 9}
    assert found(example("1234 Anna 5678", spans=[span])) == []
    assert found(example("jane.Anna@corp.io", spans=[{"turn": 0, "start": 0, "end": 9}])) == [("email", "input")]


def test_reserved_ranges_are_excused_for_authors_and_not_for_logs():
    assert found(example("I am jo@example.com", source="expert")) == []
    assert found(example("I am jo@example.com", source="regression")) == [("email", "input")]


def test_what_the_allow_list_names_is_no_leak():
    assert found(example("call 0800 183 8750 or help@shop.io"), ["0800 183 8750", "help@shop.io"]) == []


def response(answer="", citations=(), tool_calls=""):
    return {"answer": answer, "citations": list(citations), "tool_calls": tool_calls}


def test_a_response_may_say_what_its_example_holds_and_nothing_else():
    asked = example("I am CU-9123456", fixtures='{"order": {"phone": "415-867-2093"}}', must_include=[["0161 850 2197"]])
    assert in_response(response("CU 9123456: 415 867 2093, 01618502197, help@example.com"), asked) == []
    assert in_response(response("call 415 867 2094"), asked) == [Finding("number", "answer")]
    assert in_response(response(tool_calls='[{"arguments": {"id": "CU-9123457"}}]'), asked) == [Finding("number", "tool_calls")]
    assert in_response(response("<PERSON_1>", ["jo@corp.io"]), asked) == [Finding("email", "citations")]


def test_leaves_are_names_texts_and_whole_numbers():
    assert leaves('{"a": [1, 2.5, 3.0, null, "x"]}') == ["a", "1", "3", "x"]
    assert leaves("") == []


def conversation(*texts, fixtures=""):
    return {"messages": said(*texts), "fixtures": fixtures}


def leaks(raw, pooled, hidden=(), allow_list=()):
    is_common = {"will", "premium", "hello"}.__contains__
    found = audit_record(raw, pooled, dict(hidden), Allowed(tuple(allow_list)), is_common)
    return list(dict.fromkeys((one.kind, one.field) for one in found))


def test_a_name_that_was_replaced_may_not_stand_in_another_place():
    raw = ("I am Priya Rao", "Hello PRIYA!")
    assert leaks(conversation(*raw), conversation("I am <PERSON_1>", "Hello <PERSON_1>!")) == []
    assert leaks(conversation(*raw), conversation("I am <PERSON_1>", "Hello PRIYA!")) == [("name", "messages")]
    longer = conversation("I am Priya Rao", "Hello Priyanka!")
    assert leaks(longer, conversation("I am <PERSON_1>", "Hello Priyanka!")) == []


@pytest.mark.parametrize("half", ["Seo-yeon", "O'Rourke", "Þorláksdóttir", "TESSALY"])
def test_half_a_name_beside_the_other_half_s_placeholder_is_a_leak(half):
    for raw, pooled in ((f"Regards,\n{half} Rao", f"Regards,\n{half} <PERSON_1>"), (f"I am Rao {half}.", f"I am <PERSON_1> {half}.")):
        assert leaks(conversation(raw), conversation(pooled)) == [("name", "messages")]
        assert leaks(conversation(raw), conversation(pooled), allow_list=[half]) == []


@pytest.mark.parametrize(
    "pooled", ["Will <PERSON_1>", "Al <PERSON_1>", "told <PERSON_1> umbrasco", "Umbrasco\n<PERSON_1>", "Umbrasco, <PERSON_1>"]
)
def test_common_short_and_small_words_and_those_of_another_line_are_no_half_names(pooled):
    assert leaks(conversation(pooled.replace("<PERSON_1>", "Rao")), conversation(pooled)) == []


@pytest.mark.parametrize(
    ("raw", "pooled", "found"),
    [
        ('{"to":"rao"}', '{"to":"rao"}', [("name", "fixtures")]),
        ('{"to":"Bo Tan","by":"tan"}', '{"by":"tan","to":"<PERSON_2>"}', [("name", "fixtures")]),
        ('{"to":"Bo Tan","by":"tan"}', '{"by":"<PERSON_2>","to":"<PERSON_2>"}', []),
    ],
)
def test_fixtures_are_a_part_of_the_conversation_in_whatever_order_their_fields_are(raw, pooled, found):
    before, after = conversation("I am Priya Rao", fixtures=raw), conversation("I am <PERSON_1>", fixtures=pooled)
    assert leaks(before, after) == found


def test_common_and_short_words_and_allowed_phrases_are_no_names():
    raw, pooled = conversation("I am Will Li", "it will fit, li"), conversation("I am <PERSON_1>", "it will fit, li")
    assert leaks(raw, pooled) == []
    raw, pooled = conversation("I am Jasper", "the Jasper pan"), conversation("I am <PERSON_1>", "the Jasper pan")
    assert leaks(raw, pooled, allow_list=["jasper pan"]) == []
    assert leaks(raw, pooled) == [("name", "messages")]


@pytest.mark.parametrize(
    ("value", "text", "found"),
    [
        ("CU-652835", "my id is cu652835", ["metadata"]),
        ("CU-652835", "my id is cu6528351", ["number"]),
        ("jo.w@corp.io", "write to Jo.W@corp.io", ["metadata", "email"]),
        ("Priya Rao", "priya rao here", ["metadata"]),
        ("abc", "abc", []),
        ("premium", "the premium tent", []),
        ("2026", "since 2026", []),
        ("2026-03-04", "on 2026-03-04", []),
    ],
)
def test_a_metadata_value_that_is_not_kept_may_not_recur(value, text, found):
    assert leaks(conversation(text), conversation(text), {"field": value}) == [(kind, "messages") for kind in found]


def test_every_shape_in_a_pooled_text_is_a_leak_also_in_reserved_ranges():
    text = "jo@example.com, GB29 NWBK 6016 1331 9268 19, 4539 1488 0343 6467, 212-555-0134"
    raw = conversation(text, fixtures='{"phone":4155552671}')
    assert leaks(raw, raw) == [*((kind, "messages") for kind in ("email", "iban", "card", "number")), ("number", "fixtures")]
    assert leaks(raw, raw, allow_list=[text, "4155552671"]) == []
    halves = conversation("call 1234 Anna 5678")
    assert leaks(halves, conversation("call 1234 <PERSON_1> 5678")) == []


TYPES = st.sampled_from(["PERSON", "EMAIL_ADDRESS", "ORDER_ID"])
PIECES = st.lists(st.tuples(st.text(max_size=5), TYPES, st.text(min_size=1, max_size=5)), max_size=5)


@given(PIECES, st.text(max_size=5))
def test_what_was_replaced_is_told_from_the_text_around_it(pieces, end):
    """Where a piece of text recurs inside what was replaced, some of its neighbours may count to it; nothing gets lost."""
    raw = "".join(before + surface for before, _, surface in pieces) + end
    pooled = "".join(f"{before}<{kind}_{place}>" for place, (before, kind, _) in enumerate(pieces)) + end
    told = list(replacements(raw, pooled))
    assert [kind for kind, _ in told] == [kind for _, kind, _ in pieces]
    around = [before for before, _, _ in pieces] + [end]
    assert "".join(before + surface for before, (_, surface) in zip(around, told, strict=False)) + end == raw
    assert all(surface for _, surface in told)


@pytest.mark.parametrize("pooled", ["other", "<PERSON_1>", "I am <PERSON_1>, x", "I <PERSON_1> you <PERSON_2>", "I am Bo <PERSON_1>"])
def test_a_pooled_text_that_is_no_form_of_the_raw_one_is_refused(pooled):
    raw = "" if pooled == "<PERSON_1>" else "I am Bo"
    with pytest.raises(ValueError, match="no form of its raw text"):
        list(replacements(raw, pooled))


def test_the_audit_imports_neither_presidio_nor_a_model():
    script = "import sys, pipeline.pii.audit; print([m for m in sys.modules if m.startswith(('presidio', 'onnx', 'spacy', 'tokenizers'))])"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip() == "[]"
