"""The gate on the demo's own dataset: broken builds are held and their slice is named first, harmless ones are not held."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from demo import regressions
from pipeline import params
from pipeline.gating import dataset, verdict
from pipeline.gating.ledger import LedgerFile
from pipeline.paths import EXAMPLES

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not (ROOT / EXAMPLES).is_file(), reason="the demo's dataset is built by `dvc repro`")
GOOD = "good"


class Gate:
    def __init__(self, folder: Path) -> None:
        self._dataset = dataset.read(ROOT, "demo", ".", folder / "state")
        self._ledger = LedgerFile(folder / "ledger.csv")

    def __call__(self, name: str, version: str, against: str | None = GOOD) -> verdict.Outcome:
        target = params.Target(kind="python", callable=name, version=version)
        return verdict.gate(replace(self._dataset), target, against, self._ledger)


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """The gate after the good build went through it."""
    folder = tmp_path_factory.mktemp("gate")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOLDEN_CACHE", str(folder / "cache"))
        patch.chdir(folder)
        made = Gate(folder)
        assert made("demo.assistant:answer", GOOD, "none").decision in ("ship", "undecided")
        yield made


@pytest.mark.parametrize(("name", "culprit"), regressions.CULPRITS.items())
def test_a_broken_build_is_held_and_its_slice_is_named_first(gate: Gate, name: str, culprit: str) -> None:
    outcome = gate(f"demo.regressions.{name}:answer", name)
    assert outcome.decision == "hold"
    assert outcome.regressions is not None
    assert outcome.regressions.found
    assert outcome.regressions.blamed[0].slice == culprit


@pytest.mark.parametrize("number", [0, 4, 8])
def test_a_harmless_build_is_not_held(gate: Gate, number: int) -> None:
    outcome = gate(f"demo.variants:v{number:02}", f"v{number:02}")
    assert outcome.decision != "hold"
    assert outcome.regressions is not None
    assert not outcome.regressions.found


def test_a_broken_build_under_the_good_ones_version_gives_itself_away(gate: Gate) -> None:
    outcome = gate("demo.regressions.newest_first:answer", GOOD, "none")
    assert (outcome.decision, outcome.reason) == (
        "error",
        f"{GOOD}: the target changed without its version; give the new build a version of its own",
    )
