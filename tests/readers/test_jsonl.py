from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.readers import jsonl
from pipeline.readers.raw import Limits, Reject


def read(folder: Path, content: bytes, name: str = "a.jsonl") -> list[object]:
    (folder / name).write_bytes(content)
    return [logged for _, logged in jsonl.read(folder / name, Limits(100))]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"a": "007"}', {"a": "007"}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'{"a": NaN, "b": -Infinity}', {"a": None, "b": None}),
        (b'{"a": "\\ud800"}', {"a": "\ud800"}),
        (b'{"a": 1}\r', {"a": 1}),
        (b"  ", Reject("blank_line")),
        (b'{"a": ', Reject("not_json")),
        (b'{"a": 1} {"b": 2}', Reject("not_json")),
        (b'{"a": "\xff"}', Reject("not_utf8")),
        (b"[1]", Reject("not_an_object")),
        (b'"text"', Reject("not_an_object")),
        (b'{"a": "' + b"x" * 100 + b'"}', Reject("line_too_long")),
        (b"[" * 99, Reject("not_json")),
    ],
)
def test_a_bad_line_is_rejected_for_its_reason_and_costs_no_other_line(tmp_path: Path, line: bytes, expected: object) -> None:
    assert read(tmp_path, b'{"first": 1}\n' + line + b'\n{"last": 1}') == [{"first": 1}, expected, {"last": 1}]


def test_a_file_that_is_one_list_is_refused_with_the_conversion(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one JSON list, not one object a line; convert it with: jq"):
        read(tmp_path, b'[\n{"id": 1}\n]', "a.json")
