import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from presidio_analyzer import RecognizerResult

from pipeline.pii import recognizers


def found(finder, text):
    return [(text[span.start : span.end], span.entity_type) for span in finder.find([text])[0]]


def test_names_addresses_and_numbers_of_a_customer_are_found(finder):
    assert found(finder, "Hello Priya Sharma, it goes to 12 Rose Lane, Apt 4, Leeds LS1 4AB.") == [
        ("Priya Sharma", "PERSON"),
        ("12 Rose Lane, Apt 4", "STREET_ADDRESS"),
        ("Leeds", "CITY"),
        ("LS1 4AB", "ZIP_CODE"),
    ]
    assert found(finder, "card 4111 1111 1111 1111, IBAN GB82WEST12345698765432") == [
        ("4111 1111 1111 1111", "CREDIT_CARD"),
        ("GB82WEST12345698765432", "IBAN_CODE"),
    ]


def test_ids_of_the_user_s_own_systems_win_over_the_model(finder):
    assert found(finder, "my order is hl-123456, account CU-7654321") == [("hl-123456", "ORDER_ID"), ("CU-7654321", "ACCOUNT_ID")]


def test_an_address_on_a_domain_that_does_not_exist_is_still_an_address(finder):
    assert found(finder, "write to o.almasri@post.example") == [("o.almasri@post.example", "EMAIL_ADDRESS")]


def test_an_allowed_phrase_is_let_through_and_the_same_name_elsewhere_is_not(finder):
    assert found(finder, "does the Jasper cast iron pan rust?") == []
    assert ("Jasper", "PERSON") in found(finder, "my name is Jasper and I have the jasper cast iron pan")


def test_placeholders_that_a_log_holds_become_findings(finder):
    assert found(finder, "I am <PERSON_3>") == [("<PERSON_3>", "PERSON")]


def test_a_text_without_letters_has_no_findings(finder):
    assert finder.find(["", "   ", "?!"]) == [[], [], []]


TEXTS = [
    "my name is zorvik",
    "ok",
    "",
    "12 Rose Lane, Leeds",
    "a" * 300,
    "oksana 77 gmailcom",
    "mail o.k@example.com or +44 20 7946 0958",
    "so good \U0001f600 thanks Ana",
    "x " * 700,
]


@settings(deadline=None, max_examples=12)
@given(st.permutations(TEXTS))
def test_a_text_s_findings_do_not_depend_on_what_stands_beside_it(finder, texts):
    assert finder.find(texts) == [finder.find([text])[0] for text in texts]


def test_a_long_text_is_read_to_its_end(finder):
    text = "I would like to know when my parcel comes. " * 60 + "Regards, Priya Sharma"
    assert ("Priya Sharma", "PERSON") in found(finder, text)


@pytest.mark.parametrize("level", ["ORT_DISABLE_ALL", "ORT_ENABLE_BASIC"])
def test_another_way_through_the_graph_gives_the_same_findings(finder, anonymize_params, level):
    assert hasattr(onnxruntime.GraphOptimizationLevel, level)
    texts = [*TEXTS, "Hello Priya Sharma, it goes to 12 Rose Lane, Apt 4, Leeds LS1 4AB."]
    assert recognizers.build(anonymize_params, level).find(texts) == finder.find(texts)


@given(
    st.lists(
        st.tuples(st.integers(0, 20), st.integers(1, 8), st.sampled_from(["PERSON", "CITY"]), st.sampled_from([0.3, 0.6, 1.0])), max_size=6
    )
)
def test_disjoint_spans_cover_every_letter_that_was_found_and_never_overlap(results):
    text = "abcdefghijklmnopqrstuvwxyz0123"
    raw = [RecognizerResult(kind, start, start + length, score) for start, length, kind, score in results]
    spans = recognizers.disjoint(text, raw, lambda result: 0)
    covered = [i for span in spans for i in range(span.start, span.end)]
    assert len(covered) == len(set(covered))
    assert set(covered) == {i for result in raw for i in range(result.start, result.end)}


def texts_found(finder, messages, known=()):
    (spans,) = finder.find_conversations([messages], [known] if known else ())
    return [[m["content"][s.start : s.end] for s in of_message] for m, of_message in zip(messages, spans, strict=True)]


def test_a_name_found_once_is_a_name_everywhere_in_its_conversation(finder):
    messages = [{"role": "user", "content": "my name is Tuvok Brandtner"}, {"role": "user", "content": "the parcel says tuvok on it"}]
    assert texts_found(finder, messages)[1] == ["tuvok"]
    assert texts_found(finder, messages[1:]) == [[]]


def test_a_name_that_is_a_word_as_well_is_confirmed_where_it_is_written_as_a_name(finder):
    messages = [
        {"role": "user", "content": "My name is Rose Brandtner."},
        {"role": "assistant", "content": "What is it about, Rose?"},
        {"role": "user", "content": "a rose bush"},
    ]
    assert texts_found(finder, messages)[1:] == [["Rose"], []]


def test_a_bare_answer_to_a_question_for_the_name_is_a_name(finder):
    messages = [{"role": "assistant", "content": "May I have your name please?"}, {"role": "user", "content": "its zibbel"}]
    assert texts_found(finder, messages)[1] == ["zibbel"]


@pytest.mark.parametrize(
    "text", ["this is Marama Ngatai again", "the order of Min-jun Hwangbo is late", "regards Wei Zhou", "hi kofi asante here"]
)
def test_names_of_many_cultures_are_found_whole(finder, text):
    assert [surface for surface, kind in found(finder, text) if kind == "PERSON"] in (
        ["Marama Ngatai"],
        ["Min-jun Hwangbo"],
        ["Wei Zhou"],
        ["kofi asante"],
    )


def test_what_the_context_makes_a_name_is_one_below_the_threshold_of_its_type(finder):
    text = "it is Zibbelun Fonoti"
    (words,) = finder._reader.words([text])
    assert max(word.score for word in words) >= 0.08
    assert ("Zibbelun Fonoti", "PERSON") in found(finder, text)


def test_an_answer_in_several_messages_answers_the_question(finder):
    messages = [
        {"role": "assistant", "content": "What is your delivery address?"},
        {"role": "user", "content": "12 rose lane"},
        {"role": "user", "content": "jaipur texas"},
    ]
    assert texts_found(finder, messages)[1:] == [["12 rose lane"], ["jaipur", "texas"]]


def test_metadata_that_recurs_in_a_text_is_found(finder):
    messages = [{"role": "user", "content": "it was sent to the vorpal house"}]
    assert texts_found(finder, messages, ["vorpal"]) == [["vorpal"]]


def test_recognizers_run_in_the_order_in_which_they_rank(finder):
    engine = finder.engine.analyzer_engine
    listed = [recognizer.name for recognizer in engine.registry.recognizers]
    assert [recognizer.name for recognizer in engine.registry.get_recognizers(language="en", all_fields=True)] == listed
    assert listed[-1] == "rampart"


def test_of_two_equal_findings_the_better_ranked_recognizer_s_is_kept(finder):
    (results,) = finder.engine.analyze_iterator(["write to o.k@mail.example.com"], "en", entities=["EMAIL_ADDRESS"])
    assert results[0].recognition_metadata["recognizer_name"] == "AnyEmailRecognizer"
