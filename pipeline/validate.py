"""Stage validate: whether the dataset is what it says it is, by Great Expectations.

In: the examples, the list of members, the list of pool partitions, the figures of the leak audit and of the labels, and a suite for
each in `expectations/suites/`. Out: figures (`metrics/validation.json`) and a page (`reports/validation.html`). It exits 0 whatever the
suites find, so that the figures of a failed build are seen in `dvc metrics diff`; `accept` comes last and fails the build. What
can never happen: a record's content in either output. The suites see counts and codes, not texts.
"""

from collections.abc import Iterable, Sequence
from math import ceil
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline import expectations, paths, rejects, schema, stage, tables, validation_page
from pipeline import params as parameters
from pipeline.errors import InputError
from pipeline.expectations import Tagging
from pipeline.expected import can_be_judged
from pipeline.gx_expectations import Check, Suite, read_suite, run_suite
from pipeline.params import LOGGED, SOURCES, Params
from pipeline.rejects import NOT_COUNTED

SUITES = Path("expectations/suites")
TABLES = ("examples", "members", "pool", "leaks", "labels")
"""Each has a suite of its name."""
METRICS = paths.METRICS / "validation.json"
PAGE = paths.REPORTS / "validation.html"
AUDITED = paths.METRICS / "anonymize.json"
LABELLED = paths.METRICS / "labels.json"


def work() -> str:
    params, tagging = parameters.load(), expectations.load_tagging()
    known = {path.stem for path in SUITES.glob("*.json")}
    if unknown := sorted(known - set(TABLES)):
        raise InputError(f"{SUITES}/{unknown[0]}.json: no table of that name; there are suites for {', '.join(TABLES)}")
    names = {"source": list(SOURCES), "dimension": required_dimensions(params, tagging)}
    suites = [read_suite(SUITES / f"{table}.json", names) for table in TABLES]
    examples = tables.read_parquet(paths.EXAMPLES, schema.EXAMPLES)
    members = tables.read_csv(paths.MEMBERS, schema.MEMBERS)
    partitions = tables.read_csv(paths.POOL_CSV, schema.PARTITIONS)
    checks = validate(examples, members, partitions, tables.read_json(AUDITED), tables.read_json(LABELLED), suites, params, tagging)
    tables.write_json(METRICS, figures(checks))
    tables.write_text(PAGE, validation_page.render(checks, suites, params.dataset.name))
    return f"{validation_page.summary(checks)}: {PAGE}"


def validate(
    examples: pd.DataFrame,
    members: pd.DataFrame,
    partitions: pd.DataFrame,
    audited: dict[str, Any],
    labelled: dict[str, Any],
    suites: Sequence[Suite],
    params: Params,
    tagging: Tagging,
) -> list[Check]:
    """What every expectation of `suites` finds, in their order."""
    frames = {
        "examples": examples_frame(examples, members, partitions, tagging),
        "members": members_frame(members, examples),
        "pool": pool_frame(partitions),
        "leaks": leaks_frame(audited),
        "labels": labels_frame(labelled),
    }
    given = suite_parameters(params, pinned=int((examples["source"] == "regression").sum()))
    return [check for suite in suites for check in run_suite(suite, frames[suite.name], given)]


def required_dimensions(params: Params, tagging: Tagging) -> list[str]:
    """Dimensions of which every example has a value: single-valued ones with a default, or that merge stratifies by."""
    return [
        name
        for name, dimension in tagging.dimensions.items()
        if not dimension.multiple and (dimension.default is not None or name in params.merge.stratify_by)
    ]


def suite_parameters(params: Params, pinned: int) -> dict[str, Any]:
    """What a suite may name as `$PARAMETER`: the keys of `merge` and `validate`, joined by `_`.

    Added are a ratio of 0 for a source that `merge.ratios` leaves out, and `merge_grown_size`: the size up to which `pinned`
    regressions may make the dataset grow.
    """
    merge = params.merge.model_dump() | {"ratios": {source: params.merge.ratios.get(source, 0.0) for source in SOURCES}}
    largest_share = min(params.merge.max_pinned_share, merge["ratios"]["production"])
    grown = max(params.merge.size, ceil(round(pinned / largest_share, 9))) if pinned and largest_share else params.merge.size
    return dict(_flat({"merge": merge | {"grown_size": grown}, "validate": params.validate_.model_dump()}))


def _flat(values: dict[str, Any], before: str = "") -> Iterable[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{key}_")
        else:
            yield f"{before}{key}", value


# ---- the frames that the suites see


def examples_frame(examples: pd.DataFrame, members: pd.DataFrame, partitions: pd.DataFrame, tagging: Tagging) -> pd.DataFrame:
    """One row an example, in plain numbers and codes. Of texts there are only lengths.

    Age is counted from the newest conversation of the pool, never from the clock: yesterday's commit validates the same today.
    """
    examples = examples.reset_index(drop=True)
    is_production = examples["source"].isin(LOGGED)
    newest = pd.to_datetime(partitions["last"].where(partitions["last"] != ""), format="ISO8601", utc=True).max()
    age = (newest - pd.to_datetime(examples["occurred_at"], utc=True)) / pd.Timedelta(days=1)
    last_turns = [messages[-1] if messages else {"role": "", "content": ""} for messages in examples["input"]]
    plain = {
        "ratio_source": examples["source"].mask(is_production, "production"),
        "in_members": examples["example_id"].isin(members["example_id"]),
        "n_turns": examples["input"].map(len).astype("int64"),
        "last_role": _codes(turn["role"] for turn in last_turns),
        "last_turn_chars": pd.Series([len(turn["content"].strip()) for turn in last_turns], dtype="int64"),
        "has_expectation": can_be_judged(examples),
        "expected_behaviour": _codes(examples["expected_behaviour"]),
        "fault": _codes(examples["fault"]),
        "age_days": age.where(is_production),
        "unknown_tags": pd.Series([_unknown_tags(tags, tagging) for tags in examples["tags"]], dtype="int64"),
    }
    tags = {f"tag_{name}": _codes(tags.get(name) for tags in examples["tags"]) for name in tagging.dimensions}
    kept = examples[["example_id", "source", "cluster", "input_sha", "expectation_sha", "text_sha"]]
    return kept.assign(**plain, **tags)


def _unknown_tags(tags: dict[str, str], tagging: Tagging) -> int:
    """How many of an example's tag values expectations/tagging.yaml does not list."""
    count = 0
    for name, value in tags.items():
        dimension = tagging.dimensions.get(name)
        values = value.split("+") if dimension is not None and dimension.multiple else [value]
        count += sum(dimension is None or one not in dimension.values for one in values)
    return count


def members_frame(members: pd.DataFrame, examples: pd.DataFrame) -> pd.DataFrame:
    """One row a member; an empty text is missing."""
    members = members.reset_index(drop=True)
    source_of = dict(zip(examples["example_id"], examples["source"], strict=True))
    found = members["example_id"].map(source_of)
    return members.assign(
        slices=_codes(members["slices"]),
        reason=_codes(members["reason"]),
        since=_codes(members["since"]),
        in_examples=members["example_id"].isin(examples["example_id"]),
        same_source=found.isna() | (found == members["source"]),
    )


def pool_frame(partitions: pd.DataFrame) -> pd.DataFrame:
    """One row a pool partition, its lines counted: `counted` are those that the share without rejects is of."""
    counts = [_rejected(partition, text) for partition, text in zip(partitions["partition"], partitions["rejected"], strict=True)]
    rejected = pd.Series([sum(of_one.values()) for of_one in counts], dtype="int64")
    ignored = pd.Series([sum(of_one.get(reason, 0) for reason in NOT_COUNTED) for of_one in counts], dtype="int64")
    counted, not_rejected = partitions["read"] - ignored, partitions["read"] - rejected
    return partitions.drop(columns="rejected").assign(
        counted=counted,
        not_rejected=not_rejected,
        unaccounted=not_rejected - partitions["kept"] - partitions["sampled_out"],
        reject_free_share=(not_rejected / counted.where(counted > 0)).astype("float64"),
    )


def _rejected(partition: str, text: str) -> dict[str, int]:
    try:
        return rejects.from_text(text)
    except ValueError:
        raise InputError(
            f"{paths.POOL_CSV}, {partition}: rejected: expected reason=count, separated by blanks; run 'dvc repro' to write it anew"
        ) from None


def leaks_frame(audited: dict[str, Any]) -> pd.DataFrame:
    """One row for each part of the leak audit: the examples of a source, the control sample, the responses to either."""
    parts = [("examples", f"{source} examples", found) for source, found in audited["examples"].items()]
    parts += [(table, table.replace("_", " "), audited[table]) for table in ("control", "responses", "control_responses")]
    return pd.DataFrame([{"table": table, "part": part, **found} for table, part, found in parts])


def labels_frame(labelled: dict[str, Any]) -> pd.DataFrame:
    """One row for each dimension that people label with values. `agrees` is empty where no agreement is asked for or too few labels
    tell; `dimension` says, where annotators agree too little, what they confuse."""
    rows = [
        {
            "dimension": f"{name} (the standard is unclear here: alpha {found['alpha']:.2f} of {found['needed']:.2f} needed, {_confused(found)})"
            if found.get("reached") is False
            else name,
            "n": found["n"],
            "agrees": found.get("reached"),
            "measured": "reached" in found if "needed" in found else None,
        }
        for name, of_one in labelled["dimensions"].items()
        if (found := of_one.get("agreement")) is not None
    ]
    return pd.DataFrame(rows, columns=["dimension", "n", "agrees", "measured"]).astype({"dimension": "str"})


def _confused(found: dict[str, Any]) -> str:
    most = sorted(found.get("confused", {}).items(), key=lambda one: (-one[1], one[0]))
    return "confused most: " + ", ".join(f"{pair.replace('_or_', ' or ')} {count} times" for pair, count in most)


def _codes(values: Iterable[str | None]) -> pd.Series:
    """Text in which a blank one is missing, as Great Expectations counts missing values."""
    return pd.Series([value if value and value.strip() else None for value in values], dtype="str")


# ---- what comes of it


def figures(checks: Sequence[Check]) -> dict[str, Any]:
    """The checks as `dvc metrics diff` can compare them."""
    failed = [check for check in checks if not check.holds]
    by_suite: dict[str, dict[str, Any]] = {}
    for check in checks:
        entry: dict[str, Any] = {"success": check.holds, "severity": check.severity, "checked": check.checked}
        entry |= {key: value for key, value in (("observed", check.observed), ("of", check.of)) if value is not None}
        entry |= {key: value for key, value in (("error", check.error), ("missing", " ".join(check.missing))) if value}
        by_suite.setdefault(check.suite, {})[check.id] = entry
    return {
        "success": not any(check.severity == "critical" for check in failed),
        "held": sum(check.holds and check.checked for check in checks),
        "not_checked": sum(check.holds and not check.checked for check in checks),
        "failed_critical": sum(check.severity == "critical" for check in failed),
        "failed_warning": sum(check.severity == "warning" for check in failed),
        "checks": by_suite,
    }


if __name__ == "__main__":
    stage.run("validate", work)
