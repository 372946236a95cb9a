"""Reading images: paths, encoded data, PIL images and arrays become upright (H, W, 3) uint8 RGB."""

import io
import os
import re
import stat
import warnings
from os import PathLike
from pathlib import Path
from threading import Lock
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from rdrface.errors import ImageError

MAX_PIXELS = 170 * 1024 * 1024
"""Maximum number of pixels: as RGB they take half a gigabyte, and a small file can declare any size. The limit is just
below that of Pillow."""

BACKGROUND = (255, 255, 255)
"""RGB behind transparent parts. White, as in image viewers; on black, the outline of dark hair would disappear."""

HEIF_SUFFIXES = frozenset({".heic", ".heif", ".hif"})

_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"})
"""Bytes 8 to 12 of HEIF files (ISO/IEC 23008-12)."""

_CONVERTIBLE_SUFFIXES = HEIF_SUFFIXES | {".jxl", ".avif", ".svg", ".pdf"}

_SINGLE_FRAME_FORMATS = frozenset({"MPO", "ICO", "ICNS"})
"""Formats whose files contain previews, depth maps or other sizes of one image."""

_URL = re.compile(r"(https?|ftp|file|s3|gs|data):", re.IGNORECASE)

_MAX_NAME = 300
"""Characters of a path that error messages show."""

_WARNING_FILTERS = Lock()

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
    257, bool and floats of 0..1 are multiplied by 255.

    Args:
        image: path, the content of an image file as bytes, a binary file object, a PIL image or an array.

    Returns:
        (H, W, 3) uint8 RGB. A (H, W, 3) uint8 array is returned without a copy.

    Raises:
        ImageError: the file does not exist, is not an image, or is truncated; the image is empty or larger than
            `MAX_PIXELS`; or an array has an unsupported shape, dtype or range.
        TypeError: `image` has none of the accepted types.
    """
    return read_first_frame(image).pixels


def read_first_frame(image: ImageSource) -> FirstFrame:
    """Read an image as `read_image` does, and count its pages or frames."""
    if isinstance(image, np.ndarray):
        return FirstFrame(_from_array(image), 1)
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
    """Whether a text is a URL, which `read_image` does not open."""
    return _URL.match(text) is not None


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
        raise ImageError(f"{name} cannot be read: {error.strerror or error}") from error


def _why_missing(path: Path, text: str) -> str:
    if path.is_symlink():
        return ": it is a link to a file that does not exist"
    if text.startswith("~"):
        return "; ~ is not expanded here: pass Path(...).expanduser()"
    if len(text) > _MAX_NAME:
        return "; if this is an encoded image, decode it and pass the bytes"
    return ""


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
        # Pillow warns of large images, which are checked later, and of damaged EXIF blocks, which do not matter. The
        # lock is needed because all threads share the filters of warnings; opening reads the header only.
        with _WARNING_FILTERS, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            opened = Image.open(file)
        with opened:
            return _from_pil(opened, name)
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
    width, height = image.size
    if width == 0 or height == 0:
        raise ImageError(f"{name} has no pixels (size {width} x {height})")
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"{name} has {width} x {height} pixels, above the maximum of {MAX_PIXELS // 2**20} megapixels; shrink it"
        )
    try:
        image.load()
        pixels = np.array(_to_rgb(_upright(image)), dtype=np.uint8)
    except ImageError:
        raise
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, EOFError ... for broken files
        raise ImageError(f"{name} is damaged or truncated: {error}") from error
    return FirstFrame(pixels, _num_frames(image))


def _num_frames(image: Image.Image) -> int:
    if image.format in _SINGLE_FRAME_FORMATS:
        return 1
    try:
        return max(1, int(getattr(image, "n_frames", 1)))
    except Exception:  # later frames may be damaged; only the first is used
        return 1


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # a damaged EXIF block can raise anything; the pixels are intact, so use them as stored
        return image


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) / 257.0).round().astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        return Image.fromarray(_gray_to_uint8(np.asarray(image))).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        layer = image.convert("RGBA")
        page = Image.new("RGBA", layer.size, (*BACKGROUND, 255))
        return Image.alpha_composite(page, layer).convert("RGB")
    return image.convert("RGB")


def _gray_to_uint8(values: np.ndarray) -> np.ndarray:
    # Modes I and F have no defined range. Some versions of Pillow open 16-bit gray PNG as I, and scientific images use
    # float 0..1 or 0..255: take the smallest usual range that contains the values.
    values = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    high = values.max(initial=0.0)
    is_float_unit = high <= 1.0 and not (values == np.rint(values)).all()
    full = 1.0 if is_float_unit else 255.0 if high <= 255 else 65535.0 if high <= 65535 else high
    return np.rint(values.clip(0, full) * (255.0 / full)).astype(np.uint8)


def _from_array(array: np.ndarray) -> np.ndarray:
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        hint = "; move the channels to the end" if array.ndim == 3 and array.shape[0] in (1, 3, 4) else ""
        hint = "; pass the bytes of an image file with tobytes()" if array.ndim == 1 else hint
        hint = "; pass the images of a stack one by one" if array.ndim == 4 else hint
        raise ImageError(
            f"an image array must be (H, W, 3) RGB, (H, W, 4) RGBA or (H, W) gray; got {array.shape}{hint}"
        )
    if array.size == 0:
        raise ImageError(f"the image array has no pixels (shape {array.shape})")
    if array.shape[0] * array.shape[1] > MAX_PIXELS:
        raise ImageError(
            f"the image array has {array.shape[1]} x {array.shape[0]} pixels, above the maximum of "
            f"{MAX_PIXELS // 2**20} megapixels; shrink it"
        )
    values = _to_uint8(array)
    if values.ndim == 2:
        values = values[..., None]
    if values.shape[2] == 1:
        return np.repeat(values, 3, axis=2)
    if values.shape[2] == 4:
        alpha = values[..., 3:].astype(np.float32) / 255
        page = np.array(BACKGROUND, np.float32)
        return np.rint(values[..., :3] * alpha + page * (1 - alpha)).astype(np.uint8)
    return values


def _to_uint8(array: np.ndarray) -> np.ndarray:
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.uint16:
        return np.rint(array / 257.0).astype(np.uint8)
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if np.issubdtype(array.dtype, np.floating):
        if not np.isfinite(array).all():
            raise ImageError("the image array contains NaN or infinite values; replace them")
        low, high = float(array.min()), float(array.max())
        if low < 0 or high > 1:
            raise ImageError(
                f"a floating-point image array must be in 0..1, got {low:g}..{high:g}; "
                "convert values of 0..255 with astype('uint8')"
            )
        rounded: np.ndarray = np.rint(array * 255).astype(np.uint8)
        return rounded
    raise ImageError(f"an array image must be uint8, uint16, bool or floating 0..1; got {array.dtype}")
