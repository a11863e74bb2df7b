"""How fast and in how much memory logs become records, beside `pandas.read_json(lines=True)` on the same files.

    python benchmarks/ingest.py [--rows 1000000] [--files 4] [--workers 2]

Each side runs in a process of its own. pandas reads the files one after another and keeps none, which favours it; it maps, checks,
hashes and writes nothing. Peak memory is the process's own; for ingest that of the door and of all workers, each taken as the largest.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import orjson

from pipeline import identity

PARAMS = """
dataset: {{name: benchmark}}
intake: {{key_file: benchmark.key}}
ingest:
  path: logs
  system: benchmark
  fields: {{log_id: id, occurred_at: created_at, turns: turns, role: from, text: text, fixtures: context,
           metadata: {{channel: channel, customer_id: customer.id}}}}
  roles: {{customer: user, bot: assistant}}
  outcome:
    rules:
      - {{outcome: thumbs_down, when: {{feedback.thumbs: down}}}}
      - {{outcome: resolved, when: {{status: resolved}}}}
  failures: [thumbs_down]
anonymize: {{entities: {{PERSON: {{threshold: 0.3}}}}}}
pii_eval: {{spans: none}}
merge: {{size: 200, ratios: {{production: 1.0}}, stratify_by: []}}
validate: {{}}
evaluate: {{target: {{kind: recorded, path: none, version: "1"}}}}
metrics: {{}}
engine: {{kind: processes, workers: {workers}}}
"""
WORDS = ["my", "order", "has", "not", "arrived", "where", "is", "it", "please", "refund", "the", "second", "parcel", "thanks", "Überweg"]

RATIOS = {"seconds": "time", "cpu_seconds": "processor time", "peak_mb": "memory"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--files", type=int, default=4)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        print(json.dumps(measured(given.side, given.workers)))
        return
    with tempfile.TemporaryDirectory(prefix="golden-ingest-") as folder:
        generate(Path(folder), given.rows, given.files, given.workers)
        megabytes = sum(path.stat().st_size for path in Path(folder, "logs").iterdir()) / 1e6
        print(f"{given.rows:,} records in {given.files} files, {megabytes:,.0f} MB, {given.workers} workers")
        print(f"{'':<10} {'seconds':>8} {'cpu s':>7} {'rows/s':>10} {'MB/s':>7} {'peak MB':>8}")
        figures = {side: run(side, folder, given.workers) for side in SIDES}
    for side, figure in figures.items():
        seconds = figure["seconds"]
        print(
            f"{side:<10} {seconds:>8.1f} {figure['cpu_seconds']:>7.1f} {given.rows / seconds:>10,.0f} {megabytes / seconds:>7.0f} {figure['peak_mb']:>8,.0f}"
        )
    ours, theirs = figures["ingest"], figures["pandas"]
    ratios = (f"{ours[name] / theirs[name]:.2f} times the {what}" for name, what in RATIOS.items())
    print(f"ingest takes {', '.join(ratios)}")


def generate(folder: Path, rows: int, files: int, workers: int) -> None:
    (folder / "logs").mkdir()
    (folder / "benchmark.key").write_text("00" * identity.KEY_BYTES, encoding="utf-8")
    (folder / "params.yaml").write_text(PARAMS.format(workers=workers), encoding="utf-8")
    draw = random.Random(7)
    for number in range(files):
        with (folder / "logs" / f"day-{number:03}.jsonl").open("wb") as out:
            for row in range(rows * number // files, rows * (number + 1) // files):
                out.write(orjson.dumps(conversation(row, draw)) + b"\n")


def conversation(row: int, draw: random.Random) -> dict[str, object]:
    speakers = ["customer", "bot"] * draw.randint(1, 4)
    return {
        "id": f"conversation-{row}",
        "created_at": f"2026-03-{row % 28 + 1:02}T{row % 24:02}:{row % 60:02}:00Z",
        "turns": [{"from": speaker, "text": " ".join(draw.choices(WORDS, k=draw.randint(5, 25)))} for speaker in speakers],
        "context": {"order": f"HL-{row % 1_000_000:06}", "items": row % 5},
        "channel": "web",
        "customer": {"id": row % 99_991},
        "status": "resolved" if row % 7 else "open",
        "feedback": {"thumbs": "down" if row % 11 == 0 else None},
    }


def run(side: str, folder: str, workers: int) -> dict[str, float]:
    command = [sys.executable, str(Path(__file__).resolve()), "--side", side, "--workers", str(workers)]
    root = str(Path(__file__).resolve().parent.parent)
    done = subprocess.run(command, cwd=folder, env=os.environ | {"PYTHONPATH": root}, check=True, stdout=subprocess.PIPE, text=True)
    figure: dict[str, float] = json.loads(done.stdout)
    return figure


def measured(side: str, workers: int) -> dict[str, float]:
    started = time.perf_counter()
    SIDES[side]()
    seconds = time.perf_counter() - started
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    peak_kb = own.ru_maxrss + (workers * children.ru_maxrss if side == "ingest" else 0)
    return {
        "seconds": seconds,
        "cpu_seconds": own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime,
        "peak_mb": peak_kb * 1024 / 1e6,
    }


def ingest() -> None:
    from pipeline.ingest import work

    work()


def read_with_pandas() -> None:
    import pandas as pd

    for path in sorted(Path("logs").iterdir()):
        pd.read_json(path, lines=True)


SIDES = {"ingest": ingest, "pandas": read_with_pandas}

if __name__ == "__main__":
    main()
