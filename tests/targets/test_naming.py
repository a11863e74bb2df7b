import sys

import pytest

from pipeline.errors import InputError
from pipeline.params import ResponseMapping, Target
from pipeline.targets.naming import named

HTTP = Target(kind="http", version="1", url="http://old", headers={"X-Tenant": "a"}, response=ResponseMapping(answer="reply"))


@pytest.mark.parametrize(
    ("text", "kind", "place"),
    [
        ("shop.bot:answer", "python", "callable"),
        ("https://shop.example.com/chat?x=1", "http", "url"),
        ("answers/v2.jsonl", "recorded", "path"),
        ("inspect:openai/gpt-5", "inspect", "model"),
        (f"{sys.executable} -m bot --fast", "command", "command"),
    ],
)
def test_every_kind_is_known_by_its_looks(text: str, kind: str, place: str) -> None:
    found = named(text, "2.0")
    assert (found.kind, found.version, getattr(found, place)) == (kind, "2.0", text.removeprefix("inspect:"))


def test_the_same_system_behind_another_address_keeps_its_form() -> None:
    found = named("http://new", "2", HTTP)
    assert (found.url, found.headers, found.response) == ("http://new", HTTP.headers, HTTP.response)
    assert named("shop.bot:answer", "2", HTTP) == Target(kind="python", version="2", callable="shop.bot:answer")


@pytest.mark.parametrize("text", ["", "nothing", "no-such-program --x", "'unclosed", "ftp://x/y"])
def test_what_is_none_of_them_is_one_line_that_lists_the_forms(text: str) -> None:
    with pytest.raises(InputError, match="no such target; expected module:function, http"):
        named(text, "1")


def test_a_secret_in_the_address_is_refused_and_not_shown() -> None:
    with pytest.raises(InputError) as raised:
        named("http://me:SECRET@shop.example.com", "1")
    assert "SECRET" not in str(raised.value)
