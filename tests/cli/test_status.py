import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from pipeline import params, paths, schema, tables
from pipeline.cli import app, state, status

ROOT = Path(__file__).parents[2]
OVERALL = {"n": 10, "accuracy": 0.9, "low": 0.62, "high": 0.98, "errors": 0}


@pytest.fixture
def clone(tmp_path, monkeypatch):
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)


def write_members(size, sources=("production", "regression", "expert")):
    rows = [
        {
            "example_id": f"p-{n}",
            "source": sources[n % len(sources)],
            "slices": f"category=c{n % 8} tone=calm",
            "reason": "r",
            "since": "v1",
        }
        for n in range(size)
    ]
    tables.write_csv(paths.MEMBERS, pd.DataFrame(rows), schema.MEMBERS)


def write_labels(with_expectation=120, queue=()):
    tables.write_json(paths.METRICS / "labels.json", {"examples": {"with_expectation": with_expectation, "held_back": len(queue)}})
    rows = [{"example_id": f"p-{n}", "dimension": "d", "why": why, "values": ""} for n, why in enumerate(queue)]
    tables.write_csv(paths.LABEL_QUEUE, pd.DataFrame(rows, columns=schema.QUEUE.names), schema.QUEUE)


def shown(*arguments):
    return CliRunner().invoke(app, ["status", *arguments])


def test_a_fresh_clone_has_a_state_and_a_next_step(clone):
    result = shown()
    assert result.exit_code == 0
    assert "not built yet (200 examples wanted)" in result.stdout
    assert result.stdout.splitlines()[-1] == "Next      run 'make' to build the dataset"


def test_another_folder_is_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = shown()
    assert result.exit_code == 1
    assert result.stderr == "golden: params.yaml: not there; go to the root of a dataset's repository and run this again\n"


def test_a_clone_without_the_queue_does_not_say_that_nothing_waits(clone):
    tables.write_json(paths.METRICS / "labels.json", {"examples": {"with_expectation": 120, "held_back": 0}})
    assert "0 held back; what to label next is not on this machine" in shown().stdout


def test_what_is_there_is_told_in_words_and_as_json(clone):
    write_members(200)
    write_labels(queue=["unlabelled", "unlabelled", "disagreement"])
    tables.write_json(paths.METRICS / "metrics.json", {"overall": OVERALL, "clauses": {"a": {"met": True}, "b": {"met": False}}})
    check = {"success": False, "severity": "warning", "checked": True, "observed": 70.0}
    tables.write_json(
        paths.METRICS / "validation.json", {"held": 30, "failed_critical": 0, "failed_warning": 1, "checks": {"examples": {"fresh": check}}}
    )
    text = shown().stdout
    for words in (
        "shop-assistant: 200 examples",
        "production     134   67.0% of 60.0% wanted, 67 of them regressions",
        "synthetic        0    0.0% of 10.0% wanted",
        "c0 25 · c1 25 · c2 25 · c3 25 · c4 25 · c5 25 · 2 more",
        "120 conversations with an agreed expectation, 3 held back; to do: 1 disagreement, 2 unlabelled",
        "30 hold, 0 critical and 1 warnings failed; failed: examples.fresh (found 70.0)",
        "0.900 [0.620, 0.980] of 10 examples, 0 errors; 1 of 2 clauses met (not b)",
        "gate: ",
    ):
        assert words in text
    told = json.loads(shown("--json").stdout)
    assert told["sources"]["production"] == {"count": 134, "ratio": 0.6, "regressions": 67, "share": 0.67}
    assert told["metrics"]["clauses_unmet"] == ["b"]
    assert [line.split()[0] for line in shown("--short").stdout.splitlines()] == ["Dataset", "Maturity", "Accuracy", "Next"]


@pytest.mark.parametrize(("size", "stage"), [(0, "early"), (199, "early"), (200, "gate"), (999, "gate"), (1000, "mature")])
def test_the_stage_of_maturity_follows_from_the_size(size, stage):
    assert state.maturity(size)["stage"] == stage


def step(missing=None, **changes):
    sound = {
        "size": 200,
        "wanted_size": 200,
        "labels": {"queue": {}},
        "validation": {"failed_critical": 0, "failed": []},
        "maturity": state.maturity(200),
        "stages": {"ingest": "absent", "merge": "up_to_date", "accept": "up_to_date"},
    }
    return state.next_step(sound | changes, missing or {})


def test_the_next_step_is_the_first_thing_that_stands_in_the_way():
    short = {"production": 12, "synthetic": 3}
    assert step(short, size=0) == (
        "label 12 more: golden label next --help; approve 3 more synthetic scenarios in data/sources/synthetic/; then run 'make'"
    )
    assert step(size=0) == "run 'make' to build the dataset"
    failed = {"failed_critical": 1, "failed": ["examples.size (found 190)"]}
    assert step(validation=failed).startswith("examples.size (found 190): see reports/validation.html")
    assert (
        step(stages={"merge": "out_of_date", "score": "not_built", "accept": "not_built"}) == "run 'make': merge, score are not up to date"
    )
    assert step(stages={"merge": "absent"}) == "run 'dvc pull' to get the files that were built elsewhere"
    assert (
        step(labels={"queue": {"unlabelled": 4, "disagreement": 1}})
        == "give out what waits for labels (5 tasks in data/interim/label_queue.csv): golden label next --help"
    )
    assert step() == "compare with 'dvc metrics diff' and commit; then grow to 1,000 examples (merge.size in params.yaml)"
    assert step(size=1000, wanted_size=1000) == "compare with 'dvc metrics diff' and commit"


def test_mostly_invented_examples_are_no_gate():
    assert state.maturity(400, 0.6)["stage"] == "gate"
    assert state.maturity(400, 0.2) == {"stage": "early", "can": "20% production; 50% make it a dataset to gate on"}


def test_what_is_lacking_is_to_collect_next():
    assert step(lacking=["12 risk=legal", "3 billing-follow-ups"]) == "label or write what is lacking: 12 risk=legal; 3 billing-follow-ups"


def test_the_smallest_fall_that_is_seen_is_told_by_slice(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert state.smallest_seen() is None
    (tmp_path / "metrics").mkdir()
    slices = {"risk": {"legal": {"caught_rate": 0.4}}, "tone": {"calm": {"caught_rate": 0.9}}}
    tables.write_json(tmp_path / "metrics/power.json", {"size": 0.3, "smallest_size_seen": 0.2, "slices": slices})
    found = state.smallest_seen()
    assert found == {"all": 0.2, "risk=legal": None, "tone=calm": 0.3}
    assert status._sees(found) == "a fall by 20% overall; in 1 of 2 slices, too thin: risk=legal"


def test_a_shortfall_is_counted_per_source(clone):
    missing = state.shortfalls(params.load(), {"with_expectation": 108})
    assert missing == {"production": 12, "expert": 40, "adversarial": 20, "synthetic": 20}
    assert "production" not in state.shortfalls(params.load(), None), "without labels nothing is known of them"


def test_a_stage_whose_files_are_elsewhere_is_told_from_one_that_is_out_of_date():
    assert state._stage([]) == "up_to_date"
    assert state._stage([{"changed deps": {"data/raw": "deleted"}}, {"changed outs": {"data/pool": "not in cache"}}]) == "absent"
    assert state._stage([{"changed deps": {"params.yaml": {"merge.size": "modified"}, "data/raw": "deleted"}}]) == "out_of_date"
    assert state._stage(["changed command"]) == "out_of_date"


def test_dvc_is_asked_what_is_up_to_date(clone, tmp_path, monkeypatch):
    from dvc.repo import Repo

    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    Path("dvc.yaml").write_text(
        "stages:\n  a:\n    cmd: echo a > a.txt\n    outs: [a.txt]\n  b:\n    cmd: echo b > b.txt\n    deps: [a.txt]\n    outs: [b.txt]\n"
    )
    with Repo.init(".", no_scm=True) as repo:
        assert state.stages() == {"a": "not_built", "b": "not_built"}
        repo.reproduce(["a"])
        repo.reproduce(["b"])
    assert state.stages() == {"a": "up_to_date", "b": "up_to_date"}
    Path("b.txt").unlink()
    assert state.stages() == {"a": "up_to_date", "b": "absent"}
    Path("dvc.yaml").write_text(Path("dvc.yaml").read_text().replace("echo b", "echo c"))
    assert state.stages()["b"] == "out_of_date"


def test_words_for_the_build():
    told = status._build({"a": "up_to_date", "b": "out_of_date", "c": "not_built", "d": "absent"})
    assert told == "1 of 4 stages up to date; never built: c; out of date: b; built elsewhere, their files are not here: d"
    assert "golden doctor" in status._build({})
