import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.pii.evaluation import Mark, Turn, evaluate, false_alarms, misses, shape

TEXT = "my name is Ana Bell, ok"
NAME = Mark(11, 19, "PERSON")


def turn(gold=(), found=(), optional=(), text=TEXT, conversation="c", weight=1.0):
    return Turn(conversation, text, gold, found, optional, weight)


def figures(*turns, resamples=50):
    return evaluate(turns, resamples, seed=1)


def test_letters_and_digits_are_counted_and_blanks_are_not():
    found = figures(turn([NAME], [Mark(11, 15, "PERSON")]))["characters"]
    assert found["recall"] == pytest.approx(3 / 7)
    assert (found["precision"], found["gold"], found["found"]) == (1.0, 7, 3)


def test_f2_counts_recall_twice_as_much_as_precision():
    half_found = figures(turn([NAME], [Mark(11, 14, "PERSON")]))["characters"]
    assert half_found["f2"] == pytest.approx(5 * 1 * (3 / 7) / (4 * 1 + 3 / 7))
    nothing_right = figures(turn([NAME], [Mark(0, 2, "PERSON")]))["characters"]
    assert (nothing_right["recall"], nothing_right["precision"], nothing_right["f2"]) == (0.0, 0.0, 0.0)


def test_a_span_is_found_from_half_of_its_characters_on():
    text = "abcd"
    for end, recall in ((1, 0.0), (2, 1.0)):
        assert figures(turn([Mark(0, 4, "A")], [Mark(0, end, "A")], text=text))["spans"]["recall"] == recall


def test_a_found_span_is_right_from_half_of_its_characters_on():
    text = "abcd"
    for end, precision in ((1, 0.0), (2, 1.0)):
        assert figures(turn([Mark(0, end, "A")], [Mark(0, 4, "A")], text=text))["spans"]["precision"] == precision


def test_the_name_of_a_type_does_not_matter_to_a_hit():
    found = figures(turn([Mark(11, 19, "CUSTOMER")], [NAME]))
    assert (found["characters"]["recall"], found["spans"]["precision"]) == (1.0, 1.0)
    assert found["types"] == {"CUSTOMER": {"recall": 1.0, "span_recall": 1.0, "n": 1}}
    assert found["found_types"] == {"PERSON": {"precision": 1.0, "span_precision": 1.0, "n": 1}}


def test_optional_characters_are_neither_hit_nor_false_alarm():
    optional = [Mark(0, 7, "")]
    found = figures(turn([NAME], [NAME, Mark(0, 7, "CITY")], optional))
    assert (found["characters"]["precision"], found["characters"]["found"]) == (1.0, 7)
    assert (found["spans"]["precision"], found["spans"]["found"]) == (1.0, 1)
    assert "CITY" not in found["found_types"]
    assert figures(turn([NAME], [NAME], [NAME]))["characters"]["precision"] == 1.0, "what is gold as well counts as gold"


def test_a_thinned_turn_stands_for_as_many_as_it_weighs():
    turns = turn([NAME], [NAME]), turn([], [Mark(0, 2, "PERSON")], weight=4, conversation="d")
    found = figures(*turns)
    assert found["characters"]["precision"] == pytest.approx(7 / (7 + 4 * 2))
    assert found["spans"]["precision"] == pytest.approx(1 / 5)
    assert found["found_types"]["PERSON"] == {"precision": pytest.approx(7 / 15), "span_precision": pytest.approx(1 / 5), "n": 2}
    assert found["characters"]["recall"] == 1.0


def test_a_figure_without_a_denominator_is_left_out():
    found = figures(turn())
    assert found["characters"] == {"gold": 0, "found": 0}
    assert set(figures(turn([], [NAME]))["characters"]) == {"gold", "found", "precision", "precision_low", "precision_high"}
    assert figures(turn([Mark(19, 20, "PERSON")]))["spans"]["gold"] == 0, "a span without letter or digit holds nothing to find"


def test_conversations_are_drawn_whole():
    alike = [turn([NAME], [NAME if c % 2 else Mark(0, 2, "X")], conversation=str(c)) for c in range(40) for _ in range(5)]
    apart = [turn(t.gold, t.found, conversation=str(place)) for place, t in enumerate(alike)]
    wide, narrow = (evaluate(turns, 400, 1)["characters"] for turns in (alike, apart))
    assert wide["recall"] == narrow["recall"] == 0.5
    assert wide["recall_high"] - wide["recall_low"] > 1.6 * (narrow["recall_high"] - narrow["recall_low"])


def test_misses_are_told_by_shape_those_with_the_most_characters_first():
    code = turn([Mark(0, 10, "CODE")], [Mark(7, 10, "CODE")], text="AB-12 (xyz")
    name = turn([NAME], [])
    assert misses([code, name, name], 5) == [
        {"shape": "Aaa Aaaa", "entity_type": "PERSON", "count": 2, "characters": 14, "whole": 2},
        {"shape": "AA-99", "entity_type": "CODE", "count": 1, "characters": 4, "whole": 0},
    ]
    assert len(misses([code, name], 1)) == 1


def test_false_alarms_are_told_by_shape_and_by_where_they_stand():
    in_empty, beside_gold = turn([], [NAME]), turn([NAME], [NAME, Mark(3, 7, "PERSON")])
    assert false_alarms([in_empty, beside_gold], 5) == [
        {"shape": "Aaa Aaaa", "entity_type": "PERSON", "count": 1, "characters": 7, "without_gold": 1},
        {"shape": "aaaa", "entity_type": "PERSON", "count": 1, "characters": 4, "without_gold": 0},
    ]
    assert false_alarms([turn([], [NAME], [NAME])], 5) == []


def test_a_shape_shows_case_digits_and_punctuation():
    assert shape("McDonald's 45, Überlingenstraße ٣ 🙂") == "AaAaaaaa'a 99, Aaaaaaaa 9 ·"
    assert len(shape("1" * 500)) == 60


@given(st.text())
def test_a_shape_holds_no_letter_and_no_digit_of_its_text(text):
    assert set(shape(text)) <= set("aA9 ·!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


@st.composite
def marked_turns(draw):
    text = draw(st.text("ab1 ,", min_size=1, max_size=12))
    place = st.integers(0, len(text) - 1)

    def marks():
        drawn = draw(st.lists(st.tuples(place, place), max_size=3))
        return [Mark(min(a, b), max(a, b) + 1, "X") for a, b in drawn]

    return turn(marks(), marks(), marks(), text, draw(st.sampled_from("cde")), draw(st.sampled_from((0.0, 0.5, 1.0, 4.0))))


@given(st.lists(marked_turns(), min_size=1, max_size=6))
@settings(deadline=None, max_examples=60)
def test_rates_lie_between_0_and_1_and_neither_order_nor_overlap_changes_them(turns):
    found = figures(*turns, resamples=5)
    for table in (found["characters"], found["spans"]):
        assert all(0 <= rate <= 1 for name, rate in table.items() if name not in ("gold", "found"))
    rates = {name: found["characters"].get(name) for name in ("recall", "precision", "f2", "gold", "found")}
    doubled = [Turn(t.conversation, t.text, [*t.gold, *t.gold], [*t.found, *t.found], t.optional, t.weight) for t in reversed(turns)]
    assert rates == {name: figures(*doubled, resamples=5)["characters"].get(name) for name in rates}


@given(st.lists(marked_turns(), min_size=1, max_size=6))
@settings(deadline=None, max_examples=60)
def test_what_is_labelled_is_perfect_where_it_is_found(turns):
    perfect = figures(*(turn(t.gold, t.gold, t.optional, t.text, t.conversation) for t in turns), resamples=5)
    for table in (perfect["characters"], perfect["spans"]):
        assert {table[name] for name in ("recall", "precision", "f2") if name in table} <= {1.0}
