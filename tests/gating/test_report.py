import dataclasses
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest

from pipeline.decision.joint import ClausePosterior, Posterior
from pipeline.decision.regression import regressions
from pipeline.gating import dataset, report
from pipeline.gating.asking import Unjudged
from pipeline.gating.baseline import Difference
from pipeline.gating.verdict import Outcome, Run
from tests.gating.small import hundred, lay


@pytest.fixture
def outcome(tmp_path: Path) -> Outcome:
    """Undecided, compared with nothing."""
    lay(tmp_path, hundred()[:4])
    of = dataset.read(tmp_path, "v1", "somewhere", tmp_path)
    found = Posterior((ClausePosterior("overall", 4, 0.75, 0.3, 0.95, 0.4),), 0.4)
    return Outcome("undecided", of, Run("2.0.0", 1, 1, True, [0.1, 0.3, 0.2]), q=0.909, clauses=found, more=120)


def broken(outcome: Outcome) -> Outcome:
    after = [0.0] * 20 + [1.0] * 40
    paired = pd.DataFrame({"example_id": [f"e-{place:02}" for place in range(60)], "before": 1.0, "after": after})
    paired["cluster"] = paired["example_id"]
    members = pd.DataFrame({"topic=beta": [place < 20 for place in range(60)]})
    found = regressions(paired, members, {}, seed=7)
    change = Difference(tuple(paired["example_id"]), (), (), (), ())
    return dataclasses.replace(outcome, decision="hold", regressions=found, against="1.0.0 in the ledger", difference=change)


def test_the_screen_leads_with_the_verdict_and_what_would_decide(outcome: Outcome) -> None:
    shown = list(report.lines(outcome))
    assert shown[0] == "UNDECIDED  2.0.0 on dataset v1 (4 examples)"
    assert any("120 more examples, in the present mix, would decide it in four of five cases" in line for line in shown)
    assert any(line.split() == ["overall", "≥", "0.80", "0.750", "4", "0.300-0.950", "0.400", "undecided"] for line in shown)


def test_where_no_number_would_decide_it_says_what_else_would(outcome: Outcome) -> None:
    assert any("move a threshold" in line for line in report.sentences(dataclasses.replace(outcome, more=None)))


def test_a_held_build_shows_what_broke_and_ten_of_the_ids_on_the_screen_and_all_in_the_comment(outcome: Outcome) -> None:
    held = broken(outcome)
    shown = "\n".join(report.lines(held))
    assert "something got worse than 1.0.0 in the ledger, most likely topic=beta" in shown
    assert "e-09 and 10 more" in shown
    assert "e-19" not in shown
    comment = report.markdown(held)
    assert comment.startswith(report.MARK)
    assert "| topic=beta | 1.000 | 0.000 | 20 | 20 | 0 |" in comment
    assert "e-19" in comment
    assert report.as_json(held)["regressions"][0]["flipped"] == [f"e-{place:02}" for place in range(20)]


def test_junit_has_a_case_for_each_clause_and_undecided_is_skipped(outcome: Outcome) -> None:
    suite = ElementTree.fromstring(report.junit(broken(outcome)))
    cases = {case.get("name"): [child.tag for child in case] for case in suite}
    assert cases == {"evaluation": [], "clause overall": ["skipped"], "all clauses together": ["skipped"], "regressions": ["failure"]}
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("4", "1", "2")


def test_junit_stays_readable_whatever_an_id_holds(outcome: Outcome) -> None:
    odd = dataclasses.replace(outcome.run, errors=[Unjudged("e-\x00\x1b[1m<&", 1, "raised:\ud800")])
    failed = dataclasses.replace(outcome, decision="error", reason="1 answer \x07", run=odd)
    [evaluation, *_] = ElementTree.fromstring(report.junit(failed))
    assert evaluation[0].text == "e-[1m<&, epoch 1: raised:"


def test_a_tables_cells_cannot_break_out_of_the_comment(outcome: Outcome) -> None:
    odd = dataclasses.replace(outcome.run, errors=[Unjudged("a|b\n<img src=x>", 1, "timeout")])
    comment = report.markdown(dataclasses.replace(outcome, decision="error", reason="no", run=odd))
    assert "| a\\|b &lt;img src=x> | 1 | timeout |" in comment


def test_latency_is_the_median_in_milliseconds_and_cost_stands_beside_it(outcome: Outcome) -> None:
    target = report.as_json(dataclasses.replace(outcome, run=dataclasses.replace(outcome.run, cost=0.12)))["target"]
    assert (target["latency_ms"], target["latency_p95_ms"], target["cost"]) == (200.0, 300.0, 0.12)
