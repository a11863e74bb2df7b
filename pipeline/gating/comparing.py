"""Two builds, one dataset: which to take at the written costs. Each may be a target, or a CSV of scores made before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline import schema, tables
from pipeline.decision.compare import Comparison, compare
from pipeline.decision.verdict import strictness
from pipeline.errors import InputError
from pipeline.gating import asking
from pipeline.gating.baseline import difference
from pipeline.gating.dataset import Dataset
from pipeline.gating.verdict import SEED
from pipeline.measures import example_costs, judge, tags_of
from pipeline.targets import naming

EXIT_CODES = {"B": 0, "A": 1, "undecided": 2}


@dataclass(frozen=True)
class Compared:
    a: str
    b: str
    q: float
    by_cost: Comparison
    """Examples count by what a failure of each costs."""
    not_compared: Sequence[str]
    """Ids without a score on both sides."""


def compared(dataset: Dataset, a: str, b: str) -> Compared:
    """Ask both and compare. Raises InputError where one gives no answer, or nothing is comparable."""
    both = [_scores(dataset, text, version) for text, version in ((a, "a"), (b, "b"))]
    examples, tags = dataset.examples, tags_of(dataset.examples)
    costs = example_costs(examples["example_id"], tags, dataset.coverage)
    equal = difference(both[0], both[1], examples, asking.deciding(dataset)).equal
    part = examples[examples["example_id"].isin(equal)]
    right = [
        judge(scores[scores["example_id"].isin(equal)], part, dataset.contract, costs, dataset.criteria).examples["score"]
        for scores in both
    ]
    table = pd.DataFrame({"a": right[0], "b": right[1]}).dropna()
    if table.empty:
        raise InputError("compare: no example has a score of both, by the same scorers and for the same text")
    aligned = examples.set_index("example_id").reindex(table.index)
    decision = dataset.contract.decision
    q = strictness(decision.cost_of_shipping_bad, decision.cost_of_blocking_good)
    found = compare(
        table["a"].to_numpy(),
        table["b"].to_numpy(),
        aligned["cluster"].to_numpy(str),
        q,
        seed=SEED,
        weights=costs[table.index].to_numpy(),
        level=dataset.interval,
    )
    for version in ("a", "b"):
        asking.done(dataset, version)
    return Compared(a, b, q, found, sorted(set(examples["example_id"]) - set(table.index)))


def _scores(dataset: Dataset, text: str, version: str) -> pd.DataFrame:
    if Path(text).suffix == ".csv":
        return tables.read_csv(Path(text), schema.SCORES, "name a target, or a CSV of scores such as metrics/scores.csv")
    target = naming.named(text, version, dataset.evaluate.target)
    asked = asking.ask(dataset, target, dataset.examples["example_id"], 1, dataset.evaluate.epochs)
    if errors := asking.errors(asked, dataset):
        raise InputError(f"{text}: {asking.told(errors)}")
    return asked.scores


def lines(of: Compared) -> Iterator[str]:
    found = of.by_cost
    said = {
        "B": f"take B: it is the better one with probability {found.probability_b_better:.3f}; {of.q:.3f} is enough to replace A",
        "A": f"keep A: B is the better one with probability {found.probability_b_better:.3f} only",
        "undecided": f"undecided: B is the better one with probability {found.probability_b_better:.3f}, {of.q:.3f} would be enough to replace A",
    }
    yield said[found.take]
    yield f"A  {of.a}: {found.a:.3f}, right alone on {found.a_wins}"
    yield f"B  {of.b}: {found.b:.3f}, right alone on {found.b_wins}"
    yield f"B - A is {found.b - found.a:+.3f} [{found.low:+.3f}, {found.high:+.3f}], of {found.n} examples weighted by what a failure costs"
    if found.take == "undecided":
        more = found.more_examples_needed
        yield (
            f"{more:,} more examples, in the present mix, would decide it"
            if more
            else "more than ten times as many examples would be needed"
        )
    if of.not_compared:
        yield f"{len(of.not_compared)} examples have no score of both"


def as_json(of: Compared) -> dict[str, Any]:
    found = of.by_cost
    names = ("take", "probability_b_better", "n", "a", "b", "low", "high", "a_wins", "b_wins", "more_examples_needed")
    return {
        "targets": {"a": of.a, "b": of.b},
        "q": of.q,
        **{name: getattr(found, name) for name in names},
        "not_compared": list(of.not_compared),
    }
