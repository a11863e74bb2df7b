"""What docs/targets.md has to copy is copied here, and works."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pipeline import faults, params
from pipeline.targets import http, inspect_model, open_target
from pipeline.targets.asking import GIVEN_UP, NOT_TESTABLE, TIMEOUT, UNHANDLED_FAULT
from pipeline.targets.form import filled
from pipeline.targets.question import Question
from pipeline.targets.reply import parse
from pipeline.yaml_models import build_model

DOCUMENT = (Path(__file__).parents[2] / "docs" / "targets.md").read_text()
SETTINGS = [YAML(typ="safe", pure=True).load(block)["evaluate"] for block in re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.S)]
BOT = re.search(r"```python\n(for line.*?)```", DOCUMENT, re.S)


def evaluate(settings: dict[str, Any]) -> params.Evaluate:
    recorded = {"kind": "recorded", "version": "1", "path": "none"}
    return build_model("docs/targets.md", {"target": recorded, **settings}, params.Evaluate)


def test_every_kind_is_there_to_copy() -> None:
    kinds = [settings["target"]["kind"] for settings in SETTINGS if "target" in settings]
    assert set(kinds) == set(params.NEEDED)


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: settings.get("target", {}).get("kind", "how"))
def test_every_block_is_valid(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    target = evaluate(settings).target
    monkeypatch.setenv("ASSISTANT_TOKEN", "t")
    if target.kind == "http":
        open_target(target)
    if target.kind == "inspect":
        assert inspect_model.form.check(target.system, "system") is None


def test_the_mapping_of_another_service_reads_what_it_is_said_to() -> None:
    [mapped] = [evaluate(s).target for s in SETTINGS if s.get("target", {}).get("response")]
    received = {
        "reply": {"text": "hi", "sources": [{"file": "a.md"}], "action": "handover", "score": 0.5},
        "steps": [{"type": "tool", "tool": "look", "input": {"x": 1}}, {"type": "thought"}],
        "usage": {"in": 3, "out": 4},
    }
    read = http.form(mapped).reply(received)
    response = parse(read)
    assert (response.answer, response.citations, response.behaviour, response.confidence) == ("hi", ["a.md"], "escalate", 0.5)
    assert response.tool_calls == '[{"arguments":{"x":1},"name":"look"}]'
    assert read["usage"] == {"input_tokens": 3, "output_tokens": 4}
    sent = filled(mapped.request, Question("e-1", "s", 2, [{"role": "user", "content": "q"}], {"order": {"id": "HL-1"}}))
    assert sent == {"session": "e-1-2", "turns": [{"role": "user", "content": "q"}], "order": "HL-1"}


def test_the_program_repeats_the_id_of_each_line() -> None:
    assert BOT is not None
    lines = "".join(json.dumps({"id": number}) + "\n" for number in (1, 2))
    command = [sys.executable, "-c", f"import json, sys\n{BOT[1]}"]
    said = subprocess.run(command, input=lines, capture_output=True, text=True, check=True).stdout
    assert [json.loads(line)["id"] for line in said.splitlines()] == [1, 2]


def test_what_it_says_about_retries_and_codes_is_so() -> None:
    [how] = [evaluate(settings) for settings in SETTINGS if "target" not in settings]
    assert (how.retries, how.epochs, how.concurrency, how.timeout_s) == (params.Retries(), 1, 8, 30)
    for code in (TIMEOUT, GIVEN_UP, NOT_TESTABLE, UNHANDLED_FAULT):
        assert f"`{code}`" in DOCUMENT
    for fault in faults.FAULTS:
        assert f"`{fault}`" in DOCUMENT or f"fault: {fault}`" in DOCUMENT
    assert http.FAULT_HEADER in DOCUMENT
    assert http.FAULT_MET_HEADER in DOCUMENT
