"""What a log file seems to hold, from its first records: where id, turns, roles, time and outcome are.

Every finding is a proposal that a person checks. What is shown of a file are keys, kinds, lengths and counts, and of fields with a few
short values (roles, outcomes) those values; never a text.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline import readers
from pipeline.errors import InputError
from pipeline.readers.mapping import is_time
from pipeline.readers.raw import Limits

LOOKED_AT = 500
"""Records that are read."""
MOST_OF_A_LINE = 16 * 2**20
"""Bytes; a longer record is passed over."""
FEW = 8
"""A field with at most so many different values may say how a conversation ended."""
SHORT = 24
"""A longer value is a text, and is not shown."""

IDS = (
    "conversation_id",
    "convo_id",
    "dialogue_id",
    "dialog_id",
    "session_id",
    "thread_id",
    "chat_id",
    "trace_id",
    "request_id",
    "log_id",
    "id",
    "uuid",
)
TIMES = ("created_at", "started_at", "start_time", "timestamp", "occurred_at", "started", "created", "date", "time", "start")
ROLES = ("role", "from", "speaker", "author", "sender", "actor", "type")
TEXTS = ("text", "content", "message", "utterance", "body", "value")
USER = ("user", "customer", "client", "human", "caller", "guest", "inquirer", "usr", "person", "visitor", "patient")
ASSISTANT = (
    "assistant",
    "agent",
    "bot",
    "ai",
    "operator",
    "advisor",
    "support",
    "model",
    "system_agent",
    "gpt",
    "chatbot",
    "representative",
)
USERS_TURN = ("question", "prompt", "input", "user", "query", "request", "user_message")
ASSISTANTS_TURN = ("answer", "response", "output", "assistant", "completion", "reply", "assistant_message")
OUTCOMES = re.compile(r"status|outcome|rating|thumb|feedback|resolved|escalat|handed|csat|success|satisf", re.IGNORECASE)
BAD = re.compile(r"down|escal|error|fail|abandon|unresolved|bad|negative|hand|dissatis", re.IGNORECASE)


@dataclass(frozen=True)
class Sniffed:
    """What a file seems to hold; paths are those of `ingest.fields`."""

    records: int
    log_id: str = ""
    occurred_at: str = ""
    turns: str = ""
    role: str = ""
    text: str = ""
    user: str = ""
    assistant: str = ""
    roles: Mapping[str, str] = field(default_factory=dict)
    """Role in the log to user, assistant or tool."""
    outcomes: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """Path to its values, the most frequent first, of fields that may say how a conversation ended."""
    others: Sequence[str] = ()
    """Paths of other single values: candidates for metadata."""

    @property
    def lacks(self) -> list[str]:
        """What must be said by hand."""
        lacking = [] if self.log_id else ["log_id"]
        return lacking + ([] if self.turns or self.user else ["turns"])


def sniff(path: Path) -> tuple[Sniffed, list[list[str]]]:
    """What `path` seems to hold, and the shapes of its first three records. Raises InputError for a file that holds no records."""
    records = list(islice(read(path), LOOKED_AT))
    if not records:
        raise InputError(f"{path}: no record could be read; expected JSON lines, CSV or Parquet with a conversation a record")
    return understand(records), [list(shape(one)) for one in records[:3]]


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a log file as they are. Raises InputError for a file of another kind."""
    if not path.is_file():
        raise InputError(f"{path}: not there; name a file of logs")
    if (known := readers.find(path.name)) is None:
        raise InputError(f"{path}: no reader for it by its name ({', '.join(readers.READERS)}, each also .gz); rename it")
    for _, found in known[1](path, Limits(MOST_OF_A_LINE)):
        if isinstance(found, dict):
            yield found


def understand(records: Sequence[Mapping[str, Any]]) -> Sniffed:
    """The proposal for `records`."""
    values = _values(records)
    turns, role, text, roles = _turns(records)
    user, assistant = ("", "") if turns else (_named(values, USERS_TURN), _named(values, ASSISTANTS_TURN))
    log_id = _id(values, len(records))
    occurred_at = _time(values)
    taken = {log_id, occurred_at, user, assistant}
    scalar = {path: found for path, found in values.items() if path not in taken}
    outcomes = {
        path: [value for value, _ in Counter(found).most_common()]
        for path, found in scalar.items()
        if OUTCOMES.search(path) and len(set(found)) <= FEW and all(len(str(value)) <= SHORT for value in found)
    }
    others = [path for path in scalar if path not in outcomes]
    return Sniffed(len(records), log_id, occurred_at, turns, role, text, user, assistant, roles, outcomes, others)


def _values(records: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Path to its values, of everything that is no list."""
    found: dict[str, list[Any]] = {}

    def walk(value: Any, path: str) -> None:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                walk(inner, f"{path}.{key}" if path else str(key))
        elif not isinstance(value, list) and value not in (None, ""):
            found.setdefault(path, []).append(value)

    for record in records:
        walk(record, "")
    return found


def _turns(records: Sequence[Mapping[str, Any]]) -> tuple[str, str, str, dict[str, str]]:
    """Path of the list of turns, role and text in it, and the roles; empty where no list has both."""
    lists: dict[str, list[Mapping[str, Any]]] = {}

    def walk(value: Any, path: str) -> None:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                walk(inner, f"{path}.{key}" if path else str(key))
        elif isinstance(value, list):
            lists.setdefault(path, []).extend(_as_mapping(one) for one in value if isinstance(one, Mapping | list))

    for record in records:
        walk(record, "")
    for path, turns in sorted(lists.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        role, text = _key(turns, (*ROLES, "0")), _key(turns, (*TEXTS, "1"))
        if role and text and role != text:
            named = Counter(str(turn[role]) for turn in turns if turn.get(role) not in (None, ""))
            if 0 < len(named) <= FEW and all(len(name) <= SHORT for name in named):
                return path, role, text, {name: _role(name) for name in sorted(named)}
    return "", "", "", {}


def _as_mapping(turn: Any) -> Mapping[str, Any]:
    """A turn that is a list, such as `["customer", "hello"]`, by its places: that is how a dotted path names them."""
    return turn if isinstance(turn, Mapping) else {str(place): value for place, value in enumerate(turn)}


def _key(turns: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    """The first of `names` that most turns have as a text, whatever its case."""
    held = Counter(key for turn in turns for key, value in turn.items() if isinstance(value, str) and value)
    return next((key for name in names for key in held if key.lower() == name and held[key] >= len(turns) / 2), "")


def _role(name: str) -> str:
    lower = name.lower()
    if any(part in lower for part in USER):
        return "user"
    if any(part in lower for part in ASSISTANT):
        return "assistant"
    return "system" if lower == "system" else "tool"


def _named(values: Mapping[str, list[Any]], names: Sequence[str]) -> str:
    return next((path for name in names for path in values if path.rpartition(".")[2].lower() == name), "")


def _id(values: Mapping[str, list[Any]], count: int) -> str:
    """A path whose values are there, single and different: by its name, else any."""
    unique = [path for path, found in values.items() if len(found) >= 0.9 * count and len(set(map(str, found))) >= 0.9 * len(found)]
    named = [path for name in IDS for path in unique if path.rpartition(".")[2].lower() == name]
    return next(iter([*named, *(path for path in unique if path.lower().endswith("id"))]), "")


def _time(values: Mapping[str, list[Any]]) -> str:
    readable = [path for path, found in values.items() if sum(is_time(value) for value in found) >= 0.9 * len(found)]
    named = [path for name in TIMES for path in readable if path.rpartition(".")[2].lower() == name]
    return next(iter([*named, *(path for path in readable if re.search(r"time|date|_at$", path, re.IGNORECASE))]), "")


def shape(value: Any, path: str = "") -> Iterator[str]:
    """A record as keys, kinds and lengths: `turns: 6 of {from: text 8, text: text 14-120}`."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from shape(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        inner = [one for one in value if isinstance(one, Mapping)]
        keys = sorted({key for one in inner for key in one})
        parts = ", ".join(f"{key}: {_kinds([one[key] for one in inner if key in one])}" for key in keys)
        yield f"{path}: {len(value)}" + (f" of {{{parts}}}" if parts else "")
    else:
        yield f"{path}: {_kinds([value])}"


def _kinds(values: Sequence[Any]) -> str:
    texts = [len(value) for value in values if isinstance(value, str)]
    others = sorted({"nothing" if value is None else type(value).__name__ for value in values if not isinstance(value, str)})
    told = [f"text {min(texts)}-{max(texts)}" if min(texts) != max(texts) else f"text {texts[0]}"] if texts else []
    return " or ".join([*told, *({"int": "number", "float": "number", "bool": "yes/no"}.get(name, name) for name in others)])
