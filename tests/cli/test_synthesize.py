"""`golden synthesize` and `golden review` as they are typed, in a folder with a few conversations."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline import paths, schema, sources, tables
from pipeline.cli import app
from pipeline.errors import InputError
from tests.conftest import ROOT
from tests.frames import frame, said
from tests.targets.server import chat_server, completion

GRAMMAR = """
slots:
  thing: [invoice, receipt, statement for my accountant, credit note of last year]
  wish: [arrive by post, show the company's name, be sent to somebody else, be made out again]
templates:
  - tags: {category: billing, complexity: single_turn}
    input: "Can the {thing} {wish}?"
    expect: {behaviour: answer}
"""
DAY = ("--date", "2026-08-03")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    shutil.copytree(ROOT / "expectations", tmp_path / "expectations")
    paths.GRAMMARS.mkdir(parents=True)
    (paths.GRAMMARS / "bills.yaml").write_text(GRAMMAR)
    pooled = frame(schema.CANDIDATES, [{"example_id": "p-1", "input": said("Can the invoice arrive by post?")}])
    tables.write_parquet(paths.CANDIDATES, pooled, schema.CANDIDATES)
    return tmp_path


def golden(*arguments, **options):
    return CliRunner().invoke(app, list(arguments), prog_name="golden", **options)


def written():
    return [entry for _, entry in sources.load()["synthetic"]]


def test_a_gap_is_filled_and_reviewed_and_what_was_rejected_is_not_proposed_again(folder):
    assert "3 pending" in golden("synthesize", "--cell", "billing", "--n", "3", *DAY).stdout
    one, two, three = [entry.id for entry in written()]
    assert {entry.fills for entry in written()} == {"category=billing"}
    told = golden("review", "--accept", one, "--reviewer", "Sven Lindgren", *DAY)
    assert "1 approved, 0 rejected, 2 pending" in told.stdout
    golden("review", "--reject", two, "--reject", three, "--reviewer", "Dana", "--reason", "nobody asks this", *DAY)
    assert [(e.status, e.approved_by or e.rejected_by, e.decided_on) for e in written()] == [
        ("approved", "Sven Lindgren", "2026-08-03"),
        ("rejected", "Dana", "2026-08-03"),
        ("rejected", "Dana", "2026-08-03"),
    ]
    before = {entry.input for entry in written()}
    golden("synthesize", "--cell", "billing", "--n", "2", *DAY)
    assert len(written()) == 5
    assert len({entry.input for entry in written()}) == 5
    assert "Can the invoice arrive by post?" not in {entry.input for entry in written()} | before
    assert len(list((paths.SOURCES / "synthetic").glob("2026-08-03-billing*.yaml"))) == 2


def test_gaps_are_taken_from_the_coverage_figures(folder):
    short = {"shortfall": 2, "cost_weighted_shortfall": 8.0}
    figures = {"slices": {"category": {"billing": short, "returns": short | {"cost_weighted_shortfall": 9.0}}}}
    tables.write_json(paths.COVERAGE, figures)
    told = golden("synthesize", "--gaps", "--n", "3", *DAY).stdout
    assert "2 pending" in told
    assert "short: no template for category=returns" in told
    tables.write_json(paths.COVERAGE, {"slices": {"category": {"returns": short}}})
    assert golden("synthesize", "--gaps", *DAY).stderr.startswith("golden: --gaps: no template for category=returns in bills; write one")
    tables.write_json(paths.COVERAGE, {"slices": {"category": {"returns": short | {"shortfall": 0}}}})
    assert golden("synthesize", "--gaps", *DAY).stderr.startswith("golden: --gaps: metrics/coverage.json says that no slice is short")


def test_a_model_s_scenarios_pass_the_same_door(folder):
    items = [
        {"input": text, "expect": {"behaviour": "answer"}}
        for text in ("Can the invoice arrive by post?", "Is VAT in the price?", "I am jo@corp-mail.net")
    ]
    with chat_server() as chat:
        chat.reply = lambda body, headers: (200, {}, json.dumps(completion(json.dumps(items))).encode())
        told = golden("synthesize", "--cell", "billing", "--n", "3", "--model", "m-1", "--url", chat.url, *DAY).stdout
    assert "1 pending; refused: 1 near-duplicates, 1 with personal data" in told
    assert [(entry.input, entry.method, entry.status) for entry in written()] == [("Is VAT in the price?", "model:m-1", "pending")]


def test_an_edit_passes_the_checks_or_changes_nothing(folder, monkeypatch):
    from pipeline.cli import review

    golden("synthesize", "--cell", "billing", "--n", "1", *DAY)
    ((path, entry),) = sources.load()["synthetic"]
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", "sed -i 's/input: .*/input: Can the invoice arrive by post!/'")
    before = path.read_text()
    review._edit(path, entry.id)
    assert path.read_text() == before
    monkeypatch.setenv("EDITOR", "sed -i 's/input: .*/input: Which forms do you accept for a tax refund/'")
    review._edit(path, entry.id)
    assert [e.input for e in written()] == ["Which forms do you accept for a tax refund"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("synthesize",), "name what to fill: --cell TAGS, or --gaps"),
        (("synthesize", "--cell", "bilings"), "--cell: no dimension has 'bilings'; did you mean 'billing'?"),
        (("synthesize", "--cell", "returns"), "no template for category=returns in bills; write one with these tags"),
        (
            ("synthesize", "--cell", "billing", "--n", "99"),
            "only 15 of 99 for category=billing that are new (1 near-duplicates refused); nothing was written",
        ),
        (("synthesize", "--cell", "billing", "--grammar", "none.yaml"), "none.yaml: not there"),
        (("synthesize", "--cell", "billing", "--date", "soon"), "--date soon: no date"),
        (("synthesize", "--gaps"), "metrics/coverage.json: not there"),
        (("synthesize", "--cell", "billing", "--model", "m"), "--model: needs --url"),
        (("review", "--reviewer", "Dana"), "data/sources/synthetic: nothing is pending"),
    ],
)
def test_a_mistake_is_one_line(folder, arguments, message):
    result = golden(*arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"golden: {message}")
    assert result.stderr.count("\n") == 1
    assert written() == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--accept", "s-none", "--reviewer", "Dana"), "s-none: not pending here; 'golden review --list' says what is"),
        (("--accept", "{id}"), "--reviewer: missing; an approval or a rejection carries a name"),
        (("--reject", "{id}", "--reviewer", "Dana"), "--reason: missing; a rejection says why"),
        (("--accept", "{id}", "--reject", "{id}", "--reviewer", "Dana"), "{id}: both accepted and rejected; decide"),
        (("--reviewer", "Dana"), "no terminal to ask on; decide with --accept ID and --reject ID"),
        (
            ("--reject", "{id}", "--reviewer", "Dana", "--reason", "ask jo@corp-mail.net"),
            "reason of {id}: holds what looks like an e-mail address",
        ),
    ],
)
def test_a_decision_that_cannot_stand_is_one_line_and_changes_nothing(folder, arguments, message):
    golden("synthesize", "--cell", "billing", "--n", "1", *DAY)
    ((path, entry),) = sources.load()["synthetic"]
    before = path.read_text()
    result = golden("review", *(one.format(id=entry.id) for one in arguments))
    assert result.exit_code == 1
    assert result.stderr.startswith(f"golden: {message.format(id=entry.id)}")
    assert result.stderr.count("\n") == 1
    assert path.read_text() == before
    assert Path(path).parent == paths.SOURCES / "synthetic"


def test_who_reviews_at_a_terminal_is_asked_for_each_and_may_skip_and_leave(folder, monkeypatch):
    from pipeline import review as decisions
    from pipeline.cli import review

    golden("synthesize", "--cell", "billing", "--n", "4", *DAY)
    waiting = decisions.pending(sources.load()["synthetic"])
    answers = iter(["a", "r", "nobody asks this", "s", "q"])
    monkeypatch.setattr(review.typer, "prompt", lambda *_, **__: next(answers))
    review._walk(waiting, "Dana", "2026-08-04")
    assert [entry.status for entry in written()] == ["approved", "rejected", "pending", "pending"]
    assert written()[1].reason == "nobody asks this"
    with pytest.raises(InputError, match="--reviewer: missing"):
        review._walk(waiting, "", "2026-08-04")
