"""Stage `report`: everything that a build measured, on one page: `reports/dashboard.html`.

In: the figures of metrics/, the dataset, the answers and their scores, the contract. Out: one file that needs no network and no other
file. Texts on it are those of the dataset, with surrogates.

What can never happen: a request to anywhere; a text that could end a script or a tag; other bytes for the same input; a decision
that the gate would not take.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from pipeline import pages, params, schema, stage, tables
from pipeline.allocation import quotas
from pipeline.decision.verdict import status
from pipeline.gating import report as gate_report
from pipeline.gating.dataset import read
from pipeline.gating.verdict import Outcome, recorded
from pipeline.measures import RIGHT
from pipeline.paths import EXAMPLES, FEEDBACK, HISTORY, MEMBERS, METRICS, MONITOR, PLOTS, REPORTS, RESPONSES, SCORES
from pipeline.reporting import sections
from pipeline.scorers import Criteria

PAGE = REPORTS / "dashboard.html"
MOST_EXAMPLES = 2000
"""More would make the page slow; those that fail come first."""
VEGA_LITE = "6.4"
READ = {
    "metrics": METRICS / "metrics.json", "coverage": METRICS / "coverage.json", "labels": METRICS / "labels.json", "power": METRICS / "power.json",
    "pii": METRICS / "pii.json", "leaks": METRICS / "anonymize.json", "validation": METRICS / "validation.json", "monitor": MONITOR, "feedback": FEEDBACK,
}  # fmt: skip
PLOTTED = {name: PLOTS / f"{name}.json" for name in ("coverage", "slices", "power", "alignment")}


def examples(found: pd.DataFrame, responses: pd.DataFrame, scores: pd.DataFrame, criteria: Criteria) -> list[dict[str, Any]]:
    """A row an example, those that fail first: id, source, tags, input, answer, expectation, verdict and why. Of several epochs the
    first answer is shown, and the verdict is that of all."""
    deciding = [name for name, criterion in criteria.items() if criterion.decides]
    judged = scores[scores["criterion"].isin(deciding)]
    why: dict[str, list[str]] = {}
    for row in judged.sort_values(["example_id", "criterion", "epoch"]).to_dict("records"):
        if row["error"]:
            why.setdefault(row["example_id"], []).append(f"{row['criterion']}: {row['error']}")
        elif row["score"] < RIGHT:
            why.setdefault(row["example_id"], []).append(f"{row['criterion']} {row['score']:.2f}")
    errors = set(judged.loc[judged["error"] != "", "example_id"])
    answers = responses[responses["epoch"] == responses["epoch"].min()].set_index("example_id") if len(responses) else responses
    rows = []
    for row in found.sort_values("example_id").to_dict("records"):
        example_id = row["example_id"]
        given = answers.loc[example_id] if example_id in answers.index else None
        verdict = "error" if example_id in errors else "wrong" if example_id in why else "right"
        rows.append(
            {
                "id": example_id,
                "source": row["source"],
                "tags": sorted(f"{name}={value}" for name, values in row["tags"].items() for value in values.split("+") if value),
                "input": [(message["role"], message["content"]) for message in row["input"]],
                "answer": "" if given is None else given["answer"] or f"({given['error'] or 'empty'})",
                "behaviour": "" if given is None else given["behaviour"],
                "expected": expected(row),
                "verdict": verdict,
                "why": list(dict.fromkeys(why.get(example_id, []))),
            }
        )
    order = {"wrong": 0, "error": 1, "right": 2}
    return sorted(rows, key=lambda one: (order[one["verdict"]], one["id"]))


def expected(row: Mapping[str, Any]) -> list[str]:
    """What is expected of an answer, in words."""
    told = [f"behaviour: {row['expected_behaviour']}"] if row["expected_behaviour"] else []
    told += [f"says: {' / '.join(wordings)}" for wordings in row["must_include"]]
    told += [f"does not say: {phrase}" for phrase in row["must_not_include"]]
    told += [f"reference ({row['answer_match'] or 'contains'}): {row['answer']}"] if row["answer"] else []
    told += [f"matches: {pattern}" for pattern in row["regex"]]
    told += ["is JSON of a schema"] if row["json_schema"] else []
    return told + [f"cites: {document}" for document in row["citations"]]


def verdict(outcome: Outcome) -> dict[str, Any]:
    """What stands at the top of the page."""
    clauses = [
        {
            "name": clause.name, "slice": clause.slice, "metric": clause.metric, "n": found.n, "value": found.value, "low": found.low, "high": found.high,
            "threshold": f"{'at least' if clause.at_least is not None else 'at most'} {clause.at_least if clause.at_least is not None else clause.at_most:g}",
            "probability": found.probability, "status": status(found.probability, outcome.q), "why": clause.why,
        }
        for clause, found in zip(outcome.dataset.contract.clauses, outcome.clauses.clauses, strict=True)
    ] if outcome.clauses is not None and outcome.q is not None else []  # fmt: skip
    return {
        "decision": outcome.decision,
        "target": outcome.run.target_version,
        "question": outcome.dataset.contract.decision.question,
        "sentences": gate_report.sentences(outcome),
        "clauses": clauses,
    }


def as_json(value: Any) -> Markup:
    """JSON that may stand in a script: nothing in it can end one."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def render(name: str, head: dict[str, Any], parts: list[sections.Section], rows: list[dict[str, Any]], todo: list[str]) -> str:
    """The page."""
    specs = {key: spec for part in parts for key, spec in part.charts.items()}
    return (
        pages.environment()
        .get_template("dashboard.html")
        .render(
            dataset=name, verdict=head, sections=parts, examples=rows[:MOST_EXAMPLES], more=max(0, len(rows) - MOST_EXAMPLES), todo=todo,
            slices=sorted({tag for row in rows for tag in row["tags"]}), specs=as_json(specs),
            bundle=Markup(_bundle().replace("</script", "<\\/script")),
        )
    )  # fmt: skip


def _bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, which vl-convert carries."""
    import vl_convert

    script: str = vl_convert.javascript_bundle(vl_version=VEGA_LITE)  # type: ignore[call-arg]  # its stub forgets a default
    return script


def _json(path: Path) -> Any:
    return tables.read_json(path) if path.is_file() else None


def work() -> str:
    settings = params.load()
    dataset = read(Path(), "", ".", stage.STATE / "gate")
    scores = tables.read_csv(SCORES, schema.SCORES)
    responses = tables.read_parquet(RESPONSES / f"{settings.evaluate.target.version}.parquet", schema.RESPONSES)
    members = tables.read_csv(MEMBERS, schema.MEMBERS)
    releases = tables.read_csv(HISTORY, schema.HISTORY) if HISTORY.is_file() else tables.empty(schema.HISTORY)
    figures, plotted = ({name: _json(path) for name, path in paths.items()} for paths in (READ, PLOTTED))
    outcome = recorded(dataset, scores)
    parts = [
        sections.accuracy(figures["metrics"], plotted["slices"] or []),
        sections.composition(members, quotas(len(members), settings.merge.ratios)),
        sections.coverage(figures["coverage"], plotted["coverage"] or []),
        sections.power(figures["power"], plotted["power"] or []),
        sections.alignment(figures["monitor"], plotted["alignment"] or []),
        sections.agreement(figures["labels"]),
        sections.personal_data(figures["pii"], figures["leaks"]),
        sections.validation(figures["validation"]),
        sections.feedback(figures["feedback"]),
        sections.history(releases),
    ]
    rows = examples(tables.read_parquet(EXAMPLES, schema.EXAMPLES), responses, scores, dataset.criteria)
    todo = sections.todo(figures, outcome.more)
    tables.write_text(PAGE, render(settings.dataset.name, verdict(outcome), parts, rows, todo))
    return f"{PAGE}: {len(rows)} examples, {sum(len(part.charts) for part in parts)} charts, verdict {outcome.decision}"


if __name__ == "__main__":
    stage.run("report", work)
