import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner

from pipeline import schema, tables
from pipeline.cli import app
from tests.gating.conftest import Said
from tests.gating.small import hundred, lay

OTHER = "def answer(messages, fixtures): return 'no' if 'q00' in messages[-1]['content'] else 'yes'\n"


@pytest.fixture
def recorded(gate: Callable[..., Said]) -> str:
    """The scores of the bot that is always right."""
    lay(Path(), hundred())
    gate("--ledger", "ledger.csv")
    tables.write_csv(Path("scores.csv"), tables.read_csv(Path("ledger.csv"), schema.LEDGER)[schema.SCORES.names], schema.SCORES)
    return "scores.csv"


def test_the_better_one_is_taken_and_costs_weigh(recorded: str) -> None:
    Path("other.py").write_text(OTHER)
    worse = CliRunner().invoke(app, ["compare", recorded, "other:answer", "--json", "c.json"])
    assert worse.exit_code == 1
    assert worse.stdout.startswith("keep A")
    found = json.loads(Path("c.json").read_text())
    assert (found["take"], found["a"], found["n"], found["a_wins"], found["b_wins"]) == ("A", 1.0, 100, 10, 0)
    assert found["b"] == round(1 - (2 * 3 + 8) / (20 * 3 + 80), 4), "beta costs three times as much"
    better = CliRunner().invoke(app, ["compare", "other:answer", recorded])
    assert (better.exit_code, better.stdout.splitlines()[0][:6]) == (0, "take B")


def test_two_that_are_alike_are_undecided(recorded: str, bot: ModuleType) -> None:
    alike = CliRunner().invoke(app, ["compare", recorded, "bot:answer"])
    assert alike.exit_code == 2
    assert alike.stdout.startswith("undecided: B is the better one with probability 0.498")


@pytest.mark.parametrize("other", ["nothing:here", "nowhere.csv", "quiet:answer"])
def test_one_that_gives_no_answer_is_one_line_and_no_verdict(recorded: str, other: str) -> None:
    Path("quiet.py").write_text("def answer(messages, fixtures): raise ValueError('text of a customer')\n")
    said = CliRunner().invoke(app, ["compare", recorded, other])
    assert said.exit_code == 3
    assert said.stderr.count("\n") == 1
    assert "customer" not in said.output
