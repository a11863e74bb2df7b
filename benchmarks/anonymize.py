"""How fast and in how much memory the demo's texts are anonymized, beside Presidio's engines with the same recognizers.

    python -m benchmarks.anonymize [--workers 2]
    python -m benchmarks.anonymize --memory 10000 100000 1000000

A text is a message, or a value of an example's fixtures, as the stage looks at them. Each side is a process of its own and begins
with loading the model. `stage` is `python -m pipeline.anonymize`, which also reads, places placeholders and writes the pool;
`AnalyzerEngine` takes one text after the other, `BatchAnalyzerEngine` 64 at a time, both in one process, as Presidio is called.
Both give spans alone, which must be those that the stage's finder gives. `--memory` measures the stage, and that alone, on one file
of so many messages, made of the demo's sentences; one in three also holds a name and a code that no other has, as logs do: whatever
grew with the texts, sentences or words that were seen would show. A file is one process's, so its peak is that process's. Everything is imported once before, so that no side compiles modules:
where PYTHONDONTWRITEBYTECODE is set and nothing was compiled, each process of each stage takes some seconds longer.
"""

import argparse
import hashlib
import itertools
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pyarrow.parquet as pq
from presidio_analyzer import BatchAnalyzerEngine

from pipeline import anonymize, params, schema, tables
from pipeline.paths import POOL_CSV, RECORDS
from pipeline.pii import recognizers
from pipeline.pii.reading import sentences
from pipeline.pii.recognizers import BATCH, Finder
from pipeline.pii.spans import Span

ROOT = Path(__file__).parent.parent
TURNS = 3
"""Messages of a conversation that is made for `--memory`."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--memory", type=int, nargs="*", default=[])
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        print(digest(SIDES[given.side]))
        return
    with tempfile.TemporaryDirectory(prefix="golden-anonymize-") as name:
        folder = copied(Path(name), given.workers)
        subprocess.run(
            [sys.executable, "-c", "from pipeline.pii import lexicon, recognizers; lexicon.names()"], env=compiling(), check=True
        )
        run(folder, "pipeline.ingest")
        if given.memory:
            measure_memory(folder, given.memory)
            return
        messages, values = (sum(map(len, part)) for part in texts(folder))
        count = messages + values
        print(f"{count:,} texts ({messages:,} messages, {values:,} values of fixtures), {given.workers} workers")
        figures = {"stage": run(folder, "pipeline.anonymize")} | {
            side: run(folder, "benchmarks.anonymize", "--side", side) for side in SIDES
        }
        print(f"{'':<20} {'seconds':>8} {'texts/s':>8} {'messages/s':>11} {'peak MB':>8}")
        for side, (seconds, peak, _) in figures.items():
            print(f"{side:<20} {seconds:>8.1f} {count / seconds:>8,.0f} {messages / seconds:>11,.0f} {peak:>8,.0f}")
        for side in ("AnalyzerEngine", "BatchAnalyzerEngine"):
            print(f"the stage is {figures[side][0] / figures['stage'][0]:.1f} times as fast as {side}")
        print(f"equal spans: {len({figures[side][2] for side in SIDES}) == 1}")


def compiling() -> dict[str, str]:
    """The environment, in which what Python compiles is kept."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def copied(folder: Path, workers: int) -> Path:
    """The repository's files without what git ignores: the stage runs from nothing."""
    listed = (
        subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True)
        .stdout.decode()
        .split("\0")
    )
    for file in filter(None, listed):
        if (ROOT / file).is_file():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, folder / file)
    (folder / POOL_CSV).unlink(missing_ok=True)
    settings = (folder / "params.yaml").read_text(encoding="utf-8").split("\nengine:")[0]
    (folder / "params.yaml").write_text(f"{settings}\nengine: {{kind: processes, workers: {workers}}}\n", encoding="utf-8")
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    return folder


def run(folder: Path, module: str, *arguments: str) -> tuple[float, float, str]:
    """Seconds, the peak memory of the largest of its processes in MB, and what it printed."""
    start = time.perf_counter()
    # A process of its own in between: the peak of one that ended before would be counted else.
    code = (
        "import resource, subprocess, sys\n"
        "done = subprocess.run(sys.argv[1:], capture_output=True, text=True)\n"
        "sys.stderr.write(done.stderr)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, done.returncode, done.stdout.strip(), sep='\\n')"
    )
    command = [sys.executable, "-c", code, sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    peak, status, printed = done.stdout.split("\n", 2)
    if status != "0":
        sys.exit(f"{module} failed: {done.stderr}")
    return time.perf_counter() - start, float(peak), printed


def texts(folder: Path) -> tuple[list[list[str]], list[list[str]]]:
    """Messages and labelled values of fixtures, partition by partition."""
    messages, values = [], []
    for path in sorted((folder / RECORDS).glob("*.parquet")):
        records = tables.to_frame(pq.read_table(path))
        messages.append([message["content"] for conversation in records["messages"] for message in conversation])
        values.append([label for fixtures in records["fixtures"] if fixtures for label in anonymize.labelled(orjson.loads(fixtures))])
    return messages, values


def finder(found_by: Finder, given: list[str]) -> list[list[Span]]:
    return found_by.find(given)


def batch(found_by: Finder, given: list[str]) -> list[list[Span]]:
    entities = sorted(found_by.params.entities)
    results = BatchAnalyzerEngine(recognizers.presidio(found_by)).analyze_iterator(given, "en", batch_size=BATCH, entities=entities)
    return [found_by.settle(text, found) for text, found in zip(given, results, strict=True)]


def one_by_one(found_by: Finder, given: list[str]) -> list[list[Span]]:
    entities = sorted(found_by.params.entities)
    analyze = recognizers.presidio(found_by).analyze
    return [found_by.settle(text, analyze(text, "en", entities=entities)) for text in given]


SIDES: dict[str, Callable[[Finder, list[str]], list[list[Span]]]] = {
    "finder, one process": finder,
    "BatchAnalyzerEngine": batch,
    "AnalyzerEngine": one_by_one,
}


def digest(side: Callable[[Finder, list[str]], list[list[Span]]]) -> str:
    """A hash over the spans of every text, in order."""
    found_by = recognizers.build(params.load().anonymize)
    over = hashlib.sha256()
    for given in map(list, map(itertools.chain, *texts(Path()))):
        over.update(repr(side(found_by, given)).encode())
    return over.hexdigest()


def measure_memory(folder: Path, sizes: list[int]) -> None:
    messages, _ = texts(folder)
    pieces = sorted({text[a:b] for of_file in messages for text in of_file for a, b in sentences(text)})
    first = min((folder / RECORDS).glob("*.parquet"))
    records, note = tables.to_frame(pq.read_table(first)), tables.read_note(first)
    row = records[records["fixtures"] == ""].iloc[0].to_dict()
    shutil.rmtree(folder / RECORDS)
    for wanted in sizes:
        made = many(folder, wanted, pieces, row, note)
        seconds, peak, _ = run(folder, "pipeline.anonymize")
        print(f"{made:>10,} messages in one file: {seconds:,.0f} s, {made / seconds:,.0f} messages/s, peak {peak:,.0f} MB", flush=True)


def many(folder: Path, wanted: int, pieces: list[str], row: dict[Hashable, Any], note: dict[str, str]) -> int:
    """Write the only file of records, conversations like `row` with `wanted` messages in all, and say how many there are."""
    draw = random.Random(7)
    conversations = wanted // TURNS

    def frames() -> Iterator[pd.DataFrame]:
        for start in range(0, conversations, 10_000):
            ids = range(start, min(start + 10_000, conversations))
            rows = [row | {"example_id": f"p-{i:016x}", "log_id": f"made-{i}", "messages": conversation(draw, pieces, i)} for i in ids]
            yield pd.DataFrame(rows)[schema.RECORDS.names]

    made = folder / RECORDS / "made.parquet"
    tables.write_parquet_in_parts(made, frames(), schema.RECORDS, note | {"fingerprint": str(wanted)})
    made.with_suffix(".rejects.csv").write_text(",".join(schema.REJECTS.names) + "\n", encoding="utf-8")
    return conversations * TURNS


def conversation(draw: random.Random, pieces: list[str], number: int) -> list[dict[str, str]]:
    turns = [" ".join(draw.choices(pieces, k=draw.randint(2, 3))) for _ in range(TURNS)]
    turns[0] += f" This is {invented(number)}, about {draw.randrange(10**8):08}-{number:X}."
    return [{"role": "assistant" if turn % 2 else "user", "content": text} for turn, text in enumerate(turns)]


def invented(number: int) -> str:
    """A name that belongs to `number` alone."""
    syllables = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
    name = "x"
    while number:
        number, place = divmod(number, len(syllables))
        name += syllables[place]
    return name.title()


if __name__ == "__main__":
    main()
