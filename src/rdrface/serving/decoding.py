"""Uploaded images: size and format are checked before the pixels are decoded."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from rdrface.image import read_image
from rdrface.serving.image_structure import Format, check_structure, image_format
from rdrface.serving.request_errors import ImageRefused

FORMATS = "JPEG, PNG, WebP, AVIF, or HEIC if the server has pillow-heif"


@dataclass(frozen=True)
class EncodedImage:
    """An uploaded image whose size is known and accepted.

    Attributes:
        content: the file.
        format: its format.
        width: pixels of the stored image, before a rotation by EXIF.
        height: pixels of the stored image.
    """

    content: bytes
    format: Format
    width: int
    height: int

    @property
    def num_bytes(self) -> int:
        """Memory of the decoded image, bytes."""
        return self.width * self.height * 3


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
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels(max_pixels) from error
    except MemoryError:
        raise
    except Exception as error:  # decoders raise OSError, SyntaxError, ValueError, struct.error ... for damaged heads
        raise _damaged() from error
    if width * height > max_pixels:
        raise _too_many_pixels(max_pixels)
    return EncodedImage(content, kind, width, height)


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
