"""promptfoo: the tests of a configuration, or a file of tests, in YAML or JSON. Its deterministic assertions become the expectation."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import orjson

from pipeline.errors import InputError
from pipeline.imports.found import Found, parsed
from pipeline.yaml_models import read_yaml

QUESTIONS = ("messages", "input", "question", "query", "message", "prompt")
"""The vars that may hold the question, the first that is there; or the only one."""
OPENERS = ("{{", "{%", "{#")
WHOLE = "from a template"
ESCAPED = re.compile(r"\{\{ '([{#])' \}\}")
"""How an export writes a sign that is a template's."""
ONE = {"contains": "must_include", "icontains": "must_include", "not-contains": "must_not_include", "not-icontains": "must_not_include"}


def read(path: Path, match: str) -> Found:
    """`match` plays no part: an assertion says itself how it compares."""
    found = Found()
    for number, test in enumerate(_tests(path), 1):
        if not isinstance(test, dict) or not isinstance(test.get("vars"), dict):
            raise InputError(f"{path}, test {number}: expected keys such as vars and assert")
        question = _question(test["vars"])
        if isinstance(question, str) and is_template(question):
            found.left_out[WHOLE] += 1
            continue
        found.add(
            plain(question) if isinstance(question, str) else question,
            _expect(test.get("assert") or [], found.unmapped),
            test.get("metadata"),
        )
    return found


def _tests(path: Path) -> list[Any]:
    content = read_yaml(path)
    tests = content.get("tests") if isinstance(content, dict) else content
    if isinstance(tests, str) and tests.startswith("file://"):
        beside = path.parent / tests.removeprefix("file://")
        if beside.suffix not in (".yaml", ".yml", ".json"):
            raise InputError(f"{path}: tests: expected a list, or a YAML file of one")
        tests = read_yaml(beside)
    if not isinstance(tests, list):
        raise InputError(f"{path}: tests: expected a list of tests, each with vars and assert")
    return tests


def _question(given: dict[str, Any]) -> Any:
    name = next((name for name in QUESTIONS if name in given), next(iter(given)) if len(given) == 1 else "")
    value = given.get(name)
    if name == "messages" and isinstance(value, str):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value


def is_template(text: str) -> bool:
    """Whether something of `text` is only known when it is rendered."""
    return any(opener in ESCAPED.sub("", text) for opener in OPENERS)


def plain(text: str) -> str:
    return ESCAPED.sub(r"\1", text)


def _expect(asserted: list[Any], unmapped: Counter[str]) -> dict[str, Any]:
    """The expectation of the assertions that have an equal here; the others are counted by their type."""
    found: dict[str, Any] = {}
    for one in asserted:
        kind, value = (one.get("type"), one.get("value")) if isinstance(one, dict) else (None, None)
        written = [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)]
        texts = [plain(text) for text in written]
        if any(is_template(text) for text in written):
            unmapped[f"assertion {kind} of a template"] += 1
        elif kind in ONE and len(texts) == 1:
            found.setdefault(ONE[kind], []).append(texts[0])
        elif kind in ("contains-any", "icontains-any") and texts:
            found.setdefault("must_include", []).append(texts)
        elif kind in ("contains-all", "icontains-all") and texts:
            found.setdefault("must_include", []).extend(texts)
        elif kind == "equals" and len(texts) == 1 and "answer" not in found:
            found |= {"answer": texts[0], "answer_match": "exact"}
        elif kind == "regex" and len(texts) == 1:
            found.setdefault("regex", []).append(texts[0])
        elif kind == "is-json" and "json_schema" not in found and (schema := parsed(value)):
            found["json_schema"] = schema
        else:
            unmapped[f"assertion {kind}"] += 1
    return found
