"""An outcome as people and machines read it: lines on a screen, a Markdown comment, JUnit, JSON. None holds a text of an example.

The four say the same, since they are made of the same sentences and rows.
"""

import re
import statistics
from collections.abc import Iterator, Sequence
from typing import Any
from xml.etree import ElementTree

from pipeline.decision.regression import Regressions, SliceChange
from pipeline.decision.verdict import status
from pipeline.gating.evidence import threshold
from pipeline.gating.verdict import Outcome
from pipeline.slices import ALL
from pipeline.tabular import as_markdown, cell, in_columns

MARK = "<!-- golden-gate -->"
"""By which a comment is found again, so that a pull request has one."""
EXIT_CODES = {"ship": 0, "hold": 1, "undecided": 2, "error": 3}
SHOWN_IDS = 10
BLAMED = 0.01
"""Slices with less of the blame are lower because they share examples with the others."""
UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


# ---- what there is to say


def sentences(outcome: Outcome) -> list[str]:
    """Why, in the order of what matters."""
    if outcome.decision == "error":
        return [outcome.reason]
    return [*_broke(outcome), *_clauses(outcome), *_not_compared(outcome)]


def _broke(outcome: Outcome) -> Iterator[str]:
    found = outcome.regressions
    if outcome.repeated:
        yield f"zero tolerance: right before, wrong now and twice again when asked once more: {_ids(outcome.repeated)}"
    if outcome.against is None:
        yield "compared with no other build: whether something got worse is not known"
        return
    if found is None or (outcome.difference and not outcome.difference.equal):
        yield f"no example is comparable with {outcome.against}: whether something got worse is not known"
    elif found.found:
        culprits = " and ".join(change.slice for change in _to_blame(found.blamed)[:1])
        yield f"something got worse than {outcome.against}, most likely {culprits or 'everywhere alike'} (p {found.p:.4f})"
    elif not outcome.repeated:
        yield f"nothing got worse than {outcome.against}, as far as {len(outcome.difference.equal) if outcome.difference else 0} examples tell (p {found.p:.2f})"


def _clauses(outcome: Outcome) -> Iterator[str]:
    if outcome.clauses is None or outcome.q is None:
        return
    sure, p = outcome.q, outcome.clauses.probability_all_met
    told = f"all clauses hold with probability {p:.3f}"
    found = status(p, sure)
    if found == "met":
        yield f"{told}; {sure:.3f} is enough to ship"
    elif found == "missed":
        yield f"{told}; {min(sure, 1 - sure):.3f} or less is too little"
    else:
        yield f"{told}: too little to ship (from {sure:.3f}), too much to hold (to {min(sure, 1 - sure):.3f})"
    if outcome.decision == "undecided":
        yield (
            f"{outcome.more:,} more examples, in the present mix, would decide it in four of five cases"
            if outcome.more
            else "more than ten times as many examples would be needed: move a threshold, change the costs, or improve the build"
        )


def _not_compared(outcome: Outcome) -> Iterator[str]:
    change = outcome.difference
    if change is None:
        return
    parts = (
        (change.added, "new"),
        (change.gone, "gone"),
        (change.changed, "with another text or expectation"),
        (change.judged_otherwise, "judged by another scorer"),
    )
    told = ", ".join(f"{len(ids)} {what}" for ids, what in parts if ids)
    if told:
        yield f"the dataset changed as well ({told}): those examples count in the clauses, and are not compared"


def _to_blame(blamed: Sequence[SliceChange]) -> list[SliceChange]:
    return [change for change in blamed if change.suspicion >= BLAMED] or list(blamed)


def _ids(ids: Sequence[str], most: int = SHOWN_IDS) -> str:
    return ", ".join(ids[:most]) + (f" and {len(ids) - most} more" if len(ids) > most else "")


def _rows(outcome: Outcome) -> list[dict[str, Any]]:
    """A row per clause, as JSON has it."""
    if outcome.clauses is None or outcome.q is None:
        return []
    return [
        {
            "name": clause.name,
            "metric": clause.metric,
            "slice": clause.slice,
            "threshold": threshold(clause),
            "at_least": clause.at_least is not None,
            "value": found.value,
            "n": found.n,
            "low": found.low,
            "high": found.high,
            "probability": found.probability,
            "status": status(found.probability, outcome.q),
        }
        for clause, found in zip(outcome.dataset.contract.clauses, outcome.clauses.clauses, strict=True)
    ]


def _wanted(row: dict[str, Any]) -> str:
    return f"{'≥' if row['at_least'] else '≤'} {row['threshold']:.2f}"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _subject(outcome: Outcome) -> str:
    dataset, run = outcome.dataset, outcome.run
    pooled = f", {run.epochs} epochs pooled" if run.epochs > 1 else ""
    unpooled = "" if run.pooled or outcome.decision == "error" else ", not pooled: no ledger"
    return f"{run.target_version} on dataset {dataset.version} ({len(dataset.examples)} examples{pooled}{unpooled})"


# ---- JSON


def as_json(outcome: Outcome) -> dict[str, Any]:
    """The content of `--json`; rates and probabilities are rounded by whoever writes it."""
    found, run, change = outcome.regressions, outcome.run, outcome.difference
    return {
        "decision": outcome.decision,
        "q": outcome.q,
        "probability_all_met": outcome.clauses.probability_all_met if outcome.clauses else None,
        "clauses": _rows(outcome),
        "more_examples_needed": outcome.more,
        "regression_p": found.p if found else None,
        "regressions": [
            {
                "slice": change.slice,
                "n": change.n,
                "before": change.before,
                "after": change.after,
                "p_adjusted": change.p_adjusted,
                "suspicion": change.suspicion,
                "flipped": list(change.lost),
            }
            for change in (found.blamed if found else ())
        ],
        "dataset": {
            "version": outcome.dataset.version,
            "examples": len(outcome.dataset.examples),
            "members_sha": outcome.dataset.members_sha,
        },
        "target": {
            "version": run.target_version,
            "epochs": run.epochs,
            "pooled": run.pooled,
            "latency_ms": round(1000 * statistics.median(run.seconds), 1) if run.seconds else None,
            "latency_p95_ms": round(1000 * _percentile(run.seconds, 0.95), 1) if run.seconds else None,
            "cost": run.cost,
        },
        "against": outcome.against,
        "why": sentences(outcome),
        "warnings": list(outcome.warnings),
        "zero_tolerance": list(outcome.repeated),
        "errors": [{"example_id": one, "epoch": epoch, "error": code} for one, epoch, code in run.errors],
        "not_testable": list(run.not_testable),
        "dataset_changes": None
        if change is None
        else {
            "compared": len(change.equal),
            "added": list(change.added),
            "gone": list(change.gone),
            "changed": list(change.changed),
            "judged_otherwise": list(change.judged_otherwise),
        },
    }


def refused_json(reason: str) -> dict[str, Any]:
    """The same where the gate could not begin."""
    return {"decision": "error", "q": None, "probability_all_met": None, "clauses": [], "more_examples_needed": None, "regression_p": None,
            "regressions": [], "dataset": None, "target": None, "against": None, "why": [reason]}  # fmt: skip


def _percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


# ---- a screen


def lines(outcome: Outcome) -> Iterator[str]:
    yield f"{outcome.decision.upper():<11}{_subject(outcome)}"
    yield f"{'asked':<11}{outcome.dataset.contract.decision.question}"
    for place, sentence in enumerate(sentences(outcome)):
        yield f"{'why' if place == 0 else '':<11}{sentence}"
    for warning in outcome.warnings:
        yield f"{'warning':<11}{warning}"
    if rows := _rows(outcome):
        yield ""
        yield from in_columns([_CLAUSE_HEAD, *([*_clause_cells(row)] for row in rows)])
    if outcome.regressions and outcome.regressions.found:
        yield ""
        yield from in_columns(_changes(outcome.regressions))
        yield from (f"{name:<11}{told}" for name, told in _flipped(outcome, SHOWN_IDS))
    if outcome.run.not_testable:
        yield ""
        yield f"not testable: {_ids(outcome.run.not_testable)}: the target never met the simulated failure (docs/targets.md)"
    if outcome.run.errors:
        yield ""
        yield from in_columns([["example", "epoch", "error"], *([one, str(epoch), code] for one, epoch, code in outcome.run.errors)])


_CLAUSE_HEAD = ["clause", "wanted", "seen", "examples", "95 %", "holds with", ""]
_CHANGE_HEAD = ["got worse", "before", "now", "examples", "lost", "gained", "p", "blame"]


def _clause_cells(row: dict[str, Any]) -> list[str]:
    name = row["name"] if row["metric"] == "accuracy" else f"{row['name']} ({row['metric']})"
    interval = f"{row['low']:.3f}-{row['high']:.3f}"
    return [name, _wanted(row), _figure(row["value"]), str(row["n"]), interval, f"{row['probability']:.3f}", row["status"]]


def _change_cells(change: SliceChange) -> list[str]:
    rates = [f"{change.before:.3f}", f"{change.after:.3f}"]
    return [
        change.slice,
        *rates,
        str(change.n),
        str(len(change.lost)),
        str(len(change.gained)),
        f"{change.p_adjusted:.4f}",
        f"{change.suspicion:.2f}",
    ]


def _changes(found: Regressions) -> list[list[str]]:
    """The slices to blame, and at the end all examples."""
    blamed = _to_blame(found.blamed)
    overall = [change for change in found.slices if change.slice == ALL and change not in blamed]
    return [_CHANGE_HEAD, *(_change_cells(change) for change in [*blamed, *overall])]


def _flipped(outcome: Outcome, most: int = 1_000_000) -> Iterator[tuple[str, str]]:
    """The examples that were lost, and the other slices that are lower by them."""
    blamed = outcome.regressions.blamed if outcome.regressions else ()
    if not blamed:
        return
    first = _to_blame(blamed)[0]
    yield "lost", f"in {first.slice}: {_ids(first.lost, most)}"
    rest = [change.slice for change in blamed if change not in _to_blame(blamed) and change.slice != ALL]
    if rest:
        yield "also lower", f"{', '.join(rest)}: they share these examples"


# ---- Markdown


def markdown(outcome: Outcome) -> str:
    """A comment for a pull request."""
    titles = {"ship": "✅ ship", "hold": "⛔ hold", "undecided": "❔ undecided", "error": "⚠️ no verdict"}
    parts = [
        MARK,
        f"### Golden gate: {titles[outcome.decision]}",
        f"{cell(_subject(outcome))}. *{cell(outcome.dataset.contract.decision.question)}*",
    ]
    parts.append("\n".join(f"- {cell(sentence)}" for sentence in [*sentences(outcome), *(f"warning: {one}" for one in outcome.warnings)]))
    if rows := _rows(outcome):
        parts.append(as_markdown([_CLAUSE_HEAD, *(_clause_cells(row) for row in rows)]))
    if outcome.regressions and outcome.regressions.found:
        parts.append(as_markdown(_changes(outcome.regressions)))
        parts += [f"<details><summary>{name}</summary>\n\n{cell(told)}\n\n</details>" for name, told in _flipped(outcome)]
    if outcome.run.not_testable:
        parts.append(f"Not testable (the target never met the simulated failure): {cell(_ids(outcome.run.not_testable))}")
    if outcome.run.errors:
        rows_of_errors = [["example", "epoch", "error"], *([one, str(epoch), code] for one, epoch, code in outcome.run.errors)]
        parts.append(f"<details><summary>{len(outcome.run.errors)} errors</summary>\n\n{as_markdown(rows_of_errors)}\n\n</details>")
    return "\n\n".join(parts) + "\n"


def refused_markdown(reason: str) -> str:
    return f"{MARK}\n\n### Golden gate: ⚠️ no verdict\n\n- {cell(reason)}\n"


# ---- JUnit


def junit(outcome: Outcome) -> bytes:
    """A test case per clause, one for all together, one for regressions and one for the evaluation; undecided is skipped."""
    suite = ElementTree.Element("testsuite", name="golden gate")
    _case(
        suite,
        "evaluation",
        "error" if outcome.decision == "error" else "passed",
        outcome.reason,
        [_code(error) for error in outcome.run.errors],
    )
    said = {"met": "passed", "missed": "failure", "undecided": "skipped"}
    for row in _rows(outcome):
        told = f"{_figure(row['value'])} of {row['n']}, wanted {_wanted(row)}; holds with {row['probability']:.3f}"
        _case(suite, f"clause {row['name']}", said[row["status"]], told)
    if outcome.clauses is not None and outcome.q is not None:
        _case(suite, "all clauses together", said[status(outcome.clauses.probability_all_met, outcome.q)], "; ".join(_clauses(outcome)))
        broke = (outcome.regressions is not None and outcome.regressions.found) or bool(outcome.repeated)
        known = outcome.regressions is not None
        _case(
            suite,
            "regressions",
            "failure" if broke else "passed" if known else "skipped",
            "; ".join(_broke(outcome)),
            [f"{name}: {told}" for name, told in _flipped(outcome)] if broke else [],
        )
    return _counted(suite)


def refused_junit(reason: str) -> bytes:
    suite = ElementTree.Element("testsuite", name="golden gate")
    _case(suite, "evaluation", "error", reason)
    return _counted(suite)


def _code(error: tuple[str, int, str]) -> str:
    return f"{error[0]}, epoch {error[1]}: {error[2]}"


def _case(suite: ElementTree.Element, name: str, result: str, message: str, details: Sequence[str] = ()) -> None:
    case = ElementTree.SubElement(suite, "testcase", classname="golden.gate", name=_writable(name))
    if result != "passed":
        ElementTree.SubElement(case, result, message=_writable(message)).text = _writable("\n".join(details))


def _counted(suite: ElementTree.Element) -> bytes:
    suite.set("tests", str(len(suite)))
    for name, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        suite.set(attribute, str(len(suite.findall(f"testcase/{name}"))))
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True) + b"\n"


def _writable(text: str) -> str:
    """XML knows no control characters."""
    return UNWRITABLE.sub("", text)
