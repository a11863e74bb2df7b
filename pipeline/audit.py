"""Stage `audit`: whether anything that looks like personal data and is no surrogate got into what is kept.

In: the examples, the control sample, the responses to both, `data/pool.csv` and what lies beside the pool's partitions. Out:
`metrics/anonymize.json` (counts by source, kind and field, what anonymize left out of the pool by reason, and what the audit had to
mask in it by kind) and `reports/leaks.csv` (which example, what kind, in which field). It fails nothing: `validate` has a critical
check of its figures. What can never happen: a record's text in either output; an example, an expectation or a response that was not
looked at, whatever its source.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pandas as pd

from pipeline import admission, params, rejects, schema, stage, tables
from pipeline.errors import InputError
from pipeline.paths import CONTROL, CONTROL_RESPONSES, EXAMPLES, METRICS, POOL_CSV, REPORTS, RESPONSES
from pipeline.pii.audit import FIELDS, KINDS, POOL_KINDS, in_example, in_response
from pipeline.rejects import LEFT_OUT

FIGURES = METRICS / "anonymize.json"
LEAKS = REPORTS / "leaks.csv"
COLUMNS = ["table", "source", "example_id", "kind", "field", "count"]


def audit(
    examples: pd.DataFrame, control: pd.DataFrame, responses: pd.DataFrame, control_responses: pd.DataFrame, allow_list: Iterable[str] = ()
) -> pd.DataFrame:
    """What was found: a row of `COLUMNS` for each example, kind and field, with how often.

    Raises InputError for a response to an example that is not there.
    """
    allowed = list(allow_list)
    found: Counter[tuple[str, str, str, str, str]] = Counter()
    for table, asked, answered, answers in (
        ("examples", examples, "responses", responses),
        ("control", control, "control_responses", control_responses),
    ):
        by_id = {example["example_id"]: example for example in asked.to_dict("records")}
        if foreign := sorted(set(answers["example_id"]) - set(by_id)):
            raise InputError(f"{RESPONSES}: holds an answer to {foreign[0]}, which is no example; run 'dvc repro evaluate'")
        for row in by_id.values():
            found.update((table, row["source"], row["example_id"], one.kind, one.field) for one in in_example(row, allowed))
        for response in answers.to_dict("records"):
            example = by_id[response["example_id"]]
            leaks = in_response(response, example, allowed)
            found.update((answered, example["source"], example["example_id"], one.kind, one.field) for one in leaks)
    return pd.DataFrame([(*key, count) for key, count in sorted(found.items())], columns=COLUMNS)


def figures(
    leaks: pd.DataFrame,
    examples: pd.DataFrame,
    control: pd.DataFrame,
    responses: pd.DataFrame,
    control_responses: pd.DataFrame,
    partitions: pd.DataFrame,
    masked: pd.DataFrame,
) -> dict[str, Any]:
    """metrics/anonymize.json: how many texts were looked at and what was found, by source, kind and field; and the pool's sums."""

    def count(**where: str) -> int:
        holds = pd.Series(True, index=leaks.index)
        for column, value in where.items():
            holds &= leaks[column] == value
        return int(leaks.loc[holds, "count"].sum())

    return {
        "leaks": count(),
        "examples": {
            source: {"n": int((examples["source"] == source).sum()), "findings": count(table="examples", source=source)}
            for source in sorted(set(examples["source"]))
        },
        "control": {"n": len(control), "findings": count(table="control")},
        "responses": {"n": len(responses), "findings": count(table="responses")},
        "control_responses": {"n": len(control_responses), "findings": count(table="control_responses")},
        "kinds": {kind: count(kind=kind) for kind in KINDS},
        "fields": {field: count(field=field) for field in FIELDS},
        "pool": pool_figures(partitions, masked),
    }


def pool_figures(partitions: pd.DataFrame, masked: pd.DataFrame) -> dict[str, Any]:
    """What anonymize let into the pool and what it left out, over all of `partitions` (schema.PARTITIONS), and in how many of its
    conversations the audit had to mask something (schema.MASKED), by kind: each is a miss of the recognizers."""
    kinds = masked.drop_duplicates(["example_id", "kind"])["kind"].value_counts()
    by_partition = [rejects.left_out(text) for text in partitions["rejected"]]
    left_out = sum(by_partition, Counter[str]())
    return {
        "kept": int(partitions["kept"].sum()),
        "left_out": left_out.total(),
        "partitions_with_left_out": sum(bool(of_one) for of_one in by_partition),
        "masked": {"conversations": int(masked["example_id"].nunique()), **{kind: int(kinds.get(kind, 0)) for kind in POOL_KINDS}},
        "reasons": {reason: left_out[reason] for reason in LEFT_OUT},
    }


def listed(leaks: pd.DataFrame) -> str:
    """reports/leaks.csv."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(zip(*(leaks[name] for name in COLUMNS), strict=True))
    return out.getvalue()


def work() -> str:
    wanted = params.load()
    examples, control = (tables.read_parquet(path, schema.EXAMPLES) for path in (EXAMPLES, CONTROL))
    answers, of_control = (
        tables.read_parquet(folder / f"{wanted.evaluate.target.version}.parquet", schema.RESPONSES)
        for folder in (RESPONSES, CONTROL_RESPONSES)
    )
    leaks = audit(examples, control, answers, of_control, wanted.anonymize.allow_list)
    tables.write_text(LEAKS, listed(leaks))
    numbers = figures(leaks, examples, control, answers, of_control, tables.read_csv(POOL_CSV, schema.PARTITIONS), admission.masked())
    tables.write_json(FIGURES, numbers)
    looked_at = f"{len(examples)} examples, {len(control)} of the control sample and {len(answers) + len(of_control)} responses looked at"
    return f"{looked_at}: {numbers['leaks'] or 'no'} leak{'s' * (numbers['leaks'] > 1)}" + (f"; which: {LEAKS}" if numbers["leaks"] else "")


if __name__ == "__main__":
    stage.run("audit", work)
