"""May this build ship? One verdict per dataset and target version: a rerun is pooled with what was judged before.

In: a dataset, a target, a ledger, a baseline. Out: an outcome, which report.py shows. Never: a verdict where a request errored, an
epoch pooled with those of another system, a rerun that counts more than the runs before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from pipeline import params, schema, tables
from pipeline.decision import epochs as several
from pipeline.decision import regression
from pipeline.decision.joint import Posterior, posterior
from pipeline.decision.needed import more_examples
from pipeline.decision.regression import Regressions
from pipeline.decision.verdict import Verdict, decide, strictness
from pipeline.errors import InputError
from pipeline.gating import asking, baseline
from pipeline.gating.dataset import Dataset
from pipeline.gating.evidence import Sliced, clause_scores, sliced
from pipeline.gating.ledger import CONFIRMATIONS, Ledger, confirmations_of
from pipeline.measures import Judged, example_costs, judge, tags_of
from pipeline.scorers import CONFIDENCE_VERSION

SEED = 7


@dataclass(frozen=True)
class Run:
    """What was asked this time, and of whom."""

    target_version: str
    epochs: int = 0
    """That the verdict rests on."""
    fresh: int = 0
    """How many of them were asked now."""
    pooled: bool = False
    """Whether a ledger keeps them, so that a rerun is pooled with them."""
    seconds: Sequence[float] = ()
    cost: float | None = None
    errors: Sequence[asking.Unjudged] = ()
    not_testable: Sequence[str] = ()
    """Ids of examples whose simulated failure the target never met."""


@dataclass(frozen=True)
class Outcome:
    decision: Verdict | Literal["error"]
    dataset: Dataset
    run: Run
    reason: str = ""
    """Why there is no verdict, one line."""
    warnings: Sequence[str] = ()
    q: float | None = None
    clauses: Posterior | None = None
    more: int | None = 0
    """How many examples more would decide; 0 where it is decided, none where more than ten times the dataset would be needed."""
    regressions: Regressions | None = None
    repeated: Sequence[str] = ()
    """Ids of zero-tolerance examples that were right before and failed now, and twice again."""
    against: str | None = None
    difference: baseline.Difference | None = None


@dataclass(frozen=True)
class _Context:
    """What the steps of one gate share."""

    dataset: Dataset
    target: params.Target
    tags: pd.DataFrame
    costs: pd.Series
    slices: Sliced

    def judged(self, scores: pd.DataFrame, ids: Sequence[str] | None = None) -> Judged:
        examples = self.dataset.examples
        if ids is not None:
            examples, scores = (frame[frame["example_id"].isin(ids)] for frame in (examples, scores))
        return judge(scores, examples, self.dataset.contract, self.costs, self.dataset.criteria)


@dataclass(frozen=True)
class _Evidence:
    """What is known of the target, from now and from before."""

    scores: pd.DataFrame
    epochs: int
    fresh: asking.Asked | None
    confirmations: pd.DataFrame
    """Of new failures, from earlier gates."""
    asked: int = 0
    """How many epochs of the whole dataset that was now."""


def gate(dataset: Dataset, target: params.Target, against: str | None, ledger: Ledger | None) -> Outcome:
    """Ask, judge and decide. Raises InputError where that cannot begin."""
    tags = tags_of(dataset.examples)
    ids = dataset.examples["example_id"]
    slices = sliced(tags, ids, dataset.contract, dataset.coverage)
    context = _Context(dataset, target, tags, example_costs(ids, tags, dataset.coverage), slices)
    known = ledger.read([target.version, *([against] if against else [])]) if ledger else tables.empty(schema.LEDGER)
    before = baseline.find(against, dataset, target.version, known)
    found = _asked(context, known[known["target_version"] == target.version])
    judged = context.judged(found.scores)
    run = Run(
        target.version,
        found.epochs,
        found.asked,
        False,
        *_took(found.fresh),
        asking.errors(found.fresh, dataset) if found.fresh else (),
        _not_testable(judged),
    )
    if run.errors:
        return Outcome("error", dataset, run, asking.told(run.errors))
    if _is_another(judged, context, found):
        asking.done(dataset, target.version)
        return Outcome(
            "error", dataset, run, f"{target.version}: the target changed without its version; give the new build a version of its own"
        )
    return _decided(context, found, judged, before, run, ledger)


def recorded(dataset: Dataset, scores: pd.DataFrame, against: str | None = None) -> Outcome:
    """The verdict on what `scores` (schema.SCORES of one target version) hold; asks nothing, so no new failure is tried again.

    Raises InputError where they are not of this dataset.
    """
    tags, ids = tags_of(dataset.examples), dataset.examples["example_id"]
    costs = example_costs(ids, tags, dataset.coverage)
    context = _Context(dataset, dataset.evaluate.target, tags, costs, sliced(tags, ids, dataset.contract, dataset.coverage))
    versions = sorted(scores["target_version"].unique())
    if len(versions) != 1:
        raise InputError(f"metrics/scores.csv: holds scores of {' and '.join(versions) or 'nothing'}; run 'dvc repro score'")
    judged = context.judged(scores)
    before = baseline.find(against, dataset, versions[0], tables.empty(schema.LEDGER))
    found = _Evidence(scores, scores["epoch"].nunique(), None, tables.empty(schema.SCORES))
    wrong = asking.errors(asking.Asked(scores, [], None), dataset)
    run = Run(versions[0], found.epochs, 0, False, (), None, wrong, _not_testable(judged))
    if wrong:
        return Outcome("error", dataset, run, asking.told(wrong))
    return _decided(context, found, judged, before, run, None, may_ask=False)


def _asked(context: _Context, known: pd.DataFrame) -> _Evidence:
    """The earlier epochs that still count, and a new one; only what was never asked where the most allowed are there."""
    dataset = context.dataset
    scorers = pd.DataFrame(
        {
            "criterion": [*dataset.criteria, "confidence"],
            "scorer_version": [*(c.version for c in dataset.criteria.values()), CONFIDENCE_VERSION],
        }
    )
    own = several.fitting(known[schema.SCORES.names], dataset.examples, scorers)
    earlier, confirmations = own[own["epoch"] < CONFIRMATIONS], own[own["epoch"] >= CONFIRMATIONS]
    before, last = earlier["epoch"].nunique(), known.loc[known["epoch"] < CONFIRMATIONS, "epoch"].max() if len(known) else 0
    most = dataset.contract.decision.max_epochs
    now = min(dataset.evaluate.epochs, most - before)
    if now > 0:
        fresh = asking.ask(dataset, context.target, dataset.examples["example_id"], int(last) + 1, now)
        pooled = several.pool(earlier, fresh.scores, most)
        return _Evidence(pooled.scores, pooled.epochs, fresh, confirmations, now)
    lacking = sorted(set(dataset.examples["example_id"]) - set(earlier["example_id"]))
    if not lacking:
        return _Evidence(earlier, before, None, confirmations)
    fresh = asking.ask(dataset, context.target, lacking, int(last) + 1, 1)
    return _Evidence(pd.concat([earlier, fresh.scores], ignore_index=True), before, fresh, confirmations)


def _took(asked: asking.Asked | None) -> tuple[Sequence[float], float | None]:
    return (asked.seconds, asked.cost) if asked else ((), None)


def _not_testable(judged: Judged) -> list[str]:
    return sorted(set(judged.answers.loc[judged.answers["not_testable"], "example_id"]))


def _is_another(judged: Judged, context: _Context, found: _Evidence) -> bool:
    if not found.asked or found.epochs <= found.asked:
        return False
    return several.differs(judged.answers[["example_id", "epoch", "right"]], context.slices.members, seed=SEED) < several.LEVEL


def _decided(
    context: _Context,
    found: _Evidence,
    judged: Judged,
    before: baseline.Baseline | None,
    run: Run,
    ledger: Ledger | None,
    may_ask: bool = True,
) -> Outcome:
    dataset, decision = context.dataset, context.dataset.contract.decision
    q = strictness(decision.cost_of_shipping_bad, decision.cost_of_blocking_good)
    clauses = clause_scores(judged, context.tags, dataset.contract, dataset.criteria)
    clusters = _clusters(dataset, judged)
    probable = posterior(clauses, clusters, seed=SEED, level=dataset.interval)
    change: baseline.Difference | None = None
    broke: Regressions | None = None
    repeated: Sequence[str] = ()
    confirmed: list[asking.Asked] = []
    if before is not None:
        change = baseline.difference(before.scores, found.scores, dataset.examples, asking.deciding(dataset))
        paired = _paired(context, before.scores, judged, change.equal)
        broke = _regressions(context, paired)
        failed = regression.new_failures(paired, context.slices.intolerable[paired["example_id"]].to_numpy(bool))
        repeated, confirmed = _repeated(context, failed, found) if may_ask else ((), [])
        if errors := [error for asked in confirmed for error in asking.errors(asked, dataset)]:
            return Outcome("error", dataset, replace(run, errors=errors), asking.told(errors))
    decided = decide(probable.probability_all_met, q, (broke is not None and broke.found) or bool(repeated))
    more = more_examples(clauses, clusters, q, seed=SEED) if decided == "undecided" else 0
    warnings = _kept(context, found, confirmed, ledger)
    if may_ask:
        asking.done(dataset, context.target.version)
    run = replace(run, pooled=ledger is not None and not warnings)
    against = before.name if before else None
    return Outcome(decided, dataset, run, "", warnings, q, probable, more, broke, repeated, against, change)


def _clusters(dataset: Dataset, judged: Judged) -> np.ndarray:
    return dataset.examples.set_index("example_id")["cluster"].reindex(judged.examples.index).to_numpy(str)


def _paired(context: _Context, before: pd.DataFrame, judged: Judged, equal: Sequence[str]) -> pd.DataFrame:
    """example_id, cluster, before, after of the examples that both sides have a score for."""
    if not equal:
        return pd.DataFrame(columns=["example_id", "cluster", "before", "after"])
    known = before[before["criterion"].isin([*context.dataset.criteria, "confidence"])]
    then = context.judged(known, equal).examples["score"]
    both = pd.DataFrame({"before": then, "after": judged.examples["score"].reindex(then.index)}).dropna()
    both["cluster"] = context.dataset.examples.set_index("example_id")["cluster"].reindex(both.index)
    return both.rename_axis("example_id").reset_index()


def _regressions(context: _Context, paired: pd.DataFrame) -> Regressions:
    wanted = context.dataset.contract.regressions
    members = context.slices.members.reindex(paired["example_id"]).reset_index(drop=True)
    return regression.regressions(paired, members, context.slices.costs, level=wanted.level, size=wanted.size, seed=SEED)


def _repeated(context: _Context, failed: Sequence[str], found: _Evidence) -> tuple[tuple[str, ...], list[asking.Asked]]:
    """Which of the new failures fail twice more, and what had to be asked for that."""
    if not failed:
        return (), []
    epochs = confirmations_of(found.epochs)
    known = found.confirmations[found.confirmations["epoch"].isin(epochs) & found.confirmations["example_id"].isin(failed)]
    missing = sorted(set(failed) - set(known["example_id"]))
    asked = [asking.ask(context.dataset, context.target, missing, epochs[0], len(epochs))] if missing else []
    scores = pd.concat([part for part in (known, *(one.scores for one in asked)) if len(part)], ignore_index=True)
    answers = context.judged(scores, failed).answers
    return regression.repeated(answers[["example_id", "epoch", "right"]].fillna(0.0), len(epochs)), asked


def _kept(context: _Context, found: _Evidence, confirmed: list[asking.Asked], ledger: Ledger | None) -> list[str]:
    """Add what was asked to the ledger; a warning where it could not be."""
    asked = [*([found.fresh] if found.fresh else []), *confirmed]
    if ledger is None or not asked:
        return []
    rows = pd.concat([one.scores for one in asked], ignore_index=True)
    rows = rows.assign(dataset_version=context.dataset.version, members_sha=context.dataset.members_sha)
    try:
        ledger.append(rows[schema.LEDGER.names])
    except InputError as error:
        return [f"{error}; this verdict is not pooled"]
    return []
