"""Formats of annotations that fine-tuning reads: .pts files next to the images, or a public dataset's own files."""

from pathlib import Path

import numpy as np

from rdrface.datasets.readers import read_set
from rdrface.datasets.readers.custom_points import read_custom_points
from rdrface.datasets.readers.wflw import read_wflw
from rdrface.datasets.records import FaceRecords
from rdrface.errors import ConfigError, DataError
from rdrface.evaluation.protocols import w300lp

PTS = "pts"
FORMATS = (PTS, "aflw2000-3d", "300w-lp", "merl-rav", "300w", "wflw")
"""Values of ``--format``. Those of public datasets are the names in `rdrface.evaluation.protocols.sets`."""


def default_name(annotation_format: str) -> str:
    """Name of the annotation scheme without the option ``--name``."""
    return {PTS: "custom", "aflw2000-3d": "aflw2000"}.get(annotation_format, annotation_format)


def read_annotations(annotation_format: str, folder: Path, origin: int | None = None) -> FaceRecords:
    """Read the annotated faces of a folder, in the coordinates in which ``rdrface evaluate`` reads them.

    Of datasets with a division, the training part is read. AFLW2000-3D has only a test part. Of 300W-LP, the points on
    the absolute jawline are read, without the mirrored copies: fine-tuning mirrors the faces itself.

    Args:
        annotation_format: one of `FORMATS`.
        folder: the .pts files and images, or the dataset in its official layout.
        origin: coordinate of the first pixel in .pts files, 1 or 0; None means 1.

    Raises:
        ConfigError: `origin` is given for another format.
        DataError: the files cannot be used; the message names the file.
    """
    if annotation_format == PTS:
        return read_custom_points(folder, 1 if origin is None else origin)
    if origin is not None:
        raise ConfigError(
            f"--origin is only for --format {PTS}; the coordinates of {annotation_format} are known. Leave it out"
        )
    match annotation_format:
        case "aflw2000-3d":
            return read_set(annotation_format, folder, "test")
        case "300w-lp":
            return w300lp.read(folder, flipped=False)
        case "wflw":
            return read_wflw(folder, "train")
        case _:
            return read_set(annotation_format, folder)


def base_output(records: FaceRecords) -> str | None:
    """Output of the network that has the records' points, see `rdrface.network.custom_landmarks.OUTPUT_BASES`.

    Returns:
        "landmarks_jawline" or "landmarks", by the contour convention of the 68 landmarks; None if the points are
        others.

    Raises:
        DataError: the faces have different contour conventions.
    """
    if records.contour is None:
        return None
    jawline = records.on_jawline
    if jawline.all():
        return "landmarks_jawline"
    if jawline.any():
        raise DataError(
            f"the contour of {int(jawline.sum())} faces is annotated on the absolute jawline, that of "
            f"{int((~jawline).sum())} faces on the visible outline; fine-tuning needs one convention"
        )
    return "landmarks"


def photo_names(records: FaceRecords) -> np.ndarray:
    """(N,) str, file name of the photo that each image was made from.

    300W-LP has several images per photo, NAME_0.jpg, NAME_1.jpg and so on. For other datasets it is the image's name.
    """
    names = [
        Path(image).stem.rpartition("_")[0] if source.startswith("300w_lp/") else Path(image).name
        for image, source in zip(records.image.tolist(), records.source.tolist(), strict=True)
    ]
    return np.array(names, np.str_)
