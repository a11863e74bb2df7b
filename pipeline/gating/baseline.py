"""What a build is compared with: the scores of another one, on the examples that are equal on both sides.

An example whose text or expectation changed says nothing about the system, nor does one that another scorer judged: they are counted,
and left out.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline import schema, tables
from pipeline.errors import InputError
from pipeline.gating.dataset import Dataset, scores_at
from pipeline.paths import SCORES

NOTHING = "none"


@dataclass(frozen=True)
class Baseline:
    name: str
    """Whose scores they are and where they were found, for people."""
    scores: pd.DataFrame
    """schema.SCORES of one target version."""


@dataclass(frozen=True)
class Difference:
    """How the dataset differs from that which the baseline was asked; ids."""

    equal: tuple[str, ...]
    added: tuple[str, ...]
    gone: tuple[str, ...]
    changed: tuple[str, ...]
    """Another input or expectation under the same id."""
    judged_otherwise: tuple[str, ...]
    """By other scorers, or other versions of them."""


def find(named: str | None, dataset: Dataset, version: str, ledger: pd.DataFrame) -> Baseline | None:
    """What `named` names: a version in the ledger (schema.LEDGER), a file of scores, or a git revision of the dataset's repository.

    Without a name it is the dataset's own scores, where they are of another build than `version`. Raises InputError where there is
    nothing of that name.
    """
    if named == NOTHING:
        return None
    if named is None:
        path = dataset.folder / SCORES
        found = tables.read_csv(path, schema.SCORES) if path.is_file() else tables.empty(schema.SCORES)
        others = [one for one in found["target_version"].unique() if one != version]
        return _one(found, f"{SCORES} of {dataset.version}") if others else None
    in_ledger = ledger.loc[ledger["target_version"] == named, schema.SCORES.names]
    if len(in_ledger):
        return Baseline(f"{named} in the ledger", in_ledger)
    if Path(named).is_file():
        return _one(tables.read_csv(Path(named), schema.SCORES), named)
    if (at_revision := scores_at(dataset, named)) is not None:
        return _one(at_revision, f"{SCORES} at {named}")
    raise InputError(f"--against {named}: no such version in the ledger, no such file and no such git revision of the dataset")


def _one(scores: pd.DataFrame, where: str) -> Baseline:
    versions = sorted(scores["target_version"].unique())
    if len(versions) != 1:
        raise InputError(f"--against {where}: holds scores of {' and '.join(versions) or 'nothing'}; name one target version's")
    return Baseline(f"{versions[0]} ({where})", scores)


def difference(before: pd.DataFrame, after: pd.DataFrame, examples: pd.DataFrame, deciding: Iterable[str]) -> Difference:
    """Compare what two tables of schema.SCORES judged, and by which of the `deciding` criteria; `after` is of `examples`."""
    now, then = set(examples["example_id"]), set(before["example_id"])
    same = set(before.merge(examples[["example_id", "input_sha", "expectation_sha"]])["example_id"])
    then_by, now_by = (_scorers(frame[frame["criterion"].isin(list(deciding))]) for frame in (before, after))
    otherwise = {one for one in same if then_by.get(one) != now_by.get(one)}
    sets = (same - otherwise, now - then, then - now, now & then - same, otherwise)
    return Difference(*(tuple(sorted(ids)) for ids in sets))


def _scorers(scores: pd.DataFrame) -> dict[str, frozenset[str]]:
    return {str(one): frozenset(part) for one, part in scores.groupby("example_id")["scorer_version"]}
