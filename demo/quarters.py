"""Six quarters of drifting traffic whose truth is known: what a refresh is worth.

`python -m demo.quarters` draws traffic with true shares and true failure rates, keeps three datasets of one size beside it and writes
docs/quarters.json, a row for each quarter, dataset and measure. No text, no file of the pipeline: topics, tones and lengths, and the
functions of pipeline/refreshing themselves.

Topics gain and lose shares from quarter to quarter, some vanish, others come, and failure rates move. A conversation has a difficulty
that stays: it fails wherever the failure rate of its topic, tone and length at that time is above it. So an example is judged anew by the
system of each quarter, as an evaluation would.

- `frozen` is drawn from the first quarter and stays.
- `refreshed` follows the plan of each quarter: what it retires leaves, what it wants labelled comes in.
- `rebuilt` is drawn anew from each quarter, all of it labelled anew.

A dataset is measured against the *next* quarter, of which it has seen nothing.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.spatial.distance import jensenshannon
from scipy.stats import spearmanr

from pipeline import tables
from pipeline.decision.intervals import resampled
from pipeline.params import Refresh
from pipeline.refreshing import combinations, retiring
from pipeline.slices import parse

QUARTERS, SEEDS = 6, 50
TOPICS, TONES, LENGTHS = 24, 4, 2
SIZE, TRAFFIC = 150, 1500
DAYS = 91
START = pd.Timestamp("2026-01-01T00:00:00Z")
SETTINGS = Refresh(window=1000, dimensions=["topic", "tone", "length"], min_support=15, covered_by=10, records=5, exempt=[])
DATASETS = ("frozen", "refreshed", "rebuilt")
MEASURES = ("divergence", "correlation", "backtest")
Ranked = list[combinations.Combination]
NEEDED = 3
"""Examples of a topic from which its failure rate in a dataset is compared."""


@dataclass(frozen=True)
class Truth:
    """One quarter: shares and failure rates by topic, tone and length."""

    share: np.ndarray
    rate: np.ndarray


def drift(rng: np.random.Generator) -> list[Truth]:
    """A truth for the first quarter and for each of the six after it. Shares and rates move as random walks of their logits."""
    present = np.arange(TOPICS) < TOPICS * 2 // 3
    weight, level = rng.normal(0, 0.7, TOPICS), rng.normal(-1.0, 0.9, TOPICS)
    tone, length = rng.normal(0, 0.5, TONES), rng.normal(0, 0.3, LENGTHS)
    mix = rng.dirichlet(np.full(TONES * LENGTHS, 4.0)).reshape(TONES, LENGTHS)
    found = []
    for quarter in range(QUARTERS + 1):
        if quarter:
            weight, level = weight + rng.normal(0, 0.35, TOPICS), level + rng.normal(0, 0.35, TOPICS)
            goes, comes = rng.choice(np.flatnonzero(present)), rng.choice(np.flatnonzero(~present))
            present = present.copy()
            present[goes], present[comes], level[comes] = False, True, rng.normal(0.3, 0.5)
        topics = np.where(present, np.exp(weight), 0)
        logits = level[:, None, None] + tone[None, :, None] + length[None, None, :]
        found.append(Truth((topics / topics.sum())[:, None, None] * mix[None], 1 / (1 + np.exp(-logits))))
    return found


def conversations(truth: Truth, quarter: int, rng: np.random.Generator) -> pd.DataFrame:
    """A quarter's traffic: the columns of candidates that a plan reads, the cell, and the difficulty."""
    cells = rng.choice(truth.share.size, TRAFFIC, p=truth.share.ravel() / truth.share.sum())
    difficulty = rng.random(TRAFFIC)
    return pd.DataFrame(
        {
            "example_id": [f"p-{quarter}-{n:04d}" for n in range(TRAFFIC)],
            "source": "production",
            "occurred_at": START + pd.to_timedelta(DAYS * (quarter + np.sort(rng.random(TRAFFIC))), unit="D"),
            "failed": difficulty < truth.rate.ravel()[cells],
            "inclusion_weight": 1.0,
            "cell": cells,
            "difficulty": difficulty,
        }
    )


def tags(frame: pd.DataFrame) -> pd.DataFrame:
    """Topic, tone and length of each conversation, as schema.TAGS has them."""
    places = dict(zip(("topic", "tone", "length"), np.unravel_index(frame["cell"], (TOPICS, TONES, LENGTHS)), strict=True))
    parts = [
        pd.DataFrame({"example_id": frame["example_id"], "dimension": name, "value": place.astype(str)}) for name, place in places.items()
    ]
    return pd.concat(parts, ignore_index=True)


def drawn(traffic: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """A dataset built from a quarter: a random sample of it."""
    return traffic.iloc[np.sort(rng.choice(len(traffic), SIZE, replace=False))]


def refreshed(dataset: pd.DataFrame, history: pd.DataFrame, rng: np.random.Generator) -> tuple[pd.DataFrame, Ranked, Ranked]:
    """`dataset` after the plan on all traffic so far, at its size; every combination with an interval; those that the plan proposes.

    What leaves beside the retired is what the dataset has most too much of, topic by topic; what is lacking is drawn from the window.
    """
    newest = combinations.window(history, SETTINGS.window)
    known = tags(pd.concat([newest, dataset]).drop_duplicates("example_id"))
    gone = {one.example_id for one in _retire(dataset, history)}
    kept = dataset[~dataset["example_id"].isin(gone)]
    ranked = combinations.ranked(newest, known, frozenset(kept["example_id"]), SETTINGS)
    chosen, _ = combinations.split(ranked, SETTINGS)
    free = newest.loc[newest["failed"] & ~newest["example_id"].isin(kept["example_id"]), "example_id"]
    asked = combinations.records(chosen, list(free.sample(frac=1, random_state=7)), known, SETTINGS)
    wanted = {i for one in asked for i in one.wanted}
    spare = newest[~newest["example_id"].isin({*kept["example_id"], *wanted})]
    return _at_size(kept, newest[newest["example_id"].isin(wanted)], spare, newest, rng), ranked, chosen


def _retire(dataset: pd.DataFrame, history: pd.DataFrame) -> list[retiring.Retirement]:
    """Near an example is what has its topic."""
    shown = history.groupby(_topic(history))["occurred_at"].max()
    seen = pd.DataFrame({"example_id": dataset["example_id"], "last_seen": [f"{shown[t]:%Y-%m-%d}" for t in _topic(dataset)]})
    members = dataset[["example_id", "source"]].assign(slices="")
    dated = dataset.set_index("example_id")["occurred_at"]
    return retiring.due(members, seen, dated, history["occurred_at"].min(), history["occurred_at"].max(), SETTINGS)


def _at_size(kept: pd.DataFrame, new: pd.DataFrame, spare: pd.DataFrame, newest: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    share = np.bincount(_topic(newest), minlength=TOPICS) / len(newest)
    while len(kept) + len(new) > SIZE:
        have = np.bincount(_topic(pd.concat([kept, new])), minlength=TOPICS) - share * SIZE
        have[np.bincount(_topic(kept), minlength=TOPICS) == 0] = -np.inf
        kept = kept.drop(kept.index[np.flatnonzero(_topic(kept) == np.argmax(have))[0]])
    lacking = SIZE - len(kept) - len(new)
    more = spare.iloc[np.sort(rng.choice(len(spare), lacking, replace=False))]
    return pd.concat([kept, new, more], ignore_index=True)


def _topic(frame: pd.DataFrame) -> np.ndarray:
    return np.asarray(frame["cell"]) // (TONES * LENGTHS)


def measured(dataset: pd.DataFrame, truth: Truth) -> dict[str, float]:
    """How near a dataset is to a quarter it has not seen.

    divergence: Jensen-Shannon, bits, of topics. correlation: Spearman's, of topics' failure rates, judged by that quarter's system, with the
    true ones, over topics that both have. backtest: the share of that quarter's failures whose topic and tone an example has.
    """
    topics = _topic(dataset)
    have, true = np.bincount(topics, minlength=TOPICS), truth.share.sum(axis=(1, 2))
    fails = np.asarray(dataset["difficulty"]) < truth.rate.ravel()[dataset["cell"]]
    failures = truth.share * truth.rate
    compared = (have >= NEEDED) & (true > 0)
    rates = np.bincount(topics, weights=fails, minlength=TOPICS)[compared] / have[compared]
    covered = np.zeros((TOPICS, TONES), bool)
    covered[topics, np.asarray(dataset["cell"]) // LENGTHS % TONES] = True
    with np.errstate(all="ignore"):
        correlation = float(spearmanr(rates, failures.sum(axis=(1, 2))[compared] / true[compared]).statistic)
    return {
        "divergence": float(jensenshannon(have, true, base=2) ** 2),
        "correlation": 0.0 if np.isnan(correlation) else correlation,
        "backtest": float(failures.sum(axis=2)[covered].sum() / failures.sum()),
    }


def true_rate(slice_: str, truth: Truth) -> float:
    """The true failure rate in a combination."""
    at: dict[str, int | slice] = {"topic": slice(None), "tone": slice(None), "length": slice(None)}
    at |= {name: int(value) for name, value in parse(slice_).tags}
    place = tuple(at.values())
    return float((truth.share[place] * truth.rate[place]).sum() / truth.share[place].sum())


def simulate(seed: int) -> tuple[np.ndarray, list[bool], list[bool]]:
    """Measures by quarter, dataset and measure; of each interval whether it holds the true rate; the same of those that plans propose."""
    rng = np.random.default_rng(seed)
    truths = drift(rng)
    traffic = conversations(truths[0], 0, rng)
    history = traffic
    kept = dict.fromkeys(DATASETS, drawn(traffic, rng))
    found: list[list[list[float]]] = []
    of_all: list[bool] = []
    of_proposed: list[bool] = []
    for quarter in range(1, QUARTERS + 1):
        found.append([list(measured(kept[name], truths[quarter]).values()) for name in DATASETS])
        traffic = conversations(truths[quarter], quarter, rng)
        history = pd.concat([history, traffic], ignore_index=True)
        kept["refreshed"], ranked, chosen = refreshed(kept["refreshed"], history, rng)
        kept["rebuilt"] = drawn(traffic, rng)
        of_all += [_holds(one, truths[quarter]) for one in ranked]
        of_proposed += [_holds(one, truths[quarter]) for one in chosen]
    return np.array(found), of_all, of_proposed


def _holds(one: combinations.Combination, truth: Truth) -> bool:
    return one.low <= true_rate(one.slice, truth) <= one.high


def interval(values: np.ndarray, seed: int = 7) -> tuple[float, float, float]:
    """The mean over seeds, and the 95 % percentile interval of seeds drawn with replacement: paired where `values` are differences."""
    means = resampled(values[:, None], 2000, seed)[:, 0] / len(values)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(values.mean()), float(low), float(high)


def rows(found: np.ndarray) -> list[dict[str, object]]:
    """docs/quarters.json: a mean over seeds with its interval for each quarter, dataset and measure. found: (seeds, quarters, datasets, measures)."""
    return [
        {"quarter": quarter + 1, "dataset": name, "measure": measure}
        | dict(zip(("value", "low", "high"), (round(v, 4) for v in interval(found[:, quarter, d, m])), strict=True))
        for m, measure in enumerate(MEASURES)
        for quarter in range(found.shape[1])
        for d, name in enumerate(DATASETS)
    ]


def differences(found: np.ndarray) -> dict[str, dict[str, tuple[float, float, float]]]:
    """Refreshed less each other dataset in the last quarter, seed by seed."""
    last = found[:, -1]
    return {
        other: {measure: interval(last[:, 1, m] - last[:, DATASETS.index(other), m]) for m, measure in enumerate(MEASURES)}
        for other in ("frozen", "rebuilt")
    }


def main(seeds: int = SEEDS) -> None:
    runs = [simulate(seed) for seed in range(seeds)]
    found = np.array([measures for measures, _, _ in runs])
    tables.write_json(Path("docs/quarters.json"), rows(found))
    for other, by_measure in differences(found).items():
        for measure, (value, low, high) in by_measure.items():
            print(f"refreshed less {other}, quarter {QUARTERS}, {measure}: {value:+.3f} ({low:+.3f} to {high:+.3f})")
    for place, which in ((1, "all"), (2, "the proposed")):
        value, low, high = interval(np.array([np.mean(run[place]) for run in runs]))
        count = sum(len(run[place]) for run in runs)
        print(f"of {which}, {value:.1%} ({low:.1%} to {high:.1%}) of {count:,} intervals at {SETTINGS.level:.0%} hold the true rate")


if __name__ == "__main__":
    main(*(int(count) for count in sys.argv[1:]))
