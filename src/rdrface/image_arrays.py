"""Conversion of arrays to (H, W, 3) uint8 RGB: gray and transparent images, other dtypes and ranges."""

import numpy as np

from rdrface.errors import ImageError

MAX_PIXELS = 170 * 1024 * 1024
"""Maximum number of pixels: as RGB they take half a gigabyte, and a small file can declare any size. The limit is just
below that of Pillow."""

BACKGROUND = (255, 255, 255)
"""RGB behind transparent parts. White, as in image viewers; on black, the outline of dark hair would disappear."""


def check_size(width: int, height: int, name: str) -> None:
    """Check the size of an image, before it is decoded.

    Args:
        width: pixels.
        height: pixels.
        name: name of the image for the message.

    Raises:
        ImageError: the image has no pixels, or more than `MAX_PIXELS`.
    """
    if width == 0 or height == 0:
        raise ImageError(f"{name} has no pixels (size {width} x {height})")
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"{name} has {width} x {height} pixels, above the maximum of {MAX_PIXELS // 2**20} megapixels; shrink it"
        )


def array_to_rgb(array: np.ndarray) -> np.ndarray:
    """Convert an array to RGB.

    Args:
        array: (H, W), (H, W, 1), (H, W, 3) RGB or (H, W, 4) RGBA; uint8, uint16, bool or floating 0..1.

    Returns:
        (H, W, 3) uint8 RGB. A (H, W, 3) uint8 array is returned without a copy.

    Raises:
        ImageError: the shape, the dtype or the range is not supported, or `check_size` refuses the size.
    """
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        hint = "; move the channels to the end" if array.ndim == 3 and array.shape[0] in (1, 3, 4) else ""
        hint = "; pass the bytes of an image file with tobytes()" if array.ndim == 1 else hint
        hint = "; pass the images of a stack one by one" if array.ndim == 4 else hint
        raise ImageError(
            f"an image array must be (H, W, 3) RGB, (H, W, 4) RGBA or (H, W) gray; got {array.shape}{hint}"
        )
    check_size(array.shape[1], array.shape[0], "the image array")
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
        maximum = int(array.max())
        if 0 < maximum <= 255:
            raise ImageError(
                f"a uint16 image array must be in 0..65535, but its maximum is {maximum}; convert values of "
                "0..255 with astype('uint8')"
            )
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


def gray_to_uint8(values: np.ndarray) -> np.ndarray:
    """Scale gray values of an undefined range, as in Pillow's modes I and F, to 0..255.

    Some versions of Pillow open 16-bit gray PNG as I, and scientific images use float 0..1 or 0..255: the smallest of
    the ranges 0..1, 0..255, 0..65535 and 0..maximum that contains the values is used.

    Args:
        values: (H, W) int32 or float32; negative values, NaN and infinity become 0.

    Returns:
        (H, W) uint8.
    """
    values = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    high = values.max(initial=0.0)
    is_float_unit = high <= 1.0 and not (values == np.rint(values)).all()
    full = 1.0 if is_float_unit else 255.0 if high <= 255 else 65535.0 if high <= 65535 else high
    return np.rint(values.clip(0, full) * (255.0 / full)).astype(np.uint8)
