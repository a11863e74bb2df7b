import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from pipeline import paths, schema, tables
from pipeline.cli import app
from pipeline.labeling import tasks
from pipeline.labeling.reading import read_file, read_labels
from tests.frames import frame
from tests.labeling.standards import STANDARD, candidates

ROOT = Path(__file__).parents[2]
SHEET = "data/interim/tasks/001/amara.csv"


@pytest.fixture
def clone(tmp_path, monkeypatch):
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    Path("expectations").mkdir()
    Path("expectations/labeling.yaml").write_text(STANDARD.model_dump_json())
    Path("expectations/coverage.yaml").write_text('{"version": "1", "dimensions": {"category": {"money": {"cost": 5}}}}')
    tables.write_parquet(paths.CANDIDATES, candidates(12), schema.CANDIDATES)
    tables.write_parquet(paths.TAGS, frame(schema.TAGS, [{"example_id": "p-3", "dimension": "category", "value": "money"}]), schema.TAGS)
    paths.LABELS.mkdir(parents=True)


def golden(*arguments):
    return CliRunner().invoke(app, ["label", *arguments], env={"COLUMNS": "200"})


def give_out(*more):
    return golden("next", "--annotators", "amara,bjorn,chen", "--overlap", "2", *more)


def fill_in(path=SHEET, **values):
    """An annotator's work: the same value for every question of a dimension."""
    sheet = read_file(Path(path), schema.TASKS)
    sheet["value"] = [values.get(name.rpartition(".")[2], "") for name in sheet["dimension"]]
    Path(path).write_bytes(tasks.as_csv(sheet))


def test_what_is_given_out_filled_in_and_imported_is_labelled(clone):
    result = give_out("--n", "6")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == "data/interim/tasks/001: 6 conversations to amara 4, bjorn 4, chen 4"
    assert "p-3" in {i for sheet in tasks.given_out() for i in sheet["example_id"]}, "the costly one is among them"
    fill_in(resolved="yes", behaviour="refuse")
    result = golden("import", SHEET)
    assert result.stdout == "data/labels/001-amara.csv: 8 labels of 4 conversations added; now run 'dvc repro'\n"
    assert len(read_labels(paths.LABELS, STANDARD)) == 8
    again = golden("import", SHEET)
    assert again.exit_code == 1
    assert again.stderr.startswith("golden: data/interim/tasks/001/amara.csv, line 2: amara labelled ")
    assert len(read_labels(paths.LABELS, STANDARD)) == 8


def test_what_is_given_out_is_not_given_out_again(clone):
    give_out("--n", "8")
    give_out("--n", "8")
    batches = [
        {i for path in Path(f"data/interim/tasks/{n}").glob("*.csv") for i in read_file(path, schema.TASKS)["example_id"]}
        for n in ("001", "002")
    ]
    assert [len(batch) for batch in batches] == [8, 4]
    assert not batches[0] & batches[1]
    assert "every conversation is labelled or given out" in give_out().stderr


def test_a_text_goes_to_another_for_approval(clone):
    give_out("--n", "3")
    fill_in(must_include="90 days")
    golden("import", SHEET)
    written = set(read_labels(paths.LABELS, STANDARD)["example_id"])
    assert give_out("--open").exit_code == 0
    asked = pd.concat([read_file(path, schema.TASKS) for path in Path("data/interim/tasks/002").glob("*.csv")])
    approvals = asked[asked["dimension"] == "expected.must_include"]
    assert set(approvals["example_id"]) == written
    assert set(approvals["value"]) == {"90 days"}
    assert "amara" not in set(approvals["annotator"])


def test_label_studio_gets_tasks_for_each_annotator_and_one_interface(clone):
    give_out("--n", "3")
    result = golden("export", "--to", "label-studio")
    assert result.exit_code == 0
    made = sorted(path.name for path in Path("data/interim/tasks/export").iterdir())
    assert made == ["amara.json", "bjorn.json", "chen.json", "labeling.xml"]
    exported = json.loads(Path("data/interim/tasks/export/amara.json").read_bytes())
    assert {task["data"]["annotator"] for task in exported} == {"amara"}


def test_a_csv_export_comes_in_like_a_sheet(clone):
    give_out("--n", "3")
    golden("export", "--to", "csv", "--annotator", "amara")
    fill_in("data/interim/tasks/export/amara.csv", resolved="no")
    assert golden("import", "data/interim/tasks/export/amara.csv").exit_code == 0
    assert set(read_labels(paths.LABELS, STANDARD)["value"]) == {"no"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("next", "--annotators", "amara,bjor"), "--annotators: bjor is not in expectations/labeling.yaml; did you mean 'bjorn'?"),
        (("next", "--annotators", "amara"), "--annotators: 1 named, but each conversation goes to 2; name more or lower --overlap"),
        (("export", "--to", "xml"), "--to xml: expected label-studio or csv"),
        (("export",), "nothing is given out; run 'golden label next' first"),
        (("import", "gone.csv"), "gone.csv: not there; name a filled-in sheet (CSV) or Label Studio's export (JSON)"),
        (("import", "gone.csv", "--into", "x.csv"), "--into x.csv: expected a CSV in data/labels/"),
        (("import", "gone.csv", "--by", "amara"), "--by amara: expected USER=NAME, such as --by 3=amara or --by amara@example.com=amara"),
    ],
)
def test_a_mistake_is_one_line(clone, arguments, says):
    result = golden(*arguments)
    assert (result.exit_code, result.stderr) == (1, f"golden: {says}\n")


def test_an_empty_sheet_is_one_line(clone):
    give_out("--n", "3")
    assert "holds no label; fill in the column value" in golden("import", SHEET).stderr


def test_the_guide_is_written(clone):
    assert golden("spec").stdout == "reports/labeling.html: standard 2, 3 dimensions\n"
    assert "Labelling standard 2" in Path("reports/labeling.html").read_text()
