"""The dimensions that docs/presets offers to copy load, and fit each other."""

import pandas as pd
import pytest

from pipeline import tag_learning
from pipeline.expectations import Labeling, Tagging
from pipeline.yaml_models import read_model
from tests.conftest import ROOT

PRESETS = sorted(path for path in (ROOT / "docs" / "presets").iterdir())


@pytest.mark.parametrize("preset", PRESETS, ids=lambda path: path.name)
def test_a_preset_s_tags_and_labels_load_and_fit_each_other(preset):
    tagging = read_model(preset / "tagging.yaml", Tagging)
    standard = read_model(preset / "labeling.yaml", Labeling)
    tag_learning.check(pd.DataFrame({"dimension": list(standard.dimensions)}), standard, tagging)
    for name, dimension in standard.dimensions.items():
        assert set(dimension.values) == set(tagging.dimensions[name.removeprefix("tag.")].values)
        for case in (*dimension.boundary_cases, *dimension.counter_examples):
            assert case.value in dimension.values
    learning = {name for name, dimension in tagging.dimensions.items() if dimension.classifier}
    assert {f"tag.{name}" for name in learning} <= set(standard.dimensions)
    assert learning


def test_the_demo_s_labels_of_tags_have_the_values_of_its_tags():
    tagging = read_model(ROOT / "expectations" / "tagging.yaml", Tagging)
    standard = read_model(ROOT / "expectations" / "labeling.yaml", Labeling)
    of_tags = {name: set(one.values) for name, one in standard.dimensions.items() if name.startswith(tag_learning.PREFIX)}
    assert of_tags == {"tag.category": set(tagging.dimensions["category"].values)}


def test_there_is_one_for_answers_from_documents_and_one_for_summaries():
    assert [preset.name for preset in PRESETS] == ["rag", "summarisation"]
