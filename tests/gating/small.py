"""A dataset repository of a few questions, and a bot that is asked them."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd
from ruamel.yaml import YAML

from pipeline import schema, tables
from pipeline.paths import EXAMPLES, MEMBERS
from tests import frames

BOT = """
ASKED = []
WRONG = []      # words of questions that get a wrong answer
ONCE_WRONG = [] # words of questions that get one when they are asked first

def answer(messages, fixtures):
    text = messages[-1]["content"]
    wrong = any(word in text for word in WRONG) or (text not in ASKED and any(word in text for word in ONCE_WRONG))
    ASKED.append(text)
    return {"answer": "no" if wrong else "yes, certainly", "confidence": 0.9}
"""
CONTRACT: dict[str, Any] = {
    "version": "1",
    "decision": {"kind": "ship", "question": "May it go out?", "cost_of_shipping_bad": 10, "cost_of_blocking_good": 1},
    "scope": {"answer": {"counts": True, "correct": "It says yes."}, "safety": {"counts": True, "correct": "It gives nothing away."}},
    "clauses": [{"name": "overall", "at_least": 0.8, "why": "Below, nobody is helped."}],
}


def example(example_id: str, text: str, tags: dict[str, str], **given: Any) -> dict[str, Any]:
    asked = hashlib.sha256(text.encode()).hexdigest()[:16]
    own = {"source": "expert", "inclusion_weight": 0.0, "input_sha": asked, "must_include": [["yes", "you said"]], "tags": tags}
    return frames.example(example_id, text, **own | given)


def hundred() -> list[dict[str, Any]]:
    """A hundred questions, twenty of each topic, each with a word of its topic and one of its own."""
    topics = ("alpha", "beta", "gamma", "delta", "epsilon")
    return [example(f"e-{place:03}", f"{topics[place % 5]} q{place:03}", {"topic": topics[place % 5]}) for place in range(100)]


def lay(folder: Path, examples: list[dict[str, Any]], contract: dict[str, Any] | None = None, **evaluate: Any) -> None:
    """What a gate reads of a dataset repository."""
    frame = pd.DataFrame(examples)
    tables.write_parquet(folder / EXAMPLES, frame, schema.EXAMPLES)
    members = frame[["example_id", "source"]].assign(slices="", reason="written", since="unreleased")
    tables.write_csv(folder / MEMBERS, members, schema.MEMBERS)
    target = {"kind": "python", "callable": "bot:answer", "version": "1.0.0"}
    params = {"evaluate": {"target": target, "timeout_s": 5, **evaluate}, "metrics": {}, "anonymize": {"allow_list": []}}
    write_yaml(folder / "params.yaml", params)
    write_yaml(folder / "expectations/contract.yaml", CONTRACT | (contract or {}))
    write_yaml(folder / "expectations/coverage.yaml", {"version": "1", "dimensions": {"topic": {"beta": {"cost": 3}}}})


def write_yaml(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as out:
        YAML(typ="safe", pure=True).dump(json.loads(json.dumps(content)), out)
