"""Which conversations may enter the pool. It fails closed: one that cannot be vouched for stays out, by id and with a reason.

Two things keep one out. A recognizer raised an error, or took too long, on one of its texts: nobody knows then what the text holds.
Or the leak audit (pipeline/pii/audit.py) finds something in what the recognizers let through. The rest of a partition is made all
the same. Such a conversation is not masked where the finding stands: what one recognizer overlooked was seldom all, and a person
who reads the reasons adds the recognizer that finds it everywhere.

What can never happen: a text, or a message that may quote one, in a reason, a file or an error.
"""

import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from pipeline import schema, tables
from pipeline.errors import InputError
from pipeline.identity import content_sha, file_sha
from pipeline.params import Anonymize
from pipeline.paths import POOL
from pipeline.pii import timeouts
from pipeline.pii.audit import Allowed, audit_record
from pipeline.rejects import LEFT_OUT

Make = Callable[[pd.DataFrame], pd.DataFrame]
"""Conversations, raw or pooled, to rows of schema.POOL; raises where one of them cannot be looked at."""
NOT_LOOKED_AT = ("recognizer_failed", "recognizer_timed_out")
CODE = ("audit.py", "shapes.py")
"""Files of pipeline/pii that decide what is a leak."""


def admit(records: pd.DataFrame, make: Make, params: Anonymize) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What `make` makes of `records` (schema.RECORDS), and what of it stays out (schema.LEFT_OUT): one or the other for each."""
    allowed = Allowed(tuple(params.allow_list))
    made, failed = looked_at(records, lambda some: _audited(some, make(some), params.metadata, allowed))
    pools = [pool.loc[pool["reason"] == "", schema.POOL.names] for pool in made]
    leaking = [pool.loc[pool["reason"] != "", schema.LEFT_OUT.names] for pool in made]
    return tables.concat(pools, schema.POOL), tables.concat([failed, *leaking], schema.LEFT_OUT)


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


def _audited(records: pd.DataFrame, pool: pd.DataFrame, treated: Mapping[str, str], allowed: Allowed) -> pd.DataFrame:
    """`pool` with the first finding of the audit in each row, as `reason` and `where`; empty for none."""
    raw = {record["example_id"]: record for record in records[["example_id", "messages", "fixtures", "metadata"]].to_dict("records")}
    first = []
    for pooled in pool[["example_id", "messages", "fixtures"]].to_dict("records"):
        record = raw[pooled["example_id"]]
        hidden = {name: value for name, value in record["metadata"].items() if treated.get(name, "redact") != "keep"}
        found = audit_record(record, pooled, hidden, allowed)
        first.append((f"leak_{found[0].kind}", found[0].field) if found else ("", ""))
    return pool.assign(reason=[reason for reason, _ in first], where=[where for _, where in first])


def look_again(pool: pd.DataFrame, make: Make, partition: str) -> pd.DataFrame:
    """What `make` makes of a partition whose raw file is gone.

    Raises InputError where a recognizer fails on one of its conversations: it cannot be made again, so what becomes of it is for a
    person to say.
    """
    made, failed = looked_at(pool, make)
    if len(failed):
        first = failed.iloc[0]
        raise InputError(
            f"{partition}: {len(failed)} of its conversations cannot be looked at and its raw file is gone (first: {first['example_id']},"
            f" {first['reason']}, {first['where']}); correct the recognizer, or run 'golden erase --example-id {first['example_id']}'"
        )
    return tables.concat(made, schema.POOL)


# What stays out of a partition lies beside it


def file_of(partition: str) -> Path:
    return POOL / f"{partition}.rejects.csv"


def read(partition: str) -> pd.DataFrame:
    """What stays out of a partition (schema.LEFT_OUT)."""
    path = file_of(partition)
    return tables.read_csv(path, schema.LEFT_OUT) if path.is_file() else tables.empty(schema.LEFT_OUT)


def write(partition: str, left_out: pd.DataFrame) -> None:
    if len(left_out):
        tables.write_csv(file_of(partition), left_out, schema.LEFT_OUT)
    else:
        file_of(partition).unlink(missing_ok=True)


def is_whole(partition: str) -> bool:
    """Whether every conversation of a partition was looked at; where not, it is made again: what failed may have been this machine."""
    return not read(partition)["reason"].isin(NOT_LOOKED_AT).any()


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
