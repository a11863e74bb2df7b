"""Every table of the pipeline: its columns, their types and what they mean. The only place.

A stage checks what it writes against these (`pipeline.tables.write`), and the reference in the docs is generated from them.
Rates lie in 0..1; times are UTC with microseconds; a text column of anonymized data holds placeholders such as `<PERSON_1>`
until `merge` renders them.
"""

from dataclasses import dataclass

import pyarrow as pa

TEXT = pa.string()
TIME = pa.timestamp("us", tz="UTC")
MESSAGES = pa.list_(pa.struct([("role", TEXT), ("content", TEXT)]))
TEXTS = pa.list_(TEXT)
ALTERNATIVES = pa.list_(TEXTS)
MAPPING = pa.map_(TEXT, TEXT)
SPANS = pa.list_(
    pa.struct(
        [
            ("turn", pa.int32()),
            ("start", pa.int32()),
            ("end", pa.int32()),
            ("entity_type", TEXT),
            ("placeholder", TEXT),
            ("letter_case", TEXT),
            ("form", TEXT),
        ]
    )
)


@dataclass(frozen=True)
class Table:
    """A table's name, what one row is, and its columns as (name, Arrow type, meaning)."""

    name: str
    row: str
    columns: tuple[tuple[str, pa.DataType, str], ...]
    key: tuple[str, ...]
    """The columns that identify a row; rows are stored in their order."""

    @property
    def arrow(self) -> pa.Schema:
        return pa.schema([pa.field(name, kind) for name, kind, _ in self.columns])

    @property
    def names(self) -> list[str]:
        return [name for name, _, _ in self.columns]


EXAMPLE_ID = (
    "example_id",
    TEXT,
    "`p-` and 16 hex digits for production (keyed hash of system and log id); as written in its file for authored examples",
)
TEXT_SHA = ("text_sha", TEXT, "hash of the messages as logged (keyed) or as authored; unchanged by another recognizer")
SPANS_COLUMN = (
    "spans",
    SPANS,
    "where personal data stood: message index, offsets in characters, type, placeholder, letter case (lower, upper, title, mixed) and form (full, given, family) of what it replaced",
)
FIXTURES = ("fixtures", TEXT, "JSON the target receives beside the messages (the order it asks about); empty where there is none")
EXPECTATION = (
    ("expected_behaviour", TEXT, "what a correct response does: answer, refuse, escalate, ask_back or degrade; empty where not judged"),
    ("must_include", ALTERNATIVES, "every entry must occur in the answer; an entry is a list of accepted wordings"),
    ("must_not_include", TEXTS, "none may occur in the answer"),
    ("answer", TEXT, "a reference answer; empty where there is none"),
    (
        "answer_match",
        TEXT,
        "how it is compared: contains, exact, normalised, numeric, similar or graded; empty: contains, where must_include asks for nothing",
    ),
    ("answer_tolerance", pa.float64(), "how far a number may be from the reference's, in its unit; 0 for equal"),
    ("regex", TEXTS, "patterns, each of which must be found in the answer, ignoring case"),
    ("json_schema", TEXT, "JSON Schema that the answer, read as JSON, must meet; empty for none"),
    ("citations", TEXTS, "documents a correct answer rests on"),
)

RECORDS = Table(
    "records",
    "one logged conversation, raw: lives in data/interim only, never cached",
    (
        EXAMPLE_ID,
        TEXT_SHA,
        ("log_id", TEXT, "the conversation's id in its system"),
        ("system", TEXT, "the system that was logged (`ingest.system`)"),
        ("occurred_at", TIME, "when the conversation began; null where the logs carry no time"),
        ("outcome", TEXT, "how it ended, mapped by `ingest.outcome`"),
        ("failed", pa.bool_(), "whether the outcome is one of `ingest.failures`"),
        ("messages", MESSAGES, "the turns in order; roles are user, assistant, system and tool"),
        FIXTURES,
        ("metadata", MAPPING, "the logs' other mapped fields, as text"),
        ("inclusion_weight", pa.float64(), "how many logged conversations this one stands for (1 where nothing was sampled)"),
        ("line", pa.int64(), "line (text files) or row (Parquet) in the raw file, from 1"),
    ),
    ("line",),
)

REJECTS = Table(
    "rejects",
    "one line of a raw file that could not become a record; holds no content",
    (
        ("file", TEXT, "the raw file's name"),
        ("line", pa.int64(), "line or row in it, from 1"),
        ("reason", TEXT, "a code: see `pipeline.rejects.REASONS`"),
    ),
    ("file", "line"),
)

POOL = Table(
    "pool",
    "one anonymized conversation",
    (
        EXAMPLE_ID,
        TEXT_SHA,
        ("system", TEXT, "the system that was logged"),
        ("occurred_at", TIME, "when the conversation began; null where the logs carry no time"),
        ("outcome", TEXT, "how it ended"),
        ("failed", pa.bool_(), "whether that is a failure"),
        ("messages", MESSAGES, "the turns, personal data replaced by numbered placeholders"),
        SPANS_COLUMN,
        FIXTURES,
        ("metadata", MAPPING, "metadata that `anonymize.metadata` lets through, kept or hashed"),
        ("inclusion_weight", pa.float64(), "how many logged conversations this one stands for"),
    ),
    ("example_id",),
)

PARTITIONS = Table(
    "partitions",
    "one raw file and its pool partition (data/pool.csv)",
    (
        ("partition", TEXT, "the raw file's name without its endings; the pool file's name"),
        ("raw", TEXT, "present, or expired once the raw file is gone"),
        ("source_sha256", TEXT, "hash of the raw file"),
        ("read", pa.int64(), "lines or rows read"),
        ("kept", pa.int64(), "conversations in the pool"),
        ("rejected", TEXT, "reason=count, separated by blanks: lines that became no record, conversations that stay out of the pool"),
        ("sampled_out", pa.int64(), "good records that `ingest.sample` left out"),
        ("first", TEXT, "earliest conversation, ISO 8601"),
        ("last", TEXT, "latest conversation, ISO 8601"),
        ("key_id", TEXT, "which key made the ids"),
        ("recognizers", TEXT, "fingerprint of everything that decides what is personal data"),
    ),
    ("partition",),
)

LEFT_OUT = Table(
    "left_out",
    "one logged conversation that stays out of the pool (data/pool/<partition>.rejects.csv); holds no content",
    (
        EXAMPLE_ID,
        ("reason", TEXT, "a code: see `pipeline.rejects.LEFT_OUT`"),
        ("where", TEXT, "the pattern that took too long, the error's type and place in the code, or the field with the leak"),
    ),
    ("example_id",),
)

MASKED = Table(
    "masked",
    "what the leak audit found in a conversation of the pool and had masked (data/pool/<partition>.masked.csv); holds no content",
    (
        EXAMPLE_ID,
        ("kind", TEXT, "name, metadata, email, iban, card or number: what the recognizers missed"),
        ("field", TEXT, "messages or fixtures"),
    ),
    ("example_id", "kind", "field"),
)

ERASED = Table(
    "erased",
    "one erased conversation, which never comes back (data/erased.csv); a pseudonymous id, no text",
    (
        EXAMPLE_ID,
        ("erased_on", TEXT, "ISO 8601 date"),
        ("reason", TEXT, "why, without personal data; may be empty"),
    ),
    ("example_id",),
)

KEYS = Table(
    "keys",
    "one key that `golden key new` started although there was a pool (data/keys.csv)",
    (
        ("key_id", TEXT, "which key"),
        ("since", TEXT, "time of the newest record in the pool when it was started, ISO 8601; partitions listed by then keep their key"),
        ("note", TEXT, "why it was started; may be empty"),
    ),
    ("since", "key_id"),
)

CANDIDATES = Table(
    "candidates",
    "one conversation or scenario that could become an example",
    (
        EXAMPLE_ID,
        ("source", TEXT, "production, regression, expert, adversarial or synthetic"),
        TEXT_SHA,
        ("partition", TEXT, "the pool partition, or the authored file"),
        ("occurred_at", TIME, "when it happened (production) or was added (authored)"),
        ("failed", pa.bool_(), "whether production failed on it; false for authored ones"),
        ("inclusion_weight", pa.float64(), "how many logged conversations it stands for; 0 for authored ones"),
        ("input", MESSAGES, "the history and the last user turn, placeholders in place"),
        ("response", TEXT, "what production answered to the last user turn, placeholders in place; empty for authored ones"),
        SPANS_COLUMN,
        FIXTURES,
        ("fault", TEXT, "timeout, api_error or rate_limit while it is evaluated; empty for none"),
        ("canary", TEXT, "text that shows an injected instruction was obeyed; empty for none"),
        ("incident_id", TEXT, "the incident a regression example stems from; empty for others"),
        ("reason", TEXT, "why it was written or flagged, in its author's words"),
        ("pinned", pa.bool_(), "whether no ratio, size or refresh may drop it"),
    ),
    ("example_id",),
)

TAGS = Table(
    "tags",
    "one tag of one candidate",
    (
        EXAMPLE_ID,
        ("dimension", TEXT, "a dimension of expectations/tagging.yaml"),
        ("value", TEXT, "its value"),
        ("origin", TEXT, "author, label, log, rule, classifier or default"),
        ("confidence", pa.float64(), "1 for author, label and log; the rule's or classifier's own otherwise; 0 for default"),
    ),
    ("example_id", "dimension", "value"),
)

LABELS = Table(
    "labels",
    "what one annotator said of one dimension of one example on one day (data/labels/*.csv)",
    (
        EXAMPLE_ID,
        ("dimension", TEXT, "a dimension of expectations/labeling.yaml"),
        ("value", TEXT, "its value; several are separated by ` | `, accepted wordings of one by ` / `"),
        ("annotator", TEXT, "who said so"),
        ("labelled_at", TEXT, "ISO 8601 date"),
        ("standard_version", TEXT, "version of the labelling standard it was made under"),
        TEXT_SHA,
        ("note", TEXT, "why, where it was not plain"),
    ),
    ("example_id", "dimension", "annotator", "labelled_at"),
)

TASKS = Table(
    "tasks",
    "one question to one annotator, as a sheet to fill in (data/interim/tasks/<number>/<annotator>.csv); holds pooled text, never in git",
    (
        EXAMPLE_ID,
        ("dimension", TEXT, "a dimension of expectations/labeling.yaml"),
        ("value", TEXT, "to fill in; holds the text to approve, where another wrote it"),
        ("annotator", TEXT, "who is asked"),
        ("labelled_at", TEXT, "to fill in, ISO 8601 date; empty for the day of the import"),
        ("standard_version", TEXT, "version of the labelling standard to judge by"),
        TEXT_SHA,
        ("note", TEXT, "to fill in where it was not plain"),
        ("conversation", TEXT, "what was said, in the first row of an example"),
    ),
    ("example_id", "dimension", "annotator"),
)

EXPECTATIONS = Table(
    "expectations",
    "what a correct response to one candidate is, agreed or authored",
    (
        EXAMPLE_ID,
        *EXPECTATION,
        ("expectation_sha", TEXT, "hash of the columns from expected_behaviour to citations; empty ones of a later version are left out"),
        ("agreed_by", TEXT, "the annotators or the author, separated by blanks"),
    ),
    ("example_id",),
)

QUEUE = Table(
    "label_queue",
    "one thing an annotator should do next",
    (
        EXAMPLE_ID,
        ("dimension", TEXT, "what is to be judged"),
        (
            "why",
            TEXT,
            "wanted (by a refresh, unlabelled); unlabelled; too_few_annotators; not_approved (a text that one wrote); disagreement; stale_text; stale_standard (used until it is labelled anew)",
        ),
        ("values", TEXT, "the values given so far, separated by ` | `; of texts their number"),
        ("notes", TEXT, "what annotators noted, separated by ` | `"),
        ("criteria", TEXT, "the part of the labelling standard that it touches"),
    ),
    ("example_id", "dimension"),
)

WANTED = Table(
    "wanted",
    "one conversation that a refresh wants labelled before others (data/wanted.csv); holds no text",
    (
        EXAMPLE_ID,
        ("reason", TEXT, "the tag combination that it stands for, and how often production fails there"),
        ("since", TEXT, "date of the newest conversation in the pool when it was asked for, ISO 8601"),
    ),
    ("example_id",),
)

EXAMPLES = Table(
    "examples",
    "one example of the golden dataset",
    (
        EXAMPLE_ID,
        ("source", TEXT, "production, regression, expert, adversarial or synthetic"),
        ("input", MESSAGES, "the history and the last user turn, which the target answers"),
        FIXTURES,
        ("fault", TEXT, "timeout, api_error or rate_limit while it is evaluated; empty for none"),
        ("canary", TEXT, "text that shows an injected instruction was obeyed; empty for none"),
        *EXPECTATION,
        ("tags", MAPPING, "dimension to value; several values of one dimension are joined by `+`"),
        ("spans", SPANS, "where surrogates stand in input"),
        ("surrogates", MAPPING, "placeholder to the surrogate that stands for it in this example"),
        ("cluster", TEXT, "examples of one conversation or incident share it: they are not independent"),
        ("occurred_at", TIME, "when it happened or was added"),
        ("inclusion_weight", pa.float64(), "how many logged conversations it stands for; 0 for authored ones"),
        ("input_sha", TEXT, "hash of input, fixtures and fault: what the target is asked"),
        ("expectation_sha", TEXT, "hash of the expectation"),
        ("text_sha", TEXT, "hash of the text as logged or authored"),
    ),
    ("example_id",),
)

MEMBERS = Table(
    "members",
    "who is in the dataset and why (data/golden/members.csv); holds no text",
    (
        EXAMPLE_ID,
        ("source", TEXT, "production, regression, expert, adversarial or synthetic"),
        ("slices", TEXT, "dimension=value, separated by blanks"),
        ("reason", TEXT, "why it was admitted, fixed then"),
        ("since", TEXT, "the release it came with, or `unreleased`"),
    ),
    ("example_id",),
)

HISTORY = Table(
    "history",
    "one release of the dataset (metrics/history.csv); a figure that does not exist is empty",
    (
        ("version", TEXT, "semantic version; its git tag is golden@v<version>"),
        ("released_on", TEXT, "ISO 8601 date of the latest pooled conversation: what the release knows of"),
        ("examples", pa.int64(), "how many examples it holds"),
        ("production", pa.int64(), "of them from production, regressions among them"),
        ("expert", pa.int64(), "of them expert scenarios"),
        ("adversarial", pa.int64(), "of them adversarial scenarios"),
        ("synthetic", pa.int64(), "of them synthetic scenarios"),
        ("added", pa.int64(), "examples that the release before did not have"),
        ("removed", pa.int64(), "examples of the release before that it does not have"),
        ("target_version", TEXT, "the build whose answers it was measured by"),
        ("verdict", TEXT, "of the gate on those answers: ship, hold or undecided"),
        ("forced_why", TEXT, "why it was released all the same; empty where the verdict is ship"),
        ("accuracy", pa.float64(), "share of examples that are right, 0..1"),
        ("accuracy_low", pa.float64(), "lower end of its interval"),
        ("accuracy_high", pa.float64(), "upper end of its interval"),
        ("caught_rate", pa.float64(), "catching power at the contract's size"),
        ("cry_wolf_rate", pa.float64(), "how often the gate holds where nothing got worse"),
        ("pii_recall", pa.float64(), "of labelled characters of personal data, the share found"),
        ("pii_precision", pa.float64(), "of characters found, the share that is personal data"),
        ("agreement", pa.float64(), "Krippendorff's alpha on the behaviour expected"),
        ("spearman", pa.float64(), "rank correlation of failure rates by slice with production's"),
        ("backtest", pa.float64(), "share of a month's failures near to the dataset of the month before"),
    ),
    ("version",),
)

LAST_SEEN = Table(
    "last_seen",
    "when production last showed something like an example (data/interim/last_seen.csv); holds no text",
    (
        EXAMPLE_ID,
        ("source", TEXT, "production, regression, expert, adversarial or synthetic"),
        ("last_seen", TEXT, "ISO 8601 date of the latest pooled conversation within the threshold; empty where there is none"),
        ("distance", pa.float64(), "to the nearest pooled conversation, 0 (the same text) to 1 (nothing in common)"),
    ),
    ("example_id",),
)

PAIRS = Table(
    "pairs",
    "whether two conversations ask for the same, as a person judged (data/pairs.csv); holds no text",
    (
        EXAMPLE_ID,
        ("other_id", TEXT, "the other conversation's example_id"),
        ("same", TEXT, "yes or no"),
        ("annotator", TEXT, "who said so"),
        ("labelled_at", TEXT, "ISO 8601 date"),
    ),
    ("example_id", "other_id"),
)

RESPONSES = Table(
    "responses",
    "what the target answered to one example in one epoch",
    (
        EXAMPLE_ID,
        ("input_sha", TEXT, "what was asked"),
        ("target_version", TEXT, "the build that answered"),
        ("epoch", pa.int32(), "from 1"),
        ("answer", TEXT, "its text"),
        ("citations", TEXTS, "documents it cites"),
        ("confidence", pa.float64(), "0..1; null where the target gives none"),
        ("behaviour", TEXT, "answer, refuse, escalate, ask_back or degrade; empty where the target does not say"),
        ("tool_calls", TEXT, "JSON list of name and arguments; empty where there is none"),
        (
            "error",
            TEXT,
            "why no answer came, a code: timeout, raised:<type>, bad_response:<field>, not_testable, unhandled_fault, not_recorded, recorded_for_another_input; empty for none",
        ),
    ),
    ("example_id", "epoch"),
)

SCORES = Table(
    "scores",
    "one criterion of one response, judged (metrics/scores.csv); holds no text",
    (
        EXAMPLE_ID,
        ("input_sha", TEXT, "what was asked"),
        ("expectation_sha", TEXT, "what was expected"),
        ("scorer_version", TEXT, "name and version of the scorer"),
        ("target_version", TEXT, "the build that answered"),
        ("epoch", pa.int32(), "from 1"),
        ("criterion", TEXT, "what was judged: a criterion of pipeline/scorers, one of `score.scorers`, or confidence"),
        ("score", pa.float64(), "0..1, 1 is right; null where the response has an error or the scorer failed"),
        (
            "error",
            TEXT,
            "why it could not be judged: the response's code, scorer_raised:<type>, scorer_gave_no_score or score_out_of_range; empty for none",
        ),
    ),
    ("example_id", "epoch", "criterion"),
)

LEDGER = Table(
    "ledger",
    "one judgement that a gate made, kept so that a rerun is pooled with it; holds no text",
    (
        ("dataset_version", TEXT, "the version of the dataset that it was made on"),
        ("members_sha", TEXT, "hash of its examples: ids, inputs and expectations"),
        *SCORES.columns,
    ),
    ("target_version", "epoch", "example_id", "criterion"),
)

BEHAVIOURS = Table(
    "behaviours",
    "what one response did, beside what it should have done (metrics/plots/behaviour.csv); holds no text",
    (
        EXAMPLE_ID,
        ("epoch", pa.int32(), "from 1"),
        ("expected", TEXT, "the behaviour expected"),
        ("given", TEXT, "the behaviour shown; no_answer where the response is an error"),
    ),
    ("example_id", "epoch"),
)

ALL = (
    PAIRS,
    RECORDS,
    REJECTS,
    POOL,
    PARTITIONS,
    LEFT_OUT,
    MASKED,
    ERASED,
    KEYS,
    CANDIDATES,
    TAGS,
    LABELS,
    TASKS,
    EXPECTATIONS,
    QUEUE,
    WANTED,
    HISTORY,
    LAST_SEEN,
    EXAMPLES,
    MEMBERS,
    RESPONSES,
    SCORES,
    LEDGER,
    BEHAVIOURS,
)
