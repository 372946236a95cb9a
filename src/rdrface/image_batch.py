"""Reading several images in order: files and encoded images are decoded in other threads ahead of their use."""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from os import PathLike
from pathlib import Path

import numpy as np

from rdrface.errors import ImageError
from rdrface.image import ImageSource, is_image_source, read_image
from rdrface.prefetch import prefetch

_CHANNELS = ((1,), (3,), (4,))
"""Last axis of a row of an image, in the form of `ndarray.shape`."""


def read_in_order(images: Iterable[ImageSource], max_bytes: int) -> Generator[np.ndarray, None, None]:
    """Read images as `rdrface.image.read_image` does.

    Args:
        images: a sequence or an iterator. Arrays of an iterator are copied, because it may reuse their memory.
        max_bytes: memory of the images that are decoded ahead; each thread can exceed it by one image.

    Yields:
        (H, W, 3) uint8 RGB of each image, in order.

    Raises:
        ImageError: an image cannot be read; the message contains its index.
        TypeError: `images` is a single path or image, a dictionary, or the rows of an array, or one of the images has
            an unsupported type.
    """
    if is_image_source(images) or isinstance(images, Mapping) or not isinstance(images, Iterable):
        raise TypeError(
            "detect_batch takes a list of images: for one image call detect, for a stack of images pass "
            f"list(stack); got {type(images).__name__}"
        )
    reading = prefetch(read_image, _checked(images), can_decode_ahead, lambda pixels: pixels.nbytes, max_bytes)
    with closing(reading) as futures:
        for index, (_, future) in enumerate(futures):
            try:
                pixels = future.result()
            except ImageError as error:
                raise ImageError(f"image {index} of the batch: {error}") from error
            except TypeError as error:
                raise TypeError(f"image {index} of the batch: {error}") from error
            del future
            yield pixels
            del pixels


def can_decode_ahead(image: object) -> bool:
    """Whether an image can be read in another thread: encoded data, and regular files.

    A named pipe could block that thread forever. PIL images and file objects can occur twice in a list and must not be
    used by two threads at the same time.
    """
    if isinstance(image, str | PathLike):
        try:
            return Path(image).is_file()
        except (OSError, ValueError, TypeError):  # `read_image` reports the error
            return False
    return isinstance(image, bytes)


def _checked(images: Iterable[ImageSource]) -> Iterator[ImageSource]:
    reuses_memory = not isinstance(images, Sequence)
    for image in images:
        if not isinstance(image, np.ndarray):
            yield image
            continue
        if image.ndim < 3 and image.shape[-1:] in _CHANNELS:
            raise TypeError(
                f"detect_batch takes a list of images; got rows of shape {image.shape}: put the image in a list"
            )
        yield image.copy() if reuses_memory else image
