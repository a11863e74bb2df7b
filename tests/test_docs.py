"""What the docs say to type exists: verbs, their options, make targets, files."""

import re
import shlex

import pytest
from typer.main import get_command

from pipeline.cli import app
from tests.conftest import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMAND = re.compile(r"(?:`|^\$ ?|^)(golden [a-z][^`\n]*)", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)(?:#([^)\s]+))?\)")


def commands():
    return [(page.name, found.strip()) for page in PAGES for found in COMMAND.findall(page.read_text(encoding="utf-8"))]


def test_there_are_many():
    assert len(commands()) > 60


@pytest.mark.parametrize(("page", "text"), sorted(set(commands())))
def test_a_command_in_the_docs_has_a_verb_and_options_that_there_are(page, text):
    text = re.split(r" (?:&&|\|\||[|>;]) ?| #|; |,? then |\.\.\.", text)[0].rstrip(".,:)")
    try:
        words = shlex.split(text)[1:]
    except ValueError:
        words = text.split()[1:]
    command = get_command(app)
    while hasattr(command, "commands"):
        name = re.sub(r"[^a-z-].*", "", words.pop(0)) if words else ""
        if not name and command.name != "golden":
            return  # a group of verbs, named as such
        assert name in command.commands, f"{page}: {text}"
        command = command.commands[name]
    known = {option for one in command.params for option in one.opts} | {"--help", "-h"}
    used = {word.split("=")[0] for word in words if re.match(r"--[a-z]", word)}
    assert used <= known, f"{page}: {text}: {sorted(used - known)}"


def anchor(heading):
    return re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).strip().replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target, place in LINK.findall(page.read_text(encoding="utf-8")):
        there = (page.parent / target).resolve()
        assert there.exists(), f"{page.name}: {target}"
        if place and there.suffix == ".md":
            headings = re.findall(r"^#+ (.+)$", there.read_text(encoding="utf-8"), re.MULTILINE)
            assert place in {anchor(heading) for heading in headings}, f"{page.name}: {target}#{place}"
