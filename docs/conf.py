"""Sphinx's settings, and the reference pages, which are made from the code at every build: `make docs`."""

import inspect
import itertools
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

project = "Golden"
author = "The authors of Golden"
copyright = "the authors of Golden"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["presets", "_build"]
html_theme = "furo"
html_title = "Golden"
html_copy_source = False
html_show_sphinx = False
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
myst_fence_as_directive: list[str] = []
# Pages link to files of the repository, which are no pages here.
suppress_warnings = ["myst.xref_missing", "misc.highlighting_failure"]
REFERENCE = Path(__file__).parent / "reference"


def tables() -> str:
    """Every table's columns, types and meanings, from pipeline/schema.py."""
    from pipeline import schema

    parts = ["# Tables", "", "Every table that a stage reads or writes; a stage checks what it writes against these.", ""]
    for table in sorted(schema.ALL, key=lambda one: one.name):
        parts += [
            f"## {table.name}",
            "",
            f"A row is {table.row}. Rows are told apart by {', '.join(f'`{name}`' for name in table.key)}.",
            "",
        ]
        parts += ["| column | type | meaning |", "| --- | --- | --- |"]
        parts += [f"| `{name}` | {_cell(str(kind))} | {_cell(meaning)} |" for name, kind, meaning in table.columns]
        parts.append("")
    return "\n".join(parts)


def params() -> str:
    """Every key of params.yaml, from pipeline/params.py: its type, its default, and what stands under it there."""
    from pydantic_core import PydanticUndefined

    from pipeline.params import Params

    parts = ["# params.yaml", "", "A key without a default must be given. An unknown key is an error that names the nearest right one.", ""]
    for section, part in Params.model_fields.items():
        model: Any = part.annotation
        if not hasattr(model, "model_fields"):
            continue
        told = _under(model)
        parts += [f"## {section}", "", inspect.cleandoc(model.__doc__ or "") if model.__doc__ else "", ""]
        parts += ["| key | default | meaning |", "| --- | --- | --- |"]
        for key, one in model.model_fields.items():
            default = (
                ""
                if one.default is PydanticUndefined and one.default_factory is None
                else f"`{_cell(repr(one.get_default(call_default_factory=True)))[:60]}`"
            )
            parts.append(f"| `{key}` | {default} | {_cell(told.get(key, ''))} |")
        parts.append("")
    return "\n".join(parts)


def _under(model: type) -> dict[str, str]:
    """What the source says under each field."""
    import ast

    try:
        body = ast.parse(inspect.cleandoc(inspect.getsource(model))).body[0].body  # type: ignore[attr-defined]
    except (OSError, SyntaxError):
        return {}
    found = {}
    for one, after in itertools.pairwise(body):
        if isinstance(one, ast.AnnAssign) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            found[one.target.id] = " ".join(str(after.value.value).split())  # type: ignore[union-attr]
    return found


def commands() -> str:
    """Every verb's help."""
    from typer.main import get_command

    from pipeline.cli import app

    parts = ["# Commands", "", "`golden VERB --help` says the same.", ""]
    found: Any = get_command(app)

    def add(command: Any, name: str) -> None:
        if hasattr(command, "commands"):
            for verb, inner in command.commands.items():
                add(inner, f"{name} {verb}")
            return
        text = inspect.cleandoc(command.help or "").replace("[bold]", "`").replace("[/bold]", "`")
        parts.extend([f"## {name}", "", text, "", "| option | meaning |", "| --- | --- |"])
        for one in command.params:
            shown = " ".join(f"`{option}`" for option in one.opts) if one.param_type_name == "option" else f"`{one.metavar or one.name}`"
            parts.append(f"| {shown} | {_cell(getattr(one, 'help', '') or '')} |")
        parts.append("")

    add(found, "golden")
    return "\n".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


REFERENCE.mkdir(exist_ok=True)
for page, made in (("tables", tables), ("params", params), ("commands", commands)):
    (REFERENCE / f"{page}.md").write_text(made(), encoding="utf-8")
