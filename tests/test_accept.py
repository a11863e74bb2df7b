import pytest

from pipeline import accept, tables
from pipeline.errors import InputError

HOLDS = {"success": True, "severity": "critical", "checked": True, "observed": 0, "of": 10}
FAILS = {"success": False, "severity": "critical", "checked": True, "observed": 3, "of": 10}


def validation(**checks):
    return {"checks": {"examples": checks}}


def test_a_dataset_that_meets_every_critical_check_is_accepted():
    assert accept.accept(validation(a=HOLDS, b=HOLDS)) == "no critical check failed, 2 of 2 hold"


def test_a_failed_warning_is_named_and_does_not_fail_the_build():
    line = accept.accept(validation(a=HOLDS, fresh=FAILS | {"severity": "warning"}))
    assert line == "no critical check failed, 1 of 2 hold; to look at: examples.fresh in reports/validation.html"


def test_every_critical_failure_is_named_with_what_was_observed_and_where_to_look():
    share = {"success": False, "severity": "critical", "checked": True, "observed": 0.5}
    with pytest.raises(InputError) as caught:
        accept.accept(validation(a=HOLDS, ids=FAILS, share=share))
    assert str(caught.value) == (
        "2 critical checks failed: examples.ids (3 of 10 do not meet it); examples.share (found 0.5); see reports/validation.html"
    )


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (FAILS | {"checked": False, "error": "no such column"}, "not judged: no such column"),
        (FAILS | {"missing": "fault source"}, "missing: fault source"),
        ({"success": False, "severity": "critical", "checked": False, "of": 0}, "nothing there to check"),
    ],
)
def test_a_check_that_found_no_figure_says_why(check, words):
    assert accept.observed(check) == words


def test_figures_without_a_check_are_refused_whatever_they_say():
    with pytest.raises(InputError, match="nothing was checked"):
        accept.accept({"success": True, "checks": {}})


def test_the_stage_reads_what_validate_wrote(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"metrics/validation\.json: not there"):
        accept.work()
    tables.write_json(accept.METRICS, validation(a=HOLDS))
    assert accept.work().startswith("no critical check failed")
