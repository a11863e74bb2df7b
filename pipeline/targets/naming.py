"""A target as a command line names it: `module:name`, an address, a program, a file of recorded answers, `inspect:provider/model`.

What it does not say (a form, headers) comes from the target that params.yaml names, where that is of the same kind: the same system
behind another address.
"""

import re
import shlex
import shutil
from pathlib import Path
from typing import Any

from pipeline import params
from pipeline.errors import InputError
from pipeline.yaml_models import build_model, read_yaml

CALLABLE = re.compile(r"[\w.]+:[\w.]+")
RECORDINGS = (".jsonl", ".parquet")
FORMS = (
    "expected module:function, http(s)://..., a program with its arguments, a .jsonl or .parquet of recorded answers, "
    "inspect:provider/model, or a .yaml that describes it as docs/targets.md does"
)


def named(text: str, version: str, like: params.Target | None = None) -> params.Target:
    """The target that `text` names, as `version`; `like` is the one of params.yaml. Raises InputError where it is none of the forms."""
    if Path(text).suffix in (".yaml", ".yml"):
        return _described(Path(text), version)
    kind, place = _place(text.strip())
    inherited: dict[str, Any] = {}
    if like is not None and like.kind == kind:
        inherited = {name: getattr(like, name) for name in params.ALLOWED.get(kind, ()) if name in like.model_fields_set}
    return build_model(f"--target {kind}", {"kind": kind, "version": version, params.NEEDED[kind][0]: place} | inherited, params.Target)


def _described(path: Path, version: str) -> params.Target:
    """The target that a file describes, as `evaluate.target` of params.yaml would; the version may be left out."""
    content = read_yaml(path)
    return build_model(path, {**content, "version": version} if isinstance(content, dict) else content, params.Target)


def _place(text: str) -> tuple[str, str]:
    """The kind, and what stands for it in params.yaml."""
    if text.startswith(("http://", "https://")):
        return "http", text
    kind, _, rest = text.partition(":")
    if kind == "inspect" and "/" in rest:
        return kind, rest
    if Path(text).suffix in RECORDINGS:
        return "recorded", text
    if CALLABLE.fullmatch(text):
        return "python", text
    try:
        words = shlex.split(text)
    except ValueError:
        words = []
    if words and shutil.which(words[0]):
        return "command", text
    raise InputError(f"--target: no such target; {FORMS}")
