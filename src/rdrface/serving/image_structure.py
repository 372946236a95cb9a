"""Formats of uploaded images, and a check of their structure before a decoder reads them.

Pillow reads the head of a file in Python. A file of 25 MB can contain millions of empty segments or chunks, or
thousands of scans of the same pixels: it would keep a processor busy for minutes, or fill gigabytes. Cameras and
programs write far fewer of them than the limits below. Formats with further problems of this kind (GIF, TIFF, BMP)
are not accepted.
"""

import re
from typing import Literal

from rdrface.serving.request_errors import ImageRefused

Format = Literal["JPEG", "PNG", "WEBP", "AVIF", "HEIF"]

MAX_JPEG_SEGMENTS = 2_000
MAX_JPEG_SCANS = 100
MAX_PNG_CHUNKS = 20_000

_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_WITHOUT_CONTENT = frozenset({0x00, 0x01, *range(0xD0, 0xD9)})
"""Second bytes of JPEG markers that no length follows."""

_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7]", re.DOTALL)
"""The first marker after the data of a scan, which contains FF 00 and restart markers."""

_PNG_START = b"\x89PNG\r\n\x1a\n"
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"})


def image_format(content: bytes) -> Format | None:
    """Format of an encoded image, by its first bytes; None if it is not accepted."""
    if content.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if content.startswith(_PNG_START):
        return "PNG"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WEBP"
    if content[4:8] == b"ftyp":
        # A file of the brand mif1 is AVIF if it is compatible with it.
        size = min(int.from_bytes(content[:4], "big"), 256)
        brands = {content[8:12], *(content[i : i + 4] for i in range(16, size, 4))}
        if brands & _AVIF_BRANDS:
            return "AVIF"
        if brands & _HEIF_BRANDS:
            return "HEIF"
    return None


def check_structure(content: bytes, kind: Format) -> None:
    """Check the number of segments, scans or chunks of an encoded image.

    Raises:
        ImageRefused: there are more than any camera or program writes.
    """
    if kind == "JPEG" and _is_jpeg_too_complex(content):
        raise _too_complex(f"more than {MAX_JPEG_SEGMENTS} segments or {MAX_JPEG_SCANS} scans")
    if kind == "PNG" and _count_png_chunks(content) > MAX_PNG_CHUNKS:
        raise _too_complex(f"more than {MAX_PNG_CHUNKS} chunks")


def _too_complex(reason: str) -> ImageRefused:
    return ImageRefused("image_too_complex", f"the file has {reason}; save the image again with another program")


def _is_jpeg_too_complex(content: bytes) -> bool:
    """Whether a JPEG has too many segments or scans.

    The file is walked as Pillow and libjpeg read it: bytes between segments are skipped one by one, and count like
    segments; some markers have no content; what follows the end of the image, such as the video of a motion photo, is
    not read.
    """
    position, segments, scans = 2, 0, 0
    while segments <= MAX_JPEG_SEGMENTS and scans <= MAX_JPEG_SCANS:
        start = content.find(b"\xff", position)
        if start < 0 or start + 1 == len(content):
            return False
        segments += 1 + start - position
        marker = content[start + 1]
        if marker == _END_OF_IMAGE:
            return False
        if marker == 0xFF:  # padding
            position = start + 1
        elif marker in _WITHOUT_CONTENT:
            position = start + 2
        else:
            position = start + 2 + max(2, int.from_bytes(content[start + 2 : start + 4], "big"))
        if marker == _SCAN:
            scans += 1
            after = _AFTER_SCAN.search(content, position)
            position = len(content) if after is None else after.start()
    return True


def _count_png_chunks(content: bytes) -> int:
    """Number of chunks; stops at the limit."""
    position, count = len(_PNG_START), 0
    while position + 12 <= len(content) and count <= MAX_PNG_CHUNKS:
        position += 12 + int.from_bytes(content[position : position + 4], "big")
        count += 1
    return count
