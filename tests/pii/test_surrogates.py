import re

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.pii.entities import ENTITIES
from pipeline.pii.shapes import RESERVED_HOST
from pipeline.pii.spans import Placed, written
from pipeline.pii.surrogates import render, render_plain, surrogates

PATTERNS = {"ORDER_ID": "HL-9#####"}


def test_every_type_comes_from_its_reserved_range():
    values = surrogates("p-1", [f"<{kind}_1>" for kind in [*ENTITIES, "ORDER_ID", "NEW_TYPE"]], PATTERNS)
    shapes = {
        "EMAIL_ADDRESS": r"[a-z.0-9]+@example\.(com|net|org)",
        "PHONE_NUMBER": r"\d{3}-555-01\d\d",
        "GOVERNMENT_ID": r"000-\d\d-\d{4}",
        "IP_ADDRESS": r"192\.0\.2\.\d+",
        "MAC_ADDRESS": r"00:00:5E:00:53:[0-9A-F]{2}",
        "ORDER_ID": r"HL-9\d{5}",
        "PERSON": r"\S+ \S+",
        "ZIP_CODE": r"00\d{3}",
        "URL": r"https://example\.(com|net|org)/.+",
    }
    for kind, shape in shapes.items():
        assert re.fullmatch(shape, values[f"<{kind}_1>"]), kind
    assert all(values.values())


def test_a_mail_address_is_its_owner_s():
    values = surrogates("p-1", ["<EMAIL_ADDRESS_1>", "<PERSON_1>"], {})
    assert values["<EMAIL_ADDRESS_1>"].split("@")[0] == ".".join(re.findall("[a-z]+", values["<PERSON_1>"].lower()))


@settings(max_examples=25, deadline=None)
@given(st.text(min_size=1, max_size=5), st.sets(st.integers(1, 9), min_size=2))
def test_surrogates_depend_on_example_and_placeholder_and_no_two_are_alike(example_id, numbers):
    wanted = [f"<{kind}_{number}>" for kind in ("PERSON", "CREDIT_CARD", "CITY", "EMAIL_ADDRESS") for number in list(numbers)[:6]]
    values = surrogates(example_id, wanted, {})
    assert values == surrogates(example_id, wanted[::-1], {})
    assert len(set(values.values())) == len(values)


def test_a_surrogate_takes_letter_case_and_form_of_what_it_stands_for():
    values = {"<PERSON_1>": "Ana Bell"}
    text = "<PERSON_1>|<PERSON_1>|<PERSON_1>|<PERSON_1>"
    spans = [
        Placed(11 * i, 11 * i + 10, "PERSON", "<PERSON_1>", *how)
        for i, how in enumerate([("lower", "full"), ("upper", "given"), ("title", "family"), ("mixed", "full")])
    ]
    done = render([text], [spans], values)
    assert done.texts == ["ana bell|ANA|Bell|Ana Bell"]
    assert [done.texts[0][one.start : one.end] for one in done.spans[0]] == ["ana bell", "ANA", "Bell", "Ana Bell"]


def test_what_a_customer_typed_that_looks_like_a_placeholder_stays_where_no_span_says_otherwise():
    assert render(["<PERSON_1>"], [[]], {"<PERSON_1>": "Ana"}).texts == ["<PERSON_1>"]
    assert render_plain('{"name":"<PERSON_1>","n":"<CITY_1>"}', {"<PERSON_1>": "Ana"}) == '{"name":"Ana","n":"<CITY_1>"}'


def test_an_author_s_placeholders_are_spans():
    (found,) = written([{"role": "user", "content": "I am <PERSON_1> of <CITY_2>"}])
    assert [(one.placeholder, one.form) for one in found] == [("<PERSON_1>", "full"), ("<CITY_2>", "")]


def test_what_is_redacted_reads_as_blacked_out_and_what_is_hashed_as_an_invented_value():
    made = surrogates("p-1", ["<PERSON_0>", "<CITY_0>", "<EMAIL_ADDRESS_48151623422>"], {})
    assert (made["<PERSON_0>"], made["<CITY_0>"]) == ("[redacted]", "[redacted]")
    assert RESERVED_HOST.search(made["<EMAIL_ADDRESS_48151623422>"])
