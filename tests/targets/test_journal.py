from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.targets import journal
from pipeline.targets.journal import Answered
from pipeline.targets.question import Question
from pipeline.targets.reply import Response

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)


def question(input_sha: str, epoch: int = 1) -> Question:
    return Question("e", input_sha, epoch, [], {})


def test_a_line_cut_by_a_kill_is_not_there_and_spoils_no_later_one(tmp_path: Path) -> None:
    path = tmp_path / "v.jsonl"
    with journal.appending(path, "v") as add:
        add(question("one"), Answered(Response("1"), 0.1))
        add(question("two"), Answered(Response("2"), 0.1))
    path.write_bytes(path.read_bytes()[:-10])
    assert set(journal.read(path, "v")) == {("one", 1)}
    with journal.appending(path, "v") as add:
        add(question("three"), Answered(Response("3"), 0.1))
    assert set(journal.read(path, "v")) == {("one", 1), ("three", 1)}


def test_another_version_or_epoch_is_another_question(tmp_path: Path) -> None:
    path = tmp_path / "v.jsonl"
    with journal.appending(path, "v") as add:
        add(question("one", 2), Answered(Response("1"), 0.1))
    assert set(journal.read(path, "v")) == {("one", 2)}
    assert journal.read(path, "V") == {}
    assert journal.read(tmp_path / "none.jsonl", "v") == {}


def test_an_answer_is_in_the_file_as_soon_as_it_is_added(tmp_path: Path) -> None:
    with journal.appending(tmp_path / "v.jsonl", "v") as add:
        add(question("one"), Answered(Response("1"), 0.1))
        assert ("one", 1) in journal.read(tmp_path / "v.jsonl", "v")


def test_a_line_of_another_shape_is_asked_again(tmp_path: Path) -> None:
    path = tmp_path / "v.jsonl"
    path.write_text('{"target_version":"v","input_sha":"one","epoch":1,"seconds":1,"response":{"text":"of an older Golden"}}\n[]\n')
    assert journal.read(path, "v") == {}


@settings(max_examples=25, deadline=None)
@given(answer=TEXT, confidence=st.none() | st.floats(0, 1), citations=st.lists(TEXT, max_size=3))
def test_what_is_added_is_what_is_read(tmp_path_factory: object, answer: str, confidence: float | None, citations: list[str]) -> None:
    path = tmp_path_factory.mktemp("journal") / "v.jsonl"  # type: ignore[attr-defined]
    kept = Answered(Response(answer, citations, confidence), 0.25)
    with journal.appending(path, "v") as add:
        add(question("one"), kept)
    assert journal.read(path, "v") == {("one", 1): kept}
