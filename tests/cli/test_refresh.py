"""`golden refresh` as it is typed, in a folder with the tables that a build leaves."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from pipeline import paths, schema, sources, tables
from pipeline.cli import app
from pipeline.refreshing import asked_for
from tests.conftest import ROOT
from tests.frames import frame
from tests.project import Project
from tests.refreshing.test_plan import vanished

GONE = "p-00000000000000{:02d}"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    shutil.copytree(ROOT / "data/sources/adversarial", tmp_path / "data/sources/adversarial")
    for name, value in (("window", 80), ("dimensions", ["category"]), ("tags", 1), ("covered_by", 25)):
        Project(tmp_path).set(f"refresh.{name}", value)
    found, tags, members, seen = (_real_ids(one) for one in vanished())
    tables.write_parquet(paths.CANDIDATES, found, schema.CANDIDATES)
    tables.write_parquet(paths.TAGS, tags, schema.TAGS)
    tables.write_csv(paths.MEMBERS, members, schema.MEMBERS)
    tables.write_csv(paths.LAST_SEEN, seen, schema.LAST_SEEN)
    tables.write_parquet(paths.EXPECTATIONS, frame(schema.EXPECTATIONS, [{"example_id": "e-1"}]), schema.EXPECTATIONS)
    return tmp_path


def _real_ids(table):
    ids = [GONE.format(int(i[-2:])) if i.startswith("p-ads") else i for i in table["example_id"]]
    return table.assign(example_id=ids)


def golden(*arguments):
    return CliRunner().invoke(app, list(arguments), prog_name="golden")


def snapshot(folder):
    return {str(p): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file() and ".golden" not in p.parts}


def test_a_plan_changes_nothing_but_its_two_pages(folder):
    before = snapshot(folder)
    told = golden("refresh")
    assert "2 combinations, 5 conversations to label, 20 examples to retire, 2 to 12 adversarial" in told.stdout, told.output
    after = snapshot(folder)
    assert {name.removeprefix(f"{folder}/") for name in after.keys() - before.keys()} == {"reports/refresh.json", "reports/refresh.md"}
    assert before.items() <= after.items()
    assert len(json.loads((folder / "reports/refresh.json").read_text())["retire"]) == 20


def test_applied_it_does_what_the_plan_said_once_and_a_retired_one_comes_back(folder):
    golden("refresh", "--plan")
    planned = json.loads((folder / "reports/refresh.json").read_text())
    told = golden("refresh", "--apply")
    assert told.exit_code == 0, told.output
    assert json.loads((folder / "reports/refresh.json").read_text()) == planned
    assert sorted(sources.retired()) == sorted(one["example_id"] for one in planned["retire"])
    assert asked_for.load() == {i for one in planned["combinations"] for i in one["wanted"]}
    assert "20 moved" in told.stdout
    retired = (folder / "data/sources/retired/production.yaml").read_bytes()
    golden("refresh", "--apply")
    assert (folder / "data/sources/retired/production.yaml").read_bytes() == retired
    assert "1 restored" in golden("refresh", "--restore", GONE.format(3)).stdout
    assert len(sources.retired()) == 19


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--plan", "--apply"), "give one of --plan, --apply and --restore"),
        (("--restore", "p-1"), "--restore p-1: not in data/sources/retired; nothing is retired"),
    ],
)
def test_what_cannot_be_is_one_line(folder, arguments, message):
    told = golden("refresh", *arguments)
    assert (told.exit_code, told.stderr.strip()) == (1, f"golden: {message}")


def test_a_window_longer_than_the_history_is_one_line_and_writes_nothing(folder):
    Project(folder).set("refresh.window", 5000)
    before = snapshot(folder)
    told = golden("refresh", "--apply")
    assert told.exit_code == 1
    assert told.stderr == (
        "golden: params.yaml: refresh.window: 5000 conversations wanted and the pool has 90 with a time; lower it or take in more logs\n"
    )
    assert snapshot(folder) == before


def test_without_last_seen_nothing_retires_and_it_is_said(folder):
    paths.LAST_SEEN.unlink()
    told = golden("refresh", "--plan")
    assert "0 examples to retire" in told.stdout
    assert "nothing can be retired: data/interim/last_seen.csv is not there" in told.stdout
