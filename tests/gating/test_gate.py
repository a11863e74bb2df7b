"""`golden gate` as a CI calls it: exit codes, reruns, errors, what is compared and what is not."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest

from pipeline import schema, tables
from pipeline.gating.ledger import CONFIRMATIONS
from pipeline.paths import SCORES
from tests.gating.conftest import Said
from tests.gating.small import CONTRACT, example, hundred, lay
from tests.targets.server import chat_server, completion

Gate = Callable[..., Said]
HEAVY = {
    "presidio_analyzer",
    "presidio_anonymizer",
    "great_expectations",
    "spacy",
    "onnxruntime",
    "tokenizers",
    "torch",
    "dask",
    "statsmodels",
    "sklearn",
}
QUICK = {"retries": {"per_question": 1, "backoff_s": 0.01}}


def ledger() -> pd.DataFrame:
    return tables.read_csv(Path("ledger.csv"), schema.LEDGER)


def test_a_good_build_ships_and_the_json_has_what_scripts_read(gate: Gate) -> None:
    lay(Path(), hundred())
    said = gate()
    assert said.code == 0
    assert said.screen.startswith("SHIP")
    names = {
        "decision",
        "q",
        "probability_all_met",
        "clauses",
        "more_examples_needed",
        "regression_p",
        "regressions",
        "dataset",
        "target",
        "against",
    }
    assert names <= set(said.json)
    assert (said.json["decision"], said.json["q"], said.json["more_examples_needed"]) == ("ship", 0.9091, 0)
    [clause] = said.json["clauses"]
    assert {"name", "metric", "slice", "threshold", "value", "n", "low", "high", "probability", "status"} <= set(clause)
    assert (clause["value"], clause["n"], clause["status"]) == (1.0, 100, "met")
    assert said.json["dataset"]["examples"] == 100
    assert said.json["target"]["epochs"] == 1
    assert said.json["target"]["pooled"] is False
    assert said.json["target"]["latency_ms"] >= 0


def test_a_broken_build_is_held_with_its_slice_first_and_the_examples_that_it_lost(gate: Gate, bot: ModuleType) -> None:
    lay(Path(), hundred(), CONTRACT | {"clauses": [{"name": "overall", "at_least": 0.5, "why": "."}]})
    gate("--ledger", "ledger.csv")
    bot.WRONG.append("beta")
    said = gate("--target", "bot:answer", "--target-version", "2.0.0", "--ledger", "ledger.csv", "--against", "1.0.0")
    assert said.code == 1, "all clauses are met, and something got worse"
    first = said.json["regressions"][0]
    assert (first["slice"], first["n"], first["before"], first["after"]) == ("topic=beta", 20, 1.0, 0.0)
    assert first["flipped"] == [f"e-{place:03}" for place in range(1, 100, 5)]
    assert said.json["regression_p"] < 0.01
    assert "most likely topic=beta" in said.screen
    assert "topic=beta" in Path("gate.md").read_text()


def test_a_system_swapped_behind_its_address_is_held_as_a_new_version_and_found_out_as_the_old_one(gate: Gate) -> None:
    lay(Path(), hundred(), CONTRACT | {"clauses": [{"name": "overall", "at_least": 0.5, "why": "."}]})
    with chat_server() as chat:
        Path("target.yaml").write_text(f"{{kind: http, url: '{chat.url}', preset: openai-chat, request: {{model: m}}}}")
        named = ("--target", "target.yaml", "--ledger", "ledger.csv")
        assert gate(*named, "--target-version", "good").code == 0
        good = chat.reply

        def broken(body: dict[str, Any], headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
            import orjson

            text = body["messages"][-1]["content"]
            return (200, {}, orjson.dumps(completion("no"))) if "gamma" in text else good(body, headers)

        chat.reply = broken  # type: ignore[method-assign]
        new = gate(*named, "--target-version", "swapped", "--against", "good")
        assert (new.code, new.json["regressions"][0]["slice"]) == (1, "topic=gamma")
        before = Path("ledger.csv").read_bytes()
        old = gate(*named, "--target-version", "good")
        assert (old.code, old.json["decision"]) == (3, "error")
        assert old.json["why"] == ["good: the target changed without its version; give the new build a version of its own"]
        assert Path("ledger.csv").read_bytes() == before, "another system's epoch is not kept under this one's name"
        chat.reply = good  # type: ignore[method-assign]
        assert gate(*named, "--target-version", "good").code == 0, "the right one is asked again"


def test_a_rerun_opens_the_next_epoch_until_the_most_and_then_asks_nothing(gate: Gate, bot: ModuleType) -> None:
    lay(Path(), hundred()[:30], CONTRACT | {"decision": CONTRACT["decision"] | {"max_epochs": 2}})
    epochs = [gate("--ledger", "ledger.csv").json["target"] for _ in range(3)]
    assert [run["epochs"] for run in epochs] == [1, 2, 2]
    assert all(run["pooled"] for run in epochs)
    assert set(Counter(bot.ASKED).values()) == {2}
    assert sorted(ledger()["epoch"].unique()) == [1, 2]
    assert epochs[2]["latency_ms"] is None


def test_after_the_most_epochs_only_what_was_never_asked_is(gate: Gate, bot: ModuleType) -> None:
    contract = CONTRACT | {"decision": CONTRACT["decision"] | {"max_epochs": 1}}
    lay(Path(), hundred()[:30], contract)
    gate("--ledger", "ledger.csv")
    bot.ASKED.clear()
    lay(Path(), hundred()[:32], contract)
    said = gate("--ledger", "ledger.csv")
    assert sorted(bot.ASKED) == ["alpha q030", "beta q031"]
    assert said.json["clauses"][0]["n"] == 32


def test_without_a_ledger_a_rerun_asks_again_and_says_that_it_is_not_pooled(gate: Gate, bot: ModuleType) -> None:
    lay(Path(), hundred()[:30])
    assert not gate().json["target"]["pooled"]
    assert "not pooled" in gate().screen
    assert set(Counter(bot.ASKED).values()) == {2}


def test_answers_that_do_not_come_are_counted_and_listed_and_there_is_no_verdict(gate: Gate) -> None:
    bad = [example(f"x-{word}", word, {"topic": "bad"}) for word in ("500", "429", "garbage", "never")]
    lay(Path(), hundred()[:10] + bad, timeout_s=0.5, **QUICK)
    with chat_server() as chat:
        Path("target.yaml").write_text(f"{{kind: http, url: '{chat.url}', preset: openai-chat, request: {{model: m}}}}")
        named = ("--target", "target.yaml", "--target-version", "v", "--ledger", "ledger.csv")
        said = gate(*named)
        assert (said.code, said.json["decision"]) == (3, "error")
        errors = {error["example_id"]: error["error"] for error in said.json["errors"]}
        assert errors == {"x-500": "http_500", "x-429": "http_429", "x-garbage": "unreadable_reply", "x-never": "timeout"}
        assert all(one in said.screen for one in errors)
        assert all(one in Path("gate.md").read_text() for one in errors)
        assert ElementTree.parse("gate.xml").getroot().get("errors") == "1"
        assert not Path("ledger.csv").exists()
        assert chat.asked["500"] == 2, "once more, as retries say"
        asked_once = chat.asked["alpha q000"]
        gate(*named)
        assert chat.asked["alpha q000"] == asked_once, "what was answered is not asked again"
        assert chat.asked["500"] == 4


def test_a_simulated_failure_that_was_never_met_is_counted_apart(gate: Gate) -> None:
    lay(Path(), [*hundred()[:30], example("f-1", "a fault", {"topic": "alpha"}, fault="timeout")])
    said = gate()
    assert said.code == 0
    assert said.json["not_testable"] == ["f-1"]
    assert (said.json["errors"], said.json["clauses"][0]["n"]) == ([], 30)
    assert "not testable: f-1" in said.screen


def test_with_too_few_examples_it_is_undecided_and_says_how_many_more(gate: Gate, bot: ModuleType) -> None:
    bot.WRONG += ["q001", "q002"]
    lay(Path(), hundred()[:20])
    said = gate()
    assert (said.code, said.json["decision"]) == (2, "undecided")
    assert said.json["more_examples_needed"] > 0
    assert f"{said.json['more_examples_needed']:,} more examples" in said.screen


ZERO = CONTRACT | {"regressions": {"zero_tolerance": ["topic=beta"]}}


@pytest.mark.parametrize(("mood", "code", "repeated"), [("WRONG", 1, ["e-001"]), ("ONCE_WRONG", 0, [])])
def test_one_new_failure_of_a_zero_tolerance_slice_holds_if_it_repeats(
    gate: Gate, bot: ModuleType, mood: str, code: int, repeated: list[str]
) -> None:
    lay(Path(), hundred(), ZERO)
    gate("--ledger", "ledger.csv")
    bot.ASKED.clear()
    getattr(bot, mood).append("q001")
    said = gate("--target-version", "2", "--ledger", "ledger.csv", "--against", "1.0.0")
    assert (said.code, said.json["zero_tolerance"]) == (code, repeated)
    assert Counter(bot.ASKED)["beta q001"] == 3
    assert (ledger()["epoch"] > CONFIRMATIONS).any()


def test_what_failed_twice_more_is_not_asked_a_third_time_to_get_another_verdict(gate: Gate, bot: ModuleType) -> None:
    lay(Path(), hundred(), ZERO | {"decision": CONTRACT["decision"] | {"max_epochs": 1}})
    gate("--ledger", "ledger.csv")
    bot.WRONG.append("q001")
    named = ("--target-version", "2", "--ledger", "ledger.csv", "--against", "1.0.0")
    gate(*named)
    bot.WRONG.clear()
    bot.ASKED.clear()
    assert (gate(*named).code, bot.ASKED) == (1, [])


def test_examples_that_changed_are_told_apart_and_not_compared(gate: Gate, bot: ModuleType) -> None:
    lay(Path(), hundred()[:60])
    gate("--ledger", "ledger.csv")
    changed = hundred()[1:61]
    changed[4]["expectation_sha"] = "another"
    lay(Path(), changed)
    said = gate("--target-version", "2", "--ledger", "ledger.csv", "--against", "1.0.0")
    differs = {"compared": 58, "added": ["e-060"], "gone": ["e-000"], "changed": ["e-005"], "judged_otherwise": []}
    assert said.json["dataset_changes"] == differs
    assert "1 new, 1 gone, 1 with another text or expectation" in said.screen


def test_another_scorers_judgements_are_not_compared(gate: Gate) -> None:
    lay(Path(), hundred()[:30])
    gate("--ledger", "ledger.csv")
    old = ledger()[schema.SCORES.names].assign(scorer_version=lambda rows: rows["scorer_version"] + "-old")
    tables.write_csv(Path("old.csv"), old, schema.SCORES)
    said = gate("--target-version", "2", "--against", "old.csv")
    assert len(said.json["dataset_changes"]["judged_otherwise"]) == 30
    assert "no example is comparable" in said.screen
    assert said.code == 0


def test_the_baseline_may_be_a_git_revision_or_the_datasets_own_scores(gate: Gate, bot: ModuleType) -> None:
    lay(Path(), hundred(), CONTRACT | {"clauses": [{"name": "overall", "at_least": 0.5, "why": "."}]})
    gate("--ledger", "ledger.csv")
    tables.write_csv(SCORES, ledger()[schema.SCORES.names], schema.SCORES)
    for command in (
        ["init", "-q"],
        ["add", "-f", str(SCORES)],
        ["-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "one"],
    ):
        subprocess.run(["git", *command], check=True)
    bot.WRONG.append("delta")
    for against in ([], ["--against", "HEAD"], ["--against", str(SCORES)]):
        said = gate("--target-version", "2", *against)
        assert (said.code, said.json["regressions"][0]["slice"]) == (1, "topic=delta"), against
        assert said.json["against"].startswith("1.0.0 (metrics/scores.csv")
    assert gate("--target-version", "2", "--against", "none").json["against"] is None
    unknown = gate("--target-version", "2", "--against", "nothing-like-this")
    assert unknown.code == 3
    assert (
        unknown.error
        == "golden: --against nothing-like-this: no such version in the ledger, no such file and no such git revision of the dataset\n"
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--target", "bot:answer"], "--target-version: missing"),
        (["--target", "nothing like this", "--target-version", "1"], "--target: no such target"),
        (["--dataset", "somewhere"], "--dataset somewhere: no version"),
        (["--nope"], "No such option"),
        (["bot:answer"], "unexpected extra argument"),
    ],
)
def test_whatever_is_wrong_with_the_options_is_no_verdict(gate: Gate, options: list[str], told: str) -> None:
    lay(Path(), hundred()[:5])
    said = gate(*options)
    assert said.code == 3
    assert told in said.error


def test_where_the_gate_cannot_begin_its_files_say_so(gate: Gate) -> None:
    said = gate()
    assert said.code == 3
    assert said.json["decision"] == "error"
    assert "data/golden/examples.parquet: not there" in said.json["why"][0]
    assert said.json["why"][0] in Path("gate.md").read_text()
    assert ElementTree.parse("gate.xml").getroot().get("errors") == "1"


def test_a_crash_inside_is_no_verdict(gate: Gate) -> None:
    lay(Path(), hundred()[:5])
    Path("quitter.py").write_text("raise SystemExit(0)\n")
    assert gate("--target", "quitter:answer", "--target-version", "1").code == 3


def test_no_text_of_a_question_or_an_answer_comes_out(gate: Gate, bot: ModuleType) -> None:
    bot.WRONG.append("beta")
    lay(Path(), hundred())
    said = gate("--ledger", "ledger.csv")
    written = [Path(name).read_text() for name in ("gate.json", "gate.md", "gate.xml", "ledger.csv")]
    for text in (said.screen, *written):
        assert "q001" not in text
        assert "certainly" not in text


def test_when_the_verdict_is_reached_no_answer_is_left_behind(gate: Gate) -> None:
    lay(Path(), hundred()[:5])
    gate()
    assert not list(Path(".golden").rglob("*.jsonl"))


def test_the_gate_imports_nothing_of_what_builds_a_dataset() -> None:
    code = (
        "import sys; import pipeline.cli; from pipeline.gating import comparing, dataset, ledger, report, signing, verdict; import dvc.api; "
        f"print(*sorted(set(sys.modules) & {HEAVY!r}))"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    assert found.stdout == "\n"
