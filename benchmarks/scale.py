"""What grows with the number of logs, and what does not: invented conversations through ingest with sampling, anonymize, tag, label, merge.

    python -m benchmarks.scale [--conversations 1000000 3000000 10000000] [--files 10] [--per-file 500] [--engine processes]

There are always as many files, so that the sample, and with it the work of every stage after ingest, is of one size. Each stage runs in
a process of its own, as `dvc repro` runs it. Peak memory is that of the largest process. Ten million conversations take 8 GB of disk.
"""

import argparse
import csv
import random
import shutil
import subprocess
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import orjson

from benchmarks.ingest import PARAMS, conversation
from benchmarks.stages import measure
from pipeline import identity, schema, tables

STAGES = ("ingest", "anonymize", "tag", "label", "merge")
LABELLED = 400
EXPECTATIONS = {
    "contract.yaml": """\
version: "1"
decision: {kind: ship, question: May it replace the present one?, cost_of_shipping_bad: 10, cost_of_blocking_good: 1}
scope: {behaviour: {counts: true, correct: It answers.}}
clauses: [{name: overall, slice: all, at_least: 0.5, why: for the benchmark}]
regressions: {level: 0.05, size: 0.3}
""",
    "coverage.yaml": """\
version: "1"
dimensions:
  complexity: {single_turn: {cost: 1}, multi_turn: {cost: 2}}
  outcome: {resolved: {cost: 1}, thumbs_down: {cost: 3}, unknown: {cost: 1}}
""",
    "tagging.yaml": """\
version: "1"
dimensions:
  complexity:
    meaning: whether the history must be understood
    values: [single_turn, multi_turn]
    rules: [{value: multi_turn, min_user_turns: 2}]
    default: single_turn
  outcome:
    meaning: how it ended
    values: [resolved, thumbs_down, unknown]
    rules:
      - {value: resolved, outcome: [resolved]}
      - {value: thumbs_down, outcome: [thumbs_down]}
    default: unknown
""",
    "labeling.yaml": """\
version: "1"
changed: 2026-01-01
min_annotators: 1
dimensions:
  expected.behaviour:
    kind: expectation
    scale: nominal
    criteria: what any response must do
    values: {answer: It answers.}
    decision_rule: consensus
""",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--conversations", type=int, nargs="+", default=[1_000_000, 3_000_000, 10_000_000])
    parser.add_argument("--files", type=int, default=10)
    parser.add_argument("--per-file", type=int, default=500)
    parser.add_argument("--engine", choices=["local", "processes", "dask"], default="processes")
    given = parser.parse_args()
    print(f"{given.files} files, {given.per_file:,} conversations kept of each, engine {given.engine}\n")
    print("| conversations | GB | stage | seconds | cpu s | conversations a second | peak MB of a process |")
    print("| ---: | ---: | --- | ---: | ---: | ---: | ---: |")
    for count in given.conversations:
        with tempfile.TemporaryDirectory(prefix="golden-scale-") as name:
            folder = Path(name)
            prepare(folder, count, given.files, given.per_file, given.engine)
            gigabytes = sum(path.stat().st_size for path in (folder / "logs").iterdir()) / 1e9
            for stage in STAGES:
                if stage == "label":
                    write_labels(folder)
                seconds, processor, peak = measured(folder, stage)
                print(
                    f"| {count:,} | {gigabytes:.1f} | {stage} | {seconds:.1f} | {processor:.1f} | {count / seconds:,.0f} | {peak:,} |",
                    flush=True,
                )


def measured(folder: Path, stage: str) -> tuple[float, float, int]:
    """`benchmarks.stages.measure` in a process of its own: the peak is of all children so far, and other stages are not meant."""
    with ProcessPoolExecutor(1) as alone:
        return alone.submit(measure, folder, stage).result()


def prepare(folder: Path, count: int, files: int, per_file: int, engine: str) -> None:
    """A repository in which the stages run: settings, expectations, and `count` conversations in `files` log files."""
    settings = PARAMS.format(workers=2).replace("kind: processes", f"kind: {engine}")
    (folder / "params.yaml").write_text(
        settings.replace("  failures:", f"  sample: {{per_file: {per_file}}}\n  failures:"), encoding="utf-8"
    )
    (folder / "benchmark.key").write_text("00" * identity.KEY_BYTES, encoding="utf-8")
    for inside in ("logs", "data/labels", "data/sources", "expectations"):
        (folder / inside).mkdir(parents=True)
    for name, text in EXPECTATIONS.items():
        (folder / "expectations" / name).write_text(text, encoding="utf-8")
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    if shutil.disk_usage(folder).free < count * 1_000:
        raise SystemExit(f"{folder}: not enough room for {count:,} conversations; set TMPDIR to a larger disk")
    with ProcessPoolExecutor(2) as both:
        list(both.map(partial(write_logs, folder, count, files), range(files)))


def write_logs(folder: Path, count: int, files: int, number: int) -> None:
    draw = random.Random(number)
    with (folder / "logs" / f"day-{number:03}.jsonl").open("wb") as out:
        for row in range(count * number // files, count * (number + 1) // files):
            out.write(orjson.dumps(conversation(row, draw)) + b"\n")


def write_labels(folder: Path) -> None:
    """An expectation for some hundred of what is in the pool, so that merge has something to choose from."""
    with (folder / "data/labels/all.csv").open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(schema.LABELS.names)
        pooled = [tables.read_parquet(path, schema.POOL) for path in sorted((folder / "data/pool").glob("*.parquet"))]
        for frame in pooled:
            for row in frame.head(LABELLED // len(pooled)).itertuples():
                rows.writerow((row.example_id, "expected.behaviour", "answer", "ann", "2026-04-01", "1", row.text_sha, ""))


if __name__ == "__main__":
    started = time.perf_counter()
    main()
    print(f"\n{time.perf_counter() - started:,.0f} s in all, generation included")
