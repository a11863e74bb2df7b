import pytest

from pipeline.pii.spans import Span
from pipeline.pii.words import NOTHING_ASKED, Asked, findings

THRESHOLDS = {"PERSON": 0.2, "STREET_ADDRESS": 0.2, "CITY": 0.5, "STATE": 0.5, "ZIP_CODE": 0.2, "GOVERNMENT_ID": 0.2, "EMAIL_ADDRESS": 0.2}


def found(text, *opinions, asked=NOTHING_ASKED):
    """What stays of the model's opinions, given as (word, type, score)."""
    words, at = [], 0
    for surface, kind, score in opinions:
        start = text.index(surface, at)
        at = start + len(surface)
        words.append(Span(start, at, kind, score))
    return [(text[one.start : one.end], one.entity_type) for one in findings(text, words, THRESHOLDS, asked)]


@pytest.mark.parametrize("text", ["two fries please", "garlic spinach", "okayy thankyou", "toyota"])
def test_menu_items_greetings_and_brands_are_no_names_however_sure_the_model_is(text):
    assert found(text, *((word, "PERSON", 0.99) for word in text.split())) == []


def test_an_everyday_word_is_a_name_behind_my_name_is():
    assert found("my name is summer", ("summer", "PERSON", 0.9)) == [("summer", "PERSON")]


def test_a_bare_unusual_word_needs_little_and_a_word_in_a_sentence_more():
    assert found("oksana", ("oksana", "PERSON", 0.1)) == [("oksana", "PERSON")]
    assert found("the oksana please works badly today", ("oksana", "PERSON", 0.25)) == []


def test_what_the_assistant_asked_for_counts():
    assert found("it is zibko thanks", ("zibko", "PERSON", 0.05)) == []
    assert found("it is zibko thanks", ("zibko", "PERSON", 0.05), asked=Asked(name=True)) == [("zibko", "PERSON")]


def test_numbers_years_and_single_digits_are_no_addresses_or_ids():
    assert found("2 bean soups", ("2", "STREET_ADDRESS", 0.9)) == []
    assert found("2016", ("2016", "GOVERNMENT_ID", 0.7)) == []
    assert found("enough", ("enough", "EMAIL_ADDRESS", 0.5)) == []


def test_a_city_of_a_journey_stays_and_one_of_an_address_goes():
    assert found("a flight via leeds to bath", ("leeds", "CITY", 0.4)) == []
    text = "no 12 rose lane near leeds uk"
    opinions = [("12", "STREET_ADDRESS", 0.9), ("rose", "STREET_ADDRESS", 0.9), ("lane", "STREET_ADDRESS", 0.9), ("leeds", "CITY", 0.3)]
    spans = found(text, *opinions)
    assert spans[0][0].startswith("no 12 rose lane")
    assert spans[-1][0] == "leeds uk"


def test_the_rest_of_an_introduced_name_belongs_to_it():
    assert found("my name is ricki zondey", ("ricki", "PERSON", 0.9)) == [("ricki zondey", "PERSON")]


def test_an_irish_name_keeps_its_first_letter():
    assert found("this is Niamh O'Sullivan", ("Niamh", "PERSON", 0.9), ("Sullivan", "PERSON", 0.9))[-1][0].endswith("O'Sullivan")


def test_a_name_makes_a_name_of_what_stands_beside_it():
    assert found("the order of reka chance please", ("reka", "PERSON", 0.9), ("chance", "PERSON", 0.6)) == [("reka chance", "PERSON")]
    assert found("the order of reka and zibbo please", ("reka", "PERSON", 0.9), ("zibbo", "PERSON", 0.1))[1] == ("zibbo", "PERSON")
    assert found("the order of Reka Chance please", ("Reka", "PERSON", 0.9), ("Chance", "PERSON", 0.1)) == [("Reka Chance", "PERSON")]
    assert found("the order of reka please", ("reka", "PERSON", 0.9), ("please", "PERSON", 0.9)) == [("reka", "PERSON")]


def test_a_word_that_the_model_takes_for_a_place_is_a_name_behind_my_name_is():
    assert found("my name is galiaz", ("galiaz", "CITY", 0.5)) == [("galiaz", "PERSON")]
    assert found("zorvik is my name", ("zorvik", "PERSON", 0.05)) == [("zorvik", "PERSON")]


def test_what_stands_behind_a_brand_is_a_model():
    assert found("a jeep grand cherokee", ("grand", "PERSON", 0.9), ("cherokee", "PERSON", 0.9)) == []


def test_a_signature_is_a_name():
    assert found("It broke.\n\nKind regards,\nximena morales\nLeeds") == [("ximena morales", "PERSON")]
    assert found("It broke.\n\nThanks,\nplease hurry") == []


@pytest.mark.parametrize(
    ("text", "opinions"),
    [
        (
            "i drive a 2018 nissan leaf",
            [("drive", "STREET_ADDRESS", 0.9), ("2018", "STREET_ADDRESS", 0.9), ("nissan", "CITY", 0.7), ("leaf", "CITY", 0.6)],
        ),
        ("deliver at 7 in the evening", [("7", "STREET_ADDRESS", 0.9)]),
        ("http 404", [("404", "GOVERNMENT_ID", 0.9)]),
        ("in the shop on the high street call 5550123", [("street", "STREET_ADDRESS", 0.9)]),
    ],
)
def test_drives_hours_and_errors_are_no_addresses_or_ids(text, opinions):
    assert found(text, *opinions) == []


def test_a_place_that_somebody_lives_in_is_found_with_its_state():
    assert found("we live in Duluth, MN", ("Duluth", "CITY", 0.9), ("MN", "STATE", 0.6)) == [("Duluth", "CITY"), ("MN", "STATE")]
    assert found("the parcel left Duluth", ("Duluth", "CITY", 0.9)) == []


@pytest.mark.parametrize(
    ("text", "opinions", "names"),
    [
        ("the order of Zorvane Lumetti is late", [("Zorvane", "PERSON", 0.05)], ["Zorvane Lumetti"]),
        ("Hello Mi-rae Tanvaro, the tent is late", [("rae", "PERSON", 0.4)], ["Mi-rae Tanvaro"]),
        ("the order of Zorvane Lumetti is late", [], []),
        ("THE ORDER OF Zorvane Lumetti", [("Zorvane", "PERSON", 0.05)], []),
        ("the order of zorvane lumetti is late", [("zorvane", "PERSON", 0.05)], []),
        ("where is the Large Table please", [("Table", "PERSON", 0.2)], []),
        ("a Zorvane Table please", [("Zorvane", "PERSON", 0.05)], []),
    ],
)
def test_what_is_written_as_a_full_name_is_one_where_the_model_gives_it_a_chance(text, opinions, names):
    assert found(text, *opinions) == [(name, "PERSON") for name in names]
