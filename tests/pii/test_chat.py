"""Templates of our own, in the manner in which customers type: what must be found, and what looks like it and is not."""

import pytest

from pipeline.pii import chat


def found(recognizer, text):
    return [text[start:end] for start, end, _ in recognizer.found(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("its oksana 77 gmailcom", ["oksana 77 gmailcom"]),
        ("bellapetrov gmail com thanks", ["bellapetrov gmail com"]),
        ("kofimensahyahoocom", ["kofimensahyahoocom"]),
        ("write to kofi at inbox dot example dot org please", ["kofi at inbox dot example dot org"]),
        ("my mail is k.mensah @mail.example.com", ["k.mensah @mail.example.com"]),
        ("email is zorblaxfirmcom", ["zorblaxfirmcom"]),
        ("what is intercom", []),
        ("i work at telecom", []),
        ("the sitcom was fun", []),
    ],
)
def test_a_mail_address_is_found_without_its_signs(text, expected):
    assert list(dict.fromkeys(found(chat.StrippedEmail(), text)))[:1] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("last four of my ssn 4821", ["4821"]),
        ("call 415 555 0134", ["415 555 0134"]),
        ("4821", ["4821"]),
        ("oksana 4821", ["4821"]),
        ("9988776655", ["9988776655"]),
        ("ssn 482", ["482"]),
        ("it ends in 4821", ["4821"]),
        ("i bought it in 2019", []),
        ("2019", []),
        ("it cost 4500 dollars", []),
        ("my order comes to 15.99.", []),
        ("it is 2031-08-22", []),
        ("Leeds 10 6 2 2 21 11 20", []),
        ("06 39 98 12 34", ["06 39 98 12 34"]),
        ("9 8 4 5 1 7", ["9 8 4 5 1 7"]),
        ("₹4,990 and £129.00", []),
        ("we are 1200 people", []),
        ("on 04/09/2018", []),
        ("room 1204 please", []),
        ("i want 3 burgers and 12 wings", []),
    ],
)
def test_digits_are_personal_unless_they_count_something(text, expected):
    assert found(chat.DigitRun(), text) == expected


def test_digits_are_found_as_words():
    assert found(chat.SpelledDigits(), "it is seven oh four-one double two, thanks") == ["seven oh four-one double two"]
    assert found(chat.SpelledDigits(), "one or two of three burgers") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("confirmation number kt 4 wq 9", ["kt 4 wq 9"]),
        ("zpq 731", ["zpq 731"]),
        ("its rvb 204417563", ["rvb 204417563"]),
        ("policy no xnm 381204665 and claim no btq 917", ["xnm 381204665", "btq 917"]),
        ("oksana and re 86 w 3", ["re 86 w 3"]),
        ("XK9-44Q21", ["XK9-44Q21"]),
        ("audi a 8", []),
        ("bmw 320", []),
        ("2 l of coke and 12 oz", []),
        ("it shows error e-1042 on the page", []),
        ("my phone has android 14", []),
        ("is it 5 pm", []),
        ("i am 45 years old", []),
        ("on 22 aug 2031 at 7", []),
        ("the 3rd of may 2024", []),
        ("bmw 320 or an opel gt 1900", []),
        ("code 0x80070057", []),
        ("my code is pv 55 tx i think", ["pv 55 tx"]),
    ],
)
def test_codes_are_found_with_blanks_in_them_and_products_are_none(text, expected):
    assert found(chat.MixedCode(), text) == expected


def test_a_name_is_what_stands_behind_my_name_is():
    assert found(chat.CuedName(), "hi my name is xylquo brandtner") == ["xylquo brandtner"]
    assert found(chat.CuedName(), "my name is wrong on the bill") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hi, its ngatai again", ["ngatai"]),
        ("Marama Ngatai here, where is it?", ["Marama Ngatai"]),
        ("just call me wirihana", ["wirihana"]),
        ("regards Tae-hyeok Hwangbo", ["Tae-hyeok Hwangbo"]),
        ("booked under tane m parata", ["tane m parata"]),
        ("Dear Tewodros, it is on its way.", ["Tewodros"]),
        ("its broken again", []),
        ("call me back", []),
        ("nobody here", []),
        ("under the sofa", []),
        ("hello everybody, it broke", []),
    ],
)
def test_an_unusual_word_is_a_name_where_people_present_themselves(text, expected):
    assert found(chat.CuedName(), text) == expected


def test_a_password_is_one_where_it_is_no_word():
    assert found(chat.Password(), "my password is tr0ub4dor now") == ["tr0ub4dor"]
    assert found(chat.Password(), "my password is wrong and the password reset fails") == []


def test_web_addresses_are_those_written_as_such():
    assert found(chat.WebAddress(), "see https://example.org/a?b, or main.py") == ["https://example.org/a?b"]
