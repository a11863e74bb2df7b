"""How far the demo's dataset moves when its settings or its logs do. It needs what `make` builds."""

import pytest

from benchmarks.allocation import Demo
from pipeline.paths import EXPECTATIONS
from tests.conftest import ROOT

pytestmark = pytest.mark.skipif(not (ROOT / EXPECTATIONS).is_file(), reason="the dataset is not built: run make")


@pytest.fixture(scope="module")
def demo() -> Demo:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return Demo()


@pytest.fixture(scope="module")
def members(demo: Demo) -> set[str]:
    return set(demo.select().members["example_id"])


def test_a_ratio_moved_by_five_points_moves_hardly_more_than_it_must(demo, members):
    ratios = demo.settings.merge.ratios | {"production": 0.55, "expert": 0.25}
    after = set(demo.select(settings=demo.settings.merge.model_copy(update={"ratios": ratios})).members["example_id"])
    must = round(0.05 * demo.settings.merge.size)
    assert len(members - after) - must <= 0.05 * (len(members) - must)


def test_a_week_of_logs_moves_a_twentieth_of_production_at_most_and_says_what_each_newcomer_is_for(demo, members):
    week = max(demo.production["partition"])
    known = demo.select(
        candidates=demo.candidates[demo.candidates["partition"] != week].reset_index(drop=True),
        production=demo.production[demo.production["partition"] != week],
    ).members
    production = known[known["source"].isin(["production", "regression"])]
    assert len(set(production["example_id"]) - members) <= 0.05 * len(production)
    now = demo.select().members.set_index("example_id")
    came = now.loc[sorted(members - set(known["example_id"])), "reason"]
    assert came.str.startswith(("needed for ", "for its source's share, drawn at ", "pinned: ")).all()
