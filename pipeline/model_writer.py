"""Scenarios written by a model behind an address in the OpenAI chat form. Asked only where it is named; what it writes is `pending`.

It is told the gap, the dimensions of tagging.yaml with their meanings, and a text that the user names. Nothing of the pool, of logs
or of other scenarios is sent.
"""

import asyncio
import os
import re
from typing import Any

import orjson

from pipeline import params
from pipeline.errors import InputError
from pipeline.expectations import Tagging
from pipeline.slices import Slice
from pipeline.targets import http
from pipeline.targets.question import NoAnswerError, Question
from pipeline.targets.reply import parse
from pipeline.yaml_models import build_model

FENCE = re.compile(r"^\s*```\w*\n(.*?)\n?```\s*$", re.DOTALL)
KEYS = ("input", "tags", "expect")
TIMEOUT_S = 120.0
INSTRUCTION = """You write test scenarios for an AI assistant. Answer with a JSON list and nothing else. Each item is an object:
"input": what the user writes, a text, or for a conversation a list of one-key objects such as {"user": "..."}, {"assistant": "..."}, the last one the user's;
"tags": an object, dimension to value;
"expect": an object with "behaviour" (answer, refuse, escalate, ask_back or degrade), and for an answer "must_include", a list of short texts
without which it is wrong.
Name nobody and write no number that could be somebody's; write <PERSON_1>, <ORDER_ID_1> and the like instead. No two alike."""


def open_model(model: str, url: str, key_variable: str) -> http.Address:
    """The model's address. Raises InputError for a URL that is none, or a key that is not in the environment."""
    if not url:
        raise InputError("--model: needs --url, such as http://127.0.0.1:8000/v1/chat/completions")
    if not re.match(r"https?://[^/\s]+", url):
        raise InputError("--url: expected http:// or https:// and a host")
    if key_variable and not os.environ.get(key_variable):
        raise InputError(f"--key-env: the environment variable {key_variable} is not set")
    headers = {"Authorization": f"Bearer ${{{key_variable}}}"} if key_variable else {}
    settings = {
        "kind": "http",
        "version": "synthesize",
        "url": url,
        "preset": "openai-chat",
        "headers": headers,
        "request": {"model": model},
    }
    return http.open_target(build_model("--url", settings, params.Target))


def proposals(address: http.Address, model: str, fills: Slice, count: int, tagging: Tagging, about: str) -> list[dict[str, Any]]:
    """What the model proposes for `fills`: method, input, tags and expect of each; tags of the gap added. One request is made.

    Raises InputError where no answer comes, or one that is no list of scenarios.
    """
    question = Question(f"synthesize {fills}", "", 1, messages(fills, count, tagging, about), {})
    try:
        said = parse(asyncio.run(_asked(address, question))).answer
    except NoAnswerError as error:
        raise InputError(
            f"--model {model}: no answer ({error.code}); see that the address and the key are right, then run this again"
        ) from None
    return [{key: item[key] for key in KEYS if key in item} | _made(item, model, fills) for item in listed(said, model)]


def messages(fills: Slice, count: int, tagging: Tagging, about: str) -> list[dict[str, str]]:
    """What the model is told."""
    dimensions = "\n".join(f"- {name}: {one.meaning}. One of: {', '.join(one.values)}" for name, one in tagging.dimensions.items())
    wanted = "\n".join(f"- {name}: {value}" for name, value in fills.tags)
    parts = [f"Write {count} scenarios in which all of this holds:\n{wanted}", f"The dimensions:\n{dimensions}"]
    parts += [f"What the assistant knows, and what a correct answer rests on:\n{about}"] if about else []
    return [{"role": "system", "content": INSTRUCTION}, {"role": "user", "content": "\n\n".join(parts)}]


def listed(said: str, model: str) -> list[dict[str, Any]]:
    """The objects in the list that the model answered with, also in a fence of Markdown."""
    fenced = FENCE.match(said)
    try:
        content = orjson.loads(fenced[1] if fenced else said)
    except orjson.JSONDecodeError:
        content = None
    if not isinstance(content, list) or not content or not all(isinstance(item, dict) for item in content):
        raise InputError(f"--model {model}: its answer is no JSON list of scenarios; run this again, or name another model")
    return content


def _made(item: dict[str, Any], model: str, fills: Slice) -> dict[str, Any]:
    tags = item.get("tags")
    return {"method": f"model:{model}", "tags": (tags if isinstance(tags, dict) else {}) | dict(fills.tags)}


async def _asked(address: http.Address, question: Question) -> Any:
    try:
        return await asyncio.wait_for(address(question), TIMEOUT_S)
    except TimeoutError:
        raise NoAnswerError("timeout") from None
    finally:
        await address.aclose()
