import dataclasses
import json
import re
from pathlib import Path

import pandas as pd
import pytest

from pipeline import params as parameters
from pipeline import schema, tables, validate, validation_page
from pipeline.errors import InputError
from pipeline.expectations import Tagging
from pipeline.gx_expectations import read_suite, run_suite
from pipeline.params import SOURCES

ROOT = Path(__file__).parent.parent
TAGGING = Tagging.model_validate(
    {
        "version": "1",
        "dimensions": {
            "category": {"meaning": "what it is about", "values": ["billing", "orders"], "default": "orders"},
            "risk": {"meaning": "what may go wrong", "values": ["pii", "money"], "multiple": True},
            "mood": {"meaning": "where it shows", "values": ["angry"]},
        },
    }
)
SHARES = tuple(f"share_{source}" for source in SOURCES)
SECRET = "zebra-striped umbrella"


def params(**merge):
    base = parameters.load(ROOT / "params.yaml")
    settings = {"size": 10, "ratios": {"production": 0.6, "expert": 0.2, "adversarial": 0.1, "synthetic": 0.1}, "stratify_by": ["category"]}
    own_merge = base.merge.model_copy(update=settings | {"shortfall": "fail", "max_pinned_share": 0.25} | merge)
    limits = {
        "composition_tolerance": 0.0,
        "max_age_days": 60,
        "min_labelled_share": 1.0,
        "min_reject_free_share": 0.95,
        "min_reject_free_share_per_file": 0.8,
    }
    return base.model_copy(
        update={
            "merge": own_merge,
            "validate_": base.validate_.model_copy(update=limits),
            "anonymize": base.anonymize.model_copy(update={"allow_list": []}),
        }
    )


def example(number, source, text=SECRET, **other):
    row = {
        "example_id": f"{source[0]}-{number}",
        "source": source,
        "input": [{"role": "user", "content": f"{text} {number}"}],
        "fixtures": "",
        "fault": "",
        "canary": "",
        "expected_behaviour": "answer",
        "must_include": [],
        "must_not_include": [],
        "answer": "",
        "answer_match": "",
        "answer_tolerance": 0.0,
        "regex": [],
        "json_schema": "",
        "citations": [],
        "tags": {"category": "billing", "risk": "pii+money"},
        "spans": [],
        "surrogates": {},
        "cluster": f"c{number}",
        "occurred_at": pd.Timestamp("2026-03-01", tz="UTC"),
        "inclusion_weight": 1.0,
        "input_sha": f"i{number}",
        "expectation_sha": "e",
        "text_sha": f"t{number}",
    }
    return row | other


def ten(**first):
    sources = ["production"] * 5 + ["regression"] + ["expert"] * 2 + ["adversarial", "synthetic"]
    rows = [example(number, source) for number, source in enumerate(sources)]
    rows[0] |= first
    return pd.DataFrame(rows)


def members_of(examples):
    rows = examples[["example_id", "source"]].assign(slices="category=billing", reason="fills category=billing", since="unreleased")
    return rows[schema.MEMBERS.names]


def pool(**first):
    rows = [
        {
            "partition": f"2026-0{month}",
            "raw": "present",
            "source_sha256": "x",
            "read": 100,
            "kept": 98,
            "rejected": "not_json=1 no_text=1",
            "sampled_out": 0,
            "first": f"2026-0{month}-01T00:00:00Z",
            "last": f"2026-0{month}-28T00:00:00.5Z",
            "key_id": "k",
            "recognizers": "r",
        }
        for month in (1, 3)
    ]
    rows[0] |= first
    return pd.DataFrame(rows)


def audited(**findings):
    """The leak audit's figures, with so many findings in the parts named."""
    names = ("production", "expert", "control", "responses", "control_responses")
    parts = {name: {"n": 10, "findings": findings.get(name, 0)} for name in names}
    return {"examples": {name: parts.pop(name) for name in ("production", "expert")}, **parts}


def labelled(**agreements):
    """The figures of the labels: dimension to its agreement, over one that is fine and one of texts."""
    fine = {"resolved": {"n": 40, "alpha": 0.8, "needed": 0.7, "reached": True}, "privacy": {"n": 40, "alpha": 0.2}}
    return {"dimensions": {**{name: {"agreement": found} for name, found in (fine | agreements).items()}, "expected_answer": {"agreed": 3}}}


def suites(given, tagging=TAGGING):
    names = {"source": list(SOURCES), "dimension": validate.required_dimensions(given, tagging)}
    return [read_suite(ROOT / validate.SUITES / f"{table}.json", names) for table in validate.TABLES]


def checks_of(examples, members=None, partitions=None, given=None, only=(), leaks=None, labels=None):
    """Suite and id to check; of `only` these ids where some are named."""
    given = given or params()
    members = members_of(examples) if members is None else members
    wanted = [
        suite.model_copy(update={"expectations": [entry for entry in suite.expectations if not only or entry.meta.id in only]})
        for suite in suites(given)
    ]
    wanted = [suite for suite in wanted if suite.expectations]
    partitions = pool() if partitions is None else partitions
    found = validate.validate(examples, members, partitions, leaks or audited(), labels or labelled(), wanted, given, TAGGING)
    return {f"{check.suite}.{check.id}": check for check in found}


def failed(checks):
    return {name for name, check in checks.items() if not check.holds}


def test_a_dataset_that_is_what_it_says_it_is_meets_every_check():
    checks = checks_of(ten())
    assert failed(checks) == set()
    assert not any(check.error for check in checks.values())
    assert checks["examples.known_faults"].checked is False
    assert checks["examples.share_production"].observed == 0.6


def test_every_check_can_fail():
    broken = ten(
        source="guessed",
        example_id="r-5",
        input_sha="i1",
        input=[{"role": "assistant", "content": " "}],
        expected_behaviour="guess",
        fault="fire",
        tags={"colour": "red", "mood": "angry"},
    )
    broken.loc[1, "expected_behaviour"] = ""
    broken.at[7, "input"] = []
    broken["occurred_at"] = pd.Timestamp("2025-03-01", tz="UTC")
    broken = pd.concat([broken, pd.DataFrame([example(11, "adversarial", cluster="x")])], ignore_index=True)
    members = members_of(broken).iloc[1:].copy()
    members = pd.concat([members, members.iloc[:1].assign(example_id="p-gone", slices="", reason=" ", since="")], ignore_index=True)
    members.loc[3, "example_id"] = "p-2"
    members.loc[4, "source"] = "expert"
    partitions = pool(partition="2026-03", raw="lost", rejected="not_json=30", recognizers="older")
    never = {"examples.columns", "members.columns", "pool.columns", "pool.has_partitions", "pool.has_records"}
    ratios = {"production": 0.1, "expert": 0.5, "adversarial": 0.0, "synthetic": 0.4}
    unclear = labelled(faithful={"n": 40, "alpha": 0.1, "needed": 0.75, "reached": False}, rude={"n": 2, "needed": 0.75})
    checks = checks_of(
        broken,
        members,
        partitions,
        params(ratios=ratios),
        leaks=audited(expert=1, control=2, responses=3, control_responses=1),
        labels=unclear,
    )
    assert set(checks) - failed(checks) == never
    assert not any(check.error for check in checks.values())


def test_a_single_leak_fails_the_part_it_is_in():
    checks = checks_of(ten(), leaks=audited(expert=1))
    assert failed(checks) == {"leaks.none_in_examples"}
    assert (checks["leaks.none_in_examples"].severity, checks["leaks.none_in_examples"].rows) == ("critical", ("expert examples",))


def test_an_empty_dataset_fails_instead_of_meeting_every_check_for_want_of_rows():
    checks = checks_of(ten().iloc[:0], partitions=pool().iloc[:0])
    assert {
        "examples.size",
        "examples.unique_ids",
        "examples.can_be_judged",
        "members.has_reason",
        "pool.has_partitions",
        "pool.few_rejects",
    } <= failed(checks)


def test_shares_are_met_to_a_whole_example_and_no_further():
    ratios = {"production": 0.55, "expert": 0.25, "adversarial": 0.1, "synthetic": 0.1}
    by_policy = {policy: checks_of(ten(), given=params(ratios=ratios, shortfall=policy), only=SHARES) for policy in ("fail", "fill")}
    assert failed(by_policy["fail"]) == set()
    assert failed(checks_of(ten(), given=params(ratios=ratios | {"production": 0.45, "expert": 0.35}), only=SHARES)) == {
        "examples.share_production",
        "examples.share_expert",
    }


def test_what_the_shortfall_policy_allows_is_a_warning():
    short = ten().drop(index=[1, 2])
    found = {
        policy: checks_of(short, given=params(shortfall=policy), only=("size", "share_production")) for policy in ("fail", "scale", "fill")
    }
    severities = {
        policy: (checks["examples.size"].severity, checks["examples.share_production"].severity) for policy, checks in found.items()
    }
    assert severities == {"fail": ("critical", "critical"), "scale": ("warning", "critical"), "fill": ("critical", "warning")}


def test_a_source_without_a_ratio_must_not_occur():
    given = params(ratios={"production": 0.7, "expert": 0.2, "adversarial": 0.1})
    assert failed(checks_of(ten(), given=given, only=SHARES)) == {"examples.share_production", "examples.share_synthetic"}


def test_pinned_regressions_may_make_the_dataset_grow_and_nothing_else_may():
    assert validate.suite_parameters(params(size=10), pinned=2)["merge_grown_size"] == 10
    assert validate.suite_parameters(params(size=10), pinned=3)["merge_grown_size"] == 12
    assert failed(checks_of(ten(), given=params(size=9), only=("size",))) == {"examples.size"}


def test_age_is_counted_from_the_newest_conversation_of_the_pool():
    assert checks_of(ten(), only=("fresh",))["examples.fresh"].observed == pytest.approx(27.0, abs=0.01)
    old = ten().assign(occurred_at=pd.Timestamp("2025-12-01", tz="UTC"))
    assert failed(checks_of(old, only=("fresh",))) == {"examples.fresh"}
    old.loc[8, "occurred_at"] = pd.Timestamp("2026-03-28", tz="UTC")
    assert failed(checks_of(old, only=("fresh",))) == {"examples.fresh"}, "an authored example is no sign of life"
    timeless = checks_of(ten().assign(occurred_at=pd.Series([pd.NaT] * 10).dt.tz_localize("UTC")), only=("fresh",))["examples.fresh"]
    assert (timeless.holds, timeless.checked) == (True, False)


def test_blank_lines_and_erased_conversations_count_against_nothing():
    frame = validate.pool_frame(pool(read=20, kept=6, sampled_out=0, rejected="blank_line=3 erased=7 leak_number=1 not_json=3"))
    assert frame[["counted", "not_rejected", "unaccounted"]].iloc[0].tolist() == [10, 6, 0]
    assert frame["reject_free_share"].iloc[0] == 0.6


def test_a_dimension_on_which_annotators_agree_too_little_fails_and_the_page_says_what_they_confuse():
    unclear = {"n": 40, "alpha": 0.412, "needed": 0.75, "reached": False, "confused": {"no_or_yes": 3, "answer_or_ask_back": 9}}
    checks = checks_of(ten(), only=("agreement", "measured"), labels=labelled(faithful=unclear))
    assert failed(checks) == {"labels.agreement"}
    assert (checks["labels.agreement"].severity, checks["labels.agreement"].observed, checks["labels.agreement"].of) == ("critical", 1, 2)
    page = validation_page.render(list(checks.values()), suites(params()), "shop")
    assert (
        "faithful (the standard is unclear here: alpha 0.41 of 0.75 needed, confused most: answer or ask_back 9 times, no or yes 3 times)"
        in page
    )


def test_an_agreement_of_too_few_examples_fails_nothing_and_warns():
    checks = checks_of(ten(), only=("agreement", "measured"), labels=labelled(faithful={"n": 3, "alpha": 0.1, "needed": 0.75}))
    assert failed(checks) == {"labels.measured"}
    assert checks["labels.measured"].severity == "warning"


def test_without_labels_there_is_no_agreement_to_check():
    checks = checks_of(ten(), only=("agreement", "measured"), labels={"dimensions": {}})
    assert [(check.holds, check.checked) for check in checks.values()] == [(True, False)] * 2


def test_the_suites_see_no_text_and_the_outputs_hold_none():
    examples = ten(
        input=[{"role": "user", "content": f"{SECRET} <PERSON_1> jo@corp.io 12345678"}], expected_behaviour="", tags={"category": SECRET}
    )
    given = params()
    frame = validate.examples_frame(examples, members_of(examples), pool(), TAGGING)
    assert SECRET not in frame.drop(columns="tag_category").to_csv()
    checks = list(checks_of(examples, given=given).values())
    assert {"can_be_judged", "known_tags"} == {c.id for c in checks if not c.holds}
    page = validation_page.render(checks, suites(given), "shop")
    for output in (page, json.dumps(validate.figures(checks))):
        assert not [text for text in (SECRET, "corp.io", "12345678") if text in output]
    assert "p-0" in page, "an id leads to the record"


def test_single_valued_dimensions_with_a_default_or_a_stratum_are_required():
    assert validate.required_dimensions(params(), TAGGING) == ["category"]
    assert validate.required_dimensions(params(stratify_by=["mood", "risk"]), TAGGING) == ["category", "mood"]


def test_every_check_has_a_description_and_an_id_that_metrics_can_carry():
    for suite in suites(params()):
        assert all(re.fullmatch(r"[A-Za-z0-9_-]+", entry.meta.id) and len(entry.description) > 10 for entry in suite.expectations)
        assert not any("{" in entry.description for entry in suite.expectations)


GOOD = {
    "type": "expect_table_row_count_to_be_between",
    "description": "it has rows",
    "severity": "critical",
    "kwargs": {"min_value": 1},
    "meta": {"id": "rows"},
}


def suite_with(folder, *changes):
    path = folder / "examples.json"
    entries = [{**GOOD, **change} for change in changes]
    path.write_text(json.dumps({"name": "examples", "meta": {"title": "t", "row": "row", "key": "a"}, "expectations": entries}))
    return run_suite(read_suite(path, {"source": ["x", "y"]}), pd.DataFrame({"a": ["one"]}), {"size": 3, "nothing": None})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"type": "expect_table_row_count_to_be_betwen"}, "did you mean expect_table_row_count_to_be_between"),
        ({"severity": "critcal"}, "severity"),
        ({"descripton": "x"}, "did you mean 'description'"),
        ({"meta": {}}, "meta.id: missing"),
        ({"meta": {"id": "a b"}}, "meta.id"),
        ({"meta": {"id": "rows", "for_each": "sauce"}}, "unknown list 'sauce'"),
        ({"kwargs": {"min_valu": 1}}, "examples.json: rows: "),
        ({"kwargs": {"min_value": {"$PARAMETER": "sise"}}}, r"no value for \$PARAMETER sise; did you mean size"),
        ({"kwargs": {"min_value": {"$PARAMETER": "nothing"}}}, r"no value for \$PARAMETER nothing"),
        ({"kwargs": {"min_value": [{"$PARAMETER": "size"}]}}, "inside a list or object is not replaced"),
        ({"kwargs": {"min_value": "many"}}, "examples.json: rows: "),
    ],
)
def test_a_suite_that_cannot_be_read_as_it_is_meant_is_one_line(tmp_path, change, says):
    with pytest.raises(InputError, match=says) as caught:
        suite_with(tmp_path, change)
    assert "\n" not in str(caught.value)


def test_an_id_that_stands_twice_and_an_empty_suite_are_refused(tmp_path):
    with pytest.raises(InputError, match="the id rows stands twice"):
        suite_with(tmp_path, {}, {})
    with pytest.raises(InputError, match="expectations"):
        suite_with(tmp_path)
    (tmp_path / "examples.json").write_text("{\n,}")
    with pytest.raises(InputError, match="line 2: not JSON"):
        read_suite(tmp_path / "examples.json", {})


def test_expressions_of_parameters_are_computed(tmp_path):
    (check,) = suite_with(tmp_path, {"kwargs": {"min_value": {"$PARAMETER": "size - 2"}}})
    assert check.holds


def test_an_expectation_that_cannot_be_judged_fails_and_says_why(tmp_path):
    no_column = {"type": "expect_column_values_to_be_between", "kwargs": {"column": "b", "max_value": 1}}
    wrong_type = {"type": "expect_column_values_to_be_between", "kwargs": {"column": "a", "max_value": 1}, "meta": {"id": "type"}}
    checks = suite_with(tmp_path, no_column, wrong_type)
    assert [(check.holds, check.checked) for check in checks] == [(False, False)] * 2
    assert 'column "b"' in checks[0].error
    assert "same type" in checks[1].error


def write_inputs(folder, examples, given_suites=True):
    tables.write_parquet(
        folder / "data/golden/examples.parquet",
        examples.assign(occurred_at=examples["occurred_at"].astype("datetime64[us, UTC]")),
        schema.EXAMPLES,
    )
    tables.write_csv(folder / "data/golden/members.csv", members_of(examples), schema.MEMBERS)
    tables.write_csv(folder / "data/pool.csv", pool(), schema.PARTITIONS)
    tables.write_json(folder / "metrics/anonymize.json", audited())
    tables.write_json(folder / "metrics/labels.json", labelled())
    for table in validate.TABLES:
        tables.write_bytes(folder / f"expectations/suites/{table}.json", (ROOT / f"expectations/suites/{table}.json").read_bytes())


def test_the_stage_writes_the_same_figures_and_page_each_time(tmp_path, monkeypatch):
    write_inputs(tmp_path, ten(source="expert"))
    monkeypatch.chdir(tmp_path)
    given = params()
    monkeypatch.setattr(parameters, "load", lambda: given)
    monkeypatch.setattr(validate.expectations, "load_tagging", lambda: TAGGING)
    line = validate.work()
    assert re.fullmatch(r"\d+ checks hold, \d+ warnings?, 2 critical failed, \d+ had nothing to check: reports/validation.html", line)
    first = [path.read_bytes() for path in (validate.METRICS, validate.PAGE)]
    assert validate.work() == line
    assert [path.read_bytes() for path in (validate.METRICS, validate.PAGE)] == first
    figures = tables.read_json(validate.METRICS)
    assert (figures["success"], figures["failed_critical"]) == (False, 2)
    assert figures["checks"]["examples"]["share_expert"] == {"checked": True, "observed": 0.3, "severity": "critical", "success": False}


def test_a_suite_for_no_table_and_a_missing_suite_are_one_line(tmp_path, monkeypatch):
    write_inputs(tmp_path, ten())
    monkeypatch.chdir(tmp_path)
    given = params()
    monkeypatch.setattr(parameters, "load", lambda: given)
    monkeypatch.setattr(validate.expectations, "load_tagging", lambda: TAGGING)
    (tmp_path / "expectations/suites/pool.json").rename(tmp_path / "expectations/suites/pools.json")
    with pytest.raises(InputError, match=r"pools\.json: no table of that name"):
        validate.work()
    (tmp_path / "expectations/suites/pools.json").unlink()
    with pytest.raises(InputError, match=r"pool\.json: not there"):
        validate.work()


def test_the_page_is_self_contained_and_says_each_check_in_words():
    given = params()
    checks = list(checks_of(ten(source="expert"), given=given).values())
    page = validation_page.render(checks, suites(given), "shop")
    assert not re.search(r"(src|href)=[\"']?(https?:)?//|<script|@import|url\(", page)
    assert page.count('scope="row"') == len(checks)
    assert not [text for text in ("Not accepted.", "60\xa0%", "50\xa0%", "10 examples") if text not in page]


def test_words_for_what_was_expected_and_observed():
    checks = checks_of(ten(expected_behaviour="guess", input_sha="i1"))
    said = {
        name: (validation_page.expected(check, "example"), validation_page.observed(check, "example")) for name, check in checks.items()
    }
    assert said["examples.size"] == ("10 examples", "10 examples")
    assert said["examples.unique_inputs"] == ("every example", "2 of 10 do not")
    assert said["examples.known_behaviours"] == ("every example", "1 of 10 does not")
    assert said["examples.known_faults"] == ("every example", "no example to look at")
    assert said["examples.can_be_judged"] == ("at least 100\xa0%", "100\xa0%")
    assert said["examples.fresh"] == ("at most 60 days", "27 days")
    assert said["examples.columns"] == ("8 columns", "all there")
    gone = dataclasses.replace(checks["examples.columns"], missing=("fault",), holds=False)
    assert validation_page.observed(gone, "example") == "missing: fault"
