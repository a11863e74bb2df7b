"""Stage `tag`: every conversation and scenario that could become an example, with its tags.

In: the pool, `data/sources/`, `expectations/tagging.yaml`, labels of `tag.<dimension>` in `data/labels/`. Out:
`data/interim/tagged/candidates.parquet` and `tags.parquet`, `metrics/tagging.json`.
A conversation that several raw files hold counts once, from the earliest. A regression entry takes its text from the pool.
A synthetic scenario that is not approved is no candidate, nor is what `data/sources/retired` lists. What an author gave stands, then what annotators agreed on, then the log,
then rules or the classifier, whichever is surer.

What can never happen: two candidates with one id; a tag whose value the standard does not list; a regression entry that repeats
pooled text or holds personal data gets past.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline import door, erasure, expectations, params, schema, sources, stage, tables, tag_learning
from pipeline.engine import map_partitions
from pipeline.errors import InputError, did_you_mean
from pipeline.expectations import TagDimension, Tagging, TagRule
from pipeline.identity import canonical, content_sha
from pipeline.labeling.reading import read_labels
from pipeline.labeling.resolving import resolve
from pipeline.params import LOGGED, Params
from pipeline.paths import CANDIDATES, LABELS, METRICS, POOL, POOL_CSV, TAGS, TAGS_BY_RULE
from pipeline.pii.spans import PLACEHOLDER, to_rows, written
from pipeline.sources import Adversarial, Entry, Regression, Synthetic

Sources = dict[str, list[tuple[Path, Entry]]]
Given = dict[str, dict[str, list[str]]]
"""Example id to the tags its author or flagger gave: dimension to values."""


@dataclass(frozen=True)
class Job:
    """One pool partition to tag."""

    partition: str
    tagging: Tagging
    given: Given


def tag(frame: pd.DataFrame, tagging: Tagging, given: Given) -> pd.DataFrame:
    """Tags (schema.TAGS) of `frame`, which has example_id, messages, entities, outcome and metadata.

    What is `given` for a dimension of an example stands; the log and the rules say the rest. Raises InputError where the log's
    value of a `from_metadata` dimension is none of its values.
    """
    texts = _texts(frame["messages"])
    found = [_tag_dimension(frame, texts, name, dimension, given) for name, dimension in tagging.dimensions.items()]
    return tables.concat(found, schema.TAGS)


def candidates(pool: pd.DataFrame, partition: str) -> pd.DataFrame:
    """`pool` (schema.POOL) as production candidates (schema.CANDIDATES): what the target is asked is the history up to the last user turn."""
    ends = [max(i for i, m in enumerate(messages) if m["role"] == "user") + 1 for messages in pool["messages"]]
    return pd.DataFrame(
        {
            "example_id": pool["example_id"],
            "source": "production",
            "text_sha": pool["text_sha"],
            "partition": partition,
            "occurred_at": pool["occurred_at"],
            "failed": pool["failed"],
            "inclusion_weight": pool["inclusion_weight"],
            "input": [messages[:end] for messages, end in zip(pool["messages"], ends, strict=True)],
            "response": [
                "\n".join(m["content"] for m in messages[end:] if m["role"] == "assistant")
                for messages, end in zip(pool["messages"], ends, strict=True)
            ],
            "spans": [[span for span in spans if span["turn"] < end] for spans, end in zip(pool["spans"], ends, strict=True)],
            "fixtures": pool["fixtures"],
            "fault": "",
            "canary": "",
            "incident_id": "",
            "reason": "",
            "pinned": False,
        }
    )


def authored(entries: Sources) -> pd.DataFrame:
    """Scenarios of the expert, adversarial and approved synthetic sources as candidates."""
    rows = [
        _authored_row(source, path, entry)
        for source, found in entries.items()
        for path, entry in found
        if not isinstance(entry, Regression) and not (isinstance(entry, Synthetic) and entry.status != "approved")
    ]
    return pd.DataFrame(rows, columns=schema.CANDIDATES.names) if rows else tables.empty(schema.CANDIDATES)


def pin(found: pd.DataFrame, entries: Sources) -> pd.DataFrame:
    """`found` candidates with the regression entries marked: source, incident, reason, pinned.

    Raises InputError for an entry whose conversation is not in the pool.
    """
    flagged = {entry.id: (path, entry) for path, entry in entries["regression"] if isinstance(entry, Regression)}
    for example_id in sorted(set(flagged) - set(found["example_id"])):
        raise InputError(f"{flagged[example_id][0]}, {example_id}: not in the pool; take the entry out, or run the intake on its log")
    is_flagged = found["example_id"].isin(list(flagged))
    return found.assign(
        source=found["source"].where(~is_flagged, "regression"),
        pinned=is_flagged,
        incident_id=[flagged[i][1].incident_id if i in flagged else "" for i in found["example_id"]],
        reason=[flagged[i][1].reason if i in flagged else reason for i, reason in zip(found["example_id"], found["reason"], strict=True)],
    )


def given_tags(entries: Sources, tagging: Tagging) -> Given:
    """The tags that authors and flaggers gave. Raises InputError for a dimension or value that tagging.yaml does not list."""
    given: Given = {}
    for found in entries.values():
        for path, entry in found:
            for name, value in entry.tags.items():
                if name not in tagging.dimensions:
                    raise InputError(f"{path}, {entry.id}: tags.{name}: unknown dimension; {_near(name, list(tagging.dimensions))}")
                values = [value] if isinstance(value, str) else value
                for one in values:
                    if one not in tagging.dimensions[name].values:
                        raise InputError(
                            f"{path}, {entry.id}: tags.{name}: unknown value '{one}'; {_near(one, tagging.dimensions[name].values)}"
                        )
                given.setdefault(entry.id, {})[name] = values
    return given


def _near(word: str, known: list[str]) -> str:
    return did_you_mean(word, known, f"known here: {', '.join(known)}")


def _authored_row(source: str, path: Path, entry: Any) -> dict[str, Any]:
    messages = entry.messages
    reason = entry.asked if source == "expert" else entry.why if source == "adversarial" else f"{entry.method} for {entry.fills}"
    return {
        "example_id": entry.id,
        "source": source,
        "text_sha": content_sha([[m["role"], m["content"]] for m in messages]),
        "partition": path.name,
        "occurred_at": pd.Timestamp(entry.added, tz="UTC").as_unit("us"),
        "failed": False,
        "inclusion_weight": 0.0,
        "input": messages,
        "response": "",
        "spans": to_rows(written(messages)),
        "fixtures": canonical(entry.fixtures).decode() if entry.fixtures else "",
        "fault": (entry.fault or "") if isinstance(entry, Adversarial) else "",
        "canary": entry.canary if isinstance(entry, Adversarial) else "",
        "incident_id": "",
        "reason": reason,
        "pinned": False,
    }


def _texts(conversations: pd.Series) -> dict[str, pd.Series]:
    """What a rule may look at, by its `where`; placeholders are blanked, so that no rule matches their names."""

    def text(wanted: tuple[str, ...]) -> list[str]:
        return [PLACEHOLDER.sub(" ", "\n".join(m["content"] for m in messages if m["role"] in wanted)) for messages in conversations]

    last = [next((m["content"] for m in reversed(messages) if m["role"] == "user"), "") for messages in conversations]
    return {
        "user": pd.Series(text(("user",)), dtype="str", index=conversations.index),
        "assistant": pd.Series(text(("assistant",)), dtype="str", index=conversations.index),
        "all": pd.Series(text(("user", "assistant", "system", "tool")), dtype="str", index=conversations.index),
        "last_user": pd.Series([PLACEHOLDER.sub(" ", turn) for turn in last], dtype="str", index=conversations.index),
    }


def _tag_dimension(frame: pd.DataFrame, texts: dict[str, pd.Series], name: str, dimension: TagDimension, given: Given) -> pd.DataFrame:
    values_given = [given.get(example_id, {}).get(name, []) for example_id in frame["example_id"]]
    open_ = pd.Series([not values for values in values_given], index=frame.index)
    parts = [
        (example_id, value, "author", 1.0) for example_id, values in zip(frame["example_id"], values_given, strict=True) for value in values
    ]
    found = [pd.DataFrame(parts, columns=["example_id", "value", "origin", "confidence"])]
    tagged = ~open_
    if dimension.from_metadata:
        logged = _logged(frame, name, dimension.from_metadata, dimension.values)
        holds = open_ & (logged != "")
        found.append(
            pd.DataFrame({"example_id": frame.loc[holds, "example_id"], "value": logged[holds], "origin": "log", "confidence": 1.0})
        )
        tagged = tagged | holds
    for rule in dimension.rules:
        holds = _holds(rule, frame, texts) & (open_ if dimension.multiple else ~tagged)
        origin = "log" if rule.outcome or rule.metadata else "rule"
        found.append(
            pd.DataFrame(
                {"example_id": frame.loc[holds, "example_id"], "value": rule.value, "origin": origin, "confidence": rule.confidence}
            )
        )
        tagged = tagged | holds
    if dimension.default is not None:
        found.append(
            pd.DataFrame(
                {"example_id": frame.loc[~tagged, "example_id"], "value": dimension.default, "origin": "default", "confidence": 0.0}
            )
        )
    rows = pd.concat([part for part in found if len(part)] or found[:1], ignore_index=True).assign(dimension=name)
    return rows.drop_duplicates(["example_id", "value"])[schema.TAGS.names]


def _logged(frame: pd.DataFrame, name: str, field: str, values: list[str]) -> pd.Series:
    """What the metadata field says of each row; empty where it says nothing."""
    logged = pd.Series([(metadata.get(field) or "").strip() for metadata in frame["metadata"]], dtype="str", index=frame.index)
    if len(wrong := frame.loc[(logged != "") & ~logged.isin(values), "example_id"]):
        raise InputError(
            f"{expectations.FOLDER}/tagging.yaml: dimensions.{name}.from_metadata: {field} of {wrong.iloc[0]} is none of {', '.join(values)} "
            f"({len(wrong)} such in this partition); add its value, or give the values by rules with metadata"
        )
    return logged


def _holds(rule: TagRule, frame: pd.DataFrame, texts: dict[str, pd.Series]) -> pd.Series:
    holds = pd.Series(True, index=frame.index)
    if rule.any:
        holds &= _occurs(rule.any, texts[rule.where])
    if rule.none:
        holds &= ~_occurs(rule.none, texts[rule.where])
    if rule.min_user_turns > 1:
        holds &= pd.Series(
            [sum(m["role"] == "user" for m in messages) >= rule.min_user_turns for messages in frame["messages"]], index=frame.index
        )
    if rule.outcome:
        holds &= frame["outcome"].isin(rule.outcome)
    for field, values in rule.metadata.items():
        holds &= pd.Series([metadata.get(field) in values for metadata in frame["metadata"]], index=frame.index)
    if rule.entities:
        holds &= pd.Series([bool(set(rule.entities) & kinds) for kinds in frame["entities"]], index=frame.index)
    return holds


def _occurs(patterns: list[str], texts: pd.Series) -> pd.Series:
    compiled = re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)
    return texts.map(lambda text: compiled.search(text) is not None).astype(bool)


def _entities(spans: Sequence[list[dict[str, Any]]]) -> list[set[str]]:
    return [{span["entity_type"] for span in found} for found in spans]


def run_job(job: Job) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Candidates and rule-made tags of one pool partition."""
    pool = tables.read_parquet(POOL / f"{job.partition}.parquet", schema.POOL)
    return candidates(pool, job.partition), tag(pool.assign(entities=_entities(pool["spans"])), job.tagging, job.given)


def earliest(found: pd.DataFrame, partitions: pd.DataFrame) -> pd.DataFrame:
    """Each production candidate once, from the raw file whose conversations begin first."""
    rank = {name: place for place, name in enumerate(partitions.sort_values(["first", "partition"], kind="stable")["partition"])}
    order = found["partition"].map(rank).sort_values(kind="stable").index
    return found.loc[order].drop_duplicates("example_id").reset_index(drop=True)


def assemble(
    done: list[tuple[pd.DataFrame, pd.DataFrame]],
    listed: pd.DataFrame,
    entries: Sources,
    tagging: Tagging,
    retired: frozenset[str] = frozenset(),
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Candidates and tags of everything, from those of the pool partitions (in the order of `listed`) and the authored sources.

    What is `retired` is none, unless somebody flagged it since.
    """
    production = earliest(tables.concat([found for found, _ in done], schema.CANDIDATES), listed)
    gone = retired - {entry.id for _, entry in entries["regression"]}
    production = production[~production["example_id"].isin(gone)].reset_index(drop=True)
    counted = set(zip(production["partition"], production["example_id"], strict=True))
    kept = [
        rules[[(partition, example_id) in counted for example_id in rules["example_id"]]]
        for partition, (_, rules) in zip(listed["partition"], done, strict=True)
    ]
    scenarios = authored(entries)
    behaviours = {entry.id: entry.expect.behaviour or "answer" for found in entries.values() for _, entry in found}
    described = scenarios.assign(
        messages=scenarios["input"],
        entities=_entities(scenarios["spans"]),
        outcome=scenarios["example_id"].map(behaviours),
        metadata=[{} for _ in range(len(scenarios))],
    )
    by_hand = tag(described, tagging, given_tags(entries, tagging))
    return tables.concat([pin(production, entries), scenarios], schema.CANDIDATES), tables.concat([*kept, by_hand], schema.TAGS)


def check_metadata(tagging: Tagging, wanted: Params) -> None:
    """Raises InputError for a `from_metadata` field that the pool never has as it was logged."""
    for name, dimension in tagging.dimensions.items():
        field = dimension.from_metadata
        if field and wanted.anonymize.metadata.get(field) != "keep":
            raise InputError(
                f"{expectations.FOLDER}/tagging.yaml: dimensions.{name}.from_metadata: {field} does not reach the pool; "
                f"map it in ingest.fields.metadata and set anonymize.metadata.{field} to keep, if it holds no personal data"
            )


def agreed_tags(found: pd.DataFrame, tagging: Tagging) -> pd.DataFrame:
    """What annotators agreed that the tags of `found` are (example_id, dimension, value)."""
    standard = expectations.load_labeling()
    labels = read_labels(LABELS, standard, erasure.erased())
    tag_learning.check(labels, standard, tagging)
    agreed, _ = resolve(labels[labels["dimension"].str.startswith(tag_learning.PREFIX)], found, standard)
    return tag_learning.of_tags(agreed)


def work() -> str:
    tagging = expectations.load_tagging()
    entries = sources.load()
    given = given_tags(entries, tagging)
    listed = tables.read_csv(POOL_CSV, schema.PARTITIONS)
    for partition in listed["partition"]:
        if not (POOL / f"{partition}.parquet").is_file():
            raise InputError(f"{POOL}/{partition}.parquet: listed in {POOL_CSV} and not there; run 'dvc pull'")
    wanted = params.load()
    check_metadata(tagging, wanted)
    done = map_partitions(run_job, [Job(partition, tagging, given) for partition in listed["partition"]], wanted.engine, "tag")
    found, by_rule = assemble(done, listed, entries, tagging, frozenset(sources.retired()))
    door.check_regressions(entries, tables.concat([part for part, _ in done], schema.CANDIDATES), wanted.anonymize.allow_list)
    tags, numbers = tag_learning.learn(found, by_rule, agreed_tags(found, tagging), tagging)
    tables.write_parquet(CANDIDATES, found, schema.CANDIDATES)
    tables.write_parquet(TAGS, tags, schema.TAGS)
    tables.write_parquet(TAGS_BY_RULE, by_rule, schema.TAGS)
    tables.write_json(METRICS / "tagging.json", numbers)
    counts = found["source"].value_counts()
    pending = sum(isinstance(entry, Synthetic) and entry.status == "pending" for _, entry in entries["synthetic"])
    pooled = pd.concat([part["example_id"] for part, _ in done]) if done else pd.Series(dtype="str")
    duplicates, retired = len(pooled) - pooled.nunique(), pooled.nunique() - int(counts.reindex(LOGGED).sum())
    return (
        f"{', '.join(f'{counts[s]:,} {s}' for s in sorted(counts.index))}; {duplicates} duplicates across files, {pending} pending left out"
        + (f", {retired} retired" if retired else "")
        + tag_learning.in_words(numbers)
    )


if __name__ == "__main__":
    stage.run("tag", work)
