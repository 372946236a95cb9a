"""Find the image files that belong to annotation files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rdrface.errors import DataError

IMAGE_SUFFIXES = (".jpg", ".png", ".jpeg", ".JPG", ".PNG", ".JPEG", ".bmp")

_MAX_LISTED = 3


def image_beside(annotation: Path) -> Path:
    """Image with the same name as an annotation file, in the same folder.

    Raises:
        DataError: there is no such image.
    """
    return Path(str(images_beside([annotation])[0]))


def images_beside(annotations: Sequence[Path]) -> np.ndarray:
    """(N,) str paths of the images with the same names as the annotation files, in the same folders.

    Raises:
        DataError: images are missing; the message gives their number and the first ones.
    """
    found = [_find(file) for file in annotations]
    require_images(
        [str(file) for file, image in zip(annotations, found, strict=True) if image is None], len(annotations)
    )
    return np.array([str(image) for image in found], np.str_)


def require_images(
    missing: Sequence[str],
    count: int,
    advice: str = "Copy the images into the dataset's folder, or remove these annotations",
) -> None:
    """Raise an error if images of a dataset are missing: the results on a part of a test set cannot be compared.

    Args:
        missing: annotation of each face (file, or file and line) whose image does not exist.
        count: total number of faces.
        advice: last sentence of the message.

    Raises:
        DataError: `missing` is not empty; the message gives the number of missing images and the first ones.
    """
    if missing:
        listed = ", ".join(missing[:_MAX_LISTED]) + (", ..." if len(missing) > _MAX_LISTED else "")
        raise DataError(f"{len(missing)} of {count} images are missing: no image for {listed}. {advice}")


def _find(annotation: Path) -> Path | None:
    candidates = (annotation.with_suffix(suffix) for suffix in IMAGE_SUFFIXES)
    return next((candidate for candidate in candidates if candidate.is_file()), None)
