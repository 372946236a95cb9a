"""Links, paths and commands in the pages exist."""

import argparse
import importlib
import re
import shlex
from pathlib import Path

import pytest

from rdrface.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
SITE_PAGES = sorted((ROOT / "docs").glob("*.md"))
PAGES = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "examples/README.md")), *SITE_PAGES]
PATH_BASES = (ROOT / "src" / "rdrface", ROOT, ROOT / "tests")

LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
PYTHON_FILE = re.compile(r"(?:\w+/)+\w+\.py\b")
COMMAND_LINE = re.compile(r"^    (rdrface .+)$", re.MULTILINE)
SYNTAX = re.compile(r"\[|\.\.\.|\bSET\b")
"""Lines that describe the syntax of a command instead of calling it."""


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def slug(heading: str) -> str:
    """Anchor of a heading, as GitHub and MkDocs make it."""
    return re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower())


def parsed(line: str) -> argparse.Namespace:
    """Arguments of a command line; SystemExit if the command's parser refuses them."""
    _, command, *arguments = shlex.split(line, comments=True)
    parser = argparse.ArgumentParser(prog=line)
    importlib.import_module(COMMANDS[command].module).add_arguments(parser)
    return parser.parse_args(arguments)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_has_a_target(page: Path) -> None:
    for link in LINK.findall(text_of(page)):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", text_of(target), re.MULTILINE)
            assert anchor in {slug(heading) for heading in headings}, link


@pytest.mark.parametrize("page", SITE_PAGES, ids=lambda page: page.name)
def test_every_python_file_exists(page: Path) -> None:
    paths = {path for code in CODE.findall(text_of(page)) for path in PYTHON_FILE.findall(code)}
    assert not [path for path in paths if not any((base / path).is_file() for base in PATH_BASES)]


def test_the_readme_shows_every_command() -> None:
    shown = {line.split()[1] for line in COMMAND_LINE.findall(text_of(ROOT / "README.md"))}
    assert shown == set(COMMANDS)


@pytest.mark.parametrize("page", [ROOT / "README.md", *SITE_PAGES], ids=lambda page: page.name)
def test_every_command_line_is_accepted(page: Path) -> None:
    for line in COMMAND_LINE.findall(text_of(page)):
        if not SYNTAX.search(line):
            parsed(line)


@pytest.mark.parametrize("page", [ROOT / "README.md", *SITE_PAGES], ids=lambda page: page.name)
def test_install_commands_work_in_a_clone(page: Path) -> None:
    """The package is not on an index: `pip install rdrface` would fail."""
    if page.name in ("command_line.md", "reliability.md"):
        pytest.skip("quotes the messages of the program")
    assert not re.search(r"pip install [\"']?rdrface\b", text_of(page))
