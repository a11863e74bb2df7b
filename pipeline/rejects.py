"""What does not become a row of the pool, by reason: lines that ingest cannot read, conversations that anonymize leaves out.

Reasons are codes; neither a count nor an error holds a log's content.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.errors import InputError
from pipeline.params import Ingest
from pipeline.paths import RECORDS

REASONS = {
    "blank_line": "the line is empty; not counted against the reject rate",
    "line_too_long": "the line is longer than ingest.max_line_mb",
    "not_utf8": "the bytes are not UTF-8, or a mapped text holds a lone surrogate",
    "not_json": "the line is not JSON; it may be cut off",
    "not_an_object": "the line is JSON, but not an object",
    "not_csv": "the row is not CSV, or has another number of cells than the header",
    "missing_log_id": "nothing at ingest.fields.log_id",
    "missing_time": "nothing at ingest.fields.occurred_at",
    "bad_time": "not ISO 8601 and no seconds or milliseconds since 1970, or outside of 1990 to 2099",
    "missing_turns": "nothing at ingest.fields.turns (or ingest.fields.user)",
    "wrong_type": "a mapped value has the wrong type: an id or text that is not text, turns that are not a list of objects",
    "unknown_role": "a turn's role is neither user, assistant, system or tool nor in ingest.roles",
    "no_user_turn": "no turn of the user has text",
    "duplicate_id": "the id occurred earlier in this file",
    "erased": "data/erased.csv lists the conversation; not counted against the reject rate",
}
NOT_COUNTED = ("blank_line", "erased")
HINTS = {
    "line_too_long": "is ingest.max_line_mb right?",
    "missing_log_id": "is ingest.fields.log_id right?",
    "missing_time": "is ingest.fields.occurred_at right?",
    "bad_time": "is ingest.fields.occurred_at right?",
    "missing_turns": "is ingest.fields.turns (or user) right?",
    "wrong_type": "are the paths in ingest.fields right?",
    "unknown_role": "are ingest.fields.role and ingest.roles right?",
    "no_user_turn": "are ingest.fields.text and ingest.roles right?",
    "duplicate_id": "is ingest.fields.log_id right?",
}


LEFT_OUT = {
    "recognizer_failed": "a recognizer raised an error on one of its texts",
    "recognizer_timed_out": "a pattern took longer than REGEX_TIMEOUT_SECONDS on one of its texts",
    "leak_name": "a word of a name that was replaced stands in another place, or its other half beside its placeholder",
    "leak_metadata": "the value of a metadata field that is not kept stands in it",
    "leak_email": "an e-mail address stands in it",
    "leak_iban": "a bank account number with the right check digits stands in it",
    "leak_card": "a card number with the right check digit stands in it",
    "leak_number": "a number of seven digits or more stands in it",
}
"""Why anonymize leaves a conversation out of the pool (pipeline/admission.py)."""


def to_text(counts: Mapping[str, int]) -> str:
    """`reason=number`, separated by blanks: how files of the pipeline note counts."""
    return " ".join(f"{reason}={number}" for reason, number in sorted(counts.items()))


def from_text(text: str) -> dict[str, int]:
    """The inverse of `to_text`. Raises ValueError for another form."""
    return {reason: int(number) for reason, _, number in (pair.partition("=") for pair in text.split())}


def left_out(text: str) -> Counter[str]:
    """Of a partition's `rejected` (schema.PARTITIONS), the conversations that stay out of the pool."""
    return Counter({reason: number for reason, number in from_text(text).items() if reason in LEFT_OUT})


@dataclass(frozen=True)
class Ingested:
    """What became of one raw file: figures and codes, no content."""

    path: str
    read: int
    kept: int
    sampled_out: int
    rejected: dict[str, int]
    first_lines: dict[str, int]
    """The first line of each reject reason."""
    reused: bool = False

    @classmethod
    def from_note(cls, path: str, note: Mapping[str, str]) -> "Ingested":
        """What `to_note` noted of a file that need not be read again."""
        read, kept, sampled_out = (int(note[name]) for name in ("read", "kept", "sampled_out"))
        return cls(path, read, kept, sampled_out, from_text(note["rejected"]), from_text(note["first_lines"]), reused=True)

    def to_note(self) -> dict[str, str]:
        figures = {name: str(getattr(self, name)) for name in ("read", "kept", "sampled_out")}
        return figures | {name: to_text(getattr(self, name)) for name in ("rejected", "first_lines")}

    @property
    def counted(self) -> int:
        """The lines that the reject rate is a share of."""
        return self.read - sum(self.rejected.get(reason, 0) for reason in NOT_COUNTED)

    @property
    def bad(self) -> int:
        return sum(count for reason, count in self.rejected.items() if reason not in NOT_COUNTED)


def check(files: Sequence[Ingested], ingest: Ingest) -> None:
    """InputError where too few lines became records; what was written stays, and is not read again."""
    bad, counted = sum(file.bad for file in files), sum(file.counted for file in files)
    if not counted:
        raise InputError(
            f"{ingest.path}: no records in {len(files)} file{'s' * (len(files) != 1)}; put logs there or set ingest.path in params.yaml"
        )
    if bad / counted <= ingest.max_reject_rate and bad < counted:
        return
    worst = max(files, key=lambda file: (file.bad / max(file.counted, 1), file.bad))
    reason = max(worst.rejected.keys() - set(NOT_COUNTED), key=lambda code: (worst.rejected[code], code))
    hint = f"; {HINTS[reason]}" if reason in HINTS else "."
    raise InputError(
        f"{worst.path}, line {worst.first_lines[reason]}: {reason} ({REASONS[reason]}){hint}"
        f" This is the first of {worst.rejected[reason]:,} such lines, {worst.bad:,} of {worst.counted:,} in the file are rejected;"
        f" over all files {bad:,} of {counted:,} ({bad / counted:.1%}), ingest.max_reject_rate is {ingest.max_reject_rate:.1%};"
        f" every line is in {RECORDS}/*.rejects.csv"
    )


def summary(files: Sequence[Ingested]) -> str:
    """The line that says what ingest did."""
    rejected: Counter[str] = Counter()
    for file in files:
        rejected.update(file.rejected)
    reasons = ", ".join(f"{reason} {number:,}" for reason, number in sorted(rejected.items(), key=lambda pair: (-pair[1], pair[0])))
    reused, sampled_out = sum(file.reused for file in files), sum(file.sampled_out for file in files)
    return ", ".join(
        [
            f"{len(files):,} file{'s' * (len(files) != 1)}" + (f" ({reused:,} unchanged)" if reused else ""),
            f"{sum(file.kept for file in files):,} records",
            *([f"{sampled_out:,} sampled out"] if sampled_out else []),
            f"{rejected.total():,} rejected" + (f" ({reasons})" if reasons else ""),
        ]
    )
