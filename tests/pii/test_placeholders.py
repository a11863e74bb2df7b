from hypothesis import given
from hypothesis import strategies as st

from pipeline.pii.placeholders import highest_numbers, letter_case, place
from pipeline.pii.spans import PLACEHOLDER, Span, from_rows, to_rows


def spans_of(text, *found):
    """Spans of (surface, type) in the order in which they stand in the text."""
    out, at = [], 0
    for surface, kind in found:
        start = text.index(surface, at)
        at = start + len(surface)
        out.append(Span(start, at, kind, 1.0))
    return out


def test_placeholders_are_numbered_from_left_to_right():
    text = "Ana wrote to Bo and Ana"
    assert (
        place([text], [spans_of(text, ("Ana", "PERSON"), ("Bo", "PERSON"), ("Ana", "PERSON"))])[0][0]
        == "<PERSON_1> wrote to <PERSON_2> and <PERSON_1>"
    )


def test_one_person_has_one_number_in_the_whole_conversation():
    texts = ["this is priya", "Hello Priya Sharma", "Ms Sharma, yes"]
    spans = [
        spans_of(texts[0], ("priya", "PERSON")),
        spans_of(texts[1], ("Priya Sharma", "PERSON")),
        spans_of(texts[2], ("Sharma", "PERSON")),
    ]
    placed = place(texts, spans)
    assert [text for text, _ in placed] == ["this is <PERSON_1>", "Hello <PERSON_1>", "Ms <PERSON_1>, yes"]
    assert [(one.form, one.letter_case) for _, found in placed for one in found] == [
        ("given", "lower"),
        ("full", "title"),
        ("family", "title"),
    ]


def test_a_name_that_two_people_share_belongs_to_neither():
    texts = ["Ana Bell and Cy Bell", "Bell"]
    placed = place(texts, [spans_of(texts[0], ("Ana Bell", "PERSON"), ("Cy Bell", "PERSON")), spans_of(texts[1], ("Bell", "PERSON"))])
    assert [text for text, _ in placed] == ["<PERSON_1> and <PERSON_2>", "<PERSON_3>"]


def test_two_spellings_of_one_number_are_one():
    text = "HL-123456 or hl 123456"
    assert place([text], [spans_of(text, ("HL-123456", "ORDER_ID"), ("hl 123456", "ORDER_ID"))])[0][0] == "<ORDER_ID_1> or <ORDER_ID_1>"


def test_numbers_in_use_are_not_given_again():
    text = "<PERSON_2> knows Cy"
    assert highest_numbers([text]) == {"PERSON": 2}
    assert place([text], [spans_of(text, ("Cy", "PERSON"))], after=highest_numbers([text]))[0][0] == "<PERSON_2> knows <PERSON_3>"


def test_letter_case_is_told():
    assert [letter_case(text) for text in ("ana", "ANA", "Ana Bell", "McAna", "12")] == ["lower", "upper", "title", "mixed", "mixed"]


@given(st.lists(st.text("ab ", min_size=1, max_size=12), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_spans_point_at_their_placeholders_and_the_rest_is_untouched(texts, random):
    spans = []
    for text in texts:
        cuts = sorted(random.sample(range(len(text) + 1), k=min(4, len(text) + 1)))
        spans.append([Span(a, b, "CITY", 1.0) for a, b in zip(cuts[::2], cuts[1::2], strict=False)])
    for before, found, (after, placed) in zip(texts, spans, place(texts, spans), strict=True):
        assert [after[one.start : one.end] for one in placed] == [one.placeholder for one in placed]
        gaps = [0, *(edge for span in found for edge in (span.start, span.end)), len(before)]
        assert PLACEHOLDER.sub("|", after) == "|".join(before[a:b] for a, b in zip(gaps[::2], gaps[1::2], strict=True))


def test_the_spans_column_keeps_turns_apart():
    placed = [found for _, found in place(["Ana", "x", "Bo"], [[Span(0, 3, "PERSON", 1.0)], [], [Span(0, 2, "PERSON", 1.0)]])]
    assert from_rows(to_rows(placed), 3) == placed


def test_a_hashed_type_has_one_number_for_a_value_in_every_conversation_and_a_redacted_one_none():
    texts, kinds = ["a@b.io", "A@B.IO", "c@d.io"], {"EMAIL_ADDRESS": "hash"}
    spans = [[Span(0, 6, "EMAIL_ADDRESS", 1.0)] for _ in texts]
    (first, _), (same, _), (other, _) = place(texts, spans, operators=kinds, key=b"k")
    assert PLACEHOLDER.fullmatch(first)
    assert first == same != other
    assert place(texts[2:], spans[2:], operators=kinds, key=b"k")[0][0] == other
    assert place(texts[:1], spans[:1], operators=kinds, key=b"another")[0][0] != first
    assert {text for text, _ in place(texts, spans, operators={"EMAIL_ADDRESS": "redact"})} == {"<EMAIL_ADDRESS_0>"}
    assert [text for text, _ in place(texts, spans, operators={"URL": "redact"})] == ["<EMAIL_ADDRESS_1>"] * 2 + ["<EMAIL_ADDRESS_2>"]
