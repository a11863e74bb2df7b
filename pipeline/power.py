"""What the dataset catches: recorded answers are made worse inside one slice at a time, scored by the real scorers and gated.

In: the examples, the control sample, the responses to both, metrics/scores.csv, the contract and the costs of expectations/. Out:
metrics/power.json and metrics/plots/power.json. Caught is held; held though nothing is worse is cry-wolf. Never: a question to the
target or to a grading model, a text in the figures, a decision on an unrounded one.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import TaskState

from pipeline import expectations, params, schema, slices, stage, tables
from pipeline.clauses import lying_in
from pipeline.decision.power import TARGET, Gate, Power, by_size, difference, lift
from pipeline.decision.verdict import strictness
from pipeline.expectations import Contract, Coverage
from pipeline.gating.evidence import WEIGHTED, clause_scores, sliced
from pipeline.measures import example_costs, judge, tags_of
from pipeline.paths import CONTROL, CONTROL_RESPONSES, EXAMPLES, METRICS, PLOTS, RESPONSES, SCORES
from pipeline.score import asked_for, score
from pipeline.scorers import Criteria
from pipeline.worsening import WAYS, worsen

FIGURES = METRICS / "power.json"
PLOT = PLOTS / "power.json"
QUIET_TIMES = 10
"""So many times the releases of a slice are those in which nothing is worse: one figure stands on them all."""
PER_EXAMPLE = ("accuracy", *WEIGHTED)
"""Metrics whose clauses are gated here: those that are means of what a fall lowers."""
OVERALL = "overall"


@dataclass(frozen=True)
class Asked:
    """Examples with what was answered to them and how that was judged."""

    examples: pd.DataFrame
    responses: pd.DataFrame
    scores: pd.DataFrame


@dataclass(frozen=True)
class Standard:
    """By what answers are judged and releases are gated."""

    contract: Contract
    coverage: Coverage
    criteria: Criteria
    allow_list: list[str]


def power(
    dataset: Asked, control: Asked | None, by: Standard, wanted: params.Power, size: float | None = None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The content of power.json and the plot's records. Without a control sample nothing is said of one.

    `size` is the fall whose figures are told slice by slice; the one that the contract looks for where none is given.
    Raises InputError where scores are not of these examples.
    """
    gate, worse = gate_of(dataset, by)
    size = size or by.contract.regressions.size
    found = _measured(gate, size, wanted)
    chosen = found[size]
    content = {
        "size": size,
        "background": wanted.background,
        "examples": len(gate.before),
        "caught_rate": chosen.caught_rate,
        "low": chosen.low,
        "high": chosen.high,
        "cry_wolf": {
            "releases": QUIET_TIMES * wanted.releases,
            "rate": chosen.cry_wolf_rate,
            "low": chosen.cry_wolf_low,
            "high": chosen.cry_wolf_high,
            "undecided_rate": chosen.undecided_rate,
        },
        "sizes": {_points(one): {"caught_rate": found[one].caught_rate} for one in sorted(found)},
        "smallest_size_seen": next((one for one in sorted(found) if _is_enough(found[one].caught_rate)), None),
        "too_thin": len(chosen.too_thin),
        "slices": _slices(gate, chosen, size, wanted),
        "ways": {name: _seen(gate.before, scores.to_numpy(float)) for name, scores in worse.items()},
    }
    records = _records(found, "dataset", size)
    if control is not None:
        beside = _measured(gate_of(control, by)[0], size, wanted)
        content |= _compared(chosen, beside[size], len(control.examples), wanted.seed)
        records += _records(beside, "control sample", size)
    return content, records


def gate_of(asked: Asked, by: Standard) -> tuple[Gate, pd.DataFrame]:
    """The gate on what was asked, as the contract has it, and its `worse` with the ways' names.

    An example that has no score is left out, and so is a clause that no example lies in or whose metric a fall of accuracy says nothing of.
    """
    tags = tags_of(asked.examples)
    costs = example_costs(asked.examples["example_id"], tags, by.coverage)
    judged = judge(asked.scores, asked.examples, by.contract, costs, by.criteria)
    judged = judged.within(judged.examples.index[judged.examples["score"].notna()])
    ids = judged.examples.index
    known = asked.examples.set_index("example_id").reindex(ids)
    where = sliced(tags, ids, by.contract, by.coverage)
    regressions, decision = by.contract.regressions, by.contract.decision
    clauses = [one for one in by.contract.clauses if one.metric in PER_EXAMPLE and len(lying_in(one.slice, tags, ids))]
    gated = by.contract.model_copy(
        update={"clauses": clauses, "regressions": regressions.model_copy(update={"costs": {}, "zero_tolerance": []})}
    )
    worse = made_worse(asked, by, costs, ids)
    gate = Gate(
        before=judged.examples["score"].to_numpy(float),
        clusters=known["cluster"].to_numpy(str),
        members=where.members.reset_index(drop=True),
        costs=where.costs,
        clauses=clause_scores(judged, tags, gated, by.criteria),
        q=strictness(decision.cost_of_shipping_bad, decision.cost_of_blocking_good),
        level=regressions.level,
        size=regressions.size,
        zero_tolerance=where.intolerable.to_numpy(bool),
        worse=worse.to_numpy(float),
    )
    return gate, worse


def made_worse(asked: Asked, by: Standard, costs: pd.Series, ids: pd.Index) -> pd.DataFrame:
    """Scores of the examples `ids` made worse, a column per way, NaN where a way does not fit or could not be judged."""
    criteria = _without_a_grader(by.criteria, asked.responses)
    columns = {}
    for name, way in WAYS.items():
        edited = worsen(asked.examples, asked.responses, way, by.criteria)
        some = asked.examples[asked.examples["example_id"].isin(edited["example_id"])]
        scores = score(some, edited, by.allow_list, criteria)
        judged = judge(scores, some, by.contract, costs, by.criteria) if len(some) else None
        columns[name] = pd.Series(np.nan, ids) if judged is None else judged.examples["score"].reindex(ids)
    return pd.DataFrame(columns, index=ids)


def _without_a_grader(criteria: Criteria, responses: pd.DataFrame) -> Criteria:
    """The criteria with a stand-in for a grading model, which is not asked here: an answer that is not the recorded one is wrong."""
    if "graded" not in criteria:
        return criteria
    recorded = dict(zip(zip(responses["example_id"], responses["epoch"], strict=True), responses["answer"], strict=True))

    @scorer(metrics=[mean()])
    def as_recorded() -> Scorer:
        async def unchanged(state: TaskState, target: Target) -> Score:
            return Score(value=float(state.output.completion == recorded[str(state.sample_id), state.epoch]))

        return unchanged

    return criteria | {"graded": replace(criteria["graded"], scorer=as_recorded)}


def _measured(gate: Gate, size: float, wanted: params.Power) -> dict[float, Power]:
    return by_size(
        gate,
        sorted({size, *wanted.sizes}),
        background=wanted.background,
        releases=wanted.releases,
        quiet=QUIET_TIMES * wanted.releases,
        seed=wanted.seed,
    )


def _is_enough(caught_rate: float) -> bool:
    return round(caught_rate, tables.METRIC_DIGITS) >= TARGET


def _points(size: float) -> str:
    """A metrics key of a fall, in points: a dot would be a level of its own to DVC."""
    return f"{100 * size:g}_points".replace(".", "_")


def _slices(gate: Gate, found: Power, size: float, wanted: params.Power) -> dict[str, dict[str, dict[str, Any]]]:
    """Every slice's figures by dimension and value; `more` is how many examples of it would catch enough, none where 200 would not."""
    content: dict[str, dict[str, dict[str, Any]]] = {}
    for one in found.slices:
        more: int | None = 0
        if one.slice in found.too_thin:
            more = lift(gate, one.slice, size, background=wanted.background, releases=wanted.releases, seed=wanted.seed)
        figures = {"n": one.n, "right": one.right, "caught_rate": one.caught_rate, "low": one.low, "high": one.high, "more": more}
        dimension, value = slices.metrics_keys(slices.parse(one.slice))
        content.setdefault(dimension, {})[value] = figures
    return content


def _seen(before: np.ndarray, after: np.ndarray) -> dict[str, Any]:
    """Of how many right answers the scorers were shown this way, and which share of them they found worse."""
    shown = (before > 0) & ~np.isnan(after)
    found: dict[str, Any] = {"n": int(shown.sum())}
    return {**found, "seen_rate": float(np.mean(after[shown] < before[shown]))} if shown.any() else found


def _compared(dataset: Power, control: Power, examples: int, seed: int) -> dict[str, Any]:
    own, theirs = ({one.slice for one in of.slices} for of in (dataset, control))
    beside = {
        "examples": examples,
        "caught_rate": control.caught_rate,
        "low": control.low,
        "high": control.high,
        "cry_wolf_rate": control.cry_wolf_rate,
        "slices_absent": len(own - theirs),
    }
    if not own & theirs:
        return {"control": beside}
    more = difference(dataset, control, seed=seed)
    return {"control": beside, "difference": {"n": len(own & theirs), "value": more.difference, "low": more.low, "high": more.high}}


def _records(found: dict[float, Power], sample: str, chosen: float) -> list[dict[str, Any]]:
    """A row per slice and size, and of all slices together, for the plot; size 0 is cry-wolf."""
    quiet = found[chosen]
    rows: list[tuple[str, float, float, float, float, int | None]]
    rows = [(OVERALL, 0.0, quiet.cry_wolf_rate, quiet.cry_wolf_low, quiet.cry_wolf_high, None)]
    for size, of in found.items():
        rows.append((OVERALL, size, of.caught_rate, of.low, of.high, None))
        rows += [(one.slice, size, one.caught_rate, one.low, one.high, one.n) for one in of.slices]
    names = ("slice", "size", "caught_rate", "low", "high", "n")
    return [{"sample": sample, **dict(zip(names, row, strict=True)), "is_chosen": row[1] == chosen} for row in rows]


def built() -> tuple[Asked, Asked | None, Standard]:
    """What `dvc repro` made, as this stage reads it."""
    wanted = params.load()
    version, criteria, allow_list = wanted.evaluate.target.version, asked_for(wanted.score), wanted.anonymize.allow_list
    examples, control = (tables.read_parquet(path, schema.EXAMPLES) for path in (EXAMPLES, CONTROL))
    given, beside = (tables.read_parquet(folder / f"{version}.parquet", schema.RESPONSES) for folder in (RESPONSES, CONTROL_RESPONSES))
    by = Standard(expectations.load_contract(), expectations.load_coverage(), criteria, allow_list)
    dataset = Asked(examples, given, tables.read_csv(SCORES, schema.SCORES))
    if beside.empty:
        return dataset, None, by
    return dataset, Asked(control, beside, score(control, beside, allow_list, _without_a_grader(criteria, beside))), by


def work() -> str:
    content, records = power(*built(), params.load().power)
    tables.write_json(FIGURES, content)
    tables.write_json(PLOT, records)
    return line(tables.rounded(content))


def line(content: dict[str, Any]) -> str:
    """The figures in a line, as they are shown."""
    told = f"a fall of {100 * content['size']:g} points in one slice is caught in {content['caught_rate']:.2f}"
    if "control" in content:
        told += f" (by the control sample in {content['control']['caught_rate']:.2f})"
    return f"{told}, cry-wolf {content['cry_wolf']['rate']:.3f}; {content['too_thin']} slices are too thin"


if __name__ == "__main__":
    stage.run("power", work)
