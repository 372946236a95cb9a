"""Uploaded images: size and format are checked before the pixels are decoded."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from rdrface.image import read_image
from rdrface.serving.image_structure import Format, check_structure, image_format
from rdrface.serving.request_errors import ImageRefused

FORMATS = "JPEG, PNG, WebP, AVIF, or HEIC if the server has pillow-heif"


_PLAIN_MODES = frozenset({"1", "L", "RGB", "CMYK", "YCbCr"})
_PLAIN_FORMATS = frozenset({"JPEG", "PNG"})
_PLAIN_BYTES = 16
_OTHER_BYTES = 36
"""Maximum memory per pixel while `rdrface.image` decodes and converts. It is larger for transparency, which is blended
with a page, for 16 bits, which are scaled in float64, and for decoders that need a second copy."""


@dataclass(frozen=True)
class EncodedImage:
    """An uploaded image whose size is known and accepted.

    Attributes:
        content: the file.
        format: its format.
        width: pixels of the stored image, before a rotation by EXIF.
        height: pixels of the stored image.
        decoding_bytes: memory for decoding it, bytes. Afterwards, 3 bytes per pixel remain.
    """

    content: bytes
    format: Format
    width: int
    height: int
    decoding_bytes: int


def check_image(content: bytes, max_pixels: int) -> EncodedImage:
    """Read the head of an uploaded image.

    Args:
        content: the file.
        max_pixels: maximum number of pixels.

    Raises:
        ImageRefused: the file is empty, has no accepted format, is damaged, or is too large or too complex. No pixel
            has been decoded.
    """
    if not content:
        raise ImageRefused("empty_image", "the file is empty (0 bytes)")
    kind = image_format(content)
    if kind is None or not _can_read(kind):
        raise ImageRefused("unsupported_image", f"the file is not an image in an accepted format ({FORMATS})")
    check_structure(content, kind)
    try:
        with Image.open(io.BytesIO(content), formats=[kind]) as opened:
            width, height = opened.size
            is_plain = kind in _PLAIN_FORMATS and opened.mode in _PLAIN_MODES and "transparency" not in opened.info
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels(max_pixels) from error
    except MemoryError:
        raise
    except Exception as error:  # decoders raise OSError, SyntaxError, ValueError, struct.error ... for damaged heads
        raise _damaged() from error
    if width * height > max_pixels:
        raise _too_many_pixels(max_pixels)
    bytes_per_pixel = _PLAIN_BYTES if is_plain else _OTHER_BYTES
    return EncodedImage(content, kind, width, height, width * height * bytes_per_pixel)


def decode_image(image: EncodedImage) -> np.ndarray:
    """Decode an uploaded image.

    Returns:
        (H, W, 3) uint8 RGB, upright.

    Raises:
        ImageRefused: the image is damaged or truncated.
    """
    try:
        with Image.open(io.BytesIO(image.content), formats=[image.format]) as opened:
            return read_image(opened)
    except MemoryError:
        raise
    except Exception as error:  # ImageError, and what decoders raise for damaged heads
        raise _damaged() from error


def _too_many_pixels(max_pixels: int) -> ImageRefused:
    return ImageRefused(
        "too_many_pixels",
        f"the image has more than {max_pixels / 1e6:g} megapixels, the limit of this server (--max-megapixels); "
        "shrink it",
    )


def _damaged() -> ImageRefused:
    return ImageRefused("damaged_image", "the image is damaged or truncated; save it again")


def _can_read(kind: Format) -> bool:
    if kind == "HEIF":
        try:
            from pillow_heif import register_heif_opener
        except ImportError:
            return False
        register_heif_opener()
    Image.init()
    return kind in Image.OPEN
