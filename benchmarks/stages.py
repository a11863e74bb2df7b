"""Seconds and peak memory of every stage on the demo, each in a process of its own, as `dvc repro` runs it.

Works in a copy of the tracked files, so that nothing of the working tree changes. The intake runs from nothing.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pipeline.yaml_models import read_yaml

ROOT = Path(__file__).parent.parent


def measure(folder: Path, stage: str) -> tuple[float, float, int]:
    """Wall seconds, processor seconds of the stage and its workers, peak memory of the largest process in MB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", f"pipeline.{stage}"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, after.ru_maxrss // 1024


def main() -> None:
    stages = list(read_yaml(ROOT / "dvc.yaml")["stages"])
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in filter(None, listed):
            if (ROOT / file).is_file():
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / file, folder / file)
        (folder / "data/pool.csv").unlink(missing_ok=True)
        subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
        print(f"{os.cpu_count()} cores\n\n| stage | seconds | cpu s | peak MB so far |\n| --- | ---: | ---: | ---: |")
        total = 0.0
        for stage in stages:
            wall, processor, peak = measure(folder, stage)
            total += wall
            print(f"| {stage} | {wall:.1f} | {processor:.1f} | {peak} |", flush=True)
        print(f"| all | {total:.1f} | | |")


if __name__ == "__main__":
    main()
