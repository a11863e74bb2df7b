"""Which conversations may enter the pool. It fails closed: one that cannot be vouched for stays out, by id and with a reason.

A recognizer that raised an error, or took too long, on one of its texts keeps a conversation out: nobody knows then what the text
holds. What the leak audit (pipeline/pii/audit.py) finds in what the recognizers let through is masked wherever it stands in that
conversation, and the audit looks again; where it still finds something, the conversation stays out. So a recognizer that is changed
changes texts, and seldom who is in the pool. The rest of a partition is made all the same. What was masked is listed by id, kind and
field beside the partition: each is something that a recognizer missed.

What can never happen: a text, or a message that may quote one, in a reason, a file or an error.
"""

import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pandas as pd

from pipeline import schema, tables
from pipeline.errors import InputError
from pipeline.identity import content_sha, file_sha
from pipeline.params import Anonymize
from pipeline.paths import POOL
from pipeline.pii import timeouts
from pipeline.pii.audit import Allowed, Place, audit_record, missed
from pipeline.rejects import LEFT_OUT

NOT_LOOKED_AT = ("recognizer_failed", "recognizer_timed_out")
CODE = ("audit.py", "entities.py", "shapes.py")
"""Files of pipeline/pii that decide what is a leak."""
ROUNDS = 3
"""How often the audit's findings are masked: a name that was masked may be half of one that now stands out."""
RAW = ["messages", "fixtures", "metadata"]
TEXTS = ["messages", "fixtures"]
Look = Callable[[Mapping[str, Any], Mapping[str, Any]], list[Place]]
"""A raw conversation and its pooled form to what the audit finds."""


class Make(Protocol):
    """Conversations, raw or pooled, to rows of schema.POOL; raises where one of them cannot be looked at."""

    def __call__(self, conversations: pd.DataFrame, /) -> pd.DataFrame: ...


class MakeAnew(Make, Protocol):
    """The same for raw ones, with what the audit missed masked as well: for each conversation text to entity type."""

    def __call__(self, conversations: pd.DataFrame, /, missed: Sequence[Mapping[str, str]] = ()) -> pd.DataFrame: ...


class Admitted(NamedTuple):
    """What became of conversations: each is a row of `pool` or of `left_out`."""

    pool: pd.DataFrame
    """schema.POOL"""
    left_out: pd.DataFrame
    """schema.LEFT_OUT"""
    masked: pd.DataFrame
    """schema.MASKED, of conversations in `pool`"""


def admit(records: pd.DataFrame, make: MakeAnew, params: Anonymize) -> Admitted:
    """What `make` makes of `records` (schema.RECORDS), what of it stays out, and what the audit had to mask."""
    allowed = Allowed(tuple(params.allow_list))

    def look(raw: Mapping[str, Any], pooled: Mapping[str, Any]) -> list[Place]:
        hidden = {name: value for name, value in raw["metadata"].items() if params.metadata.get(name, "redact") != "keep"}
        return audit_record(raw, pooled, hidden, allowed)

    made, failed = looked_at(records, lambda some: _audited(some, make, look))
    vouched = [pool[pool["reason"] == ""] for pool in made]
    leaking = [pool.loc[pool["reason"] != "", schema.LEFT_OUT.names] for pool in made]
    masked = [
        (example_id, *one)
        for pool in vouched
        for example_id, found in zip(pool["example_id"], pool["masked"], strict=True)
        for one in sorted(found)
    ]
    return Admitted(
        tables.concat([pool[schema.POOL.names] for pool in vouched], schema.POOL),
        tables.concat([failed, *leaking], schema.LEFT_OUT),
        pd.DataFrame(masked, columns=schema.MASKED.names),
    )


def looked_at(conversations: pd.DataFrame, make: Make) -> tuple[list[pd.DataFrame], pd.DataFrame]:
    """What `make` makes of those on which no recognizer fails, and the others (schema.LEFT_OUT).

    All at once where that works, else one by one, so that a text does not keep its neighbours out.
    """
    try:
        with timeouts.raised():
            return [make(conversations)], tables.empty(schema.LEFT_OUT)
    except InputError:
        raise
    except Exception as error:  # whatever a recognizer raises; its message is never read, since it may quote a text
        if len(conversations) == 1:
            return [], pd.DataFrame([(conversations["example_id"].iloc[0], *_why(error))], columns=schema.LEFT_OUT.names)
    alone = [looked_at(conversations.iloc[[place]].reset_index(drop=True), make) for place in range(len(conversations))]
    return [pool for made, _ in alone for pool in made], tables.concat([failed for _, failed in alone], schema.LEFT_OUT)


def _why(error: Exception) -> tuple[str, str]:
    if isinstance(error, timeouts.TimedOut):
        return "recognizer_timed_out", str(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    return "recognizer_failed", f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"


def _audited(
    records: pd.DataFrame, make: MakeAnew, look: Look, to_mask: Sequence[Mapping[str, str]] = (), rounds: int = ROUNDS
) -> pd.DataFrame:
    """The pool's rows, what the audit found masked, with the first finding that is left in each as `reason` and `where` (empty for
    none), and the kinds and fields of what was masked as `masked`."""
    pool = make(records, missed=to_mask) if to_mask else make(records)
    rows = zip(records[RAW].to_dict("records"), pool[TEXTS].to_dict("records"), strict=True)
    found = [look(raw, pooled) for raw, pooled in rows]
    pool = pool.assign(
        reason=[f"leak_{places[0].kind}" if places else "" for places in found],
        where=[places[0].field if places else "" for places in found],
        masked=[set() for _ in found],
    )
    leaking = [row for row, places in enumerate(found) if places]
    if not leaking or not rounds:
        return pool
    stands = pool.iloc[leaking][TEXTS].to_dict("records")
    before = [to_mask[row] for row in leaking] if to_mask else [{} for _ in leaking]
    more = [missed(pooled, found[row]) | dict(known) for row, pooled, known in zip(leaking, stands, before, strict=True)]
    again = _audited(records.iloc[leaking].reset_index(drop=True), make, look, more, rounds - 1)
    again["masked"] = [kinds | {(p.kind, p.field) for p in found[row]} for row, kinds in zip(leaking, again["masked"], strict=True)]
    return pd.concat([pool.drop(index=leaking), again.set_axis(leaking)]).sort_index()


def look_again(pool: Iterable[pd.DataFrame], make: Make, partition: str) -> Iterator[pd.DataFrame]:
    """What `make` makes of a partition whose raw file is gone, piece by piece.

    Raises InputError behind the last where a recognizer fails on one of its conversations: it cannot be made again, so what becomes of
    it is for a person to say.
    """
    failing, first = 0, None
    for piece in pool:
        made, failed = looked_at(piece, make)
        failing += len(failed)
        first = failed.iloc[0] if first is None and len(failed) else first
        yield tables.concat(made, schema.POOL)
    if first is not None:
        raise InputError(
            f"{partition}: {failing} of its conversations cannot be looked at and its raw file is gone (first: {first['example_id']},"
            f" {first['reason']}, {first['where']}); correct the recognizer, or run 'golden erase --example-id {first['example_id']}'"
        )


# What stays out of a partition, and what was masked in it, lies beside it


def file_of(partition: str) -> Path:
    return POOL / f"{partition}.rejects.csv"


def masked_file(partition: str) -> Path:
    return POOL / f"{partition}.masked.csv"


def read(partition: str) -> pd.DataFrame:
    """What stays out of a partition (schema.LEFT_OUT)."""
    path = file_of(partition)
    return tables.read_csv(path, schema.LEFT_OUT) if path.is_file() else tables.empty(schema.LEFT_OUT)


def masked() -> pd.DataFrame:
    """What the audit had to mask in the pool's conversations (schema.MASKED)."""
    return tables.concat([tables.read_csv(path, schema.MASKED) for path in sorted(POOL.glob("*.masked.csv"))], schema.MASKED)


@contextmanager
def listing(partition: str) -> Iterator[Callable[[Admitted], None]]:
    """A function that lists what was left out and masked among some of a partition's conversations; the lists are in place when the
    block ends well, each where there is something to list."""
    with (
        tables.csv_in_parts(file_of(partition), schema.LEFT_OUT) as left_out,
        tables.csv_in_parts(masked_file(partition), schema.MASKED) as masked,
    ):

        def add(admitted: Admitted) -> None:
            left_out(admitted.left_out)
            masked(admitted.masked)

        yield add


def reasons(partition: str) -> Counter[str]:
    """How many conversations stay out of a partition, by reason."""
    path = file_of(partition)
    return tables.count_csv(path, schema.LEFT_OUT, "reason") if path.is_file() else Counter()


def is_whole(partition: str) -> bool:
    """Whether every conversation of a partition was looked at; where not, it is made again: what failed may have been this machine."""
    return reasons(partition).keys().isdisjoint(NOT_LOOKED_AT)


def check(left_out: Counter[str], kept: int, max_rate: float) -> None:
    """Raises InputError where more than `max_rate` of all conversations, those that are `kept` among them, stay out."""
    total = left_out.total()
    if total <= max_rate * (kept + total):
        return
    reason, number = left_out.most_common(1)[0]
    raise InputError(
        f"{total:,} of {kept + total:,} conversations stay out of the pool, ingest.max_reject_rate is {max_rate:.1%}; most often"
        f" {reason} ({number:,}: {LEFT_OUT[reason]}); which they are, and where it is: {POOL}/*.rejects.csv"
    )


def fingerprint() -> str:
    """Changes with the audit: a partition that an older one let in is made anew."""
    return content_sha([file_sha(Path(__file__).parent / "pii" / name) for name in CODE])
