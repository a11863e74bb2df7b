"""Fixtures that many test files use."""

import os
from pathlib import Path

import pytest

from pipeline.params import Anonymize, load
from pipeline.pii import recognizers

ROOT = Path(__file__).parent.parent
os.environ.setdefault("DVC_NO_ANALYTICS", "1")


LONG = ("test_end_to_end.py", "test_canaries.py", "test_dask.py")
"""Files that take minutes. They begin first, so that no worker has one left when the others are done."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONG.index(item.path.name) if item.path.name in LONG else len(LONG))


@pytest.fixture(scope="session")
def anonymize_params() -> Anonymize:
    return load(ROOT / "params.yaml").anonymize


@pytest.fixture(scope="session")
def finder(anonymize_params: Anonymize) -> recognizers.Finder:
    """The demo's recognizers, loaded once for all tests of a process."""
    return recognizers.build(anonymize_params)
