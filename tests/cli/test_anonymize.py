import json
import logging
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from pipeline.cli import anonymize as verb
from pipeline.cli import app
from tests.conftest import ROOT

HELLO = "hi, I am Priya Sharma, mail me at priya@inbox.example"
KEY = "ab" * 32


@pytest.fixture
def run(tmp_path, monkeypatch):
    """The verb in a folder without params.yaml, with `lines` as its input; gives its result."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GOLDEN_KEY", raising=False)

    def invoke(lines, *options, out="out.jsonl", source="in.jsonl", **env):
        content = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
        Path("in.jsonl").write_text(content, encoding="utf-8")
        given_in = content if source == "-" else None
        return CliRunner().invoke(app, ["anonymize", source, "--out", out, *options], input=given_in, env=env)

    return invoke


def read(path="out.jsonl"):
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def test_personal_data_becomes_placeholders_and_everything_else_stays(run):
    result = run([{"id": 7, "when": "2026-01-01", "text": HELLO, "n": {"b": 1, "a": [None, True]}}])
    assert result.exit_code == 0, result.output
    text = '"hi, I am <PERSON_1>, mail me at <EMAIL_ADDRESS_1>"'
    assert Path("out.jsonl").read_text() == f'{{"id":7,"when":"2026-01-01","text":{text},"n":{{"b":1,"a":[null,true]}}}}\n'
    assert result.stdout == "in.jsonl: 1 lines, 2 findings (PERSON 1, EMAIL_ADDRESS 1)\n"


def test_numbers_pass_as_they_are_written(run):
    line = '{"a":1.50,"b":12345678901234567890123456789,"c":1e400,"d":-0.0,"text":"ok"}'
    run([line])
    assert Path("out.jsonl").read_text() == f"{line}\n"


def test_spans_are_offsets_into_the_original(run):
    run([{"text": f"😀 {HELLO}"}], "--spans")
    (row,) = read()
    assert [f"😀 {HELLO}"[span["start"] : span["end"]] for span in row["spans"]] == ["Priya Sharma", "priya@inbox.example"]
    assert [span["entity_type"] for span in row["spans"]] == ["PERSON", "EMAIL_ADDRESS"]
    assert all(0 < span["score"] <= 1 for span in row["spans"])


def test_a_list_of_turns_is_one_conversation(run):
    turns = [
        {"role": "user", "content": "I am Priya Sharma"},
        {"role": "assistant", "text": "Hello Priya, how can I help?", "content": None},
        {"role": "tool", "content": None, "call": 3},
    ]
    run([{"chat": {"turns": turns}}], "--text-field", "chat.turns", "--spans")
    user, assistant, tool = read()[0]["chat"]["turns"]
    assert (user["content"], assistant["text"]) == ("I am <PERSON_1>", "Hello <PERSON_1>, how can I help?")
    assert [(span["start"], span["end"]) for span in assistant["spans"]] == [(6, 11)]
    assert tool == turns[2]


def test_who_asked_is_told_to_the_recognizers_whatever_the_roles_are_called():
    turns = [
        {"from": "Bot", "text": "Your name?"},
        {"from": "customer", "text": "Ana"},
        {"role": "assistant", "content": "ok"},
        {"text": "bye"},
    ]
    line = verb._read(json.dumps({"text": turns}).encode(), 1, how(verb.Operator.redact))
    assert [message["role"] for message in line.messages] == ["assistant", "user", "assistant", "user"]


def test_a_field_may_be_dotted_or_have_a_dot_in_its_name(run):
    run([{"a": {"b": HELLO}}, {"a.b": HELLO}, {"a": {"b": None}}], "--text-field", "a.b")
    assert [row.get("a.b") or row["a"]["b"] for row in read()] == ["hi, I am <PERSON_1>, mail me at <EMAIL_ADDRESS_1>"] * 2 + [None]


def test_surrogates_read_as_text_and_come_from_reserved_ranges(run):
    line = {"text": HELLO}
    run([line, line, {"id": "x", **line}], "--operator", "surrogate")
    first, second, named = (row["text"] for row in read())
    assert "Priya" not in first + second + named
    assert "<" not in first
    assert "@example." in first
    assert first != second, "two lines are two conversations"
    run([{"id": "x", **line}], "--operator", "surrogate")
    assert read()[0]["text"] == named, "an id draws the same surrogate wherever its line stands"


def test_surrogates_of_your_own_ids_follow_params(run, tmp_path):
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    run([{"text": "where is HL-123456?"}], "--operator", "surrogate")
    assert read()[0]["text"].startswith("where is HL-9")


def test_a_hash_tells_values_apart_and_needs_the_key(run):
    lines = [{"text": "mail Ana.Bell@inbox.example"}, {"text": "mail ana.bell@inbox.example"}, {"text": "mail bo@inbox.example"}]
    without = run(lines, "--operator", "hash")
    assert without.exit_code == 1
    assert without.stderr == "golden: --operator hash: no key; set GOLDEN_KEY, or run this where params.yaml names intake.key_file\n"
    assert run(lines, "--operator", "hash", GOLDEN_KEY=KEY).exit_code == 0
    first, same, other = (row["text"] for row in read())
    assert first == same != other
    assert first.startswith("mail <EMAIL_ADDRESS:")
    run(lines, "--operator", "hash", GOLDEN_KEY="cd" * 32)
    assert read()[0]["text"] != first


def test_redact_leaves_nothing_in_its_place(run):
    run([{"text": HELLO}], "--operator", "redact")
    assert read()[0]["text"] == "hi, I am , mail me at "


def test_standard_input_and_output_work_and_the_summary_goes_elsewhere(run):
    result = run([{"text": HELLO}, ""], out="-", source="-")
    assert result.stdout == '{"text":"hi, I am <PERSON_1>, mail me at <EMAIL_ADDRESS_1>"}\n\n'
    assert result.stderr.startswith("standard input: 2 lines, 2 findings")


def test_an_empty_file_gives_an_empty_file(run):
    assert run([]).exit_code == 0
    assert Path("out.jsonl").read_bytes() == b""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{Priya", "not JSON in UTF-8; expected one object a line"),
        ('["Priya"]', "not an object; expected one object a line"),
        ({"body": "Priya"}, "no field text; name the one that holds the text with --text-field"),
        ({"text": {"en": "Priya"}}, "text is neither a text nor a list of turns"),
        ({"text": 4479460958123}, "text is neither a text nor a list of turns"),
        ({"text": ["Priya"]}, "text[0]: expected a turn with either content or text, as a text"),
        ({"text": [{"content": "a"}, {"said": "Priya"}]}, "text[1]: expected a turn with either content or text, as a text"),
        ({"text": [{"content": "a", "text": "Priya"}]}, "text[0]: expected a turn with either content or text, as a text"),
        ({"text": [{"content": [{"text": "Priya"}]}]}, "text[0]: expected a turn with either content or text, as a text"),
        ({"text": "Priya", "spans": []}, "there is a field spans already; rename it, or leave --spans out"),
        ('{"text": "Priya \\ud83d"}', "half a character (an escape of D800 to DFFF by itself); expected whole characters"),
    ],
)
def test_a_line_that_does_not_fit_is_one_line_of_error_and_nothing_is_written(line, expected, run):
    Path("out.jsonl").write_text("what was there\n")
    result = run([{"text": HELLO}, line], "--spans")
    assert (result.exit_code, result.stderr) == (1, f"golden: in.jsonl, line 2: {expected}\n")
    assert Path("out.jsonl").read_text() == "what was there\n"
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["in.jsonl", "out.jsonl"]


def fail():
    raise RuntimeError(f"cannot look at {HELLO}")


def time_out():
    """As Presidio does: it says so and goes on."""
    logging.getLogger("presidio-analyzer").warning("Regex pattern '%s' timed out after %s seconds, skipping.", "ours", 60)


@pytest.mark.parametrize(("choke", "kind"), [(fail, "RuntimeError"), (time_out, "TimedOut")])
def test_a_text_that_recognizers_choke_on_is_told_by_its_line_and_never_by_its_words(run, monkeypatch, choke, kind):
    class Choking:
        def find_conversations(self, conversations):
            if any("Priya" in message["content"] for messages in conversations for message in messages):
                choke()
            return [[[] for _ in messages] for messages in conversations]

    monkeypatch.setattr(verb, "_finder", lambda params: Choking())
    result = run([{"text": "ok"}, "", {"text": HELLO}])
    assert result.exit_code == 1
    assert result.stderr == f"golden: in.jsonl, line 3: cannot be looked at ({kind}); leave it out, or shorten it\n"
    assert not Path("out.jsonl").exists()


def test_files_that_cannot_be_read_or_written_are_one_line(run):
    assert run([], source="gone.jsonl").stderr.startswith("golden: gone.jsonl: cannot be read (No such file or directory); ")
    Path("folder").mkdir()
    assert run([], out="folder").stderr == "golden: folder: a folder; name a file\n"


def test_what_is_personal_data_says_params_yaml(run, tmp_path):
    run([{"text": "order HL-123456"}])
    assert "ORDER_ID" not in Path("out.jsonl").read_text()
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    run([{"text": "order HL-123456"}])
    assert read()[0]["text"] == "order <ORDER_ID_1>"


def test_chunks_end_by_lines_and_by_bytes_and_lose_none(tmp_path, monkeypatch):
    monkeypatch.setattr(verb, "CHUNK_LINES", 3)
    monkeypatch.setattr(verb, "CHUNK_BYTES", 10)
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"\xef\xbb\xbfa\nb\nc\nd\n0123456789\ne")
    with path.open("rb") as file:
        chunks = [(chunk.first, chunk.lines) for chunk in verb._chunks(file)]
    assert chunks == [(1, [b"a\n", b"b\n", b"c\n"]), (4, [b"d\n", b"0123456789\n"]), (6, [b"e"])]


def test_two_workers_write_the_same_bytes_as_one_in_the_same_order(run, monkeypatch):
    monkeypatch.setattr(verb, "CHUNK_LINES", 3)
    names = ("Priya Sharma", "Ana Bell", "John Carter")
    lines = [{"id": f"c-{n}", "text": f"I am {names[n % 3]}, order {n} of 2026"} for n in range(10)]
    made = []
    for workers in ("1", "2"):
        result = run(lines, "--spans", "--operator", "surrogate", "--workers", workers)
        assert result.exit_code == 0, result.output
        made.append(Path("out.jsonl").read_bytes())
    assert made[0] == made[1]
    assert [row["id"] for row in read()] == [line["id"] for line in lines]


def how(operator):
    return verb.How("in", "text", operator, True, verb.settings()[0].model_dump_json(), bytes.fromhex(KEY))


FINITE = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | FINITE | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc.", max_size=3), inner, max_size=3),
    max_leaves=6,
)
PHRASES = (
    "I am Priya Sharma",
    "priya@inbox.example",
    "card 4111 1111 1111 1111",
    "where is my parcel",
    "ring +44 20 7946 0958",
    "😀 ok",
    "<PERSON_7>",
)
TEXTS = st.lists(st.sampled_from(PHRASES), max_size=3).map(", ".join)
OTHERS = st.dictionaries(st.text("xyz.", min_size=1, max_size=3), VALUES, max_size=4)


@given(st.lists(st.tuples(OTHERS, TEXTS, OTHERS), min_size=1, max_size=3), st.sampled_from(list(verb.Operator)))
@settings(max_examples=40, deadline=None)
def test_other_fields_survive_in_their_order(lines, operator):
    records = [{**before, "text": text, **after} for before, text, after in lines]
    content, _ = verb.rewrite(how(operator), verb.Chunk(1, [json.dumps(record).encode() + b"\n" for record in records]))
    written = [json.loads(line) for line in content.splitlines()]
    for record, row in zip(records, written, strict=True):
        assert [*record, "spans"] == list(row)
        assert {**row, "text": ""} == {**record, "text": "", "spans": row["spans"]}


STANDS_FOR = {
    verb.Operator.placeholder: r"<{kind}_\d+>",
    verb.Operator.hash: "<{kind}:[0-9a-f]{{16}}>",
    verb.Operator.redact: "",
    verb.Operator.surrogate: ".+",
}


@given(st.lists(TEXTS, min_size=1, max_size=4), st.sampled_from(list(verb.Operator)))
@settings(max_examples=40, deadline=None)
def test_spans_point_at_what_was_replaced_and_all_else_stands(texts, operator):
    content, counts = verb.rewrite(how(operator), verb.Chunk(1, [json.dumps({"text": text}).encode() for text in texts]))
    written = [json.loads(line) for line in content.splitlines()]
    assert counts.total() == sum(len(row["spans"]) for row in written)
    for text, row in zip(texts, written, strict=True):
        pattern, at = "", 0
        for span in row["spans"]:
            pattern += re.escape(text[at : span["start"]]) + STANDS_FOR[operator].format(kind=span["entity_type"])
            at = span["end"]
        assert re.fullmatch(pattern + re.escape(text[at:]), row["text"])
