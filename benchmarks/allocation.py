"""The allocation on the demo: what it catches against other ways to choose as many, how far it moves, and how it grows.

Each dataset has the demo's size and sources, but for the control sample, which is random production. The assistant is asked for every
candidate with an expectation (nothing is logged); a release is then made worse in one slice at a time on those scores, and the same gate
judges it (`pipeline.decision.power`). It needs the demo's `data/interim` (`dvc repro`).
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline import coverage, evaluate, expectations, measures, merge, params, schema, tables
from pipeline.allocation import Goal, Problem, allocate, greedy, kinds_of, shortlist
from pipeline.decision import power
from pipeline.paths import CANDIDATES, EXPECTATIONS, TAGS
from pipeline.score import asked_for, score

SEED = 7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=20_000)
    parser.add_argument("--releases", type=int, default=power.REPEATS)
    parser.add_argument("--weeks", type=int, default=3)
    parser.add_argument("parts", nargs="*", default=["growth", "stability", "costs", "power"])
    wanted = parser.parse_args()
    demo = Demo()
    for part in wanted.parts:
        print(f"-- {part}", flush=True)
        {
            "growth": lambda: growth(demo, wanted.candidates),
            "stability": lambda: stability(demo, wanted.weeks),
            "costs": lambda: costs(demo),
            "power": lambda: catching(demo, wanted.releases),
        }[part]()


class Demo:
    """The demo's candidates with an expectation, and what is wanted of them."""

    def __init__(self) -> None:
        self.settings = params.load()
        self.standards = merge.Standards(expectations.load_coverage(), expectations.load_contract(), expectations.load_tagging())
        ids = tables.read_parquet(EXPECTATIONS, schema.EXPECTATIONS, ["example_id"])["example_id"]
        self.candidates = tables.read_parquet(CANDIDATES, schema.CANDIDATES, only=ids)
        population = tables.read_parquet(CANDIDATES, schema.CANDIDATES, ["example_id", "source", "failed", "inclusion_weight", "partition"])
        self.production = population[population["source"].isin(["production", "regression"])]
        self.tags = tables.read_parquet(TAGS, schema.TAGS)

    def select(self, **changed: object) -> merge.Selection:
        """The dataset, but for what is changed of candidates, production, standards or settings."""
        given = {"candidates": self.candidates, "production": self.production, "standards": self.standards} | changed
        settings = given.pop("settings", self.settings.merge)
        return merge.select(
            given["candidates"],  # type: ignore[arg-type]
            self.tags,
            given["standards"],  # type: ignore[arg-type]
            given["production"],  # type: ignore[arg-type]
            tables.empty(schema.MEMBERS),
            settings,  # type: ignore[arg-type]
        )

    def goals(self) -> list[Goal]:
        merged = self.settings.merge
        return [
            one.goal
            for one in coverage.wanted(
                self.standards.coverage, self.standards.contract, self.standards.tagging, merged.stratify_by, merged.size
            )
        ]


def growth(demo: Demo, most: int) -> None:
    """Candidates with the demo's slices, shuffled within each source: seconds and what was looked at."""
    goals = demo.goals()
    inside = coverage.inside([goal.slice for goal in goals], demo.tags, demo.candidates["example_id"])
    rng = np.random.default_rng(SEED)
    of_source = demo.candidates["source"].to_numpy(str)
    for count in (1_000, most):
        picked = rng.integers(0, len(inside), count)
        mixed = inside[picked].copy()
        for source in np.unique(of_source):
            mine = np.flatnonzero(of_source[picked] == source)
            for column in range(len(goals)):
                swapped = mine[rng.random(len(mine)) < 0.1]
                mixed[swapped, column] = mixed[rng.permutation(swapped), column]
        many = pd.DataFrame(
            {
                "example_id": [f"c-{place}" for place in range(count)],
                "source": of_source[picked],
                "failed": demo.candidates["failed"].to_numpy()[picked],
                "released": False,
            }
        )
        counts = {"production": 120, "expert": 40, "adversarial": 20, "synthetic": 20}
        begun = time.perf_counter()
        looked_at = shortlist(many, mixed, counts, SEED)
        problem = Problem(kinds_of(many.iloc[looked_at], mixed[looked_at], SEED), goals, counts, np.zeros(len(goals), int), 48)
        found = allocate(problem)
        took = time.perf_counter() - begun
        print(f"{count:>9,} candidates: {took:5.1f} s, {len(looked_at):,} looked at, {len(problem.kinds):,} kinds, gaps {found.gaps}")


def stability(demo: Demo, weeks: int) -> None:
    """Who moves when a ratio moves by 5 points, and when a week of logs comes."""
    before = set(demo.select().members["example_id"])
    for moved in (
        {"production": 0.55, "expert": 0.25},
        {"expert": 0.15, "synthetic": 0.15},
        {"production": 0.55, "adversarial": 0.125, "expert": 0.225},
    ):
        ratios = demo.settings.merge.ratios | moved
        after = set(demo.select(settings=demo.settings.merge.model_copy(update={"ratios": ratios})).members["example_id"])
        must = round(sum(max(0.0, demo.settings.merge.ratios[s] - share) for s, share in ratios.items()) * demo.settings.merge.size)
        rest = len(before) - must
        print(f"{moved}: {must} must go, {len(before - after)} go: {1 - (len(before - after) - must) / rest:.1%} of the rest stay")
    partitions = sorted(set(demo.production["partition"]))[-weeks:]
    for week in partitions:
        known = demo.select(
            candidates=demo.candidates[demo.candidates["partition"] != week].reset_index(drop=True),
            production=demo.production[demo.production["partition"] != week],
        )
        earlier = set(known.members["example_id"])
        gone = [i for i in earlier - before if i.startswith("p-")]
        came = sorted(i for i in before - earlier if i.startswith("p-"))
        new = set(demo.candidates.loc[demo.candidates["partition"] == week, "example_id"])
        production = int(known.members["source"].isin(["production", "regression"]).sum())
        print(
            f"without {week}: {len(gone)} of {production} production examples ({len(gone) / production:.1%}); {len(new & set(came))} of those that came are new"
        )


def costs(demo: Demo) -> None:
    """Personal data five times as costly: targets, members, and what the power curves give its slices."""
    dimensions = demo.standards.coverage.dimensions
    risk = dimensions["risk"] | {"personal_data": dimensions["risk"]["personal_data"].model_copy(update={"cost": 50.0})}
    dearer = demo.standards.coverage.model_copy(update={"dimensions": dimensions | {"risk": risk}})
    for name, of in (("as it is", demo.standards.coverage), ("x5", dearer)):
        found = demo.select(standards=merge.Standards(of, demo.standards.contract, demo.standards.tagging)).coverage["slices"]["risk"]
        print(name, {value: (one["wanted"], one["have"]) for value, one in found.items()})


def catching(demo: Demo, releases: int) -> None:
    scores = _scores(demo)
    datasets: dict[str, Callable[[], list[str]]] = {
        "allocation": lambda: list(demo.select().members["example_id"]),
        "greedy slices": lambda: _greedy(demo, demo.goals()),
        "greedy cells": lambda: _greedy(demo, _cells(demo)),
        "control": lambda: list(merge.control(demo.candidates, demo.settings.merge.size, demo.settings.merge.seed)["example_id"]),
    }
    goals = demo.goals()
    contract = demo.standards.contract
    found: dict[str, power.Power] = {}
    of_production = demo.candidates["source"].eq("production").to_numpy()
    everywhere = coverage.inside([goal.slice for goal in goals], demo.tags, demo.candidates["example_id"])
    right = scores.reindex(demo.candidates["example_id"]).to_numpy(float)
    enough = everywhere[of_production].sum(axis=0) >= 10
    rates = np.array([1 - right[of_production & column].mean() if (of_production & column).any() else 0.0 for column in everywhere.T])
    for name, choose in datasets.items():
        ids = pd.Series(sorted(choose()), dtype="str")
        inside = coverage.inside([goal.slice for goal in goals], demo.tags, ids)
        members = pd.DataFrame({goal.slice: column for goal, column in zip(goals, inside.T, strict=True)})
        before = scores.reindex(ids).to_numpy(float)
        gate = power.Gate(
            *(before, ids.to_numpy(str), members, {goal.slice: goal.cost for goal in goals}, [], 0.9),
            level=contract.regressions.level,
            size=contract.regressions.size,
        )
        found[name] = power.simulated(gate, contract.regressions.size, releases=releases, seed=SEED)
        both = enough & (inside.sum(axis=0) >= 5)
        in_dataset = np.array([1 - before[column].mean() for column in inside.T[both]])
        one = found[name]
        print(
            f"{name:<14} n {len(ids)}, right {before.mean():.2f}: caught {one.caught_rate:.3f} [{one.low:.3f}, {one.high:.3f}], "
            f"cry-wolf {one.cry_wolf_rate:.3f}, failure rates against production's r {np.corrcoef(rates[both], in_dataset)[0, 1]:.2f}",
            flush=True,
        )
    for name in list(datasets)[1:]:
        gain = power.difference(found["allocation"], found[name], seed=SEED)
        print(f"allocation - {name}: {gain.difference:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]")


def _scores(demo: Demo) -> pd.Series:
    """The demo assistant's score on every candidate with an expectation, by example_id."""
    settings, everyone = demo.settings, demo.candidates[["example_id"]]
    wanted = tables.read_parquet(EXPECTATIONS, schema.EXPECTATIONS)
    examples = merge.build(everyone, demo.candidates, demo.tags, wanted, settings.anonymize)
    with tempfile.TemporaryDirectory(prefix="golden-allocation-") as folder:
        answers, _ = evaluate.ask(evaluate.questions(examples, 1), settings.evaluate, Path(folder))
    answered = evaluate.responses(examples, answers, 1, settings.evaluate.target.version)
    criteria = asked_for(settings.score)
    scored = score(examples, answered, settings.anonymize.allow_list, criteria)
    ones = measures.example_costs(examples["example_id"], measures.tags_of(examples), demo.standards.coverage)
    return measures.judge(scored, examples, demo.standards.contract, ones, criteria).examples["score"].fillna(0.0)


def _greedy(demo: Demo, goals: list[Goal]) -> list[str]:
    """So many of each source as the dataset has, by the greedy baseline over `goals`."""
    merged = demo.settings.merge
    kept = demo.candidates[demo.candidates["example_id"].isin(merge._distinct(demo.candidates, tables.empty(schema.MEMBERS), merged))]
    free = kept.assign(released=False).reset_index(drop=True)
    counts = {source: round(share * merged.size) for source, share in merged.ratios.items()}
    problem = Problem(
        kinds_of(free, coverage.inside([goal.slice for goal in goals], demo.tags, free["example_id"]), merged.seed),
        goals,
        counts,
        np.zeros(len(goals), int),
    )
    return [i for kind, count in zip(problem.kinds, greedy(problem).tolist(), strict=True) for i in kind.ids[:count]]


def _cells(demo: Demo) -> list[Goal]:
    """The cells of the cross product that occur, each as costly as the costliest of its values."""
    of = demo.standards.coverage.dimensions
    names = ["category", "complexity", "tone", "outcome"]
    mine = demo.tags[demo.tags["example_id"].isin(demo.candidates["example_id"]) & demo.tags["dimension"].isin(names)]
    cells = mine.pivot_table(index="example_id", columns="dimension", values="value", aggfunc="first")[names].drop_duplicates()
    return [
        Goal(
            " & ".join(f"{name}={cell[name]}" for name in sorted(names)),
            max(of[name][cell[name]].cost for name in names),
            *(0, 1, np.zeros(0, int)),
        )
        for cell in cells.sort_values(names).to_dict("records")
    ]


if __name__ == "__main__":
    main()
