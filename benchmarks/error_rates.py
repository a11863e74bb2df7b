"""Error rates of the gate by simulation: `python -m benchmarks.error_rates [--draws N] [--only WORD]`.

Each line is a promise, what was measured and whether it holds. Datasets are invented: 200 examples in 34 slices that overlap as a
support assistant's do, and where it says so conversations of several examples that go together.
"""

import argparse
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: there is a process per core, whose threads would wait for each other

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from scipy.special import expit, logit, ndtri

from pipeline.decision import pooled
from pipeline.decision.familywise import net_p
from pipeline.decision.joint import ClauseScores, evidence_of, probabilities
from pipeline.decision.needed import more_examples
from pipeline.decision.power import Gate, judge, probability_all_met, simulated, worsened
from pipeline.decision.regression import combined, regressions
from pipeline.decision.verdict import decide, strictness

Q = strictness(10, 1)
EXAMPLES = 200
FEW_DRAWS = 4_000
"""Of the posterior, where ten thousand datasets are judged: its own noise is below a point."""
Line = tuple[str, str, str, bool]


def slices(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Membership of 34 slices: four dimensions' values, a risk that few have, and pairs."""
    columns: dict[str, np.ndarray] = {}
    for dimension, shares in (
        ("category", [0.34, 0.26, 0.16, 0.12, 0.12]),
        ("complexity", [0.55, 0.45]),
        ("tone", [0.3, 0.23, 0.18, 0.15, 0.14]),
        ("outcome", [0.2, 0.2, 0.13, 0.13, 0.1, 0.09, 0.09, 0.06]),
        ("risk", [0.2, 0.18, 0.06, 0.05, 0.05, 0.46]),
    ):
        value = rng.choice(len(shares), n, p=shares)
        columns |= {f"{dimension}={place}": value == place for place in range(len(shares))}
    for first, second in (("category=0", "complexity=1"), ("category=1", "tone=1"), ("category=2", "tone=0"), ("tone=1", "risk=0")):
        columns[f"{first} & {second}"] = columns[first] & columns[second]
    columns |= {"length=long": rng.random(n) < 0.07, "length=short": rng.random(n) < 0.9}
    frame = pd.DataFrame(columns)
    return frame.loc[:, frame.sum() >= 3]


def costs(members: pd.DataFrame) -> dict[str, float]:
    return {name: [1.0, 2.0, 4.0, 6.0, 10.0][place % 5] for place, name in enumerate(members)}


def conversations(rng: np.random.Generator, n: int) -> np.ndarray:
    """Clusters of 1 to 4 examples."""
    sizes = rng.integers(1, 5, n)
    return np.repeat(np.arange(n), sizes)[:n].astype(str)


def together(rng: np.random.Generator, probability: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """Right answers, of which those of a cluster go together: one uniform number for each cluster."""
    codes = np.unique(clusters, return_inverse=True)[1]
    return (rng.random(codes.max() + 1)[codes] < probability).astype(float)


# ---- wrong ships


def wrong_ship(kind: str, seed: int) -> tuple[bool, bool]:
    """Whether a system drawn from the prior ships, and whether it should not.

    Its rate is Beta(1/2, 1/2), as one clause supposes, or anywhere in 0.7..1, near the thresholds, with parts that are better or worse.
    """
    rng = np.random.default_rng(seed)
    members = slices(rng, EXAMPLES)
    names = {"one": [], "jeffreys": [], "nested": ["category=0"]}.get(kind, ["category=0", "complexity=1", "risk=0", "tone=1"])
    clusters = conversations(rng, EXAMPLES) if kind == "conversations" else np.arange(EXAMPLES)
    cells = members[names].to_numpy(int) @ 2 ** np.arange(len(names))
    overall = rng.beta(0.5, 0.5) if kind == "jeffreys" else rng.uniform(0.7, 1)
    apart = 0.0 if kind == "jeffreys" else 0.5
    rate = expit(logit(overall) + apart * rng.standard_normal(2 ** len(names)))[cells]
    scores = together(rng, rate, clusters)
    inside = [np.ones(EXAMPLES, bool)] + [members[name].to_numpy() for name in names]
    thresholds = rng.choice([0.7, 0.8, 0.88, 0.92], len(inside))
    clauses = [ClauseScores(str(i), np.where(part, scores, np.nan), t) for i, (part, t) in enumerate(zip(inside, thresholds, strict=True))]
    _, probability = probabilities(clauses, evidence_of(clauses, clusters), seed=seed, draws=FEW_DRAWS)
    good = all(rate[part].mean() >= t for part, t in zip(inside, thresholds, strict=True))
    return decide(probability, Q, False) == "ship", not good


def wrong_ships(draws: int) -> Iterator[Line]:
    told = {
        "jeffreys": "one clause, rate from Jeffreys's prior",
        "one": "one clause, rate in 0.7..1",
        "nested": "two nested clauses, rates in 0.7..1",
        "overlapping": "five overlapping clauses",
        "conversations": "five overlapping clauses, conversations",
    }
    for kind, words in told.items():
        found = np.array(list(spread(partial(wrong_ship, kind), range(draws))))
        ships, wrong = int(found[:, 0].sum()), int(found.all(axis=1).sum())
        share = wrong / max(1, ships)
        yield f"wrong among {ships} ships, {words}", f"<= {1 - Q:.3f}", f"{share:.3f}", share <= 1 - Q


# ---- false regressions


def false_regression(kind: str, seed: int) -> bool:
    rng = np.random.default_rng(seed)
    members = slices(rng, EXAMPLES)
    clusters = conversations(rng, EXAMPLES) if kind == "conversations" else np.arange(EXAMPLES).astype(str)
    hard = logit(0.88) + members.to_numpy(float) @ rng.normal(0, 0.5, members.shape[1]) / 2 + rng.normal(0, 1, EXAMPLES)
    before, after = _retrained(rng, expit(hard)) if kind == "unsure" else _noisy(rng, expit(hard), clusters)
    paired = pd.DataFrame({"example_id": np.arange(EXAMPLES).astype(str), "cluster": clusters, "before": before, "after": after})
    return regressions(paired, members, costs(members), seed=seed, draws=199).found


def _noisy(rng: np.random.Generator, probability: np.ndarray, clusters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Up to 6 % of the examples change either way, whatever slice they are in."""
    before = together(rng, probability, clusters)
    rate = rng.uniform(0.01, 0.06)
    turns = np.where(before == 1, rate / before.mean(), rate / max(1 - before.mean(), rate))
    return before, np.abs(before - together(rng, turns, clusters))


def _retrained(rng: np.random.Generator, probability: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A harmless change redraws a tenth of what makes an answer right: questions near the edge change, both ways."""
    edge, old, new = ndtri(probability), rng.standard_normal(EXAMPLES), rng.standard_normal(EXAMPLES)
    return (old < edge).astype(float), (0.9 * old + np.sqrt(1 - 0.81) * new < edge).astype(float)


def false_regressions(draws: int) -> Iterator[Line]:
    told = {"noise": "34 slices", "conversations": "34 slices, conversations", "unsure": "34 slices, harmless retraining"}
    for kind, words in told.items():
        rate = float(np.mean(list(spread(partial(false_regression, kind), range(draws)))))
        yield f"false regressions at level 0.05, {words}", "<= 0.060", f"{rate:.3f}", rate <= 0.06


# ---- five reruns


def rerun(kind: str, shortfall: float, seed: int) -> tuple[bool, bool, bool]:
    """Whether one bad build ships at first, in five runs that are pooled, and in five that are forgotten."""
    rng = np.random.default_rng(seed)
    alike = 400.0 if kind == "coins" else 0.3
    mean = 0.88 - shortfall
    probability = rng.beta(alike * mean, alike * (1 - mean), EXAMPLES)
    answers = rng.random((5, EXAMPLES)) < probability
    sofar = answers.cumsum(axis=0) / np.arange(1, 6)[:, None]
    inner = np.where(np.arange(EXAMPLES) < 60, 1.0, np.nan)
    clauses = [ClauseScores("all", np.ones(EXAMPLES), 0.88), ClauseScores("inner", inner, 0.8)]
    clusters = np.arange(EXAMPLES)
    pooled_, alone = (probability_all_met(clauses, clusters, some, seed=seed) for some in (sofar, answers.astype(float)))
    ships = [[decide(p, Q, False) == "ship" for p in found] for found in (pooled_, alone)]
    return ships[0][0], any(ships[0]), any(ships[1])


def reruns(draws: int) -> Iterator[Line]:
    told = {"usual": "most questions always right or wrong", "coins": "every answer a coin"}
    for kind, words in told.items():
        for shortfall in (0.0, 0.03):
            first, by_pooling, forgotten = np.mean(list(spread(partial(rerun, kind, shortfall), range(draws))), axis=0)
            label = f"five reruns, {shortfall:.0%} below, {words}: once {first:.3f}, forgetful {forgotten:.3f}"
            yield label, "<= +0.030", f"+{by_pooling - first:.3f}", by_pooling - first <= 0.03


# ---- examples needed


def decided(clauses: list[ClauseScores], more: int, seed: int) -> bool:
    """Whether the real gate decides after `more` examples at the rates seen."""
    rng = np.random.default_rng(seed)
    n = len(clauses[0].scores)
    places = np.concatenate([np.arange(n), rng.integers(0, n, more)])
    larger = [replace(clause, scores=clause.scores[places]) for clause in clauses]
    _, probability = probabilities(larger, evidence_of(larger, np.arange(len(places))), seed=seed, draws=FEW_DRAWS)
    return decide(probability, Q, False) != "undecided"


def borderline() -> dict[str, list[ClauseScores]]:
    def case(failures: list[int], sizes: list[int], thresholds: list[float]) -> list[ClauseScores]:
        """Clauses nested one in the other, the largest first; failures and sizes are totals."""
        scores = np.ones(sizes[0])
        for inner, outer, many in zip([*sizes[1:], 0], sizes, np.subtract(failures, [*failures[1:], 0]), strict=True):
            scores[inner : inner + many] = 0
            assert inner + many <= outer  # noqa: S101
        return [
            ClauseScores(str(i), np.where(np.arange(sizes[0]) < size, scores, np.nan), t)
            for i, (size, t) in enumerate(zip(sizes, thresholds, strict=True))
        ]

    return {
        "188/200 at 0.92, 37/40 at 0.88": case([12, 3], [200, 40], [0.92, 0.88]),
        "91/100 at 0.88, 19/20 at 0.8": case([9, 1], [100, 20], [0.88, 0.80]),
        "172/200 at 0.88 (will be held)": case([28], [200], [0.88]),
        "189/200 at 0.92": case([11], [200], [0.92]),
        "276/300 at 0.9, 55/60 at 0.85, 28/30 at 0.8": case([24, 5, 2], [300, 60, 30], [0.9, 0.85, 0.8]),
    }


def examples_needed(draws: int) -> Iterator[Line]:
    for words, clauses in borderline().items():
        more = more_examples(clauses, np.arange(len(clauses[0].scores)), Q, seed=0)
        if more is None:
            yield f"decided after the examples asked for, {words}", "a number", "none", False
            continue
        rate = float(np.mean(list(spread(partial(decided, clauses, more), range(max(400, draws // 5))))))
        yield f"decided after {more} further examples, {words}", "0.80 +- 0.05", f"{rate:.3f}", abs(rate - 0.8) <= 0.05


# ---- a good system against itself, and what a bad one does


def good_gate() -> Gate:
    rng = np.random.default_rng(11)
    members = slices(rng, EXAMPLES)
    hard = logit(0.93) + members.to_numpy(float) @ rng.normal(0, 0.4, members.shape[1]) / 2
    before = (rng.random(EXAMPLES) < expit(hard)).astype(float)
    inside = np.where(members["category=0"], before, np.nan)
    clauses = [ClauseScores("all", before, 0.8), ClauseScores("category=0", inside, 0.75)]
    return Gate(before, np.arange(EXAMPLES).astype(str), members, costs(members), clauses, Q)


def against_itself(draws: int) -> Iterator[Line]:
    gate = good_gate()
    releases = min(draws, 2_000)
    quiet = worsened(gate.before, np.zeros(EXAMPLES, bool), 0.0, 0.02, releases, seed=1)
    held = float(np.mean(judge(gate, seed=0)(quiet) == "hold"))
    yield f"good against itself, 2 % of answers redrawn, {releases} seeds: held", "<= 0.060", f"{held:.3f}", held <= 0.06


def catching(draws: int) -> Iterator[Line]:
    power = simulated(good_gate(), 0.3, releases=min(200, max(50, draws // 50)), seed=2)
    shown = f"{power.caught_rate:.3f} [{power.low:.3f}, {power.high:.3f}]"
    yield "a fall of 30 points in one of 34 slices: caught, weighted by cost", ">= 0.750", shown, power.caught_rate >= 0.75
    worlds = list(spread(tests_compared, range(min(40, max(4, draws // 250)))))
    alone, weighed = np.mean(worlds, axis=0)
    for place, what in enumerate(("false alarms on noise", "harmless retrainings held", "falls caught")):
        better = weighed[place] >= alone[place] - 0.01 if what == "falls caught" else weighed[place] <= alone[place] + 0.01
        label = f"pooled test that weighs gains, {len(worlds)} systems: {what}"
        yield label, f"{'>=' if place == 2 else '<='} {alone[place]:.3f} without", f"{weighed[place]:.3f}", bool(better)


def tests_compared(seed: int) -> np.ndarray:
    """(2, 3): the pooled test that counts losses alone, and the one that weighs gains against them; false alarms, retrainings, caught."""
    rng = np.random.default_rng([7, seed])
    members = slices(rng, EXAMPLES)
    inside, cost = members.to_numpy(bool), np.array(list(costs(members).values()))
    hard = members.to_numpy(float) @ rng.normal(0, 0.5, members.shape[1]) / 2 + rng.normal(0, 1.2, EXAMPLES)
    edge = ndtri(expit(hard - hard.mean() + 1.2 * logit(rng.uniform(0.75, 0.95))))
    old = rng.standard_normal(EXAMPLES)
    right = old < edge
    retrained = (0.9 * old + np.sqrt(1 - 0.81) * rng.standard_normal((200, EXAMPLES)) < edge).astype(float)
    before = right.astype(float)
    quiet = worsened(before, np.zeros(EXAMPLES, bool), 0.0, 0.02, 200, seed=seed).scores
    worse = [worsened(before, part, 0.3, 0.02, 15, seed=1000 * seed + place).scores for place, part in enumerate(inside.T)]
    weighed = pooled.culprits(right, inside, cost, np.arange(EXAMPLES).astype(str), 0.3)
    nothing = replace(weighed.wrong, members=weighed.wrong.members[:0], sizes=0 * weighed.wrong.sizes, strata=())
    found = []
    for of in (replace(weighed, wrong=nothing, volatile=1e-12), weighed):
        holds = partial(_holds, of, right, {})
        caught = np.average([np.mean([holds(after) for after in some]) for some in worse], weights=cost)
        found.append([np.mean([holds(after) for after in quiet]), np.mean([holds(after) for after in retrained]), caught])
    return np.array(found)


def _holds(of: pooled.Culprits, right: np.ndarray, nulls: dict[bytes, np.ndarray], after: np.ndarray) -> bool:
    lost = (after[right] == 0).astype(float)
    gained = after[~right] if len(of.wrong.members) else np.empty(0)
    key = pooled.kept_apart(of, lost, gained)
    if key not in nulls:
        nulls[key] = pooled.null(of, lost, gained, seed=0, draws=999)
    p = float(pooled.p_value(pooled.statistic(of, lost[None], gained[None]), nulls[key])[0])
    return combined(p, float(net_p(int(lost.sum()), int(after[~right].sum())))) <= 0.05


def spread(work: Callable[[int], object], seeds: range) -> Iterator[object]:
    """On every core, in the seeds' order."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(work, seeds, chunksize=max(1, min(50, len(seeds) // 8)))


PARTS = {
    "ships": wrong_ships,
    "regressions": false_regressions,
    "reruns": reruns,
    "needed": examples_needed,
    "itself": against_itself,
    "power": catching,
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--draws", type=int, default=2_000)
    arguments.add_argument("--only", choices=sorted(PARTS), help="one part of the table")
    chosen = arguments.parse_args()
    print("| what | promised | measured | holds |\n| --- | --- | --- | --- |", flush=True)
    start = time.perf_counter()
    for name, part in PARTS.items():
        if chosen.only in (None, name):
            for what, promised, measured, holds in part(chosen.draws):
                print(f"| {what} | {promised} | {measured} | {'yes' if holds else 'NO'} |", flush=True)
    print(f"\n{chosen.draws} draws in {time.perf_counter() - start:.0f} s on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
