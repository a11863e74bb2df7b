"""params.yaml as typed models: every key a stage reads, what it means and what it may be."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import Field, field_validator, model_validator

from pipeline import slices
from pipeline.expectations import Behaviour
from pipeline.pii.entities import ENTITIES
from pipeline.yaml_models import Model, read_model

PARAMS = Path("params.yaml")
SOURCES = ("production", "expert", "adversarial", "synthetic")
"""The sources a ratio is given for; regression examples count as production."""
LOGGED = ("production", "regression")
"""The sources of what stems from logs."""

Rate = Annotated[float, Field(ge=0, le=1, strict=False)]
Positive = Annotated[int, Field(gt=0)]
CALLABLE = r"^[\w.]+:[\w.]+$"
TextOperator = Literal["placeholder", "hash", "redact"]
Scalar = str | int | float | bool | None


class Dataset(Model):
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    """The dataset's name in releases and reports."""
    language: str = Field(default="en", pattern=r"^[a-z]{2,3}$")
    """Of its texts, ISO 639: stands in the dataset card."""


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
    """Over this share of rejected lines in all files the stage fails; so does anonymize over this share of conversations left out."""
    max_line_mb: Annotated[float, Field(gt=0, strict=False)] = 4.0
    """A longer line is rejected."""


class Entity(Model):
    threshold: Rate
    """A finding at or above it is personal data; scores are rounded to three digits before."""
    operator: TextOperator = "placeholder"
    """What takes its place: a placeholder with a number of its own within the conversation, one with a keyed hash for a number (the
    same value has the same in all conversations), or one that is the same for every value of the type (redact)."""


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
    nlp_engine: str | None = None
    """A configuration file of Presidio's that names another model, which looks at the texts beside the shipped one."""

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
    resamples: Positive = 500
    """How often examples are drawn anew for the interval of an agreement."""
    min_examples: Annotated[int, Field(ge=2)] = 20
    """From how many examples with two labels on an agreement is shown, and judged by."""
    random_share: Rate = 0.2
    """The share of what `golden label next` gives out that is random, so that a control sample of production can be drawn."""


class Merge(Model):
    size: Positive
    """How many examples the dataset has."""
    ratios: dict[str, Rate]
    """The share of each source; they sum to 1. Regression examples count as production."""
    shortfall: Literal["fail", "scale", "fill"] = "fail"
    """A source with too few examples: fail; scale the whole dataset down to its ratios; or fill up from the other sources."""
    stratify_by: list[str]
    """Dimensions of expectations/coverage.yaml whose values are slices to fill; every example needs a value in each that is not multiple."""
    failure_share: Literal["production"] | Rate = "production"
    """The share of failures in production's part of the dataset: as production has it, or a number. Floors and targets come first."""
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


class ResponseMapping(Model):
    """Where a target's reply has what, as JMESPath expressions; what is not mapped is not known."""

    answer: str | None = None
    """Text; only a preset says it by itself."""
    citations: str | None = None
    """A list of text."""
    confidence: str | None = None
    """A number between 0 and 1."""
    behaviour: str | None = None
    behaviours: dict[str, Behaviour] = {}
    """What the target calls it, to what it is called here; a name that is not here must already be one of ours."""
    tool_calls: str | None = None
    """A list of objects with `name` and `arguments`."""
    fault_met: str | None = None
    """True, or any text but "false", where the target says that it met the simulated failure."""
    input_tokens: str | None = None
    output_tokens: str | None = None

    @model_validator(mode="after")
    def _expressions(self) -> "ResponseMapping":
        for name, expression in self.model_dump(exclude={"behaviours"}, exclude_none=True).items():
            try:
                jmespath.compile(expression)
            except JMESPathError as error:
                said = str(error).splitlines()[0].rstrip(":.")
                raise ValueError(f"{name}: not a JMESPath expression ({said}); see jmespath.org") from None
        return self


class Target(Model):
    """Who is asked. docs/targets.md has each kind to copy."""

    kind: Literal["python", "command", "http", "inspect", "recorded"]
    version: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Names the build that answers; a changed system needs a new one, since nothing is asked twice."""
    callable: str | None = Field(default=None, pattern=CALLABLE)
    """python: what is imported and called."""
    command: str | None = None
    """command: what is started, and asked and answering in lines of JSON."""
    url: str | None = None
    """http: what is asked. `${NAME}` is an environment variable's value, here and in `headers`."""
    method: Literal["POST", "PUT"] = "POST"
    headers: dict[str, str] = {}
    preset: Literal["openai-chat"] | None = None
    """http: a known form of request and response."""
    request: Any = None
    """http, command: the template of what is sent; None for Golden's own form."""
    response: ResponseMapping | None = None
    """http, command: where the reply has what; None for Golden's own form."""
    model: str | None = Field(default=None, pattern=r"^[\w-]+/\S+$")
    """inspect: a model as Inspect AI names it, provider/model."""
    system: str | None = None
    """inspect: what the model is told before the conversation, a template as `request` is."""
    path: str | None = None
    """recorded: the file of answers."""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> "Target":
        needed, hint = NEEDED[self.kind]
        if getattr(self, needed) is None:
            raise ValueError(f"{needed}: missing; {hint}")
        if self.response and not self.response.answer and not self.preset:
            raise ValueError("response.answer: missing; say where the reply has the answer")
        own = {"kind", "version", needed, *ALLOWED.get(self.kind, ())}
        if foreign := sorted(self.model_fields_set - own):
            raise ValueError(f"{foreign[0]}: not for a target of kind {self.kind}; known here: {', '.join(sorted(own))}")
        return self

    @model_validator(mode="after")
    def _holds_no_secret(self) -> "Target":
        for name, value in self.headers.items():
            if SECRET_NAME.search(name) and "${" not in value:
                raise ValueError(f"headers.{name}: a secret does not belong into a file; write ${{NAME}} and set that environment variable")
        if self.url and SECRET_IN_URL.search(self.url):
            raise ValueError("url: a secret does not belong into a file; write ${NAME} in its place and set that environment variable")
        return self


NEEDED = {
    "python": ("callable", "name it as module:function"),
    "command": ("command", "name the program and its arguments"),
    "http": ("url", "name the address that is asked"),
    "inspect": ("model", "name it as provider/model"),
    "recorded": ("path", "name the file of recorded responses"),
}
"""What a kind of target cannot be without."""
ALLOWED = {"command": ("request", "response"), "http": ("method", "headers", "preset", "request", "response"), "inspect": ("system",)}
SECRET_NAME = re.compile(r"auth|key|token|secret|cookie|password", re.I)
SECRET_IN_URL = re.compile(r"//[^/@$]+@|[?&][\w-]*(key|token|secret|password|sig)=(?!\$\{)", re.I)


class Retries(Model):
    """How often, and when, a question is asked again after a failure that may pass. Changes no byte of any output."""

    per_question: Annotated[int, Field(ge=0)] = 3
    in_all: Annotated[int, Field(ge=0)] = 100
    """Over a whole run; once they are spent, a target that answers nothing is not asked any more."""
    backoff_s: Annotated[float, Field(gt=0, strict=False)] = 1.0
    """The first wait; it doubles from retry to retry."""
    longest_wait_s: Annotated[float, Field(gt=0, strict=False)] = 60.0
    """No wait is longer; a target that asks for a longer one (Retry-After) is not asked again."""
    seed: int = 0


class Price(Model):
    """What a million tokens cost, in any currency, where the target says how many it took."""

    input: Annotated[float, Field(ge=0, strict=False)]
    output: Annotated[float, Field(ge=0, strict=False)]


class Evaluate(Model):
    target: Target
    epochs: Positive = 1
    control: bool = True
    """Whether the control sample is asked too, so that `power` can compare: that is as many questions again."""
    concurrency: Positive = 8
    """So many questions are asked at once."""
    timeout_s: Annotated[float, Field(gt=0, strict=False)] = 30.0
    """How long an answer may take, each time it is asked for."""
    requests_per_minute: Annotated[float, Field(gt=0, strict=False)] | None = None
    """At most so many requests, retries among them; None for no limit."""
    retries: Retries = Retries()
    price: Price | None = None


class Similarity(Model):
    """How `answer_match: similar` is judged. There is no default, and nothing is downloaded."""

    model: str = Field(pattern=CALLABLE)
    """`module:name` of a function that takes texts and gives as many vectors."""
    at_least: Annotated[float, Field(gt=0, le=1, strict=False)]
    """From which cosine on two texts mean the same."""


class Graded(Model):
    """Which model judges `answer_match: graded`, and by whose judgement it is judged itself."""

    model: str
    """As Inspect names it, such as openai-api/local/llama-3. What it is sent leaves this machine unless it runs here."""
    method: Literal["fact", "qa"] = "fact"
    """Inspect's question: does the answer hold the facts of the reference (fact), or meet it as a criterion (qa)."""
    human: str
    """The judgement in expectations/labeling.yaml that says of the logged answer what the grader says; its min_agreement must be reached."""
    right: list[str] = Field(min_length=1)
    """The values of it that call an answer right."""
    min_labels: Positive = 50
    """The least number of answers that both judged."""


class OwnScorer(Model):
    scorer: str = Field(pattern=CALLABLE)
    """`module:name` of an Inspect scorer."""
    version: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """A changed scorer needs a new one, since scores of two versions are not compared."""
    part: Literal["answer", "citations", "behaviour", "safety"]
    """The part of an answer, in the contract's scope, that it judges."""
    slice: str = "all"
    """The examples that it judges."""

    @field_validator("slice")
    @classmethod
    def _parse_slice(cls, text: str) -> str:
        return str(slices.parse(text))


class Score(Model):
    similarity: Similarity | None = None
    graded: Graded | None = None
    scorers: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], OwnScorer] = {}
    """Criterion to a scorer of your own."""
    reported: list[str] = ["citations_precision"]
    """Criteria that are shown and fail no example."""


class Metrics(Model):
    interval: Annotated[float, Field(gt=0, lt=1, strict=False)] = 0.95
    pairs: list[Annotated[list[str], Field(min_length=2, max_length=2)]] = []
    """Pairs of tag dimensions whose combinations get figures of their own."""
    min_examples: Positive = 5
    """A combination with fewer examples is left out of the figures."""


class Diff(Model):
    text: Literal["none", "surrogate"] = "none"
    """Whether `golden diff` shows texts, with surrogates in them. A comment on a pull request is there for good."""


class Power(Model):
    sizes: list[Annotated[float, Field(gt=0, le=1, strict=False)]] = Field(default=[0.1, 0.2, 0.3, 0.5], min_length=1)
    """Falls of accuracy within one slice; beside the size that the contract's regressions look for."""
    background: Annotated[float, Field(ge=0, lt=0.5, strict=False)] = 0.02
    """The share of all other examples that comes out worse, and as many better, though nothing is wrong with them."""
    releases: Annotated[int, Field(ge=20)] = 100
    """How many releases are drawn for each slice and size."""
    seed: int = 7


class Monitor(Model):
    window_days: Positive = 30
    """Drift: the last so many days of the pool against as many before them."""
    threshold: Rate = 0.7
    """Up to which distance two texts are called the same, where data/pairs.csv does not tell."""
    false_alarm_rate: Rate = 0.01
    """With pairs: the share of different ones that may lie within the threshold."""
    min_examples: Positive = 5
    """A slice with fewer on either side is not compared."""
    min_share: Rate = 0.01
    """Of production: a slice with less is not called uncovered."""
    min_topic: Annotated[int, Field(ge=2)] = 3
    """From how many alike conversations on there is a new topic."""
    backtest_months: Annotated[int, Field(ge=0)] = 3
    """How many of the last months are tried; 0 for none."""
    resamples: Positive = 1000
    seed: int = 7


class Refresh(Model):
    """What `golden refresh` proposes. No stage reads it."""

    window: Positive = 1000
    """The newest conversations of the pool that the plan looks at."""
    dimensions: list[str] = Field(default=["category", "complexity", "tone", "risk", "length"], min_length=1)
    """Tag dimensions that are combined: those known before the answer. `outcome` would only say that failures fail."""
    tags: Annotated[int, Field(ge=1, le=3)] = 2
    """At most so many tags in a combination."""
    combinations: Positive = 10
    """At most so many are proposed."""
    min_support: Positive = 15
    """Conversations of the window that a combination must have."""
    covered_by: Positive = 10
    """From so many examples on a combination is well covered."""
    level: Annotated[float, Field(gt=0, lt=1, strict=False)] = 0.95
    """Of the interval whose lower bound ranks the combinations."""
    records: Positive = 5
    """At most so many conversations are asked for in each combination."""
    retire_after_days: Positive = 183
    """An example is retired when production showed nothing near it for so long."""
    exempt: list[Literal["production", "expert", "adversarial", "synthetic"]] = ["expert", "adversarial"]
    """Sources that are never retired; nor is anything pinned."""
    keep: list[str] = []
    """Examples that are never retired, by id: those that were restored and that production still does not show."""
    adversarial_owed: Annotated[list[Positive], Field(min_length=2, max_length=2)] = [10, 20]
    """At least and at most so many new adversarial scenarios a quarter."""

    @model_validator(mode="after")
    def _least_before_most(self) -> "Refresh":
        if self.adversarial_owed[0] > self.adversarial_owed[1]:
            raise ValueError(f"adversarial_owed: the least, {self.adversarial_owed[0]}, is more than the most, {self.adversarial_owed[1]}")
        return self


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
    score: Score = Score()
    metrics: Metrics
    diff: Diff = Diff()
    power: Power = Power()
    monitor: Monitor = Monitor()
    refresh: Refresh = Refresh()
    engine: Engine = Engine()


def load(path: Path = PARAMS) -> Params:
    """params.yaml. Raises InputError for the first thing in it that does not fit."""
    return read_model(path, Params)
