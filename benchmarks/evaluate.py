"""How long 1,000 questions take: of a target that answers at once, and of one that takes 200 ms, 20 at a time.

The second is shown as a ratio to the ideal, questions x latency / concurrency. Both are asked as `evaluate` asks, through Inspect,
with every answer kept in the journal. Inspect's import is not counted.
"""

import argparse
import asyncio
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from pipeline import evaluate, params
from pipeline.targets.question import Question

LATENCY_S = 0.2


def at_once(messages: list[dict[str, str]], fixtures: dict[str, Any]) -> str:
    return "an answer"


async def slowly(messages: list[dict[str, str]], fixtures: dict[str, Any]) -> str:
    await asyncio.sleep(LATENCY_S)
    return "an answer"


def slowly_in_a_thread(messages: list[dict[str, str]], fixtures: dict[str, Any]) -> str:
    time.sleep(LATENCY_S)
    return "an answer"


def seconds(name: str, count: int, concurrency: int, version: str = "1") -> float:
    target = params.Target(kind="python", version=f"{name}-{version}", callable=f"benchmarks.evaluate:{name}")
    asked = [Question(f"e{i:04}", f"sha{i}", 1, [{"role": "user", "content": f"question {i}"}], {}) for i in range(count)]
    begun = time.perf_counter()
    answers, _ = evaluate.ask(asked, params.Evaluate(target=target, concurrency=concurrency))
    took = time.perf_counter() - begun
    if len(answers) != count or any(answer.response.error for answer in answers.values()):
        raise RuntimeError(f"{name}: not every question was answered")
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--concurrency", type=int, default=20)
    wanted = parser.parse_args()
    root = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="golden-evaluate-") as folder:
        os.chdir(folder)
        seconds("at_once", 10, wanted.concurrency, version="warm-up")  # Inspect's import and first run
        took = seconds("at_once", wanted.count, wanted.concurrency)
        print(f"{wanted.count} answers at once: {took:.1f} s")
        ideal = wanted.count * LATENCY_S / wanted.concurrency
        for name in ("slowly", "slowly_in_a_thread"):
            took = seconds(name, wanted.count, wanted.concurrency)
            print(
                f"{wanted.count} answers of {LATENCY_S * 1000:.0f} ms, {wanted.concurrency} at a time ({name}): {took:.1f} s, {took / ideal:.2f} x ideal"
            )
        os.chdir(root)


if __name__ == "__main__":
    main()
