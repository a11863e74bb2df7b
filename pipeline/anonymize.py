"""Stage `anonymize`: raw records become the pool, which holds numbered placeholders instead of personal data.

In: `data/interim/records/<partition>.parquet` (raw) and the pool as it stands. Out: `data/pool/<partition>.parquet` and
`data/pool.csv`. One partition a raw file; a partition is made anew only when its raw file, the recognizers or the key changed.
The pool is append-only: when a raw file expired, its partition stays, and a changed recognizer then runs over the pooled text.

What can never happen: a text that was not looked at, or in which the leak audit finds something that it could not mask, reaches the
pool (see pipeline/admission.py); a partition that `data/pool.csv` lists gets lost silently;
an id, a text hash or the order of a partition depends on a recognizer.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline import admission, erasure, rejects, schema, stage, tables
from pipeline import params as params_module
from pipeline.engine import map_partitions
from pipeline.errors import InputError
from pipeline.identity import canonical, content_sha, keyed_hash, load_keys
from pipeline.params import Anonymize
from pipeline.paths import POOL, POOL_CSV, RECORDS
from pipeline.pii.fingerprint import recognizers_fingerprint
from pipeline.pii.placeholders import highest_numbers, place
from pipeline.pii.spans import Placed, Span, from_rows, to_rows

if TYPE_CHECKING:
    from pipeline.pii.recognizers import Finder

CHUNK = 1000
"""Conversations looked at together."""
LONG_NUMBER = 7
"""A number in fixtures with so many digits is looked at as text."""
_EDGE = r"(?:(?<![^\W_])|(?![^\W_]))"
"""Not within a word."""


@dataclass(frozen=True)
class Job:
    """One partition to make: from raw records, or, where `records` is None, from the pooled text itself."""

    partition: str
    records: Path | None
    params: Anonymize
    key: bytes = field(repr=False)
    note: dict[str, str]
    optimization: str = "ORT_ENABLE_ALL"
    """onnxruntime's graph optimisation level; changes no byte."""


def anonymize(
    records: pd.DataFrame, params: Anonymize, key: bytes, finder: "Finder", missed: Sequence[Mapping[str, str]] = ()
) -> pd.DataFrame:
    """`records` (schema.RECORDS) as rows of schema.POOL. Equal texts are looked at once.

    `missed`, for each conversation, are texts (lower case) that are masked wherever they stand in it as well, and their entity types.
    """
    conversations = list(records["messages"])
    known = [[v for name, v in metadata.items() if params.metadata.get(name, "redact") != "keep"] for metadata in records["metadata"]]
    spans_of = finder.find_conversations(conversations, known)
    fixtures = [orjson.loads(text) if text else None for text in records["fixtures"]]
    labels_of = [labelled(value) for value in fixtures]
    every_label = [label for labels in labels_of for label in labels]
    found = dict(zip(every_label, finder.find(every_label), strict=True))
    operators = {kind: entity.operator for kind, entity in params.entities.items()}
    rows = []
    for row, (messages, of_turns, leaves, labels) in enumerate(
        zip(conversations, spans_of, map(_leaves, fixtures), labels_of, strict=True)
    ):
        turns = [m["content"] for m in messages]
        texts = [*turns, *(value for _, value in leaves)]
        spans = of_turns + [_behind_label(found[label], path[-1]) for label, (path, _) in zip(labels, leaves, strict=True)]
        if missed:
            spans = [_with_missed(text, of_text, missed[row]) for text, of_text in zip(texts, spans, strict=True)]
        placed = place(texts, spans, operators=operators, key=key)
        rows.append((placed[: len(turns)], {path: text for (path, _), (text, _) in zip(leaves, placed[len(turns) :], strict=True)}))
    return pd.DataFrame(
        {
            **{
                name: records[name] for name in ("example_id", "text_sha", "system", "occurred_at", "outcome", "failed", "inclusion_weight")
            },
            "messages": [
                [{"role": m["role"], "content": text} for m, (text, _) in zip(messages, placed, strict=True)]
                for messages, (placed, _) in zip(records["messages"], rows, strict=True)
            ],
            "spans": [to_rows([spans for _, spans in placed]) for placed, _ in rows],
            "fixtures": [_filled(text, replaced) for text, (_, replaced) in zip(records["fixtures"], rows, strict=True)],
            "metadata": [_metadata(metadata, params, key) for metadata in records["metadata"]],
        }
    )[schema.POOL.names]


def _with_missed(text: str, spans: list[Span], missed: Mapping[str, str]) -> list[Span]:
    """`spans`, and whatever of `missed` stands beside them as whole words. Two halves of a name are one."""
    left = text
    for span in spans:
        left = left[: span.start] + ";" * (span.end - span.start) + left[span.end :]
    words = (rf"{_EDGE}{re.escape(one)}{_EDGE}" for one in sorted(missed, key=lambda one: (-len(one), one)))
    found = [
        Span(*match.span(), missed.get(match[0].casefold(), "REFERENCE_ID"), 1.0)
        for match in re.finditer("|".join(words), left, re.IGNORECASE)
    ]
    united: list[Span] = []
    for span in sorted([*spans, *found], key=lambda span: span.start):
        last = united[-1] if united else span
        halves = last.entity_type == span.entity_type == "PERSON" and (last in found or span in found)
        if halves and last.end <= span.start and not text[last.end : span.start].strip(" "):
            united[-1] = replace(last, end=span.end)
        else:
            united.append(span)
    return united


def anonymize_again(pool: pd.DataFrame, params: Anonymize, key: bytes, finder: "Finder") -> pd.DataFrame:
    """`pool` (schema.POOL), whose raw file is gone, with what `finder` still finds in its text replaced as well.

    Placeholders that are there keep their numbers, whatever `operator` their type has by now.
    """
    conversations = [[m["content"] for m in messages] for messages in pool["messages"]]
    found = finder.find_conversations(list(pool["messages"]))
    operators = {kind: entity.operator for kind, entity in params.entities.items()}
    messages, spans = [], []
    for turns, logged, of_turns, rows in zip(conversations, pool["messages"], found, pool["spans"], strict=True):
        kept = from_rows(rows, len(turns))
        new = [
            [span for span in spans if not any(span.start < k.end and k.start < span.end for k in old)]
            for spans, old in zip(of_turns, kept, strict=True)
        ]
        placed = place(turns, new, highest_numbers(turns), operators, key)
        messages.append([{"role": m["role"], "content": text} for m, (text, _) in zip(logged, placed, strict=True)])
        spans.append(
            to_rows(
                [
                    sorted([*_moved(old, before, after), *after], key=lambda p: p.start)
                    for old, before, (_, after) in zip(kept, new, placed, strict=True)
                ]
            )
        )
    return pool.assign(messages=messages, spans=spans)


def _moved(kept: list[Placed], before: list[Span], after: list[Placed]) -> list[Placed]:
    """`kept`, whose text changed by `before` becoming `after`, at their new places."""
    growth = [(span.start, (new.end - new.start) - (span.end - span.start)) for span, new in zip(before, after, strict=True)]
    shifts = [sum(grown for start, grown in growth if start < old.start) for old in kept]
    return [Placed(**{**asdict(old), "start": old.start + shift, "end": old.end + shift}) for old, shift in zip(kept, shifts, strict=True)]


def labelled(fixtures: Any) -> list[str]:
    """The texts in fixtures, each behind its key: alone a value says little, "shipped" is no name beside "status"."""
    return [f"{path[-1]}: {value}" for path, value in _leaves(fixtures)]


def _behind_label(spans: list[Span], label: str) -> list[Span]:
    cut = len(label) + 2
    return [Span(span.start - cut, span.end - cut, span.entity_type, span.score) for span in spans if span.start >= cut]


def _leaves(value: Any, path: tuple[str, ...] = ("fixtures",)) -> list[tuple[tuple[str, ...], str]]:
    """The texts in a JSON value with their paths; long numbers count as texts."""
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in _leaves(inner, (*path, key))]
    if isinstance(value, list):
        return [leaf for index, inner in enumerate(value) for leaf in _leaves(inner, (*path[:-1], f"{path[-1]}[{index}]"))]
    if isinstance(value, str) or (isinstance(value, int) and len(str(abs(value))) >= LONG_NUMBER):
        return [(path, str(value))]
    return []


def _filled(text: str, replaced: dict[tuple[str, ...], str]) -> str:
    def fill(value: Any, path: tuple[str, ...]) -> Any:
        if isinstance(value, dict):
            return {key: fill(inner, (*path, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [fill(inner, (*path[:-1], f"{path[-1]}[{index}]")) for index, inner in enumerate(value)]
        return replaced.get(path, value) if isinstance(value, str) or replaced.get(path, str(value)) != str(value) else value

    return canonical(fill(orjson.loads(text), ("fixtures",))).decode() if text else ""


def _metadata(metadata: dict[str, str], params: Anonymize, key: bytes) -> dict[str, str]:
    """What `anonymize.metadata` lets through; a field that it does not name is redacted."""
    treated = {}
    for name, value in sorted(metadata.items()):
        how = params.metadata.get(name, "redact")
        if how != "redact":
            treated[name] = value if how == "keep" else keyed_hash(key, name, value)
    return treated


@cache
def _finder(params: str, optimization: str) -> "Finder":
    """Loaded once a worker. Imported here, since importing takes seconds that the process which only hands out work need not spend."""
    from pipeline.pii import recognizers

    return recognizers.build(Anonymize.model_validate_json(params), optimization)


def run_job(job: Job) -> str:
    """Make one partition and write it; gives its name back."""
    finder = _finder(job.params.model_dump_json(), job.optimization)
    path = POOL / f"{job.partition}.parquet"
    if job.records is None:
        make = partial(anonymize_again, params=job.params, key=job.key, finder=finder)
        again = admission.look_again(tables.frames(path, schema.POOL, CHUNK), make, job.partition)
        tables.write_parquet_in_parts(path, again, schema.POOL, job.note)
    else:
        tables.write_parquet_in_parts(path, _admitted(job, job.records, finder), schema.POOL, job.note)
    return job.partition


def _admitted(job: Job, records: Path, finder: "Finder") -> Iterator[pd.DataFrame]:
    """The partition's rows, chunk by chunk. What is left out of it is written behind the last, before the partition counts as made."""
    make = partial(anonymize, params=job.params, key=job.key, finder=finder)
    with admission.listing(job.partition) as listed:
        for some in tables.frames(records, schema.RECORDS, CHUNK):
            admitted = admission.admit(some, make, job.params)
            listed(admitted)
            yield admitted.pool


def plan(records: list[Path], listed: pd.DataFrame, params: Anonymize, key: bytes) -> list[Job]:
    """A job for every partition, of raw files that are there and of listed ones whose raw file expired.

    Raises InputError where a partition cannot be made and is not there.
    """
    fingerprint = recognizers_fingerprint(params)
    if params.nlp_engine:
        from pipeline.pii import engines  # imports what it names

        fingerprint = content_sha([fingerprint, engines.fingerprint(params.nlp_engine)])
    jobs = []
    for path in records:
        raw = tables.read_note(path)
        note = {"fingerprint": content_sha([raw["fingerprint"], fingerprint, admission.fingerprint()]), "recognizers": fingerprint}
        jobs.append(Job(path.stem, path, params, key, note))
    present = {job.partition for job in jobs}
    expired = [str(partition) for partition in listed["partition"] if partition not in present]
    if lost := [partition for partition in expired if not (POOL / f"{partition}.parquet").is_file()]:
        raise InputError(f"{POOL_CSV}: {len(lost)} listed partitions are not in {POOL} (first: {lost[0]}); run 'dvc pull'")
    if strays := sorted({path.stem for path in POOL.glob("*.parquet")} - present - set(expired)):
        raise InputError(
            f"{POOL}/{strays[0]}.parquet: not listed in {POOL_CSV} and its raw file is gone; restore its line there, or remove the file"
        )
    for partition in expired:
        old = tables.read_note(POOL / f"{partition}.parquet")
        jobs.append(
            Job(
                partition,
                None,
                params,
                key,
                {"fingerprint": content_sha([old.get("fingerprint", ""), fingerprint]), "recognizers": fingerprint},
            )
        )
    return sorted(jobs, key=lambda job: job.partition)


def is_done(job: Job) -> bool:
    """Whether the partition on disk is what the job would make."""
    note = tables.read_note(POOL / f"{job.partition}.parquet")
    if job.records is None:
        return note.get("recognizers") == job.note["recognizers"]
    return note == job.note and admission.is_whole(job.partition)


def with_its_key(job: Job, keys: dict[str, bytes]) -> Job:
    """The job with the key that its records' ids were made with; InputError where that is not here."""
    if job.records is None:
        return job
    key_id = tables.read_note(job.records).get("key_id", "")
    if key_id not in keys:
        raise InputError(f"{job.partition}: its ids were made with the key {key_id}, which is not here; restore it beside intake.key_file")
    return replace(job, key=keys[key_id])


def partition_row(job: Job, listed: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A job's row of data/pool.csv; an expired partition keeps what its raw file told."""
    if job.records is None:
        return {**listed[job.partition], "raw": "expired", "recognizers": job.note["recognizers"]}
    raw = tables.read_note(job.records)
    first, last = first_and_last(POOL / f"{job.partition}.parquet")
    rejected = tables.count_csv(job.records.with_suffix(".rejects.csv"), schema.REJECTS, "reason")
    left_out = admission.reasons(job.partition)
    return {
        "partition": job.partition,
        "raw": "present",
        "source_sha256": raw["source_sha256"],
        "read": int(raw["read"]),
        "kept": int(raw["kept"]) - left_out.total(),
        "rejected": rejects.to_text(rejected + left_out),
        "sampled_out": int(raw["sampled_out"]),
        "first": first,
        "last": last,
        "key_id": raw["key_id"],
        "recognizers": job.note["recognizers"],
    }


def first_and_last(path: Path) -> tuple[str, str]:
    """When the first and the last conversation of a partition began; empty where none carries a time."""
    extremes = [pc.min_max(batch.column(0)) for batch in pq.ParquetFile(path).iter_batches(columns=["occurred_at"])]
    times = pa.array([one[which].as_py() for one in extremes for which in ("min", "max")], schema.TIME).to_pandas().dropna()
    return (times.min().isoformat(), times.max().isoformat()) if len(times) else ("", "")


def work() -> str:
    params = params_module.load()
    keys = load_keys(params.intake.key_file)
    listed = tables.read_csv(POOL_CSV, schema.PARTITIONS) if POOL_CSV.is_file() else tables.empty(schema.PARTITIONS)
    POOL.mkdir(parents=True, exist_ok=True)
    tables.clear_unfinished(POOL)
    listed = erasure.forget(listed)
    jobs = plan(sorted(RECORDS.glob("*.parquet")), listed, params.anonymize, next(iter(keys.values())))
    to_do = [with_its_key(job, keys) for job in jobs if not is_done(job)]
    map_partitions(run_job, to_do, params.engine, "anonymize")
    tables.clear_unfinished(POOL)  # of workers that died
    before = {row["partition"]: row for row in listed.to_dict("records")}
    rows = pd.DataFrame([partition_row(job, before) for job in jobs], columns=schema.PARTITIONS.names)
    tables.write_csv(POOL_CSV, rows, schema.PARTITIONS)
    kept, left_out = int(rows["kept"].sum()), sum(map(rejects.left_out, rows["rejected"]), Counter[str]())
    admission.check(left_out, kept, params.ingest.max_reject_rate)
    expired = int((rows["raw"] == "expired").sum())
    return f"{len(jobs)} partitions, {kept:,} conversations; {len(to_do)} made, {len(jobs) - len(to_do)} unchanged" + "".join(
        [
            f", {expired} whose raw file expired" if expired else "",
            f", {left_out.total():,} left out ({', '.join(f'{reason} {n:,}' for reason, n in left_out.most_common())})" if left_out else "",
        ]
    )


if __name__ == "__main__":
    stage.run("anonymize", work, private=True)
