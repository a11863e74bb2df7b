"""Figures from judgements: overall, per source, slice, part, criterion and clause, each with its count.

In: metrics/scores.csv, data/golden/examples.parquet, the responses' behaviours, the contract and the costs of expectations/. Out:
metrics/metrics.json, whose keys stay the same from version to version, and tables for plots in metrics/plots/. Never: an error
counted as right or wrong, a decision on an unrounded figure, a text.
"""

from typing import Any

import pandas as pd

from pipeline import expectations, params, plots, schema, slices, stage, tables
from pipeline.clauses import clauses
from pipeline.errors import InputError
from pipeline.expectations import PARTS, Contract, Coverage
from pipeline.measures import Judged, Measure, accuracy, example_costs, judge, measures, tags_of
from pipeline.paths import EXAMPLES, METRICS, PLOTS, RESPONSES, SCORES
from pipeline.score import asked_for
from pipeline.scorers import CRITERIA, Criteria


def metrics(
    scores: pd.DataFrame,
    examples: pd.DataFrame,
    contract: Contract,
    coverage: Coverage,
    wanted: params.Metrics,
    criteria: Criteria = CRITERIA,
) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """The content of metrics.json, and the records of the plots `slices` and `calibration`.

    Raises InputError where the scores are not of these examples, or a clause names a slice or metric that is not there.
    """
    level, tags = wanted.interval, tags_of(examples)
    judged = judge(scores, examples, contract, example_costs(examples["example_id"], tags, coverage), criteria)
    named, known = named_slices(tags, examples["example_id"], wanted), measures(criteria)
    figures = {key: accuracy(judged.within(ids)).shown("accuracy", level) for key, (_, ids) in named.items()}
    overall = accuracy(judged).shown("accuracy", level)
    content: dict[str, Any] = {
        "overall": {**overall, "errors": int(judged.answers["error"].sum()), "not_testable": int(judged.answers["not_testable"].sum())},
        "sources": _sources(judged, level),
        "slices": {},
        "parts": {part: known[part](judged).shown("mean", level) for part in PARTS if judged.answers[f"part:{part}"].notna().any()},
        "criteria": _criteria(judged, criteria, known, level),
        "clauses": clauses(judged, tags, contract, known, level),
        "calibration": _calibration(judged, known),
    }
    for (dimension, value), figure in figures.items():
        # Without intervals, which stand in the plot's table: of one example that flips, `dvc metrics diff` tells a line per slice, not three.
        content["slices"].setdefault(dimension, {})[value] = {name: figure[name] for name in ("n", "accuracy") if name in figure}
    for name in ("cost_weighted_accuracy", "traffic_accuracy"):
        if (weighted := known[name](judged).shown("value", level))["n"]:
            content[name] = weighted
    records = [{"slice": slices.ALL, "dimension": slices.ALL, **overall}]
    records += [{"slice": named[key][0], "dimension": key[0], **figure} for key, figure in figures.items()]
    return content, {"slices": [record for record in records if record["n"]], "calibration": plots.reliability(judged, level)}


def _sources(judged: Judged, level: float) -> dict[str, Any]:
    found = {}
    for source in sorted(judged.examples["source"].unique()):
        part = judged.within(judged.examples.index[judged.examples["source"] == source])
        found[slices.metrics_key(source)] = {**accuracy(part).shown("accuracy", level), "errors": int(part.answers["error"].sum())}
    return found


def _criteria(judged: Judged, criteria: Criteria, known: dict[str, Measure], level: float) -> dict[str, Any]:
    """Every criterion that judged anything; one that is all of its part stands among the parts alone."""
    parts = [criterion.part for criterion in criteria.values()]
    return {
        name: {**known[name](judged).shown("mean", level), "decides": criterion.decides}
        for name, criterion in criteria.items()
        if judged.answers[f"criterion:{name}"].notna().any() and not (name == criterion.part and parts.count(name) == 1)
    }


def _calibration(judged: Judged, known: dict[str, Measure]) -> dict[str, Any]:
    brier, ece = known["brier"](judged), known["ece"](judged)
    return {"n": 0} if brier.value is None else {"n": brier.n, "brier": brier.value, "ece": ece.value}


def named_slices(tags: pd.DataFrame, example_ids: pd.Series, wanted: params.Metrics) -> dict[tuple[str, str], tuple[str, pd.Index]]:
    """Every value of every dimension, and the pairs' combinations that are large enough: metrics keys to name and members."""
    found: dict[tuple[str, str], tuple[str, pd.Index]] = {}

    def add(dimensions: tuple[str, ...], values: tuple[str, ...], least: int) -> None:
        where = slices.Slice(tuple(zip(dimensions, values, strict=True)))
        ids = pd.Index(example_ids[slices.members(where, tags, example_ids)])
        key = slices.metrics_keys(where)
        if len(ids) >= least:
            if key in found:
                raise InputError(f"{EXAMPLES}: the slices '{found[key][0]}' and '{where}' have one key, {'.'.join(key)}; rename a tag")
            found[key] = (str(where), ids)

    values_of = {str(dimension): sorted(set(part)) for dimension, part in tags.groupby("dimension")["value"]}
    for dimension, values in values_of.items():
        for value in values:
            add((dimension,), (value,), 1)
    for first, second in wanted.pairs:
        if unknown := [dimension for dimension in (first, second) if dimension not in values_of]:
            raise InputError(f"params.yaml: metrics.pairs: no example has a tag '{unknown[0]}'; tags are {', '.join(values_of)}")
        for one in values_of[first]:
            for other in values_of[second]:
                add((first, second), (one, other), wanted.min_examples)
    return found


def work() -> str:
    wanted, contract, coverage = params.load(), expectations.load_contract(), expectations.load_coverage()
    examples = tables.read_parquet(EXAMPLES, schema.EXAMPLES)
    scores = tables.read_csv(SCORES, schema.SCORES)
    responses = tables.read_parquet(
        RESPONSES / f"{wanted.evaluate.target.version}.parquet", schema.RESPONSES, ["example_id", "epoch", "behaviour", "error"]
    )
    content, records = metrics(scores, examples, contract, coverage, wanted.metrics, asked_for(wanted.score))
    shown = plots.behaviours(examples, responses)
    tables.write_json(METRICS / "metrics.json", {**content, "behaviour": plots.confusion(shown)})
    for name, rows in records.items():
        tables.write_json(PLOTS / f"{name}.json", rows)
    tables.write_csv(PLOTS / "behaviour.csv", shown, schema.BEHAVIOURS)
    return line(content)


def line(content: dict[str, Any]) -> str:
    overall, unmet = content["overall"], [name for name, clause in content["clauses"].items() if not clause["met"]]
    shown = f"accuracy {overall['accuracy']:.3f} [{overall['low']:.3f}, {overall['high']:.3f}] of" if overall["n"] else "nothing judged:"
    met = f"{len(content['clauses']) - len(unmet)} of {len(content['clauses'])} clauses met" + (
        f" (not {', '.join(unmet)})" if unmet else ""
    )
    untestable = f", {overall['not_testable']} not testable" if overall["not_testable"] else ""
    return f"{shown} {overall['n']} examples, {overall['errors']} errors{untestable}; {met}"


if __name__ == "__main__":
    stage.run("metrics", work)
