import sys
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.targets.python import imported


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package `shop` with the module `assistant`, in a repository that is the current folder and not on the path."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/__init__.py").touch()
    (tmp_path / "shop/assistant.py").write_text(
        "def answer(messages, fixtures): return 'hi'\ndef lonely(): pass\nname = 'x'\nclass Bot:\n    @staticmethod\n    def ask(m, f): return 'bot'\n"
    )
    (tmp_path / "shop/needy.py").write_text("import a_package_nobody_has\n")
    (tmp_path / "shop/broken.py").write_text("x = 1\ndef f(:\n")
    (tmp_path / "shop/raising.py").write_text("x = 1\nraise KeyError('SECRET')\n")
    for name in [name for name in sys.modules if name.split(".")[0] == "shop"]:
        del sys.modules[name]


def test_a_callable_is_found_from_the_repositorys_root() -> None:
    assert imported("shop.assistant:answer")([], {}) == "hi"
    assert imported("shop.assistant:Bot.ask")([], {}) == "bot"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("shop.asistant:answer", "no module 'shop.asistant'; did you mean 'shop.assistant'?"),
        ("shp.assistant:answer", "no module 'shp'; did you mean 'shop'?"),
        ("shop.assistant:anwser", "shop.assistant has no 'anwser'; did you mean 'answer'?"),
        ("shop.assistant:name", "shop.assistant:name is str, not a function; name one that takes (messages, fixtures)"),
        ("shop.assistant:lonely", "shop.assistant:lonely cannot be called as lonely(messages, fixtures); give it these two arguments"),
        ("shop.needy:answer", "shop.needy needs the module 'a_package_nobody_has', which is not installed here"),
        ("shop.broken:answer", "importing shop.broken raised SyntaxError at broken.py:2"),
        ("shop.raising:answer", "importing shop.raising raised KeyError at raising.py:2"),
    ],
)
def test_a_wrong_name_is_one_line_that_helps(name: str, says: str) -> None:
    with pytest.raises(InputError) as raised:
        imported(name)
    assert str(raised.value) == f"params.yaml: evaluate.target.callable: {says}"
