import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.pii import surrogates
from pipeline.pii.shapes import RESERVED_HOST, Known, emails_in, ibans_in, kinds_in, known_from, luhn, numbers_in


@pytest.mark.parametrize(
    ("text", "email"),
    [
        ("write to Jo@Corp.io.", "jo@corp.io"),
        ("o.k@inbox,corp,org", "o.k@inbox.corp.org"),
        ("jo @ corp . com", "jo@corp.com"),
        ("jo at corp dot com", "jo@corp.com"),
        ("jo [at] corp (dot) co (dot) uk", "jo@corp.co.uk"),
        ("nivika 45 gmailcom", "nivika45gmailcom"),
        ("jo at gmail.com", "jo@gmail.com"),
        ("me@intranet", "me@intranet"),
        ("what is left: @corp.com", "@corp.com"),
    ],
)
def test_an_address_is_seen_however_customers_type_it(text, email):
    assert emails_in(text) == [email]


@pytest.mark.parametrize(
    "text", ["lunch @ noon, ok", "2 @ 19.99", "do you support gmail.com addresses", "I use gmail in chrome", "ask @shop"]
)
def test_an_at_sign_alone_is_no_address(text):
    assert emails_in(text) == []


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("415-555-2671", "4155552671"),
        ("(415) 555 2671", "4155552671"),
        ("no.4155552671", "4155552671"),
        ("415,555,2671", "4155552671"),
        ("612.345.678", "612345678"),
        ("01 23 45 67 89", "0123456789"),
        ("CU-9123456", "9123456"),
        ("12.03.1985 415 555 2671", "4155552671"),
        ("my ٤١٥٥٥٥٢٦٧١", "٤١٥٥٥٥٢٦٧١"),
    ],
)
def test_a_long_number_is_seen_whatever_stands_between_its_digits(text, digits):
    assert numbers_in(text) == [digits]


@pytest.mark.parametrize(
    "text",
    [
        "1,299,000 or 1.234.567,00 or $1234567.89 or 500.00 1200.00 30.00",
        "2026-03-02T10:15:30, 02/03/2026, 2 3 2026, 20260302",
        "2024, 2025, 2026 and 2024-2025",
        "5-10 days; 10 20 30 40; open 8.00-22.00",
    ],
)
def test_amounts_dates_years_and_small_numbers_are_nobodys(text):
    assert numbers_in(text) == []


def test_a_bank_account_is_seen_where_its_check_digits_are_right():
    assert ibans_in("to gb29 NWBK 6016 1331 9268 19 and then") == ["GB29NWBK60161331926819"]
    assert ibans_in("GB28NWBK60161331926819") == []
    assert kinds_in("GB29NWBK60161331926819") == ["iban"]


def test_luhn_knows_a_wrong_check_digit():
    assert luhn("4111111111111111")
    assert not luhn("4111111111111112")


def test_kinds_are_one_for_each_find_and_what_is_known_is_none():
    text = "jo@corp.io, 4539 1488 0343 6467 and 415 555 2671"
    assert kinds_in(text) == ["email", "card", "number"]
    assert kinds_in(text, known_from(["JO at corp dot io", "4539-1488-0343-6467 415.555.2671"])) == []
    assert kinds_in("4155552671 4155552672", known_from(["4155552671"])) == ["number"]


def test_reserved_ranges_are_excused_only_where_asked():
    text = "jo@mail.example.com, +1 608 555 0163, 07700 900123, invoice 2026-0417"
    assert kinds_in(text) == ["email", "number", "number", "number"]
    assert kinds_in(text, reserved=True) == []
    assert kinds_in("jo@notexample.com and jo@example.com.evil.io", reserved=True) == ["email", "email"]


@given(st.integers(0, 10**6), st.sampled_from(["EMAIL_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD", "IBAN_CODE", "BANK_ACCOUNT"]))
def test_every_surrogate_of_these_types_has_the_shape_and_is_known(number, kind):
    placeholder = f"<{kind}_1>"
    value = surrogates.surrogates(f"p-{number}", [placeholder], {})[placeholder]
    assert kinds_in(f"it is {value} ok")
    assert kinds_in(f"it is {value} ok", known_from([value])) == []
    if kind == "EMAIL_ADDRESS":
        assert RESERVED_HOST.search(value)


def test_thousands_of_known_numbers_are_told_from_as_many_others():
    given, others = (" x ".join(str(first + 7 * i) for i in range(15_000)) for first in (555_000_0000, 666_000_0001))
    assert len(given) > 190_000
    assert kinds_in(given, known_from([given])) == []
    assert len(kinds_in(others, known_from([given]))) == 15_000


@given(
    known=st.lists(st.text("012", min_size=7, max_size=10), min_size=1, max_size=4, unique=True),
    pieces=st.lists(st.integers(0, 5), min_size=1, max_size=4),
)
def test_known_numbers_are_taken_out_the_longest_first_and_what_is_left_must_be_part_of_one(known, pieces):
    known = tuple(sorted(known, key=lambda number: (-len(number), number)))
    number = "".join([*known, "1", "02"][piece % (len(known) + 2)] for piece in pieces)
    left = number
    for one in known:
        left = left.replace(one, " ")
    expected = all(len(rest) < 7 or any(rest in one for one in known) for rest in left.split())
    assert Known(frozenset(), known, frozenset()).covers(number) == expected


@given(st.text(alphabet="aB1 .,@-/dot", max_size=60))
def test_any_text_is_known_once_it_was_given(text):
    assert kinds_in(text, known_from([text])) == []
    assert all(re.fullmatch(r"\d{7,}", number) for number in numbers_in(text))
