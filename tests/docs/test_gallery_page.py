"""Every picture of docs/gallery.md has the command that draws it, and every command exists."""

import ast
import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
PICTURE = re.compile(r"^\[!\[.+\]\(images/(\S+)\)\]\(images/\1\)$\n\n((?: {4}.+\n)*)", re.MULTILINE)
"""A picture that is a link to itself in full size, and the commands below it."""


def names_of_tool() -> set[str]:
    """The keys of `PICTURES` in tools/draw_gallery.py, which imports packages of extras."""
    tree = ast.parse((ROOT / "tools" / "draw_gallery.py").read_text(encoding="utf-8"))
    (pictures,) = [node.value for node in tree.body if isinstance(node, ast.AnnAssign)]
    return {key.value for key in pictures.keys}


def test_a_command_is_directly_below_every_picture() -> None:
    pictures = PICTURE.findall(PAGE)
    assert len(pictures) == PAGE.count("![") >= 10
    for image, block in pictures:
        commands = [shlex.split(line.strip()) for line in block.splitlines()]
        scripts = [words for words in commands if words[0] == "python"]
        assert scripts, image
        assert all((ROOT / words[1]).is_file() for words in scripts), image


def test_the_tool_draws_every_picture_that_it_is_named_for() -> None:
    shown = {}
    for image, block in PICTURE.findall(PAGE):
        for name in re.findall(r"python tools/draw_gallery\.py (\w+)", block):
            shown[name] = image
    assert shown == {name: f"gallery_{name}.jpg" for name in names_of_tool()}


def test_pictures_are_small_and_used() -> None:
    pictures = list((ROOT / "docs" / "images").glob("gallery_*.jpg"))
    assert {path.name for path in pictures} == {f"gallery_{name}.jpg" for name in names_of_tool()}
    assert sum(path.stat().st_size for path in pictures) < 2_000_000
