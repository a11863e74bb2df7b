"""The page that says what was checked, in words: one self-contained file, no script, nothing from the network.

It shows numbers, ids, column names and the suites' own words; no record's content reaches it.
"""

from collections.abc import Sequence
from typing import Any

from pipeline import pages
from pipeline.gx_expectations import Check, Suite


def render(checks: Sequence[Check], suites: Sequence[Suite], dataset: str) -> str:
    """The page as HTML. The same checks give the same bytes."""
    environment = pages.environment()
    tables = [
        {
            "name": suite.name,
            "title": suite.meta.title,
            "rows": [
                {
                    "id": check.id,
                    "description": check.description,
                    "result": result(check),
                    "expected": expected(check, suite.meta.row),
                    "observed": observed(check, suite.meta.row),
                    "rows": check.rows,
                    "more": max(0, int(check.observed or 0) - len(check.rows)) if check.rows else 0,
                }
                for check in checks
                if check.suite == suite.name
            ],
        }
        for suite in suites
    ]
    failed = [
        (check, _finding(check, suite.meta.row)) for suite in suites for check in checks if check.suite == suite.name and not check.holds
    ]
    failed.sort(key=lambda one: one[0].severity != "critical")
    return environment.get_template("validation.html").render(
        dataset=dataset,
        tables=tables,
        failed=failed,
        summary=summary(checks),
        accepted=not any(check.severity == "critical" for check, _ in failed),
    )


def summary(checks: Sequence[Check]) -> str:
    """The whole in one line: `31 checks hold, 1 warning, 0 critical failed`."""
    held, failed = [check for check in checks if check.holds and check.checked], [check for check in checks if not check.holds]
    warnings = sum(check.severity == "warning" for check in failed)
    parts = [
        f"{_count(len(held), 'check')} {'holds' if len(held) == 1 else 'hold'}",
        _count(warnings, "warning"),
        f"{len(failed) - warnings} critical failed",
    ]
    if skipped := sum(check.holds and not check.checked for check in checks):
        parts.append(f"{skipped} had nothing to check")
    return ", ".join(parts)


def result(check: Check) -> str:
    """holds, not checked, warning or failed."""
    if check.holds:
        return "holds" if check.checked else "not checked"
    return "failed" if check.severity == "critical" else "warning"


def expected(check: Check, row: str) -> str:
    """What the check asks for, in words."""
    kwargs = check.kwargs
    if "ratio" in kwargs:
        tolerance = f" ± {_figure(kwargs['tolerance'] * 100)} points" if kwargs.get("tolerance") else ""
        return f"{_figure(kwargs['ratio'], 'share')}{tolerance}"
    if check.type == "expect_table_columns_to_match_set":
        return f"{len(kwargs['column_set'])} columns"
    if check.of is None:
        return _bounds(kwargs, check.unit or (row if "row_count" in check.type else ""))
    return f"every {row}"


def observed(check: Check, row: str) -> str:
    """What the check found, in words."""
    if check.error:
        return f"not judged: {check.error}"
    if check.missing:
        return f"missing: {', '.join(check.missing)}"
    if not check.checked:
        return f"no {row} to look at" if check.of == 0 else "no value to look at"
    if check.of is None:
        unit = check.unit or (row if "row_count" in check.type else "")
        return "all there" if check.observed is None else _figure(check.observed, unit)
    if not check.observed:
        return "the only one" if check.of == 1 else f"all {_figure(check.of)}"
    return f"{_figure(check.observed)} of {_figure(check.of)} {'does' if check.observed == 1 else 'do'} not"


def _finding(check: Check, row: str) -> str:
    found = observed(check, row)
    if check.error or check.missing or not check.checked:
        return found
    if check.of is not None:
        return found.replace(" do", f" {row}s do")
    return f"expected {expected(check, row)}, found {found}"


def _bounds(kwargs: dict[str, Any], unit: str) -> str:
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    if low is None and high is None:
        return ""
    if low == high:
        return _figure(low, unit)
    if high is None:
        return f"at least {_figure(low, unit)}"
    return f"at most {_figure(high, unit)}" if low is None else f"{_figure(low)} to {_figure(high, unit)}"


def _figure(number: Any, unit: str = "") -> str:
    if unit == "share":
        return f"{_figure(float(number) * 100)}\N{NO-BREAK SPACE}%"
    text = f"{number:,.1f}".removesuffix(".0")
    if unit == "days":
        return f"{text} {'day' if text == '1' else 'days'}"
    return _count(text, unit) if unit else text


def _count(number: int | str, noun: str) -> str:
    return f"{number} {noun}" if str(number) == "1" else f"{number} {noun}s"
