"""Builds of the demo's assistant: broken ones fall in their slice, harmless ones fall nowhere."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from demo import assistant, regressions, variants
from pipeline import sources
from pipeline.scorers.wording import normalised, says
from pipeline.targets.python import imported
from pipeline.targets.reply import parse

ROOT = Path(__file__).parents[2]
ANSWER = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def scenarios() -> list[Any]:
    """What people wrote as scenarios, without those whose backend fails."""
    loaded = sources.load(ROOT / "data" / "sources")
    return [entry for kind in ("expert", "adversarial", "synthetic") for _, entry in loaded[kind] if not getattr(entry, "fault", None)]


def is_right(entry: Any, answer: ANSWER) -> bool:
    response = parse(answer(entry.messages, entry.fixtures))
    text, expect = normalised(response.answer), entry.expect
    return (
        (not expect.behaviour or response.behaviour == expect.behaviour)
        and set(expect.citations) <= set(response.citations)
        and all(
            any(says(text, wording) for wording in ([wordings] if isinstance(wordings, str) else wordings))
            for wordings in expect.must_include
        )
    )


def lies_in(entry: Any, culprit: str) -> bool:
    dimension, value = culprit.split("=")
    values = entry.tags.get(dimension, [])
    return value in ([values] if isinstance(values, str) else values)


@pytest.mark.parametrize("name", regressions.CULPRITS)
def test_a_broken_build_fails_in_its_slice_what_the_good_one_passes_and_little_elsewhere(name: str, scenarios: list[Any]) -> None:
    broken = importlib.import_module(f"demo.regressions.{name}").answer
    passed = [entry for entry in scenarios if is_right(entry, assistant.answer)]
    lost = [entry for entry in passed if not is_right(entry, broken)]
    inside = [entry for entry in passed if lies_in(entry, regressions.CULPRITS[name])]
    lost_inside = [entry for entry in lost if lies_in(entry, regressions.CULPRITS[name])]
    assert len(lost_inside) >= 0.2 * len(inside)
    assert len(lost_inside) >= 0.8 * len(lost)


def test_every_broken_build_is_a_module_with_its_slice_written_down() -> None:
    found = {path.stem for path in (ROOT / "demo" / "regressions").glob("[a-z]*.py")}
    assert found == set(regressions.CULPRITS)
    assert len(found) == 5


def test_there_are_forty_harmless_builds_each_of_which_a_target_can_name() -> None:
    assert len(variants.VARIANTS) == 40
    said = [{"role": "user", "content": "How long can I return a tent?"}]
    answers = [str(imported(f"demo.variants:{name}")(said, {})) for name in variants.VARIANTS]
    assert len(set(answers)) > 15, "they are not all the same"
    assert not hasattr(variants, "v40")


@pytest.mark.parametrize("name", ["v00", "v01", "v02", "v03", "v04", "v05"])
def test_a_harmless_build_answers_the_same_twice_and_nearly_as_much_rightly(name: str, scenarios: list[Any]) -> None:
    variant = variants.VARIANTS[name]
    good = [is_right(entry, assistant.answer) for entry in scenarios]
    varied = [is_right(entry, variant) for entry in scenarios]
    assert varied == [is_right(entry, variant) for entry in scenarios]
    assert sum(good) - sum(varied) <= 0.03 * len(scenarios)
