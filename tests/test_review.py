from pathlib import Path

import pytest

from pipeline import review
from pipeline.errors import InputError
from pipeline.sources import Synthetic
from pipeline.yaml_models import build_model

TEXT = """# Asked for in August.

- id: s-one
  added: 2026-08-03
  status: pending
  method: template:x
  fills: all
  input: "Hi"   # short
  expect: {behaviour: answer}

# The second.
- id: s-two
  added: 2026-08-03
  status: pending
  method: template:x
  fills: all
  input: Ho
  expect: {behaviour: answer}
"""


def test_a_decision_changes_the_scenario_s_own_lines_alone():
    keys = review.decision("approved", "Sven Lindgren", "2026-08-04", "")
    after = review.decided(TEXT, "s-two", keys, "f.yaml")
    assert after == TEXT[: TEXT.rindex("  status")] + (
        "  status: approved\n  approved_by: Sven Lindgren\n  decided_on: 2026-08-04\n" + TEXT[TEXT.rindex("  method") :]
    )


def test_a_rejected_one_keeps_text_name_and_reason_and_still_reads(tmp_path):
    file = tmp_path / "f.yaml"
    file.write_text(TEXT)
    after = review.decided(TEXT, "s-one", review.decision("rejected", "Dana: QA", "2026-08-04", 'said "twice"'), "f.yaml")
    review.still_reads(file, after, "s-one")
    assert 'rejected_by: "Dana: QA"' in after
    assert '"Hi"   # short' in after


@pytest.mark.parametrize(
    ("status", "name", "reason", "message"),
    [("approved", " ", "", "--reviewer: missing"), ("rejected", "Dana", "", "--reason: missing; a rejection says why")],
)
def test_no_decision_without_a_name_and_no_rejection_without_a_reason(status, name, reason, message):
    with pytest.raises(InputError, match=message):
        review.decision(status, name, "2026-08-04", reason)


def test_an_edit_replaces_one_scenario():
    new = review.block(TEXT, "s-one", "f.yaml").replace('"Hi"   # short', "Hello there")
    after, entry = review.edited(TEXT, "s-one", new, "f.yaml")
    assert entry.input == "Hello there"
    assert after == TEXT.replace('"Hi"   # short', "Hello there")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("status: pending", "status: approved\n  approved_by: me"), "an edit keeps id and status"),
        (("s-one", "s-other"), "an edit keeps id and status"),
        (("input:", "inptu:"), "inptu: unknown key"),
        (("- id", "id"), "not YAML after the edit|expected one scenario"),
        (("fills: all", "fills: [all"), "not YAML after the edit"),
    ],
)
def test_an_edit_that_is_no_pending_scenario_changes_nothing(change, message):
    with pytest.raises(InputError, match=message):
        review.edited(TEXT, "s-one", review.block(TEXT, "s-one", "f.yaml").replace(*change), "f.yaml")


def entry(example_id, status="pending"):
    more = {"approved_by": "Dana"} if status == "approved" else {}
    content = {
        "id": example_id,
        "added": "2026-01-01",
        "status": status,
        "method": "x",
        "fills": "all",
        "input": "Hi",
        "expect": {"behaviour": "answer"},
    }
    return build_model("f", content | more, Synthetic)


def test_what_waits_is_what_is_pending():
    entries = [(Path("a.yaml"), entry("s-1", "approved")), (Path("a.yaml"), entry("s-2"))]
    assert [e.id for _, e in review.pending(entries)] == ["s-2"]
    with pytest.raises(InputError, match="nothing is pending; 'golden synthesize' proposes"):
        review.pending(entries[:1])
    with pytest.raises(InputError, match="s-9: not pending here"):
        review.named(review.pending(entries), "s-9")
    with pytest.raises(InputError, match=r"--file none\.yaml: not there"):
        review.pending(entries, Path("none.yaml"))
