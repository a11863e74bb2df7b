"""What annotators get: sheets to fill in, and tasks and configuration for Label Studio, made from labeling.yaml.

A sheet (schema.TASKS) holds one annotator's questions alone: nobody sees another's label. It holds pooled text, so it lies in
`data/interim/tasks/`, which git ignores.
"""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline import schema, tables
from pipeline.errors import InputError
from pipeline.expectations import LabelDimension, Labeling
from pipeline.identity import stable_order
from pipeline.labeling.reading import SEVERAL, read_file

FOLDER = Path("data/interim/tasks")
NOTE = "note"
CONFIGURATION = "labeling.xml"


def sheets(
    questions: Iterable[tuple[str, str, str]], candidates: pd.DataFrame, written: dict[tuple[str, str], str], standard: Labeling, seed: int
) -> dict[str, pd.DataFrame]:
    """Annotator to sheet (schema.TASKS), in an order of the annotator's own.

    `written`: example and dimension to the text that another wrote and that is to be approved.
    """
    facts = candidates.set_index("example_id")
    rows: dict[str, list[dict[str, Any]]] = {}
    for example_id, dimension, annotator in questions:
        rows.setdefault(annotator, []).append(
            {
                "example_id": example_id,
                "dimension": dimension,
                "value": written.get((example_id, dimension), ""),
                "annotator": annotator,
                "labelled_at": "",
                "standard_version": standard.version,
                "text_sha": facts.at[example_id, "text_sha"],
                "note": "",
                "conversation": "",
            }
        )
    return {annotator: _shuffled(asked, facts, annotator, standard, seed) for annotator, asked in sorted(rows.items())}


def _shuffled(rows: list[dict[str, Any]], facts: pd.DataFrame, annotator: str, standard: Labeling, seed: int) -> pd.DataFrame:
    """Nobody meets the records in the order of another, nor by what they are worth."""
    places = {name: place for place, name in enumerate(standard.dimensions)}
    rows.sort(key=lambda row: (stable_order(seed, annotator, row["example_id"]), places[row["dimension"]]))
    told: set[str] = set()
    for row in rows:
        if row["example_id"] not in told:
            told.add(row["example_id"])
            row["conversation"] = conversation(facts.loc[row["example_id"]])
    return pd.DataFrame(rows, columns=schema.TASKS.names)


def conversation(candidate: Any) -> str:
    """Who said what, a turn a line. A line begins with a role, so that no spreadsheet takes a customer's `=...` for a formula."""
    return "\n".join(f"{turn['role']}: {turn['content']}" for turn in turns(candidate))


def turns(candidate: Any) -> list[dict[str, str]]:
    """The history, and the response that was logged; with what the assistant had at hand before them."""
    at_hand = [{"role": "at hand", "content": candidate["fixtures"]}] if candidate["fixtures"] else []
    logged = [{"role": "logged response", "content": candidate["response"]}] if candidate["response"] else []
    return [*at_hand, *({"role": turn["role"], "content": turn["content"]} for turn in candidate["input"]), *logged]


def write(batch: Path, made: dict[str, pd.DataFrame]) -> None:
    """One sheet for each annotator; rows stay in the order of the sheet."""
    for annotator, sheet in made.items():
        tables.write_bytes(batch / f"{annotator}.csv", as_csv(sheet))


def as_csv(sheet: pd.DataFrame) -> bytes:
    return sheet.to_csv(index=False, lineterminator="\n").encode("utf-8")


def next_batch(folder: Path = FOLDER) -> Path:
    """A folder for the next sheets: 001, 002, ..."""
    numbers = [int(path.name) for path in folder.glob("[0-9]*") if path.name.isdigit()]
    return folder / f"{max(numbers, default=0) + 1:03}"


def given_out(folder: Path = FOLDER) -> list[pd.DataFrame]:
    """All sheets (schema.TASKS), batch after batch."""
    return [read_file(path, schema.TASKS) for path in sorted(folder.glob("[0-9]*/*.csv"))]


def unanswered(given: Sequence[pd.DataFrame], labels: pd.DataFrame, standard: Labeling) -> pd.DataFrame:
    """The rows of sheets (schema.TASKS) to which `labels` (schema.LABELS) hold no label of the same annotator and present meaning.

    A text is left empty where there is nothing to write: whoever answered another question of the record on that sheet is done with it.
    """
    current = [standard.is_current(name, version) for name, version in zip(labels["dimension"], labels["standard_version"], strict=True)]
    key = ["example_id", "dimension", "annotator"]
    answered = pd.MultiIndex.from_frame(labels.loc[current, key])
    texts = [name for name, dimension in standard.dimensions.items() if not dimension.values]
    left = []
    for sheet in given:
        known = sheet[sheet["dimension"].isin(list(standard.dimensions))]
        is_answered = pd.MultiIndex.from_frame(known[key]).isin(answered)
        begun = known["example_id"].isin(known.loc[is_answered, "example_id"])
        left.append(known[~is_answered & ~(begun & known["dimension"].isin(texts))])
    return tables.concat(left, schema.TASKS).drop_duplicates(key)


# ---- Label Studio


def tag_name(dimension: str) -> str:
    """A dimension as Label Studio names a control; dots mean something to it."""
    return dimension.replace(".", "_")


def configuration(standard: Labeling) -> str:
    """The labelling interface as Label Studio reads it: the conversation, and a control for each dimension with its criteria."""
    controls = "\n".join(_control(name, dimension) for name, dimension in standard.dimensions.items())
    return f"""<View>
  <Header value="Labelling standard {escape(standard.version)}"/>
  <Paragraphs name="conversation" value="$conversation" layout="dialogue" nameKey="role" textKey="content"/>
{controls}
  <Header value="Note: why, where it was not plain. Placeholders such as &lt;PERSON_1&gt;, no names, no quotes." size="5"/>
  <TextArea name="{NOTE}" toName="conversation" maxSubmissions="1" editable="true"/>
</View>
"""


def _control(name: str, dimension: LabelDimension) -> str:
    shown = (
        f'  <Header value="{escape(name)}" size="4"/>\n  <Text name="{tag_name(name)}_criteria" value="{escape(dimension.criteria)}"/>\n'
    )
    if not dimension.values:
        return f'{shown}  <TextArea name="{tag_name(name)}" toName="conversation" maxSubmissions="1" editable="true"/>'
    choices = "".join(
        f'\n    <Choice value="{escape(value)}" hint="{escape(criterion)}"/>' for value, criterion in dimension.values.items()
    )
    return (
        f'{shown}  <Choices name="{tag_name(name)}" toName="conversation" choice="single-radio" showInline="true">{choices}\n  </Choices>'
    )


def label_studio(sheet: pd.DataFrame, candidates: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The tasks of one annotator's sheet; a text to approve stands in the control as a prediction."""
    facts = candidates.set_index("example_id")
    for example_id in dict.fromkeys(sheet["example_id"]):
        rows = sheet[sheet["example_id"] == example_id]
        data = {name: str(rows.iloc[0][name]) for name in ("example_id", "annotator", "standard_version", "text_sha")}
        task: dict[str, Any] = {"data": {**data, "asked": list(rows["dimension"]), "conversation": turns(facts.loc[example_id])}}
        if proposed := [_proposed(row["dimension"], row["value"]) for row in rows.to_dict("records") if row["value"]]:
            task["predictions"] = [{"model_version": "to approve", "result": proposed}]
        yield task


def _proposed(dimension: str, text: str) -> dict[str, Any]:
    return {"from_name": tag_name(dimension), "to_name": "conversation", "type": "textarea", "value": {"text": [text]}}


def open_sheets(asked: pd.DataFrame, only: Sequence[str] = ()) -> dict[str, pd.DataFrame]:
    """Annotator to the rows of theirs, in the order of their sheets; of `only` these annotators where some are named."""
    known = sorted(set(asked["annotator"]))
    if missing := [name for name in only if name not in known]:
        raise InputError(
            f"--annotator {missing[0]}: nothing is given out to that name; there are open tasks of {', '.join(known) or 'nobody'}"
        )
    return {name: asked[asked["annotator"] == name] for name in known if not only or name in only}


def texts_to_approve(labels: pd.DataFrame, standard: Labeling) -> dict[tuple[str, str], str]:
    """Example and dimension to the last text that was written, for dimensions whose texts are approved."""
    approved = [name for name, dimension in standard.dimensions.items() if dimension.decision_rule == "approved"]
    last = labels[labels["dimension"].isin(approved)].sort_values("labelled_at", kind="stable")
    return {(str(i), str(name)): str(value) for i, name, value in zip(last["example_id"], last["dimension"], last["value"], strict=True)}


def joined(texts: Sequence[str]) -> str:
    """Several entries of one text area as one value."""
    return SEVERAL.join(text.strip() for text in texts if text.strip())
