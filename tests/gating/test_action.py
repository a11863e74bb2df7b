"""The composite action's steps, run as GitHub would run them, in a folder without logs, key or anything of this repository."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.gating.small import hundred
from tests.gating.test_dataset import released

ROOT = Path(__file__).parents[2]
ACTION = YAML(typ="safe", pure=True).load((ROOT / "action.yml").read_text())
STEPS = ACTION["runs"]["steps"]
HEAVY = ("presidio_analyzer", "great_expectations", "torch", "onnxruntime", "dask", "statsmodels", "tokenizers")
BOT = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    print(json.dumps({"id": asked["id"], "answer": "no" if %r in asked["messages"][-1]["content"] else "yes"}), flush=True)
"""


def test_no_step_runs_what_a_pull_request_could_write_into_it() -> None:
    assert all("${{" not in step["run"] for step in STEPS), "values reach a script by its environment alone"


def test_every_input_that_is_read_is_declared() -> None:
    read = set(re.findall(r"inputs\.([\w-]+)", (ROOT / "action.yml").read_text()))
    assert read == set(ACTION["inputs"])


def test_the_example_to_copy_has_at_most_twelve_lines_and_names_inputs_that_there_are() -> None:
    [block] = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/gate-in-your-ci.md").read_text(), re.S)
    assert len(block.splitlines()) <= 12
    *_, step = YAML(typ="safe", pure=True).load(block)["jobs"]["gate"]["steps"]
    assert set(step["with"]) <= set(ACTION["inputs"])
    needed = {name for name, declared in ACTION["inputs"].items() if declared.get("required")}
    assert needed <= set(step["with"])


def run(inputs: dict[str, str], folder: Path, home: Path, action: Path) -> tuple[int, dict[str, str], Path]:
    """The exit code of the first step that fails, the outputs of the steps, and the file of the summary."""
    given = {name: declared.get("default", "") for name, declared in ACTION["inputs"].items()} | inputs
    known: dict[str, Any] = {f"inputs.{name}": value for name, value in given.items()}
    known |= {
        "github.action_path": str(action),
        "github.action_repository": "team/golden",
        "github.action_ref": "main",
        "github.sha": "c0ffee",
        "github.token": "",
    }
    temp, summary = home / "temp", home / "summary"
    temp.mkdir(parents=True, exist_ok=True)
    summary.touch()
    code = 0
    for step in STEPS:
        if "if" in step:  # a pull request's comment
            continue
        output = home / "output"
        output.write_text("")
        own = {
            name: re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda found, known=known: str(known[found[1]]), value)
            for name, value in step["env"].items()
        }
        environment = {
            "PATH": f"{ROOT / '.venv/bin'}:/usr/bin:/bin", "HOME": str(home), "RUNNER_TEMP": str(temp), "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_SERVER_URL": "https://github.com", "UV_OFFLINE": "1", "UV_CACHE_DIR": uv_cache(), "UV_PYTHON": str(Path(sys.base_prefix, "bin", "python3")), "DVC_NO_ANALYTICS": "1",
        }  # fmt: skip
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=folder,
            env=environment | own,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode and step.get("id") == "install" and re.search("network (was|connectivity is) disabled", done.stderr, re.I):
            pytest.skip("uv's cache lacks a package of the light install, and a test asks no registry")
        known |= {
            f"steps.{step.get('id')}.outputs.{name}": value
            for name, _, value in (line.partition("=") for line in output.read_text().splitlines())
        }
        code, known["steps.any.outputs.said"] = done.returncode, done.stdout + done.stderr
        if code:
            break
    return code, {name.split(".")[-1]: value for name, value in known.items() if name.startswith("steps.")}, summary


def uv_cache() -> str:
    return os.environ.get("UV_CACHE_DIR") or str(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "uv")


@pytest.fixture(scope="module")
def action(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the action's repository holds that an install reads."""
    folder = tmp_path_factory.mktemp("action")
    for name in ("pyproject.toml", "requirements.lock", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "pipeline", folder / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_the_steps_install_little_gate_and_end_as_the_verdict_says(action: Path, tmp_path: Path) -> None:
    released(tmp_path / "golden", hundred(), "v1.0.0")
    assistant, home = tmp_path / "assistant", tmp_path / "home"
    assistant.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=assistant, check=True)
    (assistant / "bot.py").write_text(BOT % "nothing")
    asked = {"dataset": f"{tmp_path / 'golden'}@v1.0.0", "target": "python3 bot.py"}
    code, outputs, summary = run(asked, assistant, home, action)
    assert (code, outputs.get("decision")) == (0, "ship"), outputs["said"]
    assert "Golden gate: ✅ ship" in summary.read_text()
    assert json.loads(Path(outputs["json"]).read_text())["target"] | {"latency_ms": 0, "latency_p95_ms": 0} == {
        "version": "c0ffee", "epochs": 1, "pooled": True, "latency_ms": 0, "latency_p95_ms": 0, "cost": None,
    }  # fmt: skip
    branches = subprocess.run(["git", "branch", "--list", "golden-ledger"], cwd=assistant, capture_output=True, text=True, check=True)
    assert "golden-ledger" in branches.stdout
    python = Path(outputs["golden"]).with_name("python")
    there = subprocess.run(
        [python, "-c", f"import importlib.util; print([m for m in {HEAVY!r} if importlib.util.find_spec(m)])"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout == "[]\n", "the light install holds none of what builds a dataset"

    (assistant / "bot.py").write_text(BOT % "beta")
    again = {**asked, "golden": outputs["golden"]}
    code, outputs, _ = run({**again, "target-version": "broken", "against": "c0ffee"}, assistant, home, action)
    assert (code, outputs["decision"]) == (1, "hold")
    code, outputs, _ = run({**again, "target-version": "c0ffee"}, assistant, home, action)
    assert (code, outputs["decision"]) == (3, "error"), "the commit is the same and the system is not"


@pytest.mark.parametrize(
    ("decision", "wanted", "code"),
    [("ship", "warn", 0), ("hold", "warn", 1), ("undecided", "warn", 0), ("undecided", "fail", 2), ("", "warn", 3)],
)
def test_the_last_step_turns_the_verdict_into_a_result(decision: str, wanted: str, code: int) -> None:
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", STEPS[-1]["run"]], env=os.environ | {"DECISION": decision, "ON_UNDECIDED": wanted}, check=False
    )
    assert done.returncode == code
