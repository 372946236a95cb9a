"""Reading images: paths, encoded data, PIL images and arrays become upright (H, W, 3) uint8 RGB."""

import io
import os
import re
import stat
import warnings
from contextlib import ExitStack
from os import PathLike
from pathlib import Path
from threading import Lock
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from rdrface.errors import ImageError
from rdrface.image_arrays import BACKGROUND, array_to_rgb, check_size, gray_to_uint8

HEIF_SUFFIXES = frozenset({".heic", ".heif", ".hif"})

SUFFIXES = HEIF_SUFFIXES | frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".ppm", ".pgm", ".pnm"}
    | {".avif", ".jp2", ".j2k"}
)
"""Suffixes of the image files that are taken from a folder or an archive. `read_image` opens a file of any suffix."""

_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"})
"""Bytes 8 to 12 of HEIF files (ISO/IEC 23008-12)."""

_CONVERTIBLE_SUFFIXES = HEIF_SUFFIXES | {".jxl", ".avif", ".svg", ".pdf"}

_SINGLE_FRAME_FORMATS = frozenset({"MPO", "ICO", "ICNS"})
"""Formats whose files contain previews, depth maps or other sizes of one image."""

_URL = re.compile(r"(https?|ftp|file|s3|gs)://|data:image/", re.IGNORECASE)

_MAX_NAME = 300
"""Characters of a path that error messages show."""


class _WithoutPillowWarnings:
    """Context in which Pillow's warnings are not shown, usable by several threads at the same time.

    Pillow warns of large images, which `check_size` refuses, and of damaged metadata, which do not matter. All threads
    share the filters of warnings: the first thread that enters changes them, and the last one that leaves restores
    them, so no thread waits while another one decodes.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._num_inside = 0
        self._changed_filters = ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            if self._num_inside == 0:
                self._changed_filters.enter_context(warnings.catch_warnings())
                warnings.filterwarnings("ignore", module=r"PIL\.|pillow_heif")
            self._num_inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._num_inside -= 1
            if self._num_inside == 0:
                self._changed_filters.close()


_WITHOUT_WARNINGS = _WithoutPillowWarnings()

ImageSource = str | PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Image.Image | np.ndarray
"""Types that `read_image` accepts."""


class FirstFrame(NamedTuple):
    """The first frame of an image file.

    Attributes:
        pixels: (H, W, 3) uint8 RGB.
        num_frames: number of pages or frames in the file, at least 1.
    """

    pixels: np.ndarray
    num_frames: int


def read_image(image: ImageSource) -> np.ndarray:
    """Read an image.

    Paths, encoded data and PIL images: EXIF orientation is applied, the first page or frame is used, transparent parts
    become white, 16-bit and float gray are scaled to 0..255, CMYK and palettes are converted. HEIC needs pillow-heif
    (``pip install "rdrface[heic]"``). Arrays: (H, W), (H, W, 1), (H, W, 3) RGB or (H, W, 4) RGBA; uint16 is divided by
    257 and must not be 0..255, bool and floats of 0..1 are multiplied by 255.

    Args:
        image: path, the content of an image file as bytes, a binary file object, a PIL image or an array.

    Returns:
        (H, W, 3) uint8 RGB. A (H, W, 3) uint8 array is returned without a copy.

    Raises:
        ImageError: the file does not exist, is not an image, or is truncated; the image is empty or larger than
            `rdrface.image_arrays.MAX_PIXELS`; or an array has an unsupported shape, dtype or range.
        TypeError: `image` has none of the accepted types.
    """
    return read_first_frame(image).pixels


def read_first_frame(image: ImageSource) -> FirstFrame:
    """Read an image as `read_image` does, and count its pages or frames."""
    if isinstance(image, np.ndarray):
        return FirstFrame(array_to_rgb(image), 1)
    if isinstance(image, Image.Image):
        return _from_pil(image, "the PIL image")
    if isinstance(image, str | PathLike):
        return _from_path(os.fsdecode(image))
    if isinstance(image, bytes | bytearray | memoryview):
        return _from_content(bytes(image), "the data")
    if hasattr(image, "read"):
        content = image.read()
        if not isinstance(content, bytes):
            raise TypeError("an image file must be opened in binary mode: open(path, 'rb')")
        return _from_content(content, f"the file object {getattr(image, 'name', '')}".rstrip())
    hint = "; cv2.imread returns None for a file that it cannot read" if image is None else ""
    hint = "; convert it with numpy.asarray" if hasattr(image, "__array__") else hint
    raise TypeError(
        "an image is a path, the bytes of an image file, a binary file object, a PIL image or an array (H, W, 3) uint8 "
        f"RGB; got {type(image).__name__}{hint}"
    )


def is_image_source(value: object) -> bool:
    """Whether a value has one of the types of a single image, in contrast to a list of images."""
    return isinstance(value, str | PathLike | bytes | bytearray | memoryview | Image.Image | np.ndarray) or hasattr(
        value, "read"
    )


def is_url(text: str) -> bool:
    """Whether a text is a URL and not the path of a file, which `read_image` does not open."""
    # Path.exists() raises an error if the text is too long.
    return _URL.match(text) is not None and not os.path.exists(text)  # noqa: PTH110


def _from_path(text: str) -> FirstFrame:
    if is_url(text):
        raise ImageError(f"{_shortened(text)} is a URL; download the file and pass its path or its bytes")
    path, name = Path(text), _shortened(text)
    try:
        if path.is_dir():
            raise ImageError(f"{name} is a folder; pass the path of an image")
        if not path.exists():
            raise ImageError(f"no file at {name}{_why_missing(path, text)}")
        status = path.stat()
        if stat.S_ISFIFO(status.st_mode):
            return _from_content(path.read_bytes(), name)
        if status.st_size == 0:
            raise ImageError(f"{name} is empty (0 bytes)")
        with path.open("rb") as file:
            return _decode(file, name, path.suffix.lower())
    except PermissionError as error:
        raise ImageError(f"{name} cannot be read: permission denied") from error
    except OSError as error:
        raise ImageError(f"{name} cannot be read: {error.strerror or error}{_hint_for_long_text(text)}") from error


def _why_missing(path: Path, text: str) -> str:
    if path.is_symlink():
        return ": it is a link to a file that does not exist"
    if text.startswith("~"):
        return "; ~ is not expanded here: pass Path(...).expanduser()"
    return _hint_for_long_text(text)


def _hint_for_long_text(text: str) -> str:
    return "; if this is an encoded image, decode it and pass the bytes" if len(text) > _MAX_NAME else ""


def _from_content(content: bytes, name: str) -> FirstFrame:
    if not content:
        raise ImageError(f"{name} is empty (0 bytes)")
    return _decode(io.BytesIO(content), name, "")


def _decode(file: BinaryIO, name: str, suffix: str) -> FirstFrame:
    start = file.read(12)
    file.seek(0)
    is_heif = start[4:8] == b"ftyp" and start[8:] in _HEIF_BRANDS
    has_heif_support = is_heif and _register_heif()
    try:
        with _WITHOUT_WARNINGS, Image.open(file) as opened:
            return _from_pil(opened, name)
    except (ImageError, MemoryError):
        raise
    except UnidentifiedImageError as error:
        if (is_heif or suffix in HEIF_SUFFIXES) and not has_heif_support:
            raise ImageError(
                f"{name} is HEIC, which needs pillow-heif: pip install 'rdrface[heic]', or convert it to JPEG"
            ) from error
        hint = "; convert it to JPEG or PNG" if suffix in _CONVERTIBLE_SUFFIXES else ""
        raise ImageError(
            f"{name} is not an image in a known format (JPEG, PNG, WebP, TIFF, GIF, BMP ...){hint}"
        ) from error
    except Image.DecompressionBombError as error:
        raise ImageError(f"{name} is too large: {error}; shrink it first") from error
    except OSError as error:
        raise ImageError(f"{name} cannot be read: {error.strerror or error}") from error
    except Exception as error:  # decoders raise ValueError, RuntimeError, struct.error ... for damaged headers
        raise ImageError(f"{name} is damaged or truncated: {error}") from error


def _register_heif() -> bool:
    """Let Pillow read HEIF files; False if pillow-heif is not installed."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return False
    register_heif_opener()
    return True


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_NAME else f"{text[:60]}... ({len(text)} characters)"


def _from_pil(image: Image.Image, name: str) -> FirstFrame:
    check_size(*image.size, name)
    try:
        with _WITHOUT_WARNINGS:
            image.load()
            pixels = np.array(_to_rgb(_upright(image)), dtype=np.uint8)
            num_frames = _num_frames(image)
    except (ImageError, MemoryError):
        raise
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, EOFError ... for broken files
        raise ImageError(f"{name} is damaged or truncated: {error}") from error
    return FirstFrame(pixels, num_frames)


def _num_frames(image: Image.Image) -> int:
    if image.format in _SINGLE_FRAME_FORMATS:
        return 1
    try:
        return max(1, int(getattr(image, "n_frames", 1)))
    except MemoryError:
        raise
    except Exception:  # later frames may be damaged; only the first is used
        return 1


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except MemoryError:
        raise
    except Exception:  # a damaged EXIF block can raise anything; the pixels are intact, so use them as stored
        return image


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        # Not array_to_rgb: some programs store values of 0..255 in files of 16 bits.
        return Image.fromarray(gray_to_uint8(np.asarray(image))).convert("RGB")
    if image.mode in ("I", "F"):
        return Image.fromarray(gray_to_uint8(np.asarray(image))).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        layer = image.convert("RGBA")
        page = Image.new("RGBA", layer.size, (*BACKGROUND, 255))
        return Image.alpha_composite(page, layer).convert("RGB")
    return image.convert("RGB")
