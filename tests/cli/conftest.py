"""Working directories with images for the tests of the command line, with a fake aligner."""

from pathlib import Path

import pytest
from PIL import Image

from fake_aligner import use_fake_aligner, write_image


@pytest.fixture
def fake_aligner(monkeypatch) -> None:
    """`rdrface detect` uses the fake aligner."""
    use_fake_aligner(monkeypatch)


@pytest.fixture
def images(tmp_path, monkeypatch) -> Path:
    """The working directory, with gray.png (one face) and black.png (none)."""
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (320, 240), (90, 90, 90)).save("gray.png")
    Image.new("RGB", (32, 24)).save("black.png")
    return tmp_path


@pytest.fixture
def folder(tmp_path, monkeypatch, fake_aligner) -> Path:
    """The working directory, with p/a.png (one face), p/b.png (none) and p/c.png (two)."""
    monkeypatch.chdir(tmp_path)
    for name, faces in (("a", 1), ("b", 0), ("c", 2)):
        write_image(f"p/{name}.png", faces)
    return tmp_path
