"""WebP compression of images of one size, to about a twentieth of the bytes, for packs that are moved or copied."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

from rdrface.errors import DataError

THREADS = 8
"""Number of images encoded or decoded at the same time; OpenCV releases the GIL while it works."""


def encode_images(images: np.ndarray, quality: int) -> tuple[np.ndarray, np.ndarray]:
    """Compress images.

    Args:
        images: (N, S, S, 3) uint8 RGB.
        quality: WebP quality, 1..100. At 92 a pixel changes by a few gray levels.

    Returns:
        The encoded images, concatenated, (M,) uint8, and the offset of each, (N + 1,) int64; the last offset is M.

    Raises:
        ValueError: `quality` is out of range.
    """
    if not 1 <= quality <= 100:
        raise ValueError(f"the WebP quality must be in 1..100; got {quality}")

    def encode(image: np.ndarray) -> np.ndarray:
        _, encoded = cv2.imencode(".webp", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_WEBP_QUALITY, quality])
        return encoded.ravel()

    with ThreadPoolExecutor(THREADS) as pool:
        encoded = list(pool.map(encode, images))
    return np.concatenate(encoded), np.cumsum([0, *(len(one) for one in encoded)], dtype=np.int64)


def decode_images(encoded: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Decompress the output of `encode_images`.

    Args:
        encoded: (M,) uint8.
        offsets: (N + 1,) int64.

    Returns:
        (N, S, S, 3) uint8 RGB.

    Raises:
        DataError: an image cannot be decoded or differs in size from the first.
    """

    def decode(number: int) -> np.ndarray | None:
        one = encoded[offsets[number] : offsets[number + 1]]
        image = cv2.imdecode(one, cv2.IMREAD_COLOR) if len(one) else None
        return None if image is None else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)

    first = decode(0)
    if first is None:
        raise DataError("compressed image 0 cannot be decoded")
    images = np.empty((len(offsets) - 1, *first.shape), np.uint8)

    def fill(number: int) -> None:
        image = decode(number)
        if image is None or image.shape != first.shape:
            raise DataError(f"compressed image {number} cannot be decoded, or its size differs from that of the first")
        images[number] = image

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(fill, range(len(images))))
    return images
