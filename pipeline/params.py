"""params.yaml as typed models: every key a stage reads, what it means and what it may be."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from pipeline.pii.entities import ENTITIES
from pipeline.yaml_models import Model, read_model

PARAMS = Path("params.yaml")
SOURCES = ("production", "expert", "adversarial", "synthetic")
"""The sources a ratio is given for; regression examples count as production."""

Rate = Annotated[float, Field(ge=0, le=1, strict=False)]
Positive = Annotated[int, Field(gt=0)]
Scalar = str | int | float | bool | None


class Dataset(Model):
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    """The dataset's name in releases and reports."""


class Intake(Model):
    key_file: str
    """Where the key lies that makes ids (ignored by git); the environment variable GOLDEN_KEY overrides it."""


class Fields(Model):
    """Where a log has what, as dotted paths into an object (or column names of CSV and Parquet)."""

    log_id: str
    occurred_at: str | None = None
    """ISO 8601, or seconds or milliseconds since 1970; a time without a zone is read as UTC. None where the logs carry no time."""
    turns: str | None = None
    """A list of turns (in CSV: as JSON). Either this with `role` and `text`, or `user` with or without `assistant`."""
    role: str = "role"
    text: str = "content"
    user: str | None = None
    """The user's text where a record is one exchange in flat columns."""
    assistant: str | None = None
    fixtures: str | None = None
    """An object the assistant had at hand (the order asked about); anonymized with the conversation."""
    metadata: dict[str, str] = {}
    """Name to path, for what `anonymize.metadata` and tagging rules use."""

    @model_validator(mode="after")
    def _one_shape(self) -> "Fields":
        if (self.turns is None) == (self.user is None):
            raise ValueError("give either turns (a list with role and text) or user (one exchange in flat columns)")
        return self


class OutcomeRule(Model):
    outcome: str
    when: dict[str, Scalar | list[Scalar]]
    """Path to the value it must have, or to the list of values of which it must have one; all must hold."""


class Outcome(Model):
    rules: list[OutcomeRule] = []
    """The first that holds gives the outcome."""
    default: str = "unknown"


class Sample(Model):
    per_file: Positive
    """At most so many records of a file are kept; they carry an inclusion weight."""
    failures_share: Rate = 0.5
    """The share of `per_file` that failures may take before other outcomes get their part."""


class Ingest(Model):
    path: str
    """The folder of raw files."""
    files: list[str] = ["*"]
    """Which files in it, as glob patterns."""
    system: str
    """The logged system's name: with the log id it makes the example id."""
    fields: Fields
    roles: dict[str, Literal["user", "assistant", "system", "tool"]] = {}
    """The logs' role names beside user, assistant, system and tool."""
    outcome: Outcome = Outcome()
    failures: list[str] = []
    """The outcomes that are failures."""
    sample: Sample | None = None
    max_reject_rate: Rate = 0.05
    """Over this share of rejected lines in all files the stage fails."""
    max_line_mb: Annotated[float, Field(gt=0, strict=False)] = 4.0
    """A longer line is rejected."""


class Entity(Model):
    threshold: Rate
    """A finding at or above it is personal data; scores are rounded to three digits before."""


class Recognizer(Model):
    """A pattern recognizer of your own (order, account, transaction ids)."""

    name: str
    entity_type: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$")
    patterns: list[str] = Field(min_length=1)
    """Regular expressions, matched ignoring case."""
    score: Rate = 0.6
    context: list[str] = []
    """Words before a match that raise its score (Presidio's context words)."""
    surrogate: str
    """What stands for it in an example: `#` is a digit, `?` a letter, everything else itself."""

    @field_validator("patterns")
    @classmethod
    def _compile(cls, patterns: list[str]) -> list[str]:
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"not a regular expression: {error}") from None
        return patterns


class Anonymize(Model):
    entities: dict[str, Entity]
    """What is masked, and from which score on."""
    recognizers: list[Recognizer] = []
    allow_list: list[str] = []
    """Phrases that are never personal data, whatever their case: your brand, your products' full names."""
    metadata: dict[str, Literal["keep", "hash", "redact"]] = {}
    """What happens to each mapped metadata field; one that is not named is redacted."""

    @model_validator(mode="after")
    def _known_types(self) -> "Anonymize":
        known = set(ENTITIES) | {recognizer.entity_type for recognizer in self.recognizers}
        if unknown := sorted(set(self.entities) - known):
            raise ValueError(f"entities: unknown entity type {unknown[0]}; known: {', '.join(sorted(known))}")
        if lost := sorted({recognizer.entity_type for recognizer in self.recognizers} - set(self.entities)):
            raise ValueError(f"entities: {lost[0]} has a recognizer but no threshold here; add it")
        return self


class PiiEval(Model):
    """What the recognizers are measured on."""

    spans: str
    """A file of span-labelled texts (pipeline/pii_eval.py says how); without a line in it nothing is measured."""
    resamples: Positive = 1000
    """Bootstrap samples of conversations that the intervals are made from."""
    seed: int = 0


class Label(Model):
    queue_size: Annotated[int, Field(ge=0)] = 200
    """How many unlabelled conversations the queue proposes, beside every open question."""
    seed: int = 0


class Merge(Model):
    size: Positive
    """How many examples the dataset has."""
    ratios: dict[str, Rate]
    """The share of each source; they sum to 1. Regression examples count as production."""
    shortfall: Literal["fail", "scale", "fill"] = "fail"
    """A source with too few examples: fail; scale the whole dataset down to its ratios; or fill up from the other sources."""
    stratify_by: list[str]
    """Tag dimensions whose values each source represents evenly."""
    near_duplicate: Rate = 0.8
    """Texts whose character 5-grams overlap so much (Jaccard) count as one."""
    max_pinned_share: Rate = 0.25
    """Above this share of pinned examples the dataset grows instead of dropping others."""
    seed: int = 0

    @field_validator("ratios")
    @classmethod
    def _sum_to_one(cls, ratios: dict[str, float]) -> dict[str, float]:
        if unknown := sorted(set(ratios) - set(SOURCES)):
            raise ValueError(f"unknown source '{unknown[0]}'; known: {', '.join(SOURCES)}")
        if abs(total := sum(ratios.values()) - 1) > 1e-9:
            raise ValueError(f"the ratios sum to {round(total + 1, 6)}; they must sum to 1")
        return ratios


class Validate(Model):
    """Thresholds of the suites in expectations/suites/; a suite names one as `$PARAMETER: validate_<key>`."""

    composition_tolerance: Rate = 0.0
    """How far a source's share may be from its ratio."""
    max_age_days: Positive = 120
    """How old the newest production example may be, counted from the newest record of the pool."""
    min_labelled_share: Rate = 1.0
    """The share of examples that some scorer can judge."""
    min_reject_free_share: Rate = 0.9
    """The share of raw lines that became records."""
    min_reject_free_share_per_file: Rate = 0.8
    """The same for every single raw file, which shows a log format that changed."""


class Target(Model):
    kind: Literal["python", "recorded"]
    """python: `callable` is imported and called. recorded: answers are read from `path`."""
    version: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Names the build that answers; a changed system needs a new one, since nothing is asked twice."""
    callable: str | None = Field(default=None, pattern=r"^[\w.]+:[\w.]+$")
    path: str | None = None

    @model_validator(mode="after")
    def _has_its_place(self) -> "Target":
        if self.kind == "python" and self.callable is None:
            raise ValueError("callable: missing; name it as module:function")
        if self.kind == "recorded" and self.path is None:
            raise ValueError("path: missing; name the file of recorded responses")
        return self


class Evaluate(Model):
    target: Target
    epochs: Positive = 1
    concurrency: Positive = 8
    timeout_s: Annotated[float, Field(gt=0, strict=False)] = 30.0


class Metrics(Model):
    interval: Annotated[float, Field(gt=0, lt=1, strict=False)] = 0.95
    pairs: list[Annotated[list[str], Field(min_length=2, max_length=2)]] = []
    """Pairs of tag dimensions whose combinations get figures of their own."""
    min_examples: Positive = 5
    """A combination with fewer examples is left out of the figures."""


class Engine(Model):
    """Where partitions are worked on. Changes no byte of any output, so no stage declares it."""

    kind: Literal["local", "processes", "dask"] = "processes"
    """local: in the stage's own process. processes: in several on this machine. dask: on a Dask cluster."""
    workers: Positive = 2
    """How many processes are started; a running cluster has its own."""
    scheduler: str | None = None
    """With dask: the running cluster, as tcp://host:port or tls://host:port; null starts `workers` of its own on this machine."""

    @field_validator("scheduler")
    @classmethod
    def _is_an_address(cls, scheduler: str | None) -> str | None:
        if scheduler is not None and not re.fullmatch(r"(tcp|tls)://\S+:\d+", scheduler):
            raise ValueError("expected null or an address such as tcp://127.0.0.1:8786")
        return scheduler


class Params(Model):
    dataset: Dataset
    intake: Intake
    ingest: Ingest
    anonymize: Anonymize
    pii_eval: PiiEval
    label: Label = Label()
    merge: Merge
    validate_: Validate = Field(alias="validate")
    evaluate: Evaluate
    metrics: Metrics
    engine: Engine = Engine()


def load(path: Path = PARAMS) -> Params:
    """params.yaml. Raises InputError for the first thing in it that does not fit."""
    return read_model(path, Params)
