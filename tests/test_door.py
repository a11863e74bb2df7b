import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import door, schema
from pipeline.errors import InputError
from pipeline.sources import Regression
from tests.conftest import ROOT
from tests.frames import frame, said

POOLED = "my <PERSON_1> tent arrived yesterday with a broken pole and nobody answers my calls"
SHARED = "the Tent arrived: yesterday, with a broken pole and nobody cares"
HEADER = ",".join(schema.LABELS.names)
FOUND = frame(
    schema.CANDIDATES,
    [
        {"example_id": "p-1", "input": said("hello", "hi", POOLED), "response": "We are sorry to hear that and will send you another pole"},
        {"example_id": "e-1", "source": "expert", "input": said("an authored text of more than eight words may be quoted anywhere")},
    ],
)


def labels(folder, *rows):
    """A label file of rows (dimension, value, note)."""
    lines = [f'p-1,{dimension},"{value}",amara,2026-03-05,1.2,t,"{note}"' for dimension, value, note in rows]
    (folder / "batch.csv").write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("value", "note", "says"),
    [
        ("fine", SHARED, r"line 3: note: repeats 8 words in a row .* write it in your own words"),
        (f"fine | {SHARED}", "", "line 3: value: repeats"),
        ("we are sorry to hear that and will send", "", "line 3: value: repeats"),
        ("fine", "asked by jo at corp dot io", r"line 3: note: holds what looks like an e-mail address.* name its placeholder"),
        ("call 415-867-2093", "", "line 3: value: holds what looks like somebody's number"),
        ("4539 1488 0343 6467", "", ".*a card number"),
        ("GB29 NWBK 6016 1331 9268 19", "", ".*a bank account number"),
    ],
)
def test_a_label_that_git_must_not_keep_is_refused_with_file_and_line_and_without_its_text(value, note, says, tmp_path):
    folder = labels(tmp_path, ("expected.answer", "fine", ""), ("expected.must_include", value, note))
    with pytest.raises(InputError, match=f"batch.csv, {says}") as caught:
        door.check_labels(folder, FOUND)
    assert not [word for word in ("pole", "corp", "867", "4539", "NWBK", "sorry") if word in str(caught.value)]


def test_the_line_is_the_one_a_row_begins_on(tmp_path):
    folder = labels(tmp_path, ("expected.answer", "two\nlines", "\n"), ("expected.answer", "fine", f"\n{SHARED}"))
    with pytest.raises(InputError, match="line 5: note"):
        door.check_labels(folder, FOUND)


def test_own_words_authored_texts_and_the_allow_list_pass(tmp_path):
    folder = labels(
        tmp_path,
        (
            "expected.answer",
            "the tent came with a broken pole / send <PERSON_1> another pole",
            "an authored text of more than eight words may be quoted",
        ),
        ("expected.must_include", "call 0800 183 8750 | 5 to 7 business days | 1 March 2026", "jo@example.com"),
    )
    door.check_labels(folder, FOUND, ["0800 183 8750"])


def test_all_that_is_refused_is_counted(tmp_path):
    folder = labels(tmp_path, ("expected.answer", SHARED, SHARED), ("expected.answer", "jo@corp.io", ""))
    with pytest.raises(InputError, match=r"\(2 more like it\)$"):
        door.check_labels(folder, FOUND)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"reason": SHARED}, "reason: repeats"),
        ({"reason": "told jo@corp.io"}, "reason: holds"),
        ({"incident_id": "4155552671"}, "incident_id: holds"),
        ({"expect": {"answer": SHARED}}, "expect.answer: repeats"),
        ({"expect": {"must_include": [["fine", SHARED]]}}, "expect.must_include: repeats"),
        ({"expect": {"must_not_include": ["415-867-2093"]}}, "expect.must_not_include: holds"),
        ({"expect": {"citations": ["jo@corp.io"]}}, "expect.citations: holds"),
    ],
)
def test_a_regression_entry_that_git_must_not_keep_is_refused_with_its_id(changes, says):
    plain = {"id": "p-" + "0" * 16, "incident_id": "INC-1", "reason": "refunded twice", "flagged_by": "Dana", "flagged_at": "2026-01-03", "expect": {"behaviour": "refuse"}}  # fmt: skip
    door.check_regressions({"regression": [(Path("r.yaml"), Regression(**plain))]}, FOUND)
    with pytest.raises(InputError, match=rf"^r\.yaml, p-0{{16}}: {says}"):
        door.check_regressions({"regression": [(Path("r.yaml"), Regression(**{**plain, **changes}))]}, FOUND)


WORDS = st.lists(st.sampled_from(["a", "b", "c", "<PERSON_1>", "don't"]), max_size=24)


def naive(text: list[str], pooled: list[list[str]]) -> bool:
    runs = {tuple(one[place : place + 8]) for one in pooled for place in range(len(one) - 7)}
    return any(tuple(text[place : place + 8]) in runs for place in range(len(text) - 7))


@given(st.lists(WORDS, max_size=4), st.lists(WORDS, max_size=4))
def test_repeating_is_a_shared_run_of_eight_words_within_one_text(texts, pooled):
    split = [[[part for word in one for part in word.lower().split("'")] for one in side] for side in (texts, pooled)]
    expected = [naive(text, split[1]) for text in split[0]]
    assert door.repeating([" ".join(text).upper() for text in texts], [", ".join(one) for one in pooled]) == expected


def test_the_demo_s_labels_pass_the_shapes():
    door.check(door.labels_in(ROOT / "data/labels"), [])


def test_thousands_of_conversations_take_about_a_second():
    pooled = [" ".join(f"w{place * 31 % 5003 + word}" for word in range(100)) for place in range(4300)]
    begun = time.perf_counter()
    assert sum(door.repeating([*pooled[:2], *["some other words"] * 2000], pooled)) == 2
    assert time.perf_counter() - begun < 3
