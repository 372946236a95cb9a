"""Reading photos: whatever a user has becomes (H, W, 3) uint8 RGB, upright, or a ImageError says what is wrong."""

import warnings
from os import PathLike, fspath
from pathlib import Path
from threading import Lock

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from rdrface.errors import ImageError

MAX_PIXELS = 170 * 1024 * 1024
"""Larger pictures are refused: half a gigabyte as RGB, and a small file can claim any size. Just below the number at
which Pillow itself refuses."""

BACKGROUND = (255, 255, 255)
"""What transparent parts show. White, as viewers and printers do; black would cut dark hair out of a light page."""

_OPENING = Lock()

ImageSource = str | PathLike[str] | Image.Image | np.ndarray


def read_image(photo: ImageSource) -> np.ndarray:
    """A photo as (H, W, 3) uint8 RGB.

    Paths and PIL images: EXIF orientation is applied, the first frame of an animation is taken, transparency is put on
    white, 16-bit and float gray are scaled to 0..255, CMYK and palettes are converted. Arrays: (H, W), (H, W, 1),
    (H, W, 3) RGB or (H, W, 4) RGBA; uint8 as it is, uint16 divided by 257, bool and floating 0..1 multiplied by 255.
    A (H, W, 3) uint8 array is returned without a copy.

    Args:
        photo: path, PIL image or array.

    Raises:
        ImageError: no such file, no picture, cut short, empty, larger than `MAX_PIXELS`, or an array of another shape,
            type or range.
        TypeError: none of the accepted types.
    """
    if isinstance(photo, np.ndarray):
        return _from_array(photo)
    if isinstance(photo, Image.Image):
        return _from_pil(photo, "the PIL image")
    if isinstance(photo, str | PathLike):
        return _from_path(Path(fspath(photo)))
    raise TypeError(f"a photo is a path, a PIL image or an array (H, W, 3) uint8 RGB; got {type(photo).__name__}")


def _from_path(path: Path) -> np.ndarray:
    try:
        if path.is_dir():
            raise ImageError(f"{path} is a folder; name the photos in it")
        if not path.exists():
            raise ImageError(f"no file at {path}")
        if path.stat().st_size == 0:
            raise ImageError(f"{path} is empty (0 bytes)")
        # Our own limit is checked later; Pillow's warning at half of it would stop nothing. The filters of warnings are
        # shared by all threads, hence the lock; opening reads the header only.
        with _OPENING, warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(path)
        with picture:
            return _from_pil(picture, str(path))
    except UnidentifiedImageError as error:
        hint = (
            "; convert it to JPEG or PNG" if path.suffix.lower() in (".heic", ".heif", ".avif", ".svg", ".pdf") else ""
        )
        raise ImageError(
            f"{path} is not a picture in a known format (JPEG, PNG, WebP, TIFF, GIF, BMP ...){hint}"
        ) from error
    except Image.DecompressionBombError as error:
        raise ImageError(f"{path} is too large: {error}; shrink it first") from error
    except PermissionError as error:
        raise ImageError(f"{path} may not be read: permission denied") from error
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {error}") from error


def _from_pil(picture: Image.Image, name: str) -> np.ndarray:
    width, height = picture.size
    if width == 0 or height == 0:
        raise ImageError(f"{name} has no pixels (size {width} x {height})")
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"{name} has {width} x {height} pixels, more than the {MAX_PIXELS // 2**20} megapixels accepted; shrink it"
        )
    try:
        picture.load()
        return np.array(_to_rgb(_upright(picture)), dtype=np.uint8)
    except ImageError:
        raise
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, EOFError ... for broken files
        raise ImageError(f"{name} is damaged or cut short: {error}") from error


def _upright(picture: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # whatever a damaged EXIF block raises: the pixels are whole, so show them as they are stored
        return picture


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(picture) / 257.0).round().astype(np.uint8)).convert("RGB")
    if picture.mode in ("I", "F"):
        return Image.fromarray(_gray_to_uint8(np.asarray(picture))).convert("RGB")
    if picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        page = Image.new("RGBA", layer.size, (*BACKGROUND, 255))
        return Image.alpha_composite(page, layer).convert("RGB")
    return picture.convert("RGB")


def _gray_to_uint8(values: np.ndarray) -> np.ndarray:
    # Modes I and F do not say their range. Pillow opens 16-bit gray PNG as I in some versions, and scientific pictures
    # come as float 0..1 or 0..255: take the smallest usual range that holds the values.
    values = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    high = values.max(initial=0.0)
    is_float_unit = high <= 1.0 and not (values == np.rint(values)).all()
    full = 1.0 if is_float_unit else 255.0 if high <= 255 else 65535.0 if high <= 65535 else high
    return np.rint(values.clip(0, full) * (255.0 / full)).astype(np.uint8)


def _from_array(array: np.ndarray) -> np.ndarray:
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        hint = "; move the channels to the end" if array.ndim == 3 and array.shape[0] in (1, 3, 4) else ""
        raise ImageError(
            f"an array photo must be (H, W, 3) RGB, (H, W, 4) RGBA or (H, W) gray; got {array.shape}{hint}"
        )
    if array.size == 0:
        raise ImageError(f"the array has no pixels (shape {array.shape})")
    if array.shape[0] * array.shape[1] > MAX_PIXELS:
        raise ImageError(f"the array has {array.shape[1]} x {array.shape[0]} pixels, more than accepted; shrink it")
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
            raise ImageError("the array holds NaN or infinite values")
        low, high = float(array.min()), float(array.max())
        if low < 0 or high > 1:
            raise ImageError(
                f"a floating array photo must lie in 0..1, got {low:g}..{high:g}; "
                "convert values of 0..255 with astype('uint8')"
            )
        return np.rint(array * 255).astype(np.uint8)
    raise ImageError(f"an array photo must be uint8, uint16, bool or floating 0..1; got {array.dtype}")
