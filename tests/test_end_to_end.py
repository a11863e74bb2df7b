"""The repository as its users drive it: `dvc repro` on a small copy of the demo, edits, clones, kills."""

import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from pipeline import label, params, rejects, schema, tables, tag
from pipeline.errors import InputError
from pipeline.paths import CANDIDATES
from tests.project import Project, copy_repository, short_week

WEEKS = ("2026-W08", "2026-W09", "2026-W10")
NEXT_WEEK = "2026-W11"
KILLS = int(os.environ.get("GOLDEN_KILLS", "4"))
SIZE = 20
OTHER_MIX = {"production": 0.4, "expert": 0.3, "adversarial": 0.2, "synthetic": 0.1}


def stages_run(output: str) -> list[str]:
    return re.findall(r"Running stage '(\w+)'", output)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A small copy of this repository, three weeks of logs, committed and built."""
    project = copy_repository(tmp_path_factory.mktemp("built") / "golden")
    (project.path / "demo/logs").mkdir(parents=True)
    for week in WEEKS:
        short_week(week, project.path / "demo/logs")
    project.set("merge.size", SIZE)
    project.repro()
    project.commit("built")
    return project


@pytest.fixture
def project(built: Project, tmp_path: Path) -> Project:
    return built.copy(tmp_path / "golden")


def test_a_second_repro_runs_nothing_and_git_sees_nothing(project):
    assert "up to date" in project.repro()
    assert project.run("git", "status", "--porcelain") == ""


@pytest.fixture(scope="session")
def remixed(built: Project, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, str]:
    """The built project with another mix of sources, pushed before the edit, and what the repro after it printed."""
    folder = tmp_path_factory.mktemp("remixed")
    project = built.copy(folder / "golden")
    project.run("dvc", "remote", "add", "--default", "store", str(folder / "store"))
    project.commit("remote")
    project.run("dvc", "push")
    project.set("merge.ratios", OTHER_MIX)
    return project, project.repro()


def test_another_mix_runs_merge_and_what_follows_and_its_diff_reads_well(remixed):
    project, output = remixed
    assert set(stages_run(output)) == {"merge", "evaluate", "audit", "validate", "score", "metrics", "power", "monitor", "report", "accept"}
    members = tables.read_csv(project.path / "data/golden/members.csv", schema.MEMBERS)
    assert members["source"].value_counts().to_dict() == {"production": 8, "expert": 6, "adversarial": 4, "synthetic": 2}
    assert "sources.expert.n" in project.run("dvc", "metrics", "diff", "--md")
    assert re.search(r"^\+e-", project.run("git", "diff", "--unified=0", "data/golden/members.csv"), re.MULTILINE)


def test_a_clone_without_raw_logs_builds_the_same_bytes(remixed, tmp_path):
    project, _ = remixed
    clone = Project(tmp_path / "clone")
    project.run("git", "clone", "--quiet", str(project.path), str(clone.path))
    shutil.rmtree(clone.path / "demo/logs")
    clone.set("merge.ratios", OTHER_MIX)
    output = clone.repro("--pull", "--allow-missing")
    assert not {"ingest", "anonymize"} & set(stages_run(output))
    built_from_the_pool = ("dvc.lock", "data/golden", "data/responses", "metrics")
    assert clone.made(*built_from_the_pool) == project.made(*built_from_the_pool)
    assert not (clone.path / "data/interim/records").exists()


def test_raw_records_are_in_no_cache_and_no_remote(project, tmp_path):
    project.run("dvc", "remote", "add", "--default", "store", str(tmp_path / "store"))
    project.run("dvc", "push")
    raw = {hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() for path in (project.path / "data/interim/records").iterdir()}
    kept = {
        path.parent.name + path.name
        for place in (project.path / ".dvc/cache", tmp_path / "store")
        for path in place.rglob("*")
        if path.is_file()
    }
    assert raw
    assert len(kept) > 10
    assert not raw & kept


def test_another_threshold_changes_texts_and_nothing_else(project):
    before = tables.read_parquet(project.path / "data/golden/examples.parquet", schema.EXAMPLES)
    members = (project.path / "data/golden/members.csv").read_bytes()
    labels = (project.path / "metrics/labels.json").read_bytes()
    # What the recognizers then miss and the audit finds is masked all the same.
    for kind in params.load(project.path / "params.yaml").anonymize.entities:
        project.set(f"anonymize.entities.{kind}.threshold", 0.999)
    project.repro("merge")
    after = tables.read_parquet(project.path / "data/golden/examples.parquet", schema.EXAMPLES)
    assert (project.path / "data/golden/members.csv").read_bytes() == members
    assert (project.path / "metrics/labels.json").read_bytes() == labels
    same = ["example_id", "text_sha", "source", "expectation_sha", "occurred_at"]
    assert after[same].equals(before[same])
    assert not after["input"].equals(before["input"])


def test_a_new_weekly_file_is_the_only_one_worked_on_and_the_pool_equals_a_full_rebuild(project, tmp_path):
    old = project.made("data/pool")
    short_week(NEXT_WEEK, project.path / "demo/logs")
    fresh = project.copy(tmp_path / "fresh")
    output = project.repro("anonymize")
    assert "4 files (3 unchanged)" in output
    assert "1 made, 3 unchanged" in output
    assert {name: sha for name, sha in project.made("data/pool").items() if NEXT_WEEK not in name} == old
    for name in ("data/pool", "data/interim"):
        shutil.rmtree(fresh.path / name)
    (fresh.path / "data/pool.csv").unlink()
    assert "4 made, 0 unchanged" in fresh.repro("anonymize")
    assert fresh.made("data/pool", "data/pool.csv", "data/interim/records") == project.made(
        "data/pool", "data/pool.csv", "data/interim/records"
    )


def test_an_expired_raw_file_leaves_its_partition_and_takes_its_records(project):
    pool = project.made("data/pool")
    (project.path / f"demo/logs/{WEEKS[0]}.jsonl").unlink()
    project.repro("anonymize")
    assert project.made("data/pool") == pool
    assert not list((project.path / "data/interim/records").glob(f"{WEEKS[0]}*"))
    listed = tables.read_csv(project.path / "data/pool.csv", schema.PARTITIONS).set_index("partition")
    assert listed["raw"].to_dict() == {WEEKS[0]: "expired", WEEKS[1]: "present", WEEKS[2]: "present"}


def test_a_missing_partition_is_refused_with_what_to_do(project):
    (project.path / f"demo/logs/{WEEKS[0]}.jsonl").unlink()
    (project.path / f"data/pool/{WEEKS[0]}.parquet").unlink()
    assert f"(first: {WEEKS[0]}); run 'dvc pull'" in project.run("dvc", "repro", fails=True)


def test_another_key_is_refused(project):
    short_week(NEXT_WEEK, project.path / "demo/logs")
    before = project.made()
    output = project.run("dvc", "repro", fails=True, GOLDEN_KEY="ab" * 32)
    (line,) = [line for line in output.splitlines() if line.startswith("ingest:")]
    assert "key" in line
    assert "ab" * 32 not in output
    assert project.made("data/pool", "data/golden") == {
        name: sha for name, sha in before.items() if name.startswith(("data/pool/", "data/golden"))
    }


def test_a_raw_file_in_git_is_refused(project):
    (project.path / "data/raw").mkdir(exist_ok=True)
    (project.path / "data/raw/logs.jsonl").write_text("{}\n")
    project.run("git", "add", "--force", "data/raw/logs.jsonl")
    short_week(NEXT_WEEK, project.path / "demo/logs")
    output = project.run("dvc", "repro", fails=True)
    assert re.search(r"^ingest: .*data/raw/logs\.jsonl.*git rm --cached", output, re.MULTILINE)


def test_killed_at_random_moments_and_run_again_gives_equal_bytes(project, built, tmp_path):
    whole = built.made()
    for name in ("data/pool", "data/interim", "data/golden", "data/responses", "metrics", ".golden", ".dvc/cache", ".dvc/tmp"):
        shutil.rmtree(project.path / name)
    for name in ("data/pool.csv", "dvc.lock"):
        (project.path / name).unlink()
    project.run("git", "checkout", "--", "metrics/history.csv")  # a release wrote it, no stage does
    chance = random.Random(KILLS)
    for _ in range(KILLS):
        running = subprocess.Popen(
            ["dvc", "repro"],
            cwd=project.path,
            env=project.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(chance.uniform(1, 25))
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    project.repro()
    assert project.made() == whole
    assert not [path for path in project.path.rglob(".*.tmp") if ".venv" not in path.parts]


@pytest.mark.parametrize("kernel", ["Prescott", "Haswell"])
def test_other_blas_kernels_give_the_same_bytes(project, kernel):
    before = project.made("data/golden", "metrics")
    for stage in ("tag", "merge", "metrics"):
        project.run("python", "-m", f"pipeline.{stage}", OPENBLAS_CORETYPE=kernel)
    assert project.made("data/golden", "metrics") == before


REGRESSION = """\
- id: {id}
  incident_id: INC-1
  reason: {reason}
  flagged_by: Dana
  flagged_at: 2026-03-05
  expect: {{answer: "{answer}"}}
"""


def test_text_that_git_would_keep_is_refused_at_every_way_in(project, monkeypatch):
    monkeypatch.chdir(project.path)
    found = tables.read_parquet(CANDIDATES, schema.CANDIDATES)
    found = found[found["source"] == "production"]
    pooled = max((turns[-1]["content"] for turns in found["input"]), key=len)
    quoted = " ".join(re.findall(r"<[A-Z_]+_\d+>|\w+", pooled)[3:12]).upper()
    label_file, entry_file = Path("data/labels/new.csv"), Path("data/sources/regression/new.yaml")
    one = found["example_id"].iloc[0]
    for value, note, says in (
        ("refuse", quoted, "note: repeats 8 words"),
        ("refuse", "ask jo@corp.io", "note: holds what looks like an e-mail address"),
    ):
        label_file.write_text(f"{','.join(schema.LABELS.names)}\n{one},expected.behaviour,{value},dana,2026-08-20,1.3,t,{note}\n")
        with pytest.raises(InputError, match=rf"^data/labels/new\.csv, line 2: {says}"):
            label.work()
    label_file.write_text(f"{','.join(schema.LABELS.names)}\n{one},expected.answer,{quoted},dana,2026-08-20,1.3,t,\n")
    with pytest.raises(InputError, match=r"^data/labels/new\.csv, line 2: value: repeats"):
        label.work()
    for reason, answer, says in (
        (quoted, "ok", "reason: repeats"),
        ("told 4155552671", "ok", "reason: holds what looks like somebody's number"),
        ("not helped", quoted, r"expect\.answer: repeats"),
    ):
        entry_file.write_text(REGRESSION.format(id=one, reason=reason, answer=answer))
        with pytest.raises(InputError, match=rf"^data/sources/regression/new\.yaml, {one}: {says}"):
            tag.work()


BURNT = "The stove I bought from you hissed, caught fire and burned my hand. What am I to do about it now?"


def test_a_failure_in_todays_log_is_flagged_and_gated_by_one_command_and_its_like_is_the_same_incident(project, tmp_path):
    line = {"id": "c-today-1", "created_at": "2026-03-14T09:10:00Z", "status": "resolved", "feedback": {"thumbs": "down"}}
    lines = [
        line
        | {"id": log_id, "turns": [{"from": "customer", "text": f"My name is {name}. {BURNT}"}, {"from": "bot", "text": "Bring it back."}]}
        for log_id, name in (("c-today-1", "Piotr Lewandowski"), ("c-today-2", "Ana Petrova"))
    ]
    today = tmp_path / "2026-W11-today.jsonl"
    today.write_text("".join(f"{json.dumps(one)}\n" for one in lines))
    says = (
        "--reason",
        "a burn was answered with the returns policy",
        "--expect",
        "behaviour=escalate",
        "--by",
        "Dana",
        "--on",
        "2026-03-14",
    )
    done = project.attempt("golden", "flag", "c-today-1", "--log", str(today), *says, "--tag", "risk=safety", "--run")
    assert done.returncode in (0, 2), done.stderr
    assert "all clauses" in done.stdout
    (flagged,) = re.findall(r"^- id: (p-[0-9a-f]{16})$", done.stdout, re.MULTILINE)
    members = tables.read_csv(project.path / "data/golden/members.csv", schema.MEMBERS).set_index("example_id")
    assert members.loc[flagged, "source"] == "regression"
    assert flagged in (project.path / "metrics/scores.csv").read_text()
    again = project.run("golden", "flag", "c-today-2", *says)
    assert f"the same incident as {flagged}" in again
    entries = (project.path / "data/sources/regression/2026-03.yaml").read_text()
    assert entries.count("- id: p-") == 2
    assert "stove" not in entries
    assert "flagged already" in project.run("golden", "flag", "c-today-1", *says, fails=True)
    assert "in no partition of the pool" in project.run("golden", "flag", "c-nobody", *says, fails=True)


NO_SOCKETS = """\
import sys

def refuse(event, args):
    if event in ("socket.__new__", "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname"):
        raise PermissionError(f"{event}: sockets are blocked")

sys.addaudithook(refuse)
"""
VERBS = """\
import json
from pathlib import Path
from typer.testing import CliRunner
from pipeline.cli import app

Path("in.jsonl").write_text(json.dumps({"text": "I am Ana Bell"}))
spans = [{"start": 5, "end": 13, "entity_type": "PERSON"}]
Path("spans.jsonl").write_text(json.dumps({"id": "a:1", "text": "I am Ana Bell", "spans": spans}))
erased = Path("data/golden/members.csv").read_text().rpartition("\\np-")[2][:16]
for verb in (
    "status", "doctor", "key show-id", "anonymize in.jsonl --out out.jsonl --workers 2", "pii-eval spans.jsonl",
    f"erase --example-id p-{erased} --dry-run",
):
    result = CliRunner().invoke(app, verb.split())
    assert result.exit_code == 0, (verb, result.output)
assert Path("out.jsonl").read_text() == '{"text":"I am <PERSON_1>"}\\n'
"""


def test_with_all_sockets_blocked_anonymize_merge_and_the_command_line_work(project, tmp_path):
    (tmp_path / "blocked").mkdir()
    (tmp_path / "blocked/sitecustomize.py").write_text(NO_SOCKETS)
    project.env["PYTHONPATH"] = str(tmp_path / "blocked")
    assert "sockets are blocked" in project.run("python", "-c", "import socket; socket.create_connection(('127.0.0.1', 1))", fails=True)
    before = project.made("data/pool", "data/golden")
    shutil.rmtree(project.path / "data/pool")
    project.set("engine.kind", "processes")
    project.run("python", "-m", "pipeline.anonymize")
    project.run("python", "-m", "pipeline.merge")
    assert project.made("data/pool", "data/golden") == before
    project.run("python", "-c", VERBS)


def test_another_way_through_the_graph_gives_the_same_pool(project):
    before = project.made("data/pool")
    script = (
        "from dataclasses import replace\n"
        "from pipeline import anonymize as a, params, schema, tables\n"
        "from pipeline.identity import load_key\n"
        "p = params.load()\n"
        "jobs = a.plan(sorted(a.RECORDS.glob('*.parquet')), tables.read_csv(a.POOL_CSV, schema.PARTITIONS), p.anonymize, load_key(p.intake.key_file))\n"
        "a.run_job(replace(jobs[0], optimization='ORT_DISABLE_ALL'))\n"
    )
    project.run("python", "-c", script)
    assert project.made("data/pool") == before


def test_real_logs_become_candidates_by_changing_params_alone(project):
    folder = os.environ.get("GOLDEN_REAL_DATA")
    if not folder:
        pytest.skip("GOLDEN_REAL_DATA names no folder of real logs")
    project.set("ingest.path", folder)
    project.set("ingest.files", ["multidogo_airline.jsonl", "multidogo_fastfood.jsonl", "multidogo_insurance.jsonl"])
    project.set("ingest.sample", {"per_file": 60})
    project.set("ingest.system", "support-desk")
    project.set(
        "ingest.fields", {"log_id": "conversation_id", "turns": "turns", "role": "role", "text": "text", "metadata": {"domain": "domain"}}
    )
    project.set("ingest.outcome", {"rules": []})
    for name in ("data/pool", "data/interim"):
        shutil.rmtree(project.path / name)
    (project.path / "data/pool.csv").unlink()
    output = project.run("dvc", "repro", "merge", fails=True)
    assert stages_run(output) == ["ingest", "anonymize", "tag", "label", "merge"]
    (line,) = [line for line in output.splitlines() if line.startswith("merge:")]
    assert "label" in line
    assert "data/interim/label_queue.csv" in line
    read = tables.read_csv(project.path / "data/pool.csv", schema.PARTITIONS)
    lines = [
        sum(1 for _ in path.open(encoding="utf-8"))
        for path in sorted(Path(folder).glob("multidogo_*[a-z].jsonl"))
        if "_pii" not in path.name
    ]
    assert list(read["read"]) == lines
    # The leak audit may keep one out.
    kept = read["kept"] + [sum(rejects.left_out(text).values()) for text in read["rejected"]]
    assert list(kept) == [60, 60, 60]
    assert min(read["kept"]) >= 58
    assert list(kept + read["sampled_out"]) == lines


def test_two_releases_account_for_every_example_and_a_failed_one_leaves_nothing_behind(project):
    refused = project.run("golden", "release", "1.0.0", fails=True)
    assert re.search(r"^golden: the gate says (hold|undecided): .* --force --why", refused, re.MULTILINE)
    assert project.run("git", "status", "--porcelain") == ""
    said = project.run("golden", "release", "1.0.0", "--force", "--why", "a small first one", "--notes", "The first.")
    assert f"golden@v1.0.0: {SIZE} examples, {SIZE} came, 0 went" in said
    assert project.run("git", "status", "--porcelain") == ""
    assert "up to date" in project.repro()
    assert project.run("git", "cat-file", "-t", "golden@v1.0.0").strip() == "tag"
    project.set("merge.ratios", OTHER_MIX)
    assert "params.yaml: changed and not committed" in project.run("golden", "release", "1.1.0", fails=True)
    project.commit("another mix, not built")
    assert "not what is committed; run 'dvc repro'" in project.run("golden", "release", "1.1.0", fails=True)
    assert project.run("git", "status", "--porcelain") == ""
    project.repro()
    project.commit("built")
    for version, told in (("1.0.0", "released already"), ("0.9.0", "older than 1.0.0"), ("1.1", "no version")):
        assert told in project.run("golden", "release", version, "--force", "--why", "x", fails=True)
    project.run("golden", "release", "1.1.0", "--force", "--why", "still small")
    history = tables.read_csv(project.path / "metrics/history.csv", schema.HISTORY)
    assert list(history["version"]) == ["1.0.0", "1.1.0"]
    assert history["examples"][0] + history["added"][1] - history["removed"][1] == history["examples"][1]
    assert history["added"][1] > 0
    assert f"{SIZE} examples, {history['removed'][1]} went, {history['added'][1]} came" in project.run(
        "golden", "diff", "golden@v1.0.0", "golden@v1.1.0"
    )
    changelog = (project.path / "CHANGELOG.md").read_text()
    assert changelog.index("## 1.1.0") < changelog.index("## 1.0.0") < changelog.index("The first.")
    project.run("dvc", "get", ".", "data/golden/examples.jsonl", "--rev", "golden@v1.0.0", "--out", "fetched.jsonl")
    assert len((project.path / "fetched.jsonl").read_text().splitlines()) == SIZE
