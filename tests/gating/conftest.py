import importlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from tests.gating.small import BOT


@dataclass(frozen=True)
class Said:
    code: int
    json: dict[str, Any]
    screen: str
    error: str


@pytest.fixture
def bot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The module behind `bot:answer`, in a folder of its own that is entered."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("GOLDEN_CACHE", str(tmp_path / "cache"))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    Path("bot.py").write_text(BOT)
    sys.modules.pop("bot", None)
    yield importlib.import_module("bot")
    sys.modules.pop("bot", None)


@pytest.fixture
def gate(bot: ModuleType) -> Callable[..., Said]:
    """Runs `golden gate` with these options in the folder."""

    def run(*options: str) -> Said:
        Path("gate.json").unlink(missing_ok=True)
        result = CliRunner().invoke(app, ["gate", *options, "--json", "gate.json", "--markdown", "gate.md", "--junit", "gate.xml"])
        found = json.loads(Path("gate.json").read_text()) if Path("gate.json").is_file() else {}
        return Said(result.exit_code, found, result.stdout, result.stderr)

    return run
