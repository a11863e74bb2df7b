import json

import pytest
from typer.testing import CliRunner

from pipeline import power as stage
from pipeline import tables
from pipeline.cli import app
from tests.test_power import BY, WANTED, sample


@pytest.fixture(autouse=True)
def built(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content, _ = stage.power(sample(25, 3), sample(25, 0), BY, WANTED, 0.6)
    tables.write_json(stage.FIGURES, content)


def run(*arguments: str):
    return CliRunner().invoke(app, ["power", *arguments])


def test_the_page_says_what_is_caught_and_which_slice_is_too_thin():
    shown = run().output
    figures = tables.read_json(stage.FIGURES)
    assert "28 examples, and a fall of 60 points inside one slice" in shown
    assert f"caught     {figures['caught_rate']:.3f}" in shown
    assert "they hold no example of 1 slices" in shown
    thin = next(line for line in shown.splitlines() if line.startswith("category=other"))
    assert thin.endswith(f"{figures['slices']['category']['other']['more']} more")
    assert "category=billing" not in shown
    assert "category=billing" in run("--all").output


def test_json_is_what_the_stage_wrote():
    assert json.loads(run("--json").output) == tables.read_json(stage.FIGURES)


def test_another_size_is_measured_anew_and_nothing_is_written(monkeypatch):
    monkeypatch.setattr(stage, "built", lambda: (sample(25, 3), None, BY))
    monkeypatch.setattr(stage.params, "load", lambda: type("Wanted", (), {"power": WANTED}))
    before = stage.FIGURES.read_bytes()
    assert "a fall of 50 points" in run("--size", "0.5").output
    assert stage.FIGURES.read_bytes() == before


@pytest.mark.parametrize("size", ["0", "1.5", "30"])
def test_a_size_that_is_no_share_is_one_line(size):
    result = run("--size", size)
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        f"golden: --size {float(size):g}: expected a share above 0 and up to 1, such as 0.2 for 20 points"
    ]


def test_without_figures_it_says_what_to_run():
    stage.FIGURES.unlink()
    result = run()
    assert result.exit_code == 1
    assert result.stderr == "golden: metrics/power.json: not there; run 'dvc repro' to build it\n"
