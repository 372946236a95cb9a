"""Table of mean errors with standard errors, for all faces and for large faces, for small sets of faces."""

from collections.abc import Mapping

import numpy as np

from rdrface.crop import EXPANSION
from rdrface.evaluation.metrics.standard_error import mean_error
from rdrface.evaluation.tables.tables import Row, Table

LARGE_CROP = 200.0
"""A face is large if its crop has more image pixels than this on a side. A crop of 128 pixels loses detail of such a
face, one of 256 pixels does not."""


def large_faces(size: np.ndarray, crop: float = LARGE_CROP) -> np.ndarray:
    """(N,) bool: the crop of the face has more than `crop` image pixels on a side.

    Args:
        size: (N,) image pixels, sqrt(w h) of the landmark box.
        crop: image pixels.
    """
    large: np.ndarray = EXPANSION * size > crop
    return large


def standard_error_table(
    errors: Mapping[str, np.ndarray], size: np.ndarray, title: str, groups: np.ndarray | None = None
) -> Table:
    """Table of mean and standard error of every output.

    Args:
        errors: name of the output -> (N,) error of every face, NaN where a face has none.
        size: (N,) image pixels, sqrt(w h) of the landmark boxes.
        title: title of the table.
        groups: (N,) keys that are equal for images of the same face, see `mean_error`.
    """
    parts = {"": np.ones(len(size), bool), ", large faces": large_faces(size)}
    rows = []
    for name, values in errors.items():
        for part, chosen in parts.items():
            figures = mean_error(values[chosen], None if groups is None else groups[chosen])
            rows.append(Row(f"{name}{part}", (figures.mean, figures.standard_error, figures.faces)))
    note = (
        f"Large faces: the side of the crop, {EXPANSION:g} times that of the landmark box, exceeds {LARGE_CROP:g} "
        "image pixels."
    )
    return Table(title, ("mean", "standard error", "faces"), tuple(rows), (note,))
