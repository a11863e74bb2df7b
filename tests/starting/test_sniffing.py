import json

import pytest

from pipeline.errors import InputError
from pipeline.starting.sniffing import shape, sniff, understand

CHATS = [
    {
        "meta": {"created": f"2026-03-0{n}T10:00:00Z", "status": "resolved" if n % 2 else "escalated"},
        "conversation_id": f"c-{n}",
        "utterances": [
            {"speaker": "Customer", "text": "SECRET words"},
            {"speaker": "agent-bot", "text": "yes"},
            {"speaker": "action", "text": "x"},
        ],
        "rating": n % 3,
    }
    for n in range(1, 8)
]


def test_id_turns_roles_time_and_outcome_are_found_where_they_are():
    found = understand(CHATS)
    assert (found.log_id, found.occurred_at, found.turns, found.role, found.text) == (
        "conversation_id", "meta.created", "utterances", "speaker", "text"
    )  # fmt: skip
    assert found.roles == {"Customer": "user", "agent-bot": "assistant", "action": "tool"}
    assert dict(found.outcomes) == {"meta.status": ["resolved", "escalated"], "rating": [1, 2, 0]}
    assert found.lacks == []


def test_turns_may_be_pairs_and_a_flat_file_has_a_question_and_an_answer():
    pairs = understand([{"convo_id": n, "original": [["agent", "hi"], ["customer", "hello"]]} for n in range(9)])
    assert (pairs.turns, pairs.role, pairs.text, pairs.log_id) == ("original", "0", "1", "convo_id")
    flat = understand([{"request_id": str(n), "question": f"where {n}", "answer": "there", "handed_over": "false"} for n in range(9)])
    assert (flat.user, flat.assistant, flat.turns) == ("question", "answer", "")
    assert dict(flat.outcomes) == {"handed_over": ["false"]}


def test_what_is_not_there_is_said():
    assert understand([{"words": "hello"}, {"words": "hello"}]).lacks == ["log_id", "turns"]


def test_a_shape_tells_keys_kinds_and_lengths_and_no_text():
    told = "; ".join(shape(CHATS[0]))
    assert "SECRET" not in told
    assert "utterances: 3 of {speaker: text 6-9, text: text 1-12}" in told
    assert "rating: number" in told


def test_files_of_every_kind_are_read_and_others_refused_with_one_line(tmp_path):
    lines = tmp_path / "a.jsonl"
    lines.write_text("not json\n" + "".join(json.dumps(one) + "\n" for one in CHATS))
    found, shapes = sniff(lines)
    assert (found.records, len(shapes)) == (7, 3)
    table = tmp_path / "b.csv"
    table.write_text("id;question;answer\n1;a;b\n2;c;d\n")
    assert sniff(table)[0].user == "question"
    for name, content, told in (
        ("c.jsonl", "nothing\n", "no record could be read"),
        ("d.txt", "x", "no reader"),
        ("e.json", "[{}]", "one JSON list"),
    ):
        (tmp_path / name).write_text(content)
        with pytest.raises(InputError, match=told):
            sniff(tmp_path / name)
    with pytest.raises(InputError, match="not there"):
        sniff(tmp_path / "gone.jsonl")
