"""Great Expectations as this pipeline uses it: three expectations of our own, and how a suite is read and run.

In: a suite (`expectations/suites/<table>.json`), a flat frame, the parameters that the suite names. Out: one `Check` for each
expectation. What can never happen: an expectation dropped in silence, one that holds because its bound is null or because there
was nothing to look at, and a value of the frame, beside
rows' ids, in a result.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from math import ceil, floor, isfinite
from numbers import Integral, Real
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeAlias

import great_expectations as gx
import orjson
import pandas as pd
from great_expectations.compatibility.pydantic import ValidationError
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.core.suite_parameters import SuiteParameterDict
from great_expectations.exceptions import GreatExpectationsError
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation, ColumnAggregateExpectation
from great_expectations.expectations.metrics import ColumnAggregateMetricProvider, column_aggregate_value
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider
from great_expectations.expectations.registry import list_registered_expectation_implementations
from pydantic import Field

from pipeline.errors import InputError
from pipeline.yaml_models import Model, build_model

Bound: TypeAlias = float | SuiteParameterDict | None
FUNCTIONS = {"trunc", "round", "now", "timedelta"}
"""What an expression in `$PARAMETER` may name beside parameters."""
SHOWN_ROWS = 5

# Great Expectations logs what it could not read and goes on; what matters of that is an InputError here.
logging.getLogger("great_expectations").setLevel(logging.CRITICAL)


# ---- three expectations of our own


class ColumnValueShare(ColumnAggregateMetricProvider):
    metric_name = "column.value_share"
    value_keys = ("value",)

    @column_aggregate_value(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series, value: Any, **kwargs: Any) -> tuple[int, int]:  # noqa: N805  a classmethod once it is decorated
        return int((column == value).sum()), len(column)


class ExpectColumnValueShareToBeBetween(ColumnAggregateExpectation):
    """The share of rows whose `column` is `value` lies between the bounds."""

    value: str | bool
    min_value: Bound = None
    max_value: Bound = None
    metric_dependencies: ClassVar[tuple[str, ...]] = ("column.value_share",)
    success_keys: ClassVar[tuple[str, ...]] = ("value", "min_value", "max_value")

    def _validate(self, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None) -> dict[str, Any]:
        count, rows = metrics["column.value_share"]
        return _between(count, rows, self._get_success_kwargs())


class ExpectColumnValueShareToMatchRatio(ColumnAggregateExpectation):
    """The share of rows whose `column` is `value` is `ratio`, give or take `tolerance` and the rounding to a whole row."""

    value: str
    ratio: float | SuiteParameterDict
    tolerance: float | SuiteParameterDict = 0.0
    metric_dependencies: ClassVar[tuple[str, ...]] = ("column.value_share",)
    success_keys: ClassVar[tuple[str, ...]] = ("value", "ratio", "tolerance")

    def _validate(self, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None) -> dict[str, Any]:
        count, rows = metrics["column.value_share"]
        kwargs = self._get_success_kwargs()
        # To nine digits: 0.15 * 220 is 33.00000000000001 and must not allow for 34.
        wanted, slack = round(kwargs["ratio"] * rows, 9), round(kwargs["tolerance"] * rows, 9)
        holds = floor(wanted - slack) <= count <= ceil(wanted + slack)
        return {"success": rows > 0 and holds, "result": {"observed_value": count / rows if rows else None}}


class TableColumnSums(TableMetricProvider):
    metric_name = "table.column_sums"
    value_keys = ("part", "whole")

    @metric_value(engine=PandasExecutionEngine)
    def _pandas(  # a classmethod once it is decorated
        cls,  # noqa: N805
        execution_engine: PandasExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any],
    ) -> tuple[float, float]:
        frame, _, _ = execution_engine.get_compute_domain(metric_domain_kwargs, domain_type=MetricDomainTypes.TABLE)
        return float(frame[metric_value_kwargs["part"]].sum()), float(frame[metric_value_kwargs["whole"]].sum())


class ExpectColumnSumShareToBeBetween(BatchExpectation):
    """The sum of column `part` over the sum of column `whole` lies between the bounds."""

    part: str
    whole: str
    min_value: Bound = None
    max_value: Bound = None
    metric_dependencies: ClassVar[tuple[str, ...]] = ("table.column_sums",)
    success_keys: ClassVar[tuple[str, ...]] = ("part", "whole", "min_value", "max_value")

    def _validate(self, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None) -> dict[str, Any]:
        part, whole = metrics["table.column_sums"]
        return _between(part, whole, self._get_success_kwargs())


def _between(part: float, whole: float, kwargs: dict[str, Any]) -> dict[str, Any]:
    if not whole:
        return {"success": False, "result": {"observed_value": None}}
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    holds = (low is None or part >= low * whole - 1e-9) and (high is None or part <= high * whole + 1e-9)
    return {"success": bool(holds), "result": {"observed_value": part / whole}}


# ---- a suite's file


class Meta(Model):
    """What we add to an expectation; Great Expectations carries it through."""

    id: str = Field(pattern=r"^[A-Za-z0-9_-]+(\{[a-z_]+\})?$")
    """The check's name in metrics/validation.json."""
    for_each: str | None = None
    """A list of names; the expectation stands once for each, which replaces `{<for_each>}` in all its texts."""
    unit: Literal["", "share", "days"] = ""
    when_empty: Literal["fails", "not_checked"] = "fails"
    """What it means when there is nothing to look at (no row in the slice, no value in the column)."""
    warning_when: dict[str, list[str]] = {}
    """Parameter to the values under which a failure is only a warning: a policy allows for it."""


class Entry(Model):
    type: str
    description: str
    """What is checked, in words; it stands in reports/validation.html."""
    severity: Literal["critical", "warning"]
    kwargs: dict[str, Any] = {}
    meta: Meta


class SuiteMeta(Model):
    title: str
    row: str
    """What one row is, as a noun."""
    key: str
    """The column that names a row: of those that do not meet an expectation the names are told, and nothing else."""


class Suite(Model):
    name: str
    meta: SuiteMeta
    expectations: list[Entry] = Field(min_length=1)


@dataclass(frozen=True)
class Check:
    """One expectation and what came of it. Holds numbers, ids and column names, no other value of the frame."""

    suite: str
    id: str
    type: str
    kwargs: dict[str, Any]
    """With the parameters' values in place."""
    description: str
    severity: str
    unit: str
    holds: bool
    checked: bool
    """Whether there was anything to look at."""
    observed: float | None
    """The figure that decided; for an expectation of every row the number of rows that do not meet it."""
    of: int | None
    """How many rows were looked at; None for an expectation of the whole table."""
    rows: tuple[str, ...] = ()
    """Names (ids) of the first `SHOWN_ROWS` that do not meet it."""
    missing: tuple[str, ...] = ()
    """Columns that should be there."""
    error: str = ""
    """Why it could not be judged."""


def read_suite(path: Path, names: Mapping[str, list[str]]) -> Suite:
    """A suite's file, its `for_each` entries written out. Raises InputError for the first thing that does not fit."""
    if not path.is_file():
        raise InputError(f"{path}: not there; restore it with 'git checkout -- {path}'")
    try:
        content = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise InputError(f"{path}, line {error.lineno}: not JSON ({error.msg.split(':')[0]})") from None
    suite = build_model(path, content, Suite)
    if suite.name != path.stem:
        raise InputError(f"{path}: name: expected '{path.stem}', as the file is called; found '{suite.name}'")
    entries = [one for entry in suite.expectations for one in _written_out(path, entry, names)]
    ids = [entry.meta.id for entry in entries]
    if twice := sorted({one for one in ids if ids.count(one) > 1}):
        raise InputError(f"{path}: the id {twice[0]} stands twice; give every expectation its own")
    known = list_registered_expectation_implementations()
    for entry in entries:
        if entry.type not in known:
            near = get_close_matches(entry.type, known, n=1)
            raise InputError(f"{path}, {entry.meta.id}: unknown type {entry.type}" + (f"; did you mean {near[0]}?" if near else ""))
    return suite.model_copy(update={"expectations": entries})


def _written_out(path: Path, entry: Entry, names: Mapping[str, list[str]]) -> Iterator[Entry]:
    if (each := entry.meta.for_each) is None:
        yield entry
        return
    if each not in names:
        raise InputError(f"{path}, {entry.meta.id}: for_each: unknown list '{each}'; known: {', '.join(sorted(names))}")
    text = orjson.dumps(entry.model_dump()).decode()
    for name in names[each]:
        yield build_model(f"{path}, {entry.meta.id}", orjson.loads(text.replace(f"{{{each}}}", name)), Entry)


# ---- running it


def run_suite(suite: Suite, frame: pd.DataFrame, parameters: Mapping[str, Any]) -> list[Check]:
    """Every expectation of `suite` on `frame`, in the suite's order.

    Raises InputError where an expectation cannot be read or a parameter has no value: a suite that checks less than it says is
    worse than none.
    """
    where = f"expectations/suites/{suite.name}.json"
    given = {name: _value(parameters, name, f"{where}, {entry.meta.id}") for entry in suite.expectations for name in _named(entry, where)}
    expectations = [
        entry.model_dump(include={"type", "kwargs", "severity"}) | {"meta": {"id": entry.meta.id}} for entry in suite.expectations
    ]
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas(suite.name).add_dataframe_asset(suite.name)
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    # By default a result quotes 20 values that do not fit; none may leave the frame but the rows' names.
    told = {
        "result_format": "COMPLETE",
        "partial_unexpected_count": 0,
        "exclude_unexpected_values": True,
        "unexpected_index_column_names": [suite.meta.key],
        "return_unexpected_index_query": False,
    }
    try:
        gx_suite = gx.ExpectationSuite(name=suite.name, expectations=expectations)
        result = batch.validate(gx_suite, expectation_parameters=given, result_format=told)
    except (ValidationError, GreatExpectationsError, TypeError, ValueError) as error:
        raise InputError(f"{where}: {_which_is_wrong(expectations, given)}: {_first_line(error)}") from None
    found = {one.expectation_config.meta["id"]: one for one in result.results}
    if lost := [entry.meta.id for entry in suite.expectations if entry.meta.id not in found]:
        raise InputError(f"{where}, {lost[0]}: Great Expectations does not accept it; check its type and kwargs")
    return [_check(suite.name, entry, found[entry.meta.id], parameters) for entry in suite.expectations]


def _named(entry: Entry, where: str) -> list[str]:
    """The parameters that an expectation names; an expression (`merge_size * 2`) names what stands in it."""
    names: list[str] = []
    for key, value in entry.kwargs.items():
        if isinstance(value, dict) and set(value) == {"$PARAMETER"}:
            names += sorted(set(re.findall(r"[A-Za-z_]\w*", str(value["$PARAMETER"]))) - FUNCTIONS)
        elif "$PARAMETER" in str(value):
            raise InputError(
                f"{where}, {entry.meta.id}: {key}: a $PARAMETER inside a list or object is not replaced; give the whole value as one"
            )
    return names


def _value(parameters: Mapping[str, Any], name: str, where: str) -> Any:
    if (value := parameters.get(name)) is None:
        near = get_close_matches(name, [known for known, given in parameters.items() if given is not None], n=1)
        raise InputError(f"{where}: no value for $PARAMETER {name}" + (f"; did you mean {near[0]}?" if near else " in params.yaml"))
    return value


def _which_is_wrong(expectations: list[dict[str, Any]], given: Mapping[str, Any]) -> str:
    """The id of the first expectation that cannot be built alone, parameters in place; Great Expectations does not say."""
    for one in expectations:
        kwargs = {key: given.get(value["$PARAMETER"], 1) if _is_parameter(value) else value for key, value in one["kwargs"].items()}
        try:
            if gx.ExpectationSuite(name="one", expectations=[one | {"kwargs": kwargs}]).expectations:
                continue
        except (ValidationError, GreatExpectationsError, TypeError, ValueError):
            pass
        return str(one["meta"]["id"])
    return "an expectation"


def _is_parameter(value: Any) -> bool:
    return isinstance(value, dict) and "$PARAMETER" in value


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _check(suite: str, entry: Entry, result: Any, parameters: Mapping[str, Any]) -> Check:
    error = _exception(result.exception_info)
    details = result.result
    row_wise = "element_count" in details
    seen = details.get("element_count", 0) - (0 if "not_be_null" in entry.type else details.get("missing_count", 0))
    figure = details.get("unexpected_count") if row_wise else details.get("observed_value")
    is_number = isinstance(figure, Real) and isfinite(figure)
    rows = sorted({str(name) for part in details.get("unexpected_index_list") or () for names in part.values() for name in names})
    missing = tuple(details.get("details", {}).get("mismatched", {}).get("missing", ()))
    nothing_to_see = not error and (seen == 0 if row_wise else figure is None or (isinstance(figure, Real) and not is_number))
    excused = nothing_to_see and entry.meta.when_empty == "not_checked"
    softened = any(str(parameters.get(name)) in values for name, values in entry.meta.warning_when.items())
    return Check(
        suite=suite,
        id=entry.meta.id,
        type=entry.type,
        kwargs={key: value for key, value in result.expectation_config.kwargs.items() if key != "batch_id"},
        description=entry.description,
        severity="warning" if softened else entry.severity,
        unit=entry.meta.unit,
        holds=excused or (bool(result.success) and not nothing_to_see),
        checked=not nothing_to_see and not error,
        observed=_number(figure) if is_number and not nothing_to_see else None,
        of=int(seen) if row_wise else None,
        rows=tuple(rows[:SHOWN_ROWS]),
        missing=missing,
        error=error,
    )


def _exception(info: dict[str, Any] | None) -> str:
    """Why an expectation could not be judged, in whichever of two shapes it is told; empty where it was."""
    told = [info] if info and "raised_exception" in info else list((info or {}).values())
    messages = sorted({str(one.get("exception_message") or "unknown error") for one in told if one.get("raised_exception", True)})
    return messages[0].strip().splitlines()[0].removeprefix("Error: ") if messages else ""


def _number(figure: Any) -> float:
    return int(figure) if isinstance(figure, Integral) else float(figure)
