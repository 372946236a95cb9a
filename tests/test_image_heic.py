"""Reading of HEIC files, with and without pillow-heif."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from colored_image import GREEN, assert_rgb, colored
from rdrface.errors import ImageError
from rdrface.image import read_image

HEIC_START = b"\0\0\0\x18ftypheic" + b"\0" * 40


def test_heic_without_its_package_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (tmp_path / "a.jpg").write_bytes(HEIC_START)  # phones rename files without conversion
    (tmp_path / "a.heic").write_bytes(b"something else")
    for source in (tmp_path / "a.jpg", tmp_path / "a.heic", HEIC_START):
        with pytest.raises(ImageError, match=r"pip install 'rdrface\[heic\]'"):
            read_image(source)


def test_heic_is_read_with_a_package_that_is_loaded_when_needed(tmp_path, monkeypatch):
    """With a stand-in for pillow-heif that reads every HEIC file as one green image."""
    registered = []

    def open_green(file, name):
        return Image.new("RGB", (5, 4), GREEN)

    def register():
        registered.append("heif")
        Image.register_open("TEST-HEIF", open_green, lambda start: start[4:12] == b"ftypheic")

    monkeypatch.setitem(sys.modules, "pillow_heif", SimpleNamespace(register_heif_opener=register))
    Image.init()
    monkeypatch.setattr(Image, "OPEN", dict(Image.OPEN))
    monkeypatch.setattr(Image, "ID", list(Image.ID))
    Image.fromarray(colored()).save(tmp_path / "a.png")
    read_image(tmp_path / "a.png")
    assert registered == []
    assert (read_image(HEIC_START) == GREEN).all()
    assert registered == ["heif"]


def test_a_heic_file(tmp_path, monkeypatch):
    """With pillow-heif, if it is installed."""
    package = pytest.importorskip("pillow_heif")
    monkeypatch.setattr(Image, "OPEN", dict(Image.OPEN))
    monkeypatch.setattr(Image, "ID", list(Image.ID))
    pixels = np.kron(colored(), np.ones((16, 16, 1), np.uint8))
    package.from_pillow(Image.fromarray(pixels)).save(tmp_path / "a.heic", quality=100)
    for source in (tmp_path / "a.heic", (tmp_path / "a.heic").read_bytes()):
        result = read_image(source)
        assert_rgb(result, pixels.shape)
        assert np.abs(result[8:40, 8:56].astype(int) - pixels[8:40, 8:56]).mean() < 12
