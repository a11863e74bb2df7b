from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.errors import InputError
from pipeline.gating import dataset, signing
from tests.gating.small import CONTRACT, hundred, lay


def page(folder: Path, *clauses: dict[str, Any], count: int = 100) -> signing.Signable:
    lay(folder, hundred()[:count], CONTRACT | {"clauses": list(clauses)} if clauses else None)
    of = dataset.read(folder, "v1", "somewhere", folder)
    return signing.signable(of.contract, of.examples, of.version, of.criteria)


def test_a_clause_with_examples_enough_says_which_system_passes(tmp_path: Path) -> None:
    found = page(tmp_path)
    [clause] = found.clauses
    assert found.can_ship
    assert clause.reach.n == 100
    assert 0 < clause.reach.ships_at_threshold < 1 - found.q + 0.05
    assert "in four of five cases" in clause.sentence
    assert f"{clause.reach.ships_at_threshold:.0%}" in signing.markdown(found)


def test_a_clause_that_no_answer_can_meet_says_how_many_examples_could(tmp_path: Path) -> None:
    found = page(tmp_path, {"name": "strict", "slice": "topic=beta", "at_least": 0.95, "why": "."}, count=20)
    assert not found.can_ship
    assert found.clauses[0].sentence == "cannot be met: not even 4 right ones of 4 are sure enough; 28 could be enough"
    assert "this dataset can let no build pass" in signing.markdown(found)


def test_a_clause_over_what_is_not_there_lists_what_is(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"clauses: odd: no example lies in 'topic=betta'; values of topic are beta"):
        page(tmp_path, {"name": "odd", "slice": "topic=betta", "at_least": 0.5, "why": "."})


def test_the_page_is_self_contained_and_takes_no_markup_from_the_contract(tmp_path: Path) -> None:
    found = page(tmp_path, {"name": "overall", "at_least": 0.5, "why": "<script>alert(1)</script>"})
    html = signing.html(found)
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "http" not in html
    assert "signature" in html


def test_golden_contract_prints_markdown_or_writes_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(tmp_path, hundred())
    monkeypatch.chdir(tmp_path)
    printed = CliRunner().invoke(app, ["contract"])
    assert printed.exit_code == 0
    assert "**May it go out?**" in printed.stdout
    written = CliRunner().invoke(app, ["contract", "--html", "page.html"])
    assert written.stdout == "page.html: 1 clauses; the dataset can let a build pass\n"
    assert Path("page.html").read_text().startswith("<!doctype html>")
