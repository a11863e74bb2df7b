"""`golden anonymize`: personal data out of any JSON lines, with everything else in them as it was.

A chunk of lines is a partition of the engine: what is found in a line does not depend on its chunk, so neither the number of
workers nor the place where a chunk ends changes a byte. What fails, fails without a text in its message.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import orjson
import typer

from pipeline.errors import InputError
from pipeline.identity import Message, keyed_hash

if TYPE_CHECKING:
    from pipeline.params import Anonymize
    from pipeline.pii.recognizers import Finder
    from pipeline.pii.spans import Span

CHUNK_LINES = 2000
CHUNK_BYTES = 8 << 20
"""A chunk has at most so many lines, and ends with the line that makes it so large."""
AHEAD = 16
AHEAD_BYTES = 64 << 20
"""So many chunks a worker are read before their results are written, and end with the one that makes them so large."""
THRESHOLD = 0.3
"""From which score on the built-in types are personal data where no params.yaml says so."""
ROLE_FIELDS = ("role", "from", "sender", "speaker", "author")
ASSISTANTS = frozenset({"assistant", "agent", "ai", "bot", "chatbot", "model", "support"})
"""Who asks in a conversation, under the first of ROLE_FIELDS that a turn has; everyone else answers. Recognizers read a bare answer
in the light of the question."""
BOM = b"\xef\xbb\xbf"


class Operator(StrEnum):
    placeholder = "placeholder"
    surrogate = "surrogate"
    hash = "hash"
    redact = "redact"


def anonymize(
    source: Annotated[str, typer.Argument(metavar="IN", help="A file of JSON lines, or - for standard input.")],
    out: Annotated[str, typer.Option("--out", metavar="OUT", help="Where the result goes; - for standard output.")],
    text_field: Annotated[
        str, typer.Option("--text-field", help="The field with the text, or with a list of turns that have content or text; may be dotted.")
    ] = "text",
    spans: Annotated[
        bool, typer.Option("--spans", help="Add spans beside the text: what was found, as offsets into the original.")
    ] = False,
    operator: Annotated[
        Operator,
        typer.Option("--operator", help="What takes its place: a numbered placeholder, an invented value, a keyed hash, or nothing."),
    ] = Operator.placeholder,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes that share the work; the result is the same.")] = 1,
) -> None:
    """Replace personal data in any JSON lines; all other fields stay as they are and in their order.

    A line is a conversation: the same person has the same placeholder in it. What counts as personal data says the section
    [bold]anonymize[/bold] of params.yaml, or, where there is none, every built-in type. A line that cannot be read ends the work with its
    number, and OUT is not written (standard output: up to the chunk before). Of a list of turns each turn has its own spans.

    Example: [bold]golden anonymize chats.jsonl --out clean.jsonl --text-field body --spans[/bold]

    Example: [bold]zcat logs.jsonl.gz | golden anonymize - --out - --text-field conversation.turns --operator surrogate > clean.jsonl[/bold]
    """
    from pipeline.engine import map_partitions
    from pipeline.params import Engine

    params, key_file = settings()
    name = "standard input" if source == "-" else source
    how = How(name, text_field, operator, spans, params.model_dump_json(), _key(key_file) if operator is Operator.hash else b"")
    engine = Engine(kind="local" if workers == 1 else "processes", workers=workers)
    lines, found = 0, Counter[str]()
    with _opened(source) as file, _written(out) as written:
        chunks = _chunks(file)
        while ahead := _ahead(chunks, 1 if workers == 1 else workers * AHEAD):
            for content, counts in map_partitions(partial(rewrite, how), ahead, engine, "anonymize"):
                written.write(content)
                found += counts
            written.flush()
            lines += sum(len(chunk.lines) for chunk in ahead)
    kinds = f" ({', '.join(f'{kind} {count:,}' for kind, count in found.most_common())})" if found else ""
    typer.echo(f"{name}: {lines:,} lines, {found.total():,} findings{kinds}", err=out == "-")


def settings() -> tuple["Anonymize", str | None]:
    """What is personal data here, and where the key lies: of params.yaml, else every built-in type and no key."""
    from pipeline import params
    from pipeline.pii.entities import ENTITIES

    if params.PARAMS.is_file():
        loaded = params.load()
        return loaded.anonymize, loaded.intake.key_file
    return params.Anonymize(entities={kind: params.Entity(threshold=THRESHOLD) for kind in ENTITIES}), None


@dataclass(frozen=True)
class How:
    """What to do with every line."""

    source: str
    field: str
    operator: Operator
    with_spans: bool
    params: str
    """The Anonymize model as JSON."""
    key: bytes


@dataclass(frozen=True)
class Chunk:
    first: int
    """The first line's number."""
    lines: list[bytes]


@dataclass(frozen=True)
class Line:
    """A line with places that hold text: each an object of `record` and the name of its field."""

    number: int
    seed: str
    """What surrogates are drawn by: the line's id, else its number."""
    record: dict[str, Any]
    places: list[tuple[dict[str, Any], str]]
    messages: list[Message]


def rewrite(how: How, chunk: Chunk) -> tuple[bytes, Counter[str]]:
    """The chunk's lines as they go out, and how many findings of each type. Blank lines stay."""
    read = [_read(line, number, how) for number, line in enumerate(chunk.lines, chunk.first)]
    wanted = [line for line in read if line is not None]
    try:
        found, written = _anonymized(wanted, how)
    except InputError:
        raise
    except Exception as error:  # its message may quote a text
        kind = type(error).__name__
        raise InputError(f"{how.source}, {_failing(wanted, how)}: cannot be looked at ({kind}); leave it out, or shorten it") from None
    done = iter(written)
    counts = Counter(span.entity_type for of_line in found for spans in of_line for span in spans)
    return b"".join(b"\n" if line is None else next(done) for line in read), counts


def _read(line: bytes, number: int, how: How) -> Line | None:
    """None where the line is blank."""
    if not line.strip():
        return None
    where = f"{how.source}, line {number}"
    record = _object(line, where)
    *parents, name = [how.field] if how.field in record else how.field.split(".")
    holder: Any = record
    for parent in parents:
        holder = holder.get(parent) if isinstance(holder, dict) else None
    if not isinstance(holder, dict) or name not in holder:
        raise InputError(f"{where}: no field {how.field}; name the one that holds the text with --text-field")
    places = list(_places(holder, name, where, how.field))
    if how.with_spans and any("spans" in place for place, _ in places):
        raise InputError(f"{where}: there is a field spans already; rename it, or leave --spans out")
    messages = [{"role": _role(place), "content": place[field]} for place, field in places]
    given = record.get("id")
    return Line(number, given if isinstance(given, str) else str(number), record, places, messages)


def _role(turn: dict[str, Any]) -> str:
    said_by = next((turn[name] for name in ROLE_FIELDS if isinstance(turn.get(name), str)), "")
    return "assistant" if said_by.lower() in ASSISTANTS else "user"


def _object(line: bytes, where: str) -> dict[str, Any]:
    try:
        # Numbers pass as they are written: 1.50, 1e400 and integers of any length.
        record = json.loads(line.decode("utf-8"), parse_int=orjson.Fragment, parse_float=orjson.Fragment, parse_constant=orjson.Fragment)
    except (ValueError, RecursionError):
        raise InputError(f"{where}: not JSON in UTF-8; expected one object a line") from None
    if not isinstance(record, dict):
        raise InputError(f"{where}: not an object; expected one object a line")
    if b"\\u" in line:
        try:
            orjson.dumps(record)
        except TypeError:
            raise InputError(f"{where}: half a character (an escape of D800 to DFFF by itself); expected whole characters") from None
    return record


def _places(holder: dict[str, Any], name: str, where: str, field: str) -> Iterator[tuple[dict[str, Any], str]]:
    value = holder[name]
    if isinstance(value, str):
        yield holder, name
        return
    if value is not None and not isinstance(value, list):
        raise InputError(f"{where}: {field} is neither a text nor a list of turns")
    for place, turn in enumerate(value or ()):
        named = [one for one in ("content", "text") if one in turn] if isinstance(turn, dict) else []
        texts = [one for one in named if turn[one] is not None]
        if not named or len(texts) > 1 or not all(isinstance(turn[one], str) for one in texts):
            raise InputError(f"{where}: {field}[{place}]: expected a turn with either content or text, as a text")
        yield from ((turn, one) for one in texts)


def _anonymized(lines: Sequence[Line], how: How) -> "tuple[list[list[list[Span]]], list[bytes]]":
    from pipeline.pii import timeouts

    with timeouts.raised():
        found = _finder(how.params).find_conversations([line.messages for line in lines])
    return found, [_replaced(line, spans, how) for line, spans in zip(lines, found, strict=True)]


def _failing(lines: Sequence[Line], how: How) -> str:
    """Which line it is that fails by itself."""
    for line in lines:
        try:
            _anonymized([line], how)
        except Exception:  # any error at all: which line it is, is the answer, and its message may quote a text
            return f"line {line.number}"
    return f"lines {lines[0].number} to {lines[-1].number}"


def _replaced(line: Line, spans: "Sequence[Sequence[Span]]", how: How) -> bytes:
    """The line with what takes the place of the findings."""
    originals = [message["content"] for message in line.messages]
    for (holder, name), text, found in zip(line.places, OPERATORS[how.operator](originals, spans, line.seed, how), spans, strict=True):
        holder[name] = text
        if how.with_spans:
            holder["spans"] = [{"start": s.start, "end": s.end, "entity_type": s.entity_type, "score": s.score} for s in found]
    return orjson.dumps(line.record) + b"\n"


def _with_placeholders(texts: Sequence[str], spans: "Sequence[Sequence[Span]]", seed: str, how: How) -> list[str]:
    from pipeline.pii.placeholders import place

    return [text for text, _ in place(texts, spans)]


def _with_surrogates(texts: Sequence[str], spans: "Sequence[Sequence[Span]]", seed: str, how: How) -> list[str]:
    from pipeline.pii.placeholders import place
    from pipeline.pii.surrogates import render, surrogates

    placed = place(texts, spans)
    names = [one.placeholder for _, of_text in placed for one in of_text]
    values = surrogates(seed, names, _patterns(how.params))
    return render([text for text, _ in placed], [of_text for _, of_text in placed], values).texts


def _with_hashes(texts: Sequence[str], spans: "Sequence[Sequence[Span]]", seed: str, how: How) -> list[str]:
    return _filled(texts, spans, lambda kind, surface: f"<{kind}:{keyed_hash(how.key, kind, _spelling(surface))}>")


def _redacted(texts: Sequence[str], spans: "Sequence[Sequence[Span]]", seed: str, how: How) -> list[str]:
    return _filled(texts, spans, lambda kind, surface: "")


OPERATORS: dict[Operator, Callable[[Sequence[str], "Sequence[Sequence[Span]]", str, How], list[str]]] = {
    Operator.placeholder: _with_placeholders,
    Operator.surrogate: _with_surrogates,
    Operator.hash: _with_hashes,
    Operator.redact: _redacted,
}


def _filled(texts: Sequence[str], spans: "Sequence[Sequence[Span]]", value: Callable[[str, str], str]) -> list[str]:
    filled = []
    for text, found in zip(texts, spans, strict=True):
        at, out = 0, ""
        for span in found:
            out, at = out + text[at : span.start] + value(span.entity_type, text[span.start : span.end]), span.end
        filled.append(out + text[at:])
    return filled


def _spelling(surface: str) -> str:
    """The same for two spellings of one number or name: letters and digits alone, in any case."""
    return "".join(character for character in surface.casefold() if character.isalnum())


@cache
def _finder(params: str) -> "Finder":
    """Loaded once a worker."""
    from pipeline.params import Anonymize
    from pipeline.pii import recognizers

    return recognizers.build(Anonymize.model_validate_json(params))


@cache
def _patterns(params: str) -> dict[str, str]:
    from pipeline.params import Anonymize

    return {recognizer.entity_type: recognizer.surrogate for recognizer in Anonymize.model_validate_json(params).recognizers}


def _key(key_file: str | None) -> bytes:
    import os

    from pipeline.identity import load_key

    if key_file is None and "GOLDEN_KEY" not in os.environ:
        raise InputError("--operator hash: no key; set GOLDEN_KEY, or run this where params.yaml names intake.key_file")
    return load_key(key_file or "")


def _chunks(file: BinaryIO) -> Iterator[Chunk]:
    lines: list[bytes] = []
    size, first = 0, 1
    for number, line in enumerate(chain((file.readline().removeprefix(BOM),), file), 1):
        lines.append(line)
        size += len(line)
        if len(lines) == CHUNK_LINES or size >= CHUNK_BYTES:
            yield Chunk(first, lines)
            lines, size, first = [], 0, number + 1
    if any(lines):
        yield Chunk(first, lines)


def _ahead(chunks: Iterator[Chunk], most: int) -> list[Chunk]:
    ahead: list[Chunk] = []
    size = 0
    for chunk in islice(chunks, most):
        ahead.append(chunk)
        size += sum(map(len, chunk.lines))
        if size >= AHEAD_BYTES:
            break
    return ahead


@contextmanager
def _opened(source: str) -> Iterator[BinaryIO]:
    if source == "-":
        yield typer.get_binary_stream("stdin")
        return
    with ExitStack() as stack:
        try:
            file = stack.enter_context(Path(source).open("rb"))
        except OSError as error:
            raise InputError(f"{source}: cannot be read ({error.strerror}); name a file of JSON lines, or - for standard input") from None
        yield file


@contextmanager
def _written(out: str) -> Iterator[BinaryIO]:
    """Standard output, or a file beside OUT that takes its place when everything went well."""
    from pipeline.tables import replacing

    if out == "-":
        yield typer.get_binary_stream("stdout")
        return
    if Path(out).is_dir():
        raise InputError(f"{out}: a folder; name a file")
    try:
        with replacing(Path(out)) as beside, beside.open("wb") as file:
            yield file
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror})") from None
