"""Windows as WebP pictures one after another: a twentieth of the bytes, for packs that are moved to another machine."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

from rdrface.errors import DataError

THREADS = 8
"""Pictures that are coded at once; OpenCV lets Python's lock go while it works."""


def encode_windows(windows: np.ndarray, quality: int) -> tuple[np.ndarray, np.ndarray]:
    """Compress windows.

    Args:
        windows: (N, S, S, 3) uint8 RGB.
        quality: of WebP, 1..100; 92 changes a pixel by a few gray levels.

    Returns:
        All pictures one after another, (M,) uint8, and where each begins and the last ends, (N + 1,) int64.
    """
    if not 1 <= quality <= 100:
        raise ValueError(f"the quality of compressed windows must be in 1..100; got {quality}")

    def encode(window: np.ndarray) -> np.ndarray:
        _, coded = cv2.imencode(".webp", cv2.cvtColor(window, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_WEBP_QUALITY, quality])
        return coded.ravel()

    with ThreadPoolExecutor(THREADS) as pool:
        pictures = list(pool.map(encode, windows))
    return np.concatenate(pictures), np.cumsum([0, *(len(picture) for picture in pictures)], dtype=np.int64)


def decode_windows(pictures: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """What `encode_windows` compressed, (N, S, S, 3) uint8 RGB.

    Raises:
        DataError: not pictures of one size.
    """

    def decode(number: int) -> np.ndarray | None:
        coded = pictures[offsets[number] : offsets[number + 1]]
        picture = cv2.imdecode(coded, cv2.IMREAD_COLOR) if len(coded) else None
        return None if picture is None else cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)

    first = decode(0)
    if first is None:
        raise DataError("compressed window 0 cannot be read")
    windows = np.empty((len(offsets) - 1, *first.shape), np.uint8)

    def fill(number: int) -> None:
        picture = decode(number)
        if picture is None or picture.shape != first.shape:
            raise DataError(f"compressed window {number} cannot be read or has another size than the first")
        windows[number] = picture

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(fill, range(len(windows))))
    return windows
