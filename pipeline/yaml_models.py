"""Read a YAML file into a frozen, typed model; whatever does not fit is one line that names the file and the key.

YAML is read as DVC reads it (ruamel, YAML 1.2): `no` is text, `1e-3` a number.
"""

import datetime
import sys
from io import StringIO
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.emitter import Emitter
from ruamel.yaml.error import MarkedYAMLError

from pipeline.errors import InputError, did_you_mean


class Model(BaseModel):
    """A part of a YAML file: no unknown keys, no change after reading, no silent conversion of text to numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


M = TypeVar("M", bound=Model)


def _date_text(value: Any) -> Any:
    if isinstance(value, str):
        try:
            datetime.date.fromisoformat(value)
        except ValueError:
            raise ValueError("expected a date such as 2026-03-31") from None
    return value.isoformat() if isinstance(value, datetime.date) else value


DateText = Annotated[str, BeforeValidator(_date_text)]
"""An ISO 8601 date as text; YAML's own dates are accepted."""


def dated(text: str, option: str) -> str:
    """The date that a person's edit carries: `text`, or today's. Raises InputError where it is no date."""
    if not text:
        return datetime.date.today().isoformat()
    try:
        return datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        raise InputError(f"{option} {text}: no date; write it as 2026-03-31") from None


def read_yaml(path: Path) -> Any:
    """A YAML file's content. Raises InputError where it is missing, not UTF-8 or not YAML."""
    if not path.is_file():
        raise InputError(f"{path}: not there")
    return parse_yaml(path, path.read_bytes())


def parse_yaml(path: Path | str, content: bytes) -> Any:
    """The same of a file's bytes, which were read from `path`."""
    try:
        return YAML(typ="safe", pure=True).load(content.decode("utf-8"))
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8; save it as UTF-8") from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"{path}, line {line}: not YAML ({error.problem})") from None
    except ValueError as error:
        raise InputError(f"{path}: a date or number that does not exist ({error}); correct it") from None


class _DoubleQuotes(Emitter):
    """Quotes as JSON does, where a text must be quoted."""

    def choose_scalar_style(self) -> Any:
        style = super().choose_scalar_style()
        return '"' if style == "'" else style


def in_flow(value: Any) -> str:
    """`value` as people write it into a YAML file, on one line: plain where it may be, quoted where it must."""
    yaml = YAML()
    yaml.Emitter, yaml.default_flow_style, yaml.width = _DoubleQuotes, True, sys.maxsize
    yaml.dump(value, out := StringIO())
    return out.getvalue().removesuffix("...\n").rstrip("\n")


def read_model(path: Path, model: type[M]) -> M:
    """A YAML file as `model`. Raises InputError for the first thing that does not fit."""
    return build_model(path, read_yaml(path), model)


def build_model(where: Path | str, content: Any, model: type[M]) -> M:
    """`content`, read from `where`, as `model`. Raises InputError for the first thing that does not fit."""
    if not isinstance(content, dict):
        raise InputError(f"{where}: expected keys and values, such as {', '.join(list(model.model_fields)[:3])}")
    try:
        return model.model_validate(content)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
        misspelt = [dict(e) for e in errors if e["type"] == "extra_forbidden"]
        raise InputError(f"{where}: {_explain(model, (misspelt or [dict(errors[0])])[0])}") from None


def _explain(model: type[BaseModel], error: dict[str, Any]) -> str:
    loc = [str(part) for part in error["loc"]]
    key = ".".join(loc) or "the file"
    if error["type"] == "extra_forbidden":
        known = _keys_at(model, error["loc"][:-1])
        return f"{key}: unknown key; " + did_you_mean(loc[-1], known, f"known here: {', '.join(known)}", cutoff=0.5)
    if error["type"] == "missing":
        return f"{key}: missing; add it"
    return f"{key}: {str(error['msg']).removeprefix('Value error, ')}"


def _keys_at(annotation: Any, loc: tuple[Any, ...]) -> list[str]:
    """The keys that the model allows at `loc`, for the nearest right spelling."""
    models = [inner for inner in _unpacked(annotation) if isinstance(inner, type) and issubclass(inner, BaseModel)]
    if not loc:
        return sorted({name for inner in models for name in inner.model_fields})
    found: list[str] = []
    for inner in models:
        if loc[0] in inner.model_fields:
            found += _keys_at(inner.model_fields[loc[0]].annotation, loc[1:])
        elif loc[0] not in inner.model_fields and len(models) > 1:
            found += _keys_at(inner, loc[1:])
    for container in (inner for inner in _unpacked(annotation) if get_origin(inner) in (dict, list, tuple)):
        found += _keys_at(get_args(container)[-1 if get_origin(container) is dict else 0], loc[1:])
    return sorted(set(found))


def _unpacked(annotation: Any) -> list[Any]:
    if get_origin(annotation) in (Union, UnionType):
        return [inner for arg in get_args(annotation) for inner in _unpacked(arg)]
    if get_origin(annotation) is Annotated:
        return _unpacked(get_args(annotation)[0])
    return [annotation]
