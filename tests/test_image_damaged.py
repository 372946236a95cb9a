"""Damaged, truncated and oversized files: an ImageError with the file and the reason, without warnings."""

import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngImageFile

from colored_image import assert_rgb, colored
from rdrface import image_arrays
from rdrface.errors import ImageError
from rdrface.image import read_image


def test_broken_files_are_named(tmp_path):
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (80, 80, 3), dtype=np.uint8)).save(tmp_path / "whole.jpg")
    Image.fromarray(rng.integers(0, 256, (80, 80, 3), dtype=np.uint8)).save(tmp_path / "whole.png")
    for name in ("whole.jpg", "whole.png"):
        content = (tmp_path / name).read_bytes()
        broken = tmp_path / f"cut_{name}"
        broken.write_bytes(content[: len(content) // 2])
        with pytest.raises(ImageError, match=broken.name.replace(".", r"\.") + ".*(damaged|truncated)"):
            read_image(broken)
    (tmp_path / "head.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:10])
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("this is not an image")
    for name, reason in (
        ("head.jpg", "head"),
        ("empty.jpg", "is empty"),
        ("text.jpg", "not an image"),
        ("no.jpg", "no file"),
    ):
        with pytest.raises(ImageError, match=reason) as caught:
            read_image(tmp_path / name)
        assert name in str(caught.value)
    with pytest.raises(ImageError, match="is a folder"):
        read_image(tmp_path)
    with pytest.raises(ImageError, match="cannot be read"):
        read_image(tmp_path / ("n" * 5000))
    (tmp_path / "phone.heic").write_bytes(b"ftypheic" * 20)
    with pytest.raises(ImageError, match="convert it to JPEG"):
        read_image(tmp_path / "phone.heic")


@pytest.mark.parametrize(
    "content",
    [
        b"P6\n25l 40\n255\n",  # ValueError of Image.open
        b"P6\n25 40\n99999999\n",
        b"\x01\xda\x00\x01\x00\x03" + b"\xff" * 506,  # SGI with 65535 channels
    ],
)
def test_damaged_headers_are_named(tmp_path, content):
    (tmp_path / "a.ppm").write_bytes(content)
    with pytest.raises(ImageError, match=r"a\.ppm is damaged or truncated"):
        read_image(tmp_path / "a.ppm")


@pytest.mark.parametrize("stage", ["open", "load", "exif"])
def test_a_lack_of_memory_is_not_reported_as_a_damaged_file(tmp_path, monkeypatch, stage):
    Image.fromarray(colored()).save(tmp_path / "a.png")

    def fail(*args, **kwargs):
        raise MemoryError

    target = {"open": (Image, "open"), "load": (PngImageFile, "load"), "exif": (ImageOps, "exif_transpose")}[stage]
    monkeypatch.setattr(*target, fail)
    with pytest.raises(MemoryError):
        read_image(tmp_path / "a.png")


def write_tiff_with_damaged_tags(path: Path) -> None:
    """Write a TIFF file, for which Pillow warns of damaged tags when it opens, loads and rotates it."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a description"
    Image.fromarray(colored()).save(path, exif=exif)
    content = bytearray(path.read_bytes())
    start = struct.unpack("<I", content[4:8])[0]
    content[start] = 255  # number of tags
    path.write_bytes(content)


def test_damaged_tags_do_not_print_warnings(tmp_path):
    write_tiff_with_damaged_tags(tmp_path / "a.tif")
    with pytest.warns(UserWarning), Image.open(tmp_path / "a.tif") as opened:
        ImageOps.exif_transpose(opened)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        read_image(tmp_path / "a.tif")
        with Image.open(tmp_path / "a.tif") as opened:
            caught.clear()  # this call of Image.open is the user's
            read_image(opened)
    assert caught == []


def test_warnings_are_shown_again_after_images_were_read_in_several_threads(tmp_path):
    Image.fromarray(colored(640, 480)).save(tmp_path / "a.png")
    before = list(warnings.filters)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(read_image, [tmp_path / "a.png"] * 40))
    assert list(warnings.filters) == before


def test_an_image_with_a_damaged_exif_block_can_be_read(tmp_path):
    Image.fromarray(colored(64, 48)).save(tmp_path / "a.jpg", quality=95, exif=b"Exif\0\0MM\0\x2a\0\0\xff\xff\1\2\3")
    assert_rgb(read_image(tmp_path / "a.jpg"), (48, 64, 3))


def write_png_with_size(path: Path, width: int, height: int) -> None:
    """Write a tiny PNG whose header has any size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


def test_huge_images_are_refused_before_they_are_decoded(tmp_path, recwarn):
    for size in ((60000, 60000), (17000, 16000)):
        write_png_with_size(tmp_path / "bomb.png", *size)
        with pytest.raises(ImageError, match=r"bomb\.png.*shrink it"):
            read_image(tmp_path / "bomb.png")
    assert not [w for w in recwarn if issubclass(w.category, Image.DecompressionBombWarning)]


def test_large_images_below_the_limit_are_read(tmp_path, monkeypatch):
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    monkeypatch.setattr(image_arrays, "MAX_PIXELS", 40 * 30)
    assert_rgb(read_image(tmp_path / "a.png"), (30, 40, 3))
    monkeypatch.setattr(image_arrays, "MAX_PIXELS", 40 * 30 - 1)
    with pytest.raises(ImageError, match="40 x 30"):
        read_image(tmp_path / "a.png")
    with pytest.raises(ImageError, match="40 x 30"):
        read_image(np.zeros((30, 40, 3), np.uint8))
