import subprocess
import sys

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from pipeline.cli import app


def commands(command=None, path=("golden",)):
    command = command or get_command(app)
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*path, name))


def shown(*arguments):
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200", "NO_COLOR": "1"}, prog_name="golden")


@pytest.mark.parametrize("path", [path for path in commands() if len(path) > 1], ids=" ".join)
def test_every_verb_explains_itself_with_an_example(path):
    result = shown(*path[1:], "--help")
    assert result.exit_code == 0
    assert f"Example: {' '.join(path)}" in result.stdout


def test_golden_alone_shows_its_verbs_and_where_to_begin():
    result = shown()
    assert result.exit_code == 0
    assert not [text for text in ("status", "doctor", "key", "Begin with golden status") if text not in result.stdout]


def test_an_unknown_verb_is_a_usage_error():
    assert shown("stauts").exit_code == 2


def test_help_imports_nothing_slow():
    code = "import sys; from pipeline.cli import app; print(*sorted({'pandas', 'pydantic', 'pyarrow', 'dvc', 'ruamel'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == ""
