"""The gate on the demo: is every broken build held, with the right slice first, and how often is a harmless one held?

Each build of `demo.regressions` and `demo.variants` is asked as `golden gate` asks it, against the good one. It needs the demo's dataset
(`dvc repro`). A harmless build that is undecided is no cry of wolf: it is what the contract says of the good one, too.
"""

import argparse
import os
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from demo import regressions, variants
from pipeline import params
from pipeline.gating import dataset, verdict
from pipeline.gating.ledger import LedgerFile

GOOD = "good"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", type=int, default=variants.COUNT)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="golden-gate-") as folder:
        os.environ["GOLDEN_CACHE"] = folder
        here = replace(dataset.here(), state=Path(folder) / "state")
        ledger = LedgerFile(Path(folder) / "ledger.csv")

        def gate(name: str, version: str, against: str) -> verdict.Outcome:
            return verdict.gate(here, params.Target(kind="python", callable=name, version=version), against, ledger)

        good = gate("demo.assistant:answer", GOOD, "none")
        print(f"the good one: {good.decision}")
        found = 0
        for name, culprit in regressions.CULPRITS.items():
            begun = time.perf_counter()
            broken = gate(f"demo.regressions.{name}:answer", name, GOOD)
            first = broken.regressions.blamed[0].slice if broken.regressions and broken.regressions.blamed else "nothing"
            found += broken.decision == "hold" and first == culprit
            print(f"{name}: {broken.decision}, {first} first (it is {culprit}), {time.perf_counter() - begun:.1f} s")
        print(f"held with the right slice first: {found} of {len(regressions.CULPRITS)}")
        decided = Counter(gate(f"demo.variants:v{number:02}", f"v{number:02}", GOOD).decision for number in range(wanted.variants))
        print(f"harmless builds held: {decided['hold']} of {wanted.variants} ({decided['hold'] / wanted.variants:.1%}); {dict(decided)}")


if __name__ == "__main__":
    main()
