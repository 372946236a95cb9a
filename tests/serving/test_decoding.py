"""Uploaded images: accepted formats, and files that would occupy a decoder."""

import io
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("fastapi")

import rdrface
from rdrface.image import read_image
from rdrface.serving.decoding import check_image, decode_image
from rdrface.serving.image_structure import MAX_JPEG_SCANS, MAX_JPEG_SEGMENTS, MAX_PNG_CHUNKS
from rdrface.serving.request_errors import ImageRefused

MAX_PIXELS = 1_000_000

PEAK = """
import io, sys, threading, time
from pathlib import Path
from PIL import Image
from rdrface.serving.decoding import check_image, decode_image

def memory():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

exif = Image.Exif()
exif[0x0112] = 6
for size in (10, 3000):  # the first one only loads libraries
    file = io.BytesIO()
    Image.new(sys.argv[1], (size, size)).save(file, sys.argv[2], exif=exif)
    image = check_image(file.getvalue(), 10**8)
    start, peaks, done = memory(), [0], threading.Event()

    def watch():
        while not done.is_set():
            peaks.append(memory())
            time.sleep(0.001)

    thread = threading.Thread(target=watch)
    thread.start()
    pixels = decode_image(image)
    done.set()
    thread.join()
print((max(peaks) - start) / image.decoding_bytes)
"""
"""Prints the memory for decoding an image, as a share of the memory that was announced."""


def saved(kind: str, **options) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_head(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))


def refused(content: bytes) -> str:
    with pytest.raises(ImageRefused) as error:
        decode_image(check_image(content, MAX_PIXELS))
    return error.value.code


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "MPO"])
def test_accepted_formats_are_decoded_as_everywhere_in_rdrface(kind):
    Image.init()
    if kind not in Image.SAVE:
        pytest.skip(f"this Pillow has no {kind}")
    content = saved(kind)
    image = check_image(content, MAX_PIXELS)
    assert (image.width, image.height) == (30, 20)
    np.testing.assert_array_equal(decode_image(image), read_image(content))


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux")
@pytest.mark.parametrize(("mode", "kind"), [("RGB", "JPEG"), ("I;16", "PNG"), ("RGBA", "WEBP"), ("RGB", "WEBP")])
def test_decoding_takes_no_more_memory_than_announced(mode, kind):
    paths = [str(Path(rdrface.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    done = subprocess.run([sys.executable, "-c", PEAK, mode, kind], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 1.05


def test_the_rotation_by_exif_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode_image(check_image(saved("JPEG", exif=exif), MAX_PIXELS)).shape == (30, 20, 3)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "PPM", "EPS", "ICO", "TGA"])
def test_other_formats_are_refused(kind):
    assert refused(saved(kind)) == "unsupported_image"


@pytest.mark.parametrize("content", [b"P6 1 1 255\n123", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"<svg/>", b"\xff\xd8", b"RIFF"])
def test_other_content_is_refused(content):
    assert refused(content) == "unsupported_image"


def test_a_bomb_is_refused_before_it_is_decoded(monkeypatch):
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    for width, height in ((1001, 1000), (20_000, 20_000), (2**31 - 1, 2**31 - 1)):
        content = png_head(width, height) + png_chunk(b"IDAT", zlib.compress(bytes(1000))) + png_chunk(b"IEND", b"")
        assert refused(content) == "too_many_pixels"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_truncated_files_are_refused(kind):
    content = saved(kind)
    for length in (20, len(content) // 2):
        assert refused(content[:length]) in ("damaged_image", "unsupported_image")


def test_random_damage_is_refused_or_decoded():
    rng = np.random.default_rng(0)
    for kind in ("JPEG", "PNG", "WEBP"):
        content = saved(kind)
        for _ in range(100):
            damaged = bytearray(content)
            for position in rng.integers(0, len(content), 5):
                damaged[position] = rng.integers(256)
            try:
                decode_image(check_image(bytes(damaged), MAX_PIXELS))
            except ImageRefused:
                continue


def test_a_jpeg_with_thousands_of_segments_is_refused():
    content = saved("JPEG")
    assert refused(content[:2] + b"\xff\xe5\x00\x02" * (MAX_JPEG_SEGMENTS + 1) + content[2:]) == "image_too_complex"
    assert check_image(content[:2] + b"\xff\xe5\x00\x02" * 500 + content[2:], MAX_PIXELS)


@pytest.mark.parametrize("start", [b"\xff\xfe\x00\x02\x00", b"\xff\xd0"])
def test_bytes_that_decoders_skip_do_not_hide_segments(start):
    content = saved("JPEG")
    segments = b"\xff\xfe\x00\x02" * (MAX_JPEG_SEGMENTS + 1)
    assert refused(content[:2] + start + segments + content[2:]) == "image_too_complex"
    assert check_image(content[:2] + start + content[2:], MAX_PIXELS)


def test_data_after_the_end_of_a_jpeg_is_not_read():
    """Motion photos of phones contain a video there."""
    content = saved("JPEG")
    assert check_image(content + b"\xff\xda\x00\x02" * 1000 + bytes(1000), MAX_PIXELS)


def test_a_jpeg_with_thousands_of_scans_is_refused():
    content = saved("JPEG", progressive=True)
    scan = content[content.rindex(b"\xff\xda") : -2]
    assert refused(content[:-2] + scan * MAX_JPEG_SCANS + content[-2:]) == "image_too_complex"


def test_a_png_with_thousands_of_chunks_is_refused():
    content = saved("PNG")
    end = content.index(b"IDAT") - 4
    assert (
        refused(content[:end] + png_chunk(b"prVt", b"") * (MAX_PNG_CHUNKS + 1) + content[end:]) == "image_too_complex"
    )
