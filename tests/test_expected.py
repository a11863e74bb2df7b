import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.expected import numbers, problem, schema_text, validator


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1,250.00", ["1250"]),
        ("1.250,00", ["1250"]),
        ("1'250 or 1\u202f250", ["1250", "1250"]),
        ("1,250", ["1250"]),
        ("4,95 and 4.95", ["4.95", "4.95"]),
        ("0,125", ["0.125"]),
        ("1.000.000", ["1000000"]),
        ("version 1.2.3 of 31.12.2026", []),
        ("-5 °C, $-5, -$5, −5", ["-5", "-5", "-5", "-5"]),
        ("3-5 days, E-1042, 2026-03-01", ["3", "5", "1042", "2026", "3", "1"]),
        ("٤٢", ["42"]),
        ("50 m² or ½", ["50"]),
        ("", []),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, found: list[str]) -> None:
    assert numbers(text) == [Decimal(one) for one in found]


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=2))
def test_a_number_written_with_thousands_and_two_digits_is_read_back(number: Decimal) -> None:
    assert numbers(f"It is {number:,.2f} EUR") == [number]
    assert numbers(f"{number:,.2f}".translate({ord(","): ".", ord("."): ","})) == [number]


@given(st.text())
def test_no_text_breaks_the_reading_of_numbers(text: str) -> None:
    assert all(number.is_finite() for number in numbers(text))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"answer": "42", "answer_match": "numeric", "answer_tolerance": 0.5},
        {"answer": "...", "answer_match": "exact"},
        {"regex": [r"^\d+$"], "json_schema": '{"type":"object"}', "must_include": [["a", "b"]]},
    ],
)
def test_what_can_be_judged_has_no_problem(fields: dict[str, Any]) -> None:
    assert problem(fields) == ""


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ("[]", "expected an object with keys"),
        ("{}", "expected an object with keys"),
        ('{"properties":{"a":{"type":"txt"}}}', r"not a JSON schema \(at \$.properties.a.type\)"),
        ('{"pattern":"("}', "not a JSON schema"),
        ('{"anyOf":[{"$ref":"other.json"}]}', "refers to other.json"),
    ],
)
def test_what_is_no_schema_or_reaches_outside_itself_is_refused(schema: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        validator(schema)


def test_a_schema_is_stored_as_the_same_text_however_its_keys_are_ordered() -> None:
    assert schema_text({"type": "object", "required": ["a"]}) == schema_text({"required": ["a"], "type": "object"})
    assert json.loads(schema_text({"const": "ü"})) == {"const": "ü"}
    with pytest.raises(ValueError, match="holds what JSON cannot say"):
        schema_text({"const": object()})
