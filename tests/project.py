"""A repository on disk as its users drive it: a small copy of this one, and what a user does in it."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from ruamel.yaml import YAML

from pipeline import schema, tables
from pipeline.identity import example_id, load_key
from tests.conftest import ROOT

LINES = 45
"""So many lines of a week are kept, those of labelled conversations first."""
SPANS = 100
"""So many labelled texts are left to measure the recognizers on."""
MADE = (
    "dvc.lock",
    "data/pool",
    "data/pool.csv",
    "data/interim/tagged",
    "data/interim/expectations.parquet",
    "data/interim/label_queue.csv",
    "data/golden",
    "data/responses",
    "metrics",
)


class Project:
    """A repository on disk, and what a user does in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.env = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "DVC_NO_ANALYTICS": "1",
            "DVC_SITE_CACHE_DIR": str(path.parent / "site-cache"),
            "CI": "1",
            "PYTHONPATH": "",
        }

    def attempt(self, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=self.path, env={**self.env, **env}, capture_output=True, text=True, check=False)

    def run(self, *command: str, fails: bool = False, **env: str) -> str:
        done = self.attempt(*command, **env)
        output = done.stdout + done.stderr
        assert (done.returncode != 0) == fails, output
        return output

    def repro(self, *options: str, **env: str) -> str:
        return self.run("dvc", "repro", *options, **env)

    def set(self, path: str, value: object, file: str = "params.yaml") -> None:
        """Set a value of params.yaml or another YAML file, as an editor would."""
        yaml = YAML()
        content = yaml.load(self.path / file)
        *parents, last = path.split(".")
        place = content
        for parent in parents:
            place = place[parent]
        place[last] = value
        yaml.dump(content, self.path / file)

    def lower_floors(self) -> None:
        """One example for each clause, none for other slices: the demo's floors are for 200, and a copy has a few."""
        yaml, path = YAML(), self.path / "expectations/coverage.yaml"
        content = yaml.load(path)
        content["clause_floor"] = 1
        for one in (*content["combinations"], *(value for values in content["dimensions"].values() for value in values.values())):
            one.pop("floor", None)
        yaml.dump(content, path)

    def spend_less(self) -> None:
        """Figures from fewer draws and labelled texts: no test of a whole repository reads how sure they are."""
        for path, few in (("power.releases", 20), ("power.sizes", [0.3]), ("label.resamples", 50), ("pii_eval.resamples", 50)):
            self.set(path, few)
        spans = self.path / "demo/pii-spans.jsonl"
        spans.write_bytes(b"".join(spans.read_bytes().splitlines(keepends=True)[:SPANS]))

    def commit(self, message: str) -> None:
        self.run("git", "add", "-A")
        self.run("git", "commit", "--quiet", "--message", message)

    def made(self, *which: str) -> dict[str, str]:
        """Every file that stages made, with a hash of its bytes."""
        files = [f for name in which or MADE for f in sorted([self.path / name, *(self.path / name).rglob("*")]) if f.is_file()]
        return {str(f.relative_to(self.path)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}

    def copy(self, path: Path) -> "Project":
        shutil.copytree(self.path, path, symlinks=True)
        return Project(path)


def copy_repository(path: Path) -> Project:
    """This repository's files without what stages made, without logs and benchmarks, in a git repository of its own."""
    project = Project(path)
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    for name in listed.decode().split("\0"):
        if (
            name
            and (ROOT / name).is_file()
            and (
                name == "metrics/history.csv"
                or not name.startswith(("demo/logs/", "benchmarks/", "metrics/", "data/golden/", "dvc.lock", "data/pool.csv"))
            )
        ):
            (project.path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, project.path / name)
    project.set("engine.kind", "local")
    project.spend_less()
    project.lower_floors()
    project.run("git", "init", "--quiet", "--initial-branch=main")
    project.run("git", "config", "user.email", "t@example.com")
    project.run("git", "config", "user.name", "t")
    return project


def short_week(week: str, folder: Path, count: int = LINES) -> None:
    """A week of the demo's logs, cut to `count` lines."""
    key = load_key(str(ROOT / "demo/demo.key"))
    labels = [tables.read_csv(path, schema.LABELS) for path in sorted((ROOT / "data/labels").glob("*.csv"))]
    labelled = {example_id for frame in labels for example_id in frame["example_id"]}
    lines = (ROOT / f"demo/logs/{week}.jsonl").read_bytes().splitlines(keepends=True)
    is_labelled = [
        any(example_id(key, "shop-assistant", found.decode()) in labelled for found in re.findall(rb'"id": "(c-[^"]+)"', line))
        for line in lines
    ]
    kept = sorted(sorted(range(len(lines)), key=lambda place: (not is_labelled[place], place))[:count])
    (folder / f"{week}.jsonl").write_bytes(b"".join(lines[place] for place in kept))
