"""Stage `merge`: who is in the dataset and why, and what their texts read like.

In: candidates, tags, agreed expectations, the last release's members, `expectations/coverage.yaml`. Out, in `data/golden/`:
`examples.parquet` and `examples.jsonl` (the dataset), `members.csv` (who and why, no text) and `control.parquet` (a random
production sample of the same size, for comparison only).

What can never happen: an example without an expectation that a scorer can judge; a source's count off its ratio without a word; a
pinned example left out; two near-duplicates; a placeholder that was not rendered.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import pandas as pd

from pipeline import expectations as standards
from pipeline import near_duplicates, params, schema, stage, tables
from pipeline.allocation import Choice, choose, fit, quotas, slices_of
from pipeline.errors import InputError
from pipeline.expectations import Coverage
from pipeline.identity import content_sha, stable_order
from pipeline.params import SOURCES, Anonymize, Merge
from pipeline.paths import CANDIDATES, CONTROL, EXAMPLES, EXAMPLES_JSONL, EXPECTATIONS, LABEL_QUEUE, MEMBERS, RELEASED, TAGS
from pipeline.pii.spans import PLACEHOLDER, from_rows, to_rows
from pipeline.pii.surrogates import render, render_plain, surrogates

UNRELEASED = "unreleased"


def select(candidates: pd.DataFrame, tags: pd.DataFrame, coverage: Coverage, released: pd.DataFrame, settings: Merge) -> pd.DataFrame:
    """Members (schema.MEMBERS) of `candidates`, all of which have an expectation.

    Raises InputError where a source has too few examples and `settings.shortfall` does not allow for it.
    """
    ratio_source = candidates["source"].replace("regression", "production")
    pinned = _one_per_incident(candidates[candidates["pinned"]])
    size = _size(len(pinned), settings)
    distinct = _distinct(candidates[~candidates["pinned"] | candidates["example_id"].isin(pinned)], released, settings)
    available = ratio_source[candidates["example_id"].isin(distinct)].value_counts().to_dict()
    try:
        counts = fit(size, settings.ratios, available, settings.shortfall)
    except InputError as error:
        raise InputError(f"params.yaml: merge: {error}; {_what_next(candidates, distinct, settings)}") from None
    chosen = _fill(counts, candidates[candidates["example_id"].isin(distinct)], set(pinned), tags, coverage, released, settings)
    return _members(chosen, candidates, tags, released)


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
    production = candidates[candidates["source"].isin(["production", "regression"])]
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


def _fill(
    counts: Mapping[str, int],
    candidates: pd.DataFrame,
    pinned: set[str],
    tags: pd.DataFrame,
    coverage: Coverage,
    released: pd.DataFrame,
    settings: Merge,
) -> list[Choice]:
    """The sources one after the other, scarcest first, so that production can make up for what the others do not cover."""
    slices = slices_of(tags[tags["example_id"].isin(candidates["example_id"])], settings.stratify_by)
    costs = {f"{dimension}={value}": entry.cost for dimension, values in coverage.dimensions.items() for value, entry in values.items()}
    have: dict[str, int] = Counter(one for example_id in pinned for one in slices.get(example_id, ()))
    chosen = [
        Choice(i, f"pinned: incident {incident}")
        for i, incident in zip(candidates["example_id"], candidates["incident_id"], strict=True)
        if i in pinned
    ]
    for source in sorted(counts, key=lambda source: (counts[source], source)):
        of_source = candidates["source"].isin(["production", "regression"] if source == "production" else [source])
        ids = [str(i) for i in candidates.loc[of_source & ~candidates["example_id"].isin(pinned), "example_id"]]
        free = counts[source] - (len(pinned) if source == "production" else 0)
        chosen += choose(ids, free, slices, costs, have, frozenset(released["example_id"]), settings.seed)
    return chosen


def _members(chosen: list[Choice], candidates: pd.DataFrame, tags: pd.DataFrame, released: pd.DataFrame) -> pd.DataFrame:
    """Members with all their slices; reason and release are those of the first admission."""
    reasons = {choice.example_id: choice.reason for choice in chosen}
    found = candidates.loc[candidates["example_id"].isin(list(reasons)), ["example_id", "source"]]
    before = released.set_index("example_id")
    slices = slices_of(tags, list(dict.fromkeys(tags["dimension"])))
    return pd.DataFrame(
        {
            "example_id": found["example_id"],
            "source": found["source"],
            "slices": [" ".join(slices.get(i, ())) for i in found["example_id"]],
            "reason": [before["reason"].get(i, reasons[i]) for i in found["example_id"]],
            "since": [before["since"].get(i, UNRELEASED) for i in found["example_id"]],
        }
    )


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
    candidates = tables.read_parquet(CANDIDATES, schema.CANDIDATES)
    tags = tables.read_parquet(TAGS, schema.TAGS)
    expectations = tables.read_parquet(EXPECTATIONS, schema.EXPECTATIONS)
    released = tables.read_csv(RELEASED, schema.MEMBERS) if RELEASED.is_file() else tables.empty(schema.MEMBERS)
    labelled = candidates[candidates["example_id"].isin(expectations["example_id"])].reset_index(drop=True)
    members = select(labelled, tags, standards.load_coverage(), released, settings.merge)
    examples = build(members, labelled, tags, expectations, settings.anonymize)
    sample = build(control(labelled, len(members), settings.merge.seed), labelled, tags, expectations, settings.anonymize)
    tables.write_parquet(EXAMPLES, examples, schema.EXAMPLES)
    tables.write_jsonl(EXAMPLES_JSONL, readable(examples, members))
    tables.write_parquet(CONTROL, sample, schema.EXAMPLES)
    tables.write_csv(MEMBERS, members, schema.MEMBERS)
    counts = members["source"].value_counts()
    wanted = quotas(settings.merge.size, settings.merge.ratios)
    size = (
        ""
        if len(members) == settings.merge.size
        else f" (wanted {settings.merge.size}: {', '.join(f'{wanted[s]} {s}' for s in SOURCES if s in wanted)})"
    )
    return f"{len(members)} examples: {', '.join(f'{counts[s]} {s}' for s in sorted(counts.index))}{size}; who and why: {MEMBERS}"


if __name__ == "__main__":
    stage.run("merge", work)
