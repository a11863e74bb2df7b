"""The door: text that people write and git keeps is refused where it repeats pooled text or holds personal data.

Git history cannot forget; the pool lies in a remote that can. So the values and notes of labels, and the reasons and expectations
of regression entries, may share no eight words in a row with any pooled conversation, and nothing in them may have the shape of
personal data. Who is refused is told file, line or entry, field, and what to do; never the text.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.errors import InputError
from pipeline.params import LOGGED
from pipeline.pii.shapes import Known, kinds_in, known_from
from pipeline.sources import Entry, Regression

IN_A_ROW = 8
SEPARATORS = re.compile(r" [|/] ")
"""Between the items and wordings of a label's value, which are texts of their own."""
LOOKS_LIKE = {"email": "an e-mail address", "iban": "a bank account number", "card": "a card number", "number": "somebody's number"}
_WORD = re.compile(r"<[a-z][a-z0-9_]*_\d+>|[^\W_]+")
"""In lower case; a placeholder is one word."""
_FACTORS = np.array([pow(0x9E3779B97F4A7C15, place, 2**64) for place in range(IN_A_ROW)], dtype="uint64")


@dataclass(frozen=True)
class Written:
    """A text that somebody wrote, and where."""

    where: str
    """File with line or entry, and field."""
    text: str


def check_labels(folder: Path, candidates: pd.DataFrame, allow_list: Iterable[str] = ()) -> None:
    """Refuse a label file whose values or notes may not be in git. `candidates` (schema.CANDIDATES) hold the pooled texts."""
    check(labels_in(folder), pooled_texts(candidates), allow_list)


def check_regressions(entries: Mapping[str, list[tuple[Path, Entry]]], candidates: pd.DataFrame, allow_list: Iterable[str] = ()) -> None:
    """Refuse a regression entry whose reason or expectation may not be in git."""
    check(regressions_in(entries), pooled_texts(candidates), allow_list)


def check(written: Iterable[Written], pooled: Sequence[str], allow_list: Iterable[str] = ()) -> None:
    """Raises InputError for the first of `written` that repeats one of `pooled` or looks like personal data, and says how many more do."""
    written, known = list(written), known_from(allow_list)
    repeats = repeating([one.text for one in written], pooled)
    refused = [(one.where, why) for one, is_repeated in zip(written, repeats, strict=True) if (why := _why(one.text, is_repeated, known))]
    if refused:
        more = f" ({len(refused) - 1} more like it)" if len(refused) > 1 else ""
        raise InputError(f"{refused[0][0]}: {refused[0][1]}{more}")


def _why(text: str, is_repeated: bool, known: Known) -> str:
    if is_repeated:
        return (
            f"repeats {IN_A_ROW} words in a row of a pooled conversation, and git history cannot forget; write it in your own words "
            "and name people and ids by their placeholders"
        )
    if kinds := kinds_in(text, known, reserved=True):
        return (
            f"holds what looks like {LOOKS_LIKE[kinds[0]]}, and git history cannot forget; name its placeholder, such as <PERSON_1>, "
            "or list it in anonymize.allow_list if it is your own"
        )
    return ""


def pooled_texts(candidates: pd.DataFrame) -> list[str]:
    """All turns of the production candidates, one text each."""
    logged = candidates[candidates["source"].isin(LOGGED)]
    turns = [message["content"] for messages in logged["input"] for message in messages]
    return list(dict.fromkeys([*turns, *logged["response"]]))


def labels_in(folder: Path) -> Iterator[Written]:
    """Values and notes of every label file, with the line their row begins on."""
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            line = reader.line_num + 2
            for row in reader:
                line, begins = reader.line_num + 1, line
                for field in ("value", "note"):
                    yield from (Written(f"{path}, line {begins}: {field}", text) for text in SEPARATORS.split(row[field]) if text)


def regressions_in(entries: Mapping[str, list[tuple[Path, Entry]]]) -> Iterator[Written]:
    """Reasons and expectations of the regression entries."""
    for path, entry in entries.get("regression", ()):
        if isinstance(entry, Regression):
            expect = entry.expect
            wordings = [wording for item in expect.must_include for wording in ([item] if isinstance(item, str) else item)]
            fields = {
                "incident_id": [entry.incident_id],
                "reason": [entry.reason],
                "expect.answer": [expect.answer],
                "expect.must_include": wordings,
                "expect.must_not_include": expect.must_not_include,
                "expect.citations": expect.citations,
                "expect.regex": expect.regex,
                "expect.json_schema": [expect.fields["json_schema"]],
            }
            yield from (Written(f"{path}, {entry.id}: {field}", text) for field, texts in fields.items() for text in texts)


def repeating(texts: Sequence[str], pooled: Sequence[str]) -> list[bool]:
    """For each of `texts`: whether it shares `IN_A_ROW` words in a row with one of `pooled`, whatever their case and punctuation.

    Each run of words is one 64-bit number, so that 4,300 conversations take a fraction of a second.
    """
    runs, owner = _runs(texts)
    repeats = np.zeros(len(texts), dtype=bool)
    if len(runs):
        repeats[owner[np.isin(runs, _runs(pooled)[0])]] = True
    return repeats.tolist()


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _runs(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Every run of `IN_A_ROW` words within a text as a number, and which text it is from."""
    words = [_words(text) for text in texts]
    lengths = np.array([len(of_text) for of_text in words], dtype="int64")
    owner = np.repeat(np.arange(len(texts)), lengths)
    flat = np.array([word for of_text in words for word in of_text], dtype=object)
    if len(flat) < IN_A_ROW:
        return np.empty(0, dtype="uint64"), np.empty(0, dtype="int64")
    numbers = pd.util.hash_array(flat)
    starts = len(flat) - IN_A_ROW + 1
    runs = np.zeros(starts, dtype="uint64")
    for place, factor in enumerate(_FACTORS):
        runs += numbers[place : place + starts] * factor
    within = owner[:starts] == owner[IN_A_ROW - 1 :]
    return runs[within], owner[:starts][within]
