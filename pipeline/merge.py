"""Stage `merge`: who is in the dataset and why, and what their texts read like.

In: candidates, tags, agreed expectations, the last release's members, coverage, contract and tagging of `expectations/`. Out, in
`data/golden/`: `examples.parquet` and `examples.jsonl` (the dataset), `members.csv` (who and why, no text) and `control.parquet` (a
random production sample of the same size, for comparison only); and `metrics/coverage.json` with its heat map's rows in `metrics/plots/`.

What can never happen: an example without an expectation that a scorer can judge; a source's count off its ratio without a word; a
pinned example left out; two near-duplicates; a placeholder that was not rendered.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import pandas as pd

from pipeline import coverage as coverage_
from pipeline import expectations as expectations_
from pipeline import near_duplicates, params, schema, stage, tables
from pipeline.allocation import DRAWS, Allocation, Goal, Problem, allocate, draw, fit, kinds_of, needed_for, quotas, shortlist
from pipeline.errors import InputError
from pipeline.expectations import Contract, Coverage, Tagging
from pipeline.identity import content_sha, stable_order
from pipeline.params import LOGGED, SOURCES, Anonymize, Merge
from pipeline.paths import CANDIDATES, CONTROL, EXAMPLES, EXAMPLES_JSONL, EXPECTATIONS, LABEL_QUEUE, MEMBERS, METRICS, PLOTS, RELEASED, TAGS
from pipeline.pii.spans import PLACEHOLDER, from_rows, to_rows
from pipeline.pii.surrogates import render, render_plain, surrogates

UNRELEASED = "unreleased"


@dataclass(frozen=True)
class Standards:
    """What of expectations/ says who is wanted."""

    coverage: Coverage
    contract: Contract
    tagging: Tagging


@dataclass(frozen=True)
class Selection:
    members: pd.DataFrame
    """schema.MEMBERS"""
    coverage: dict[str, Any]
    """The content of metrics/coverage.json."""
    pairs: list[dict[str, Any]]
    """What the heat map shows."""


def select(
    candidates: pd.DataFrame, tags: pd.DataFrame, standards: Standards, production: pd.DataFrame, released: pd.DataFrame, settings: Merge
) -> Selection:
    """Members of `candidates`, all of which have an expectation, and how they cover what is wanted.

    production: example_id, failed, inclusion_weight of all that production has, labelled or not. Raises InputError where a source has
    too few examples and `settings.shortfall` does not allow for it, where names in the standards are not known, where more is wanted
    than the dataset holds, and where an impossible slice occurs.
    """
    coverage_.check(standards.coverage, standards.contract, standards.tagging, settings.stratify_by, settings.size)
    coverage_.refuse_what_cannot_be(tags, candidates["example_id"], standards.coverage, settings.stratify_by)
    ratio_source = candidates["source"].replace("regression", "production")
    pinned = _one_per_incident(candidates[candidates["pinned"]])
    size = _size(len(pinned), settings)
    distinct = _distinct(candidates[~candidates["pinned"] | candidates["example_id"].isin(pinned)], released, settings)
    available = ratio_source[candidates["example_id"].isin(distinct)].value_counts().to_dict()
    try:
        counts = fit(size, settings.ratios, available, settings.shortfall)
    except InputError as error:
        raise InputError(f"params.yaml: merge: {error}; {_what_next(candidates, distinct, settings)}") from None
    wanted = coverage_.wanted(standards.coverage, standards.contract, standards.tagging, settings.stratify_by, sum(counts.values()))
    goals = [one.goal for one in wanted]
    named = [goal.slice for goal in goals]
    left = candidates[candidates["example_id"].isin(distinct)].reset_index(drop=True)
    inside = coverage_.inside(named, tags, left["example_id"])
    is_pinned = left["example_id"].isin(pinned).to_numpy()
    problem = _problem(left, inside, is_pinned, goals, counts, _failures(counts, production, settings), released, settings)
    allocation = allocate(problem)
    members = _members(_reasons(left, inside, is_pinned, problem, allocation, settings.seed), candidates, tags, released)
    in_dataset = left["example_id"].isin(members["example_id"]).to_numpy()
    of_production, weights = coverage_.inside(named, tags, production["example_id"]), production["inclusion_weight"].to_numpy(float)
    return Selection(
        members,
        coverage_.figures(wanted, inside[in_dataset].sum(axis=0), of_production, weights, len(members)) | _solved(problem, allocation),
        coverage_.pairs(wanted, inside[in_dataset], of_production, weights, len(members)),
    )


def build(
    members: pd.DataFrame, candidates: pd.DataFrame, tags: pd.DataFrame, expectations: pd.DataFrame, anonymize: Anonymize
) -> pd.DataFrame:
    """The examples (schema.EXAMPLES) of `members`, placeholders rendered as surrogates."""
    patterns = {recognizer.entity_type: recognizer.surrogate for recognizer in anonymize.recognizers}
    joined = members[["example_id"]].merge(candidates, on="example_id").merge(expectations, on="example_id")
    named = tags.sort_values(["dimension", "value"]).groupby(["example_id", "dimension"], sort=True)["value"].agg("+".join)
    by_example: dict[str, dict[str, str]] = {}
    for (example_id, dimension), value in named.items():
        by_example.setdefault(example_id, {})[dimension] = value
    rows = [_example(row, by_example.get(row["example_id"], {}), patterns) for row in joined.to_dict("records")]
    return pd.DataFrame(rows, columns=schema.EXAMPLES.names) if rows else tables.empty(schema.EXAMPLES)


def control(candidates: pd.DataFrame, size: int, seed: int) -> pd.DataFrame:
    """The ids of a random sample of `candidates` from production, drawn by inclusion weight, at most `size` of them.

    Weighted sampling without replacement by exponential keys (Efraimidis and Spirakis 2006), from a stable hash instead of a
    generator, so that a new candidate moves few others.
    """
    production = candidates[candidates["source"].isin(LOGGED)]
    uniform = pd.Series(
        [(stable_order(seed, "control", i) + 1) / 2**64 for i in production["example_id"]], index=production.index, dtype=float
    )
    keys = -uniform.map(math.log) / production["inclusion_weight"]
    return production.loc[keys.round(12).sort_values(kind="stable").index[:size], ["example_id"]]


def _size(pinned: int, settings: Merge) -> int:
    """The dataset's size: grown where pinned examples would exceed their share or production's."""
    share = min(settings.max_pinned_share, settings.ratios.get("production", 0.0))
    if pinned and not share:
        raise InputError(f"params.yaml: merge: {pinned} pinned examples, but ratios.production or max_pinned_share is 0; raise it")
    return max(settings.size, math.ceil(pinned / share - 1e-9)) if pinned else settings.size


def _one_per_incident(pinned: pd.DataFrame) -> list[str]:
    """Of several pinned examples of one incident the earliest stands for all."""
    ordered = pinned.sort_values(["occurred_at", "example_id"], kind="stable")
    return [str(i) for i in ordered.drop_duplicates("incident_id")["example_id"]]


def _distinct(candidates: pd.DataFrame, released: pd.DataFrame, settings: Merge) -> list[str]:
    """The candidates without near-duplicates: pinned ones stay, then released ones, then by source and stable order."""
    rank = {"regression": 0, "expert": 1, "adversarial": 2, "production": 3, "synthetic": 4}
    known = set(released["example_id"])
    preference = [
        (not pinned, example_id not in known, rank[source], stable_order(settings.seed, example_id), place)
        for place, (example_id, source, pinned) in enumerate(
            zip(candidates["example_id"], candidates["source"], candidates["pinned"], strict=True)
        )
    ]
    ordered = candidates.iloc[[entry[-1] for entry in sorted(preference)]]
    texts = [near_duplicates.asked(messages, fault) for messages, fault in zip(ordered["input"], ordered["fault"], strict=True)]
    dropped = near_duplicates.drop(texts, settings.near_duplicate)
    return [
        example_id
        for example_id, twin, pinned in zip(ordered["example_id"], dropped, ordered["pinned"], strict=True)
        if twin is None or pinned
    ]


def _failures(counts: Mapping[str, int], production: pd.DataFrame, settings: Merge) -> int:
    """How many failures production's part should hold, pinned ones included."""
    share = settings.failure_share
    if share == "production":
        weights = production["inclusion_weight"].to_numpy(float)
        share = float(weights @ production["failed"].to_numpy(float) / weights.sum()) if weights.sum() else 0.0
    return round(round(share * counts.get("production", 0), 9))


def _problem(
    candidates: pd.DataFrame,
    inside: np.ndarray,
    is_pinned: np.ndarray,
    goals: Sequence[Goal],
    counts: Mapping[str, int],
    failures: int,
    released: pd.DataFrame,
    settings: Merge,
) -> Problem:
    """What is left to choose once the pinned examples are in."""
    free = candidates[~is_pinned].assign(
        source=candidates["source"].replace("regression", "production"), released=candidates["example_id"].isin(released["example_id"])
    )
    left = {source: count - (int(is_pinned.sum()) if source == "production" else 0) for source, count in counts.items()}
    looked_at = shortlist(free, inside[~is_pinned], left, settings.seed)
    return Problem(
        kinds_of(free.iloc[looked_at], inside[~is_pinned][looked_at], settings.seed),
        goals,
        left,
        inside[is_pinned].sum(axis=0),
        max(0, failures - int((candidates["failed"] & is_pinned).sum())),
    )


def _reasons(
    candidates: pd.DataFrame, inside: np.ndarray, is_pinned: np.ndarray, problem: Problem, allocation: Allocation, seed: int
) -> dict[str, str]:
    """Example id to why it is in: the slice that would lose most without it, and its draw among its like."""
    ids = candidates["example_id"].to_numpy(str)
    found = {
        str(i): f"pinned: incident {incident}" for i, incident in zip(ids[is_pinned], candidates["incident_id"][is_pinned], strict=True)
    }
    place_of = {example_id: place for place, example_id in enumerate(ids)}
    for example_id in allocation.ids:
        of_kind, chance = np.flatnonzero(inside[place_of[example_id]]).tolist(), draw(seed, example_id) / DRAWS
        slice_ = needed_for(problem, allocation.have, of_kind)
        found[example_id] = f"needed for {slice_}, drawn at {chance:.3f}" if slice_ else f"for its source's share, drawn at {chance:.3f}"
    return found


def _solved(problem: Problem, allocation: Allocation) -> dict[str, Any]:
    """How near the allocation is to the best: what is lacking of floors, how far failures are off, what the power curves give."""
    units = sum(int(goal.gains.sum()) for goal in problem.goals)
    return {
        "allocation": {
            "method": allocation.method,
            "floors_shortfall_weighted": allocation.values["shortfall"],
            "failures_off": allocation.values["mix"],
            "power_of_what_could_be": allocation.values["power"] / units if units else 1.0,
            "released_kept": allocation.values["churn"],
            "gap": max(allocation.gaps.values(), default=0.0),
        }
    }


def _members(reasons: Mapping[str, str], candidates: pd.DataFrame, tags: pd.DataFrame, released: pd.DataFrame) -> pd.DataFrame:
    """Members with all their slices; reason and release are those of the first admission."""
    found = candidates.loc[candidates["example_id"].isin(list(reasons)), ["example_id", "source"]]
    before = released.set_index("example_id")
    slices = _values_of(tags[tags["example_id"].isin(found["example_id"])])
    return pd.DataFrame(
        {
            "example_id": found["example_id"],
            "source": found["source"],
            "slices": [" ".join(slices.get(i, ())) for i in found["example_id"]],
            "reason": [before["reason"].get(i, reasons[i]) for i in found["example_id"]],
            "since": [before["since"].get(i, UNRELEASED) for i in found["example_id"]],
        }
    )


def _values_of(tags: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Example id to its tags as single-value slices."""
    named = tags["dimension"] + "=" + tags["value"]
    return {str(i): tuple(sorted(group)) for i, group in named.groupby(tags["example_id"])}


def _what_next(candidates: pd.DataFrame, distinct: list[str], settings: Merge) -> str:
    """How to end a shortfall, in words."""
    left = candidates[candidates["example_id"].isin(distinct)]["source"].replace("regression", "production").value_counts()
    missing = {s: n - int(left.get(s, 0)) for s, n in quotas(settings.size, settings.ratios).items() if n > left.get(s, 0)}
    steps = [
        f"label {count} more conversations, those to take first are in {LABEL_QUEUE}"
        if source == "production"
        else f"write or approve {count} more {source} scenarios in data/sources/{source}/"
        for source, count in sorted(missing.items())
    ]
    return "; ".join(steps) + "; or set merge.shortfall to scale or fill"


def _example(row: dict[str, Any], tags: dict[str, str], patterns: Mapping[str, str]) -> dict[str, Any]:
    texts = [message["content"] for message in row["input"]]
    spans = from_rows(row["spans"], len(texts))
    wanted = [row["answer"], *row["must_not_include"], *row["regex"], row["json_schema"], *row["citations"]]
    wanted += [wording for item in row["must_include"] for wording in item]
    placeholders = [span.placeholder for found in spans for span in found]
    placeholders += [match.group() for text in (row["fixtures"], *wanted) for match in PLACEHOLDER.finditer(text)]
    values = surrogates(row["example_id"], placeholders, patterns)
    rendered = render(texts, spans, values)
    messages = [{"role": message["role"], "content": text} for message, text in zip(row["input"], rendered.texts, strict=True)]
    fixtures = render_plain(row["fixtures"], values)
    return {
        **{
            name: row[name]
            for name in (
                *("example_id", "source", "fault", "canary", "occurred_at", "inclusion_weight", "text_sha"),
                *("expectation_sha", "expected_behaviour", "answer_match", "answer_tolerance"),
            )
        },
        "input": messages,
        "fixtures": fixtures,
        "must_include": [[render_plain(wording, values) for wording in item] for item in row["must_include"]],
        "must_not_include": [render_plain(item, values) for item in row["must_not_include"]],
        "answer": render_plain(row["answer"], values),
        "regex": [render_plain(item, {placeholder: re.escape(value) for placeholder, value in values.items()}) for item in row["regex"]],
        "json_schema": render_plain(row["json_schema"], {placeholder: _in_json(value) for placeholder, value in values.items()}),
        "citations": list(row["citations"]),
        "tags": tags,
        "spans": to_rows(rendered.spans),
        "surrogates": values,
        "cluster": row["incident_id"] or row["example_id"],
        "input_sha": content_sha([messages, fixtures, row["fault"]]),
    }


def _in_json(value: str) -> str:
    return orjson.dumps(value).decode()[1:-1]


def readable(examples: pd.DataFrame, members: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The examples as people read them in a line of JSON: what is asked, what is expected, why it is here; empty fields left out."""
    reasons = members.set_index("example_id")["reason"]
    for row in examples.sort_values("example_id").to_dict("records"):
        yield {
            "example_id": row["example_id"],
            "source": row["source"],
            "reason": reasons[row["example_id"]],
            "tags": row["tags"],
            "input": row["input"],
            **({"fixtures": orjson.loads(row["fixtures"])} if row["fixtures"] else {}),
            **{name: row[name] for name in ("fault", "canary") if row[name]},
            "expect": {
                name.removeprefix("expected_"): orjson.loads(row[name]) if name == "json_schema" else row[name]
                for name, _, _ in schema.EXPECTATION
                if row[name]
            },
        }


def work() -> str:
    settings = params.load()
    standards = Standards(expectations_.load_coverage(), expectations_.load_contract(), expectations_.load_tagging())
    expectations = tables.read_parquet(EXPECTATIONS, schema.EXPECTATIONS)
    labelled = tables.read_parquet(CANDIDATES, schema.CANDIDATES, only=expectations["example_id"])
    population = tables.read_parquet(CANDIDATES, schema.CANDIDATES, ["example_id", "source", "failed", "inclusion_weight"])
    production = population[population["source"].isin(LOGGED)]
    tags = tables.read_parquet(TAGS, schema.TAGS)
    released = tables.read_csv(RELEASED, schema.MEMBERS) if RELEASED.is_file() else tables.empty(schema.MEMBERS)
    selection = select(labelled, tags, standards, production, released, settings.merge)
    members = selection.members
    mine = tags[tags["example_id"].isin(labelled["example_id"])]
    examples = build(members, labelled, mine, expectations, settings.anonymize)
    sample = build(control(labelled, len(members), settings.merge.seed), labelled, mine, expectations, settings.anonymize)
    tables.write_parquet(EXAMPLES, examples, schema.EXAMPLES)
    tables.write_jsonl(EXAMPLES_JSONL, readable(examples, members))
    tables.write_parquet(CONTROL, sample, schema.EXAMPLES)
    tables.write_csv(MEMBERS, members, schema.MEMBERS)
    tables.write_json(METRICS / "coverage.json", selection.coverage)
    tables.write_json(PLOTS / "coverage.json", selection.pairs)
    return _line(members, selection.coverage, settings.merge)


def _line(members: pd.DataFrame, figures: dict[str, Any], settings: Merge) -> str:
    counts = members["source"].value_counts()
    wanted = quotas(settings.size, settings.ratios)
    off = ", ".join(f"{wanted[s]} {s}" for s in SOURCES if s in wanted)
    size = "" if len(members) == settings.size else f" (wanted {settings.size}: {off})"
    short = figures["total"]["slices_short"]
    lacking = f"; {short} slices below target: {METRICS / 'coverage.json'}" if short else ""
    return f"{len(members)} examples: {', '.join(f'{counts[s]} {s}' for s in sorted(counts.index))}{size}{lacking}; who and why: {MEMBERS}"


if __name__ == "__main__":
    stage.run("merge", work)
