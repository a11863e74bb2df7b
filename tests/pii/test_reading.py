import itertools
import re
from dataclasses import replace
from functools import lru_cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from presidio_analyzer import AnalyzerEngine, BatchAnalyzerEngine
from spacy.vocab import Vocab

from pipeline.pii import audit, chat, lexicon, reading, recognizers, words
from pipeline.pii.memo import Memo
from pipeline.pii.rampart import RampartEngine
from pipeline.pii.reading import Reader, sentences
from pipeline.pii.spans import Span
from pipeline.pii.words import findings, worth_reading


def cut(text):
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It broke. I am Ana! Why?", ["It broke.", "I am Ana!", "Why?"]),
        ("Dear Ana Ruiz, the lamp is on its way.", ["Dear Ana Ruiz,", "the lamp is on its way."]),
        ("hi\n\nit broke", ["hi", "it broke"]),
        ("We are at 4 St. Mary's Rd. Apt. 5, ask for Dr. Okoye.", ["We are at 4 St. Mary's Rd. Apt. 5, ask for Dr. Okoye."]),
        ('She said "no." Then she left.', ['She said "no."', "Then she left."]),
        ("  ", []),
        ("", []),
        ("hello,", ["hello,"]),
    ],
)
def test_a_text_is_cut_at_the_ends_of_sentences_and_behind_a_greeting(text, expected):
    assert cut(text) == expected


@given(st.text(alphabet="ab.!? \n\"')1,", max_size=60))
def test_sentences_hold_everything_but_the_blanks_between_them(text):
    spans = list(sentences(text))
    assert all(a_end <= b_start for (_, a_end), (b_start, _) in itertools.pairwise(spans))
    kept = {place for start, end in spans for place in range(start, end)}
    assert all(text[place].isspace() for place in range(len(text)) if place not in kept)


@pytest.mark.parametrize(
    "sentence",
    ["where is my parcel?", "It was $149.50 and I need 2 of them.", "You can write to o.k@example.com.", "It takes 7 to 12 business days."],
)
def test_everyday_words_counts_and_amounts_are_not_read(sentence):
    assert worth_reading(sentence) is None


@pytest.mark.parametrize(
    "sentence",
    [
        "its zibbel again",
        "I asked Rose about it.",
        "my name is happy",
        "we live in reading",
        "I am in Reading.",
        "12 high street",
        "call 020 7946 0958",
        "it ends in 4471",
    ],
)
def test_whatever_could_be_a_name_a_place_or_a_number_is_read(sentence):
    assert worth_reading(sentence) is not None


def test_a_few_words_around_what_could_be_a_name_are_read_with_it():
    sentence = "we leave on monday and nobody at the shop told zibbel that it would be so very late"
    start, end = worth_reading(sentence)
    assert sentence[start:end] == "the shop told zibbel that it would"


@given(st.lists(st.sampled_from(["zibbel", "the", "lamp", "is", "4471", "late,", "o.k@example.com", "$5"]), min_size=1, max_size=14))
def test_no_word_that_could_be_personal_data_is_left_unread(words):
    sentence = " ".join(words)
    start, end = worth_reading(sentence) or (0, 0)
    assert not re.search(r"zibbel|4471", sentence[:start] + sentence[end:])


COMMON = [
    word
    for word in [
        "the",
        "parcel",
        "is",
        "late",
        "again",
        "and",
        "nobody",
        "answers",
        "me",
        "please",
        "help",
        "where",
        "can",
        "i",
        "find",
        "it",
        "today",
    ]
    if lexicon.is_common(word)
]


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([*COMMON, "7"]), min_size=1, max_size=12),
    st.sampled_from(["PERSON", "CITY"]),
    st.data(),
)
def test_a_sentence_that_is_not_read_would_have_no_name_and_no_place_were_the_model_sure_of_any_word(words, kind, data):
    sentence = " ".join(words)
    if worth_reading(sentence):
        return
    matches = list(re.finditer(r"\S+", sentence))
    word = data.draw(st.sampled_from(matches))
    sure = [Span(word.start(), word.end(), kind, 1.0)]
    assert findings(sentence, sure, {"PERSON": 0.2, "CITY": 0.5}) == []


class Counting:
    """A model that finds every word starting with z and counts what it is given."""

    def __init__(self):
        self.read = []

    def words(self, texts):
        self.read += texts
        return [[Span(m.start(), m.end(), "PERSON", 1.0) for m in re.finditer(r"\bz\w+", text)] for text in texts]


def test_a_sentence_is_read_once_and_found_in_every_text_that_holds_it():
    model = Counting()
    reader = Reader(model, {"PERSON": 0.2})
    texts = ["this is zibbel.", "It broke. this is zibbel.", "this is zibbel. this is zorvik."]
    reader.read_ahead(texts)
    assert sorted(model.read) == ["this is zibbel.", "this is zorvik."]
    found = [[text[span.start : span.end] for span in spans] for text, spans in zip(texts, reader.findings(texts), strict=True)]
    assert found == [["zibbel"], ["zibbel"], ["zibbel", "zorvik"]]
    assert len(model.read) == 2


def test_ids_of_the_user_s_own_systems_are_shown_without_their_digits():
    model = Counting()
    reader = Reader(model, {"PERSON": 0.2}, [re.compile(r"HL-\d{6}")])
    reader.read_ahead(["zibbel has HL-123456 now", "zibbel has HL-654321 now", "where is HL-123456?"])
    assert model.read == ["zibbel has HL-000000 now"]


SENTENCES = [
    "my name is zorvik",
    "ok.",
    "12 Rose Lane, Leeds",
    "Dear Ana Ruiz, it broke!",
    "mail o.k@example.com or +44 20 7946 0958",
    "order HL-123456 of account CU-7654321?",
    "the lantern is broken.",
    "oksana 77 gmailcom",
    "so good \U0001f600 thanks Ana",
    "card 4111 1111 1111 1111\n",
    "a" * 300,
]


@pytest.fixture(scope="module")
def plain(anonymize_params):
    """Presidio's own engine with the finder's recognizers, called as Presidio is: one text after the other, nothing remembered."""
    finder = recognizers.build(anonymize_params)
    return replace(finder, engine=BatchAnalyzerEngine(recognizers.presidio(finder)))


@settings(deadline=None, max_examples=25)
@given(st.lists(st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=4).map(" ".join), min_size=1, max_size=6))
def test_batches_memory_and_reading_ahead_give_what_plain_presidio_calls_give(finder, plain, anonymize_params, texts):
    entities = sorted(anonymize_params.entities)
    analyze = plain.engine.analyzer_engine.analyze
    alone = [plain.settle(text, analyze(text, "en", entities=entities)) for text in texts]
    assert finder.find(texts) == alone


@pytest.fixture(scope="module")
def forgetful(plain):
    """The finder's recognizers with memos of one entry, two texts at a time."""
    engine = plain.engine.analyzer_engine.nlp_engine
    reader = replace(engine.reader, _remembered=Memo(1), _ahead={})
    finder = replace(plain, engine=BatchAnalyzerEngine(AnalyzerEngine(plain.engine.analyzer_engine.registry, RampartEngine(reader))))
    return replace(finder, _found=Memo(1))


def with_small_memos(patch):
    patch.setattr(recognizers, "TOGETHER", 2)
    patch.setattr(lexicon, "is_common", lru_cache(1)(lexicon.is_common.__wrapped__))
    patch.setattr(reading, "worth_reading", lru_cache(1)(worth_reading.__wrapped__))
    for module in (chat, words):
        patch.setattr(module, "codes_in", lru_cache(1)(chat.codes_in.__wrapped__))


@settings(deadline=None, max_examples=25)
@given(st.lists(st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=3).map(" ".join), min_size=1, max_size=6))
def test_how_much_is_remembered_changes_no_span(finder, forgetful, texts):
    conversation = [{"role": role, "content": text} for text, role in zip(texts, itertools.cycle(["assistant", "user"]))]
    with pytest.MonkeyPatch.context() as patch:
        with_small_memos(patch)
        found = forgetful.find(texts), forgetful.find_conversations([conversation, conversation[::-1]])
    assert found == (finder.find(texts), finder.find_conversations([conversation, conversation[::-1]]))


def test_no_memo_grows_beyond_its_size_and_a_batch(plain, monkeypatch):
    reader = replace(plain.engine.analyzer_engine.nlp_engine.reader, model=Counting(), _remembered=Memo(20), _ahead={})
    finder = replace(plain, engine=BatchAnalyzerEngine(AnalyzerEngine(plain.engine.analyzer_engine.registry, RampartEngine(reader))))
    finder = replace(finder, _found=Memo(20))
    monkeypatch.setattr(recognizers, "TOGETHER", 10)
    for batch in range(8):
        finder.find([f"my name is zib{'aeiou'[batch % 5]}{'bcdfg'[batch // 5]}l{place * 'o'}." for place in range(30)])
        assert (len(finder._found), len(reader._ahead)) == (20, 10)
        assert 20 <= len(reader._remembered) <= 20 + 10
    assert all(one.cache_info().maxsize for one in (lexicon.is_common, worth_reading, chat.codes_in, audit._shapes))
    assert len(finder.engine.analyzer_engine.nlp_engine._vocab.strings) == len(Vocab().strings)


def test_a_memo_keeps_what_was_asked_for_last_and_whatever_came_since_it_was_trimmed():
    memo = Memo(2)
    memo.update([("a", 1), ("b", 2), ("c", 3)])
    assert (len(memo), memo["a"]) == (3, 1)
    memo.trim()
    assert ["a" in memo, "b" in memo, "c" in memo] == [True, False, True]
