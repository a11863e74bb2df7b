"""promptfoo: tests.yaml and a promptfooconfig.yaml that reads it with the provider `echo`, to be replaced by yours.

promptfoo renders every text as a template and makes a matrix of every list among the vars. So the chat is one JSON text, and what
would open a template is escaped. What no assertion can judge without a model (behaviour, citations, answers compared as numbers or
by meaning) stands in the metadata.
"""

import re
from typing import Any

from pipeline.exports.rows import Rows, json_file, json_text

MARKS = re.compile(r"\{(?=[{%#])|#(?=\})")
"""What begins a template, an instruction or a comment; and the end of a comment, which by itself is an error."""
CONFIG = {
    "description": "Golden dataset",
    "prompts": ["{{messages}}"],
    "providers": ["echo"],
    "tests": "file://tests.yaml",
}


def files(rows: Rows) -> dict[str, bytes]:
    """JSON is YAML, and leaves no text to YAML's guessing."""
    return {"tests.yaml": json_file([_test(row) for row in rows.examples]), "promptfooconfig.yaml": json_file(CONFIG)}


def _test(row: dict[str, Any]) -> dict[str, Any]:
    given = {"messages": json_text(row["messages"])} | {
        name: row["metadata"][name] for name in ("fixtures", "fault") if name in row["metadata"]
    }
    return {
        "description": row["id"],
        "vars": {name: in_json(text) for name, text in given.items()},
        "assert": assertions(row["expectation"], row["metadata"].get("canary", "")),
        "metadata": row["metadata"],
    }


def assertions(expectation: dict[str, Any], canary: str = "") -> list[dict[str, Any]]:
    """What of an expectation promptfoo can judge by itself."""
    found: list[dict[str, Any]] = [
        {"type": "icontains-any", "value": [escaped(one) for one in wordings]} for wordings in expectation.get("must_include", ())
    ]
    unwanted = [*expectation.get("must_not_include", ()), *([canary] if canary else [])]
    found += [{"type": "not-icontains", "value": escaped(one)} for one in unwanted]
    match = expectation.get("answer_match") or ("" if expectation.get("must_include") else "contains")
    kind = {"exact": "equals", "contains": "icontains"}.get(match)
    if expectation.get("answer") and kind:
        found.append({"type": kind, "value": escaped(expectation["answer"])})
    found += [{"type": "regex", "value": escaped(one)} for one in expectation.get("regex", ())]
    if wanted := expectation.get("json_schema"):
        found.append({"type": "is-json", "value": in_json(wanted)})
    return found


def escaped(text: str) -> str:
    """`text` so that its rendering is `text`."""
    return MARKS.sub(lambda found: f"{{{{ '{found[0]}' }}}}", text)


def in_json(text: str) -> str:
    """JSON text that opens no template however often it is rendered: such a sign stands within a string, where JSON can spell it."""
    return MARKS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
