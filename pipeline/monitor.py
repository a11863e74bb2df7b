"""Stage `monitor`: whether the dataset still looks like production, and fails where production fails.

In: candidates, tags, labels, the dataset with its scores, `data/pairs.csv`, `data/sources/`. Out: `metrics/monitor.json`,
`metrics/feedback.json`, `metrics/plots/alignment.json` and `data/interim/last_seen.csv`.

What can never happen: a text in any of them; a rate that counts conversations where it should count traffic; something learnt after a
month in what the backtest says was known before it; a question to the target.
"""

from typing import Any

import numpy as np
import pandas as pd

from pipeline import erasure, expectations, params, schema, sources, stage, tables
from pipeline.errors import InputError
from pipeline.labeling.reading import read_labels
from pipeline.measures import example_costs, judge, tags_of
from pipeline.merge import Standards
from pipeline.monitoring import backtest, drift, feedback, verdicts
from pipeline.monitoring.alignment import Side, alignment, uncovered
from pipeline.monitoring.nearest import Space, asked, last_seen
from pipeline.monitoring.resampling import Draws
from pipeline.params import LOGGED, Monitor
from pipeline.paths import (
    CANDIDATES,
    EXAMPLES,
    EXPECTATIONS,
    FEEDBACK,
    LABELS,
    LAST_SEEN,
    MONITOR,
    PAIRS,
    PLOTS,
    SCORES,
    TAGS,
    TAGS_BY_RULE,
)
from pipeline.score import asked_for
from pipeline.sources import Regression


def production_side(logged: pd.DataFrame) -> Side:
    """Conversations (schema.CANDIDATES), each standing for as many as its inclusion weight says."""
    ids = logged["example_id"].reset_index(drop=True)
    return Side(ids, logged["failed"].to_numpy(float), logged["inclusion_weight"].to_numpy(float), ids.to_numpy(str))


def dataset_side(judged: pd.DataFrame) -> Side:
    """Examples that could be judged: `score` and `cluster` by example id. An example fails by what its score lacks to 1."""
    known = judged.dropna(subset="score")
    return Side(pd.Series(known.index), 1 - known["score"].to_numpy(float), np.ones(len(known)), known["cluster"].to_numpy(str))


def drifted(logged: pd.DataFrame, tags: pd.DataFrame, threshold: float, space: Space, wanted: Monitor, draws: Draws) -> dict[str, Any]:
    """`drift` of metrics/monitor.json: the last `window_days` of the pool against as many days before them."""
    times = logged["occurred_at"]
    last = times.max()
    if pd.isna(last):
        return {}
    end = last.normalize() + pd.Timedelta(days=1)
    start, before = (end - pd.Timedelta(days=wanted.window_days * n) for n in (1, 2))
    now, then = logged[times >= start], logged[(times >= before) & (times < start)]
    if now.empty or then.empty:
        return {}
    earlier, later = production_side(then), production_side(now)
    spoken = logged.assign(text=asked(logged))[["example_id", "text", "failed", "inclusion_weight", "occurred_at"]]
    return {
        "before": _window(then, earlier),
        "now": _window(now, later),
        "dimensions": drift.divergence(earlier, later, tags, draws),
        "topics": drift.new_topics(
            spoken[spoken["occurred_at"] < start], spoken[spoken["occurred_at"] >= start], tags, threshold, space, wanted.min_topic
        ),
    }


def _window(part: pd.DataFrame, side: Side) -> dict[str, Any]:
    days = part["occurred_at"].dt.strftime("%Y-%m-%d")
    rate = float(np.average(side.failed, weights=side.mass))
    return {"from": days.min(), "to": days.max(), "conversations": len(part), "failure_rate": rate}


def seen(found: pd.DataFrame, calibration: dict[str, Any]) -> dict[str, Any]:
    """`last_seen` of metrics/monitor.json, from schema.LAST_SEEN: how many examples production shows, and since when not."""
    dates, is_near = found["last_seen"], found["distance"] <= calibration["threshold"]
    content = {**calibration, "seen": int(is_near.sum()), "unseen": int((~is_near).sum())}
    return content | ({"oldest": min(dates[dates != ""])} if (dates != "").any() else {})


def check(pairs: pd.DataFrame) -> None:
    """Raises InputError for an answer that is none."""
    for line, same in enumerate(pairs["same"], 2):
        if same not in ("yes", "no"):
            raise InputError(f"{PAIRS}, line {line}: same: expected yes or no")


def work() -> str:
    settings = params.load()
    wanted = settings.monitor
    draws = Draws(settings.metrics.interval, wanted.resamples, wanted.seed)
    contract, coverage, standard = expectations.load_contract(), expectations.load_coverage(), expectations.load_labeling()
    criteria, allow_list = asked_for(settings.score), settings.anonymize.allow_list
    candidates = tables.read_parquet(CANDIDATES, schema.CANDIDATES)
    tags, examples = tables.read_parquet(TAGS, schema.TAGS), tables.read_parquet(EXAMPLES, schema.EXAMPLES)
    entries = sources.load()
    pairs = tables.read_csv(PAIRS, schema.PAIRS) if PAIRS.is_file() else tables.empty(schema.PAIRS)
    check(pairs)
    logged = candidates[candidates["source"].isin(LOGGED)].reset_index(drop=True)
    space = Space.of(asked(logged))
    calibration = backtest.threshold(pairs, candidates, space, wanted)
    of_examples = tags_of(examples)
    costs = example_costs(examples["example_id"], of_examples, coverage)
    judged = judge(tables.read_csv(SCORES, schema.SCORES), examples, contract, costs, criteria).examples
    production, dataset = production_side(logged), dataset_side(judged)
    aligned, rows = alignment(production, dataset, tags, wanted.min_examples, draws)
    everyone = Side(examples["example_id"], np.zeros(len(examples)), np.ones(len(examples)), examples["cluster"].to_numpy(str))
    found = last_seen(examples[["example_id", "source"]], candidates, calibration["threshold"], space)
    history = backtest.History(
        candidates, tables.read_parquet(TAGS_BY_RULE, schema.TAGS), read_labels(LABELS, standard, erasure.erased()), entries, pairs
    )
    standards = Standards(coverage, contract, expectations.load_tagging())
    agreement = verdicts.verdicts(candidates, tables.read_parquet(EXPECTATIONS, schema.EXPECTATIONS), allow_list, criteria)
    days = logged["occurred_at"].dropna().dt.strftime("%Y-%m-%d")
    content = {
        "window": {"from": days.min() if len(days) else "", "to": days.max() if len(days) else "", "conversations": len(logged)},
        **aligned,
        "divergence": drift.divergence(production, everyone, tags, draws),
        "uncovered": uncovered(production, examples["example_id"], tags, settings.metrics.pairs, min_share=wanted.min_share),
        "drift": drifted(logged, tags, calibration["threshold"], space, wanted, draws),
        "last_seen": seen(found, calibration),
        "verdicts": verdicts.figures(agreement, draws) if len(agreement) else {"n": 0},
        "backtest": backtest.backtest(history, standard, standards, settings.merge, wanted, draws),
    }
    flagged = [entry for _, entry in entries["regression"] if isinstance(entry, Regression)]
    tables.write_csv(LAST_SEEN, found, schema.LAST_SEEN)
    tables.write_json(MONITOR, content)
    tables.write_json(FEEDBACK, feedback.feedback(flagged, candidates))
    tables.write_json(PLOTS / "alignment.json", rows)
    return line(tables.rounded(content))


def line(content: dict[str, Any]) -> str:
    """The figures in a line, as they are shown."""
    aligned, tested, shown = content["alignment"], content["backtest"], content["last_seen"]
    parts = []
    if rank := aligned.get("spearman"):
        parts.append(
            f"failures by slice go with production's by {rank['value']:+.2f} [{rank['low']:.2f}, {rank['high']:.2f}] over {aligned['slices']}"
            f" slices, {len(aligned['off'])} off"
        )
    parts.append(f"{shown['unseen']} examples unseen in production, {len(content['uncovered'])} slices uncovered")
    if "dataset" in tested:
        parts.append(
            f"backtest {tested['dataset']['value']:.2f} of {tested['failures']} failures near (control {tested['control']['value']:.2f})"
        )
    return "; ".join(parts)


if __name__ == "__main__":
    stage.run("monitor", work)
