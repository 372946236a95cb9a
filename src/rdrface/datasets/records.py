"""Annotated faces as arrays: what every reader returns, the fitter completes, and training and evaluation consume."""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rdrface.errors import DataError
from rdrface.geometry.boxes import bounding_boxes
from rdrface.morphable.params import NUM_PARAMETERS

UNKNOWN, VISIBLE, OCCLUDED, SELF_OCCLUDED = 0, 1, 2, 3
"""Values of `FaceRecords.state`: not annotated; seen; hidden by something else; hidden by the head itself."""

CONTOURS = ("outline", "jawline")
FIT_FIELDS = ("Q", "outline", "jawline", "hidden", "residual")
_FORMAT = "rdrface-records-1"

# name -> (shape after N, dtype; None: text). Order and names are those of the dataclass.
_LAYOUT: dict[str, tuple[tuple[int, ...], Any]] = {
    "image": ((), None),
    "points": ((68, 2), np.float32),
    "state": ((68,), np.int8),
    "contour": ((), None),
    "box": ((4,), np.float32),
    "source": ((), None),
    "split": ((), None),
    "pose": ((3,), np.float32),
    "annotated_pose": ((3,), np.float32),
    "jawline_contour": ((17, 2), np.float32),
    "eye_aspect": ((2,), np.float32),
    "Q": ((NUM_PARAMETERS,), np.float32),
    "outline": ((68, 2), np.float32),
    "jawline": ((68, 2), np.float32),
    "hidden": ((68,), np.bool_),
    "residual": ((), np.float32),
}


@dataclass(frozen=True)
class FaceRecords:
    """N annotated faces. Arrays are checked and brought to the dtypes named here.

    Attributes:
        image: (N,) str, paths of the photos; a photo with two faces appears twice.
        points: (N, 68, 2) float32, photo pixels, center of the top-left pixel (0, 0); NaN where there is no position.
        state: (N, 68) int8, `UNKNOWN` 0, `VISIBLE` 1, `OCCLUDED` 2 (by something else), `SELF_OCCLUDED` 3.
        contour: (N,) str, the convention of points 0-16: 'outline' (slides) or 'jawline' (absolute).
        box: (N, 4) float32 xyxy photo pixels, the box of the known (after a fit: of all projected) 68 points; of a
            set with few of the 68 an estimate of that.
        source: (N,) str, which set and part, e.g. "merl_rav/left/trainset".
        split: (N,) str, 'train' or 'test'.
        pose: optional (N, 3) float32 radians, the set's head pose as [pitch, yaw, roll] of rdrface; NaN = none.
        annotated_pose: optional (N, 3) float32 radians, the set's own three angles in its own convention: published
            yaw bins and pose errors are defined on these.
        jawline_contour: optional (N, 17, 2) float32 photo pixels, points 0-16 on the absolute jawline, where a set
            labels them besides the outline in `points`; NaN = none.
        eye_aspect: optional (N, 2) float32, lid aperture of the picture's left and right eye divided by the eye's width
            (corner to corner), as `rdrface.geometry.eyes.eye_aspect` measures it on the 68 points; NaN = unknown.
        Q: after the fit, (N, 103) float32 in the photo frame.
        outline, jawline: after the fit, (N, 68, 2) float32 photo pixels of the fitted face.
        hidden: after the fit, (N, 68) bool, the point is hidden by the head itself.
        residual: after the fit, (N,) float32, error of the fit in percent of the box's side sqrt(w h).
    """

    image: np.ndarray
    points: np.ndarray
    state: np.ndarray
    contour: np.ndarray
    box: np.ndarray
    source: np.ndarray
    split: np.ndarray
    pose: np.ndarray | None = None
    annotated_pose: np.ndarray | None = None
    jawline_contour: np.ndarray | None = None
    eye_aspect: np.ndarray | None = None
    Q: np.ndarray | None = None
    outline: np.ndarray | None = None
    jawline: np.ndarray | None = None
    hidden: np.ndarray | None = None
    residual: np.ndarray | None = None

    def __post_init__(self) -> None:
        count = len(np.atleast_1d(np.asarray(self.image)))
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None:
                continue
            shape, dtype = _LAYOUT[field.name]
            array = np.asarray(value)
            wanted = (count, *shape)
            if array.shape != wanted:
                raise ValueError(
                    f"FaceRecords.{field.name} must have shape {wanted} for {count} faces, got {array.shape}"
                )
            array = array.astype(np.str_) if dtype is None else array.astype(dtype, copy=False)
            object.__setattr__(self, field.name, array)
        if bad := set(self.contour.tolist()) - set(CONTOURS):
            raise ValueError(f"FaceRecords.contour must be one of {CONTOURS}, got {sorted(bad)}")
        if count and not ((self.state >= 0) & (self.state <= 3)).all():
            raise ValueError("FaceRecords.state must lie in 0..3 (unknown, visible, occluded, self-occluded)")

    def __len__(self) -> int:
        return len(self.image)

    def select(self, index: npt.ArrayLike) -> "FaceRecords":
        """The faces named by an integer, slice-made or boolean index array, in that order."""
        chosen = np.asarray(index)
        if chosen.size == 0:
            chosen = chosen.astype(np.int64)
        if chosen.dtype == np.bool_ and chosen.shape != (len(self),):
            raise ValueError(f"a boolean index must have shape ({len(self)},), got {chosen.shape}")
        if chosen.ndim != 1:
            raise ValueError(f"the index must be one-dimensional, got shape {chosen.shape}")
        return FaceRecords(**{name: value[chosen] for name, value in self._present().items()})

    @staticmethod
    def concat(parts: Sequence["FaceRecords"]) -> "FaceRecords":
        """All faces of several records, in order.

        Poses, jawline contours and eye aspects that some parts lack become NaN there. Results of a fit must be in all
        parts or in none.

        Raises:
            ValueError: no parts, or fitted and unfitted records are mixed.
        """
        if not parts:
            raise ValueError("FaceRecords.concat needs at least one FaceRecords")
        joined: dict[str, np.ndarray] = {}
        for name in _LAYOUT:
            values = [getattr(part, name) for part in parts]
            present = [value is not None for value in values]
            if not any(present):
                continue
            if not all(present):
                if name in FIT_FIELDS:
                    raise ValueError(f"some of the records hold fitted '{name}' and some do not; fit all of them first")
                values = [
                    np.full((len(part), *_LAYOUT[name][0]), np.nan, np.float32) if value is None else value
                    for part, value in zip(parts, values, strict=True)
                ]
            joined[name] = np.concatenate(values)
        return FaceRecords(**joined)

    def save(self, path: str | Path) -> None:
        """Write an .npz of plain arrays (no pickle); the file name is used as it is."""
        with Path(path).open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, format=np.array(_FORMAT), **self._present())

    @classmethod
    def load(cls, path: str | Path) -> "FaceRecords":
        """Read what `save` wrote.

        Raises:
            DataError: the file is missing, damaged, or no record file.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                content = {name: file[name] for name in file.files}
        except FileNotFoundError as error:
            raise DataError(f"no record file at {path}") from error
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, TypeError, AttributeError) as error:
            raise DataError(f"{path} is not a readable record file (.npz written by rdrface): {error}") from error
        if str(content.pop("format", "")) != _FORMAT:
            raise DataError(f"{path} is not a record file of format '{_FORMAT}'; make it anew with the readers")
        if missing := [name for name in list(_LAYOUT)[:7] if name not in content]:
            raise DataError(f"{path} lacks {', '.join(missing)}; it is damaged, make it anew with the readers")
        try:
            return cls(**{name: content[name] for name in _LAYOUT if name in content})
        except ValueError as error:
            raise DataError(f"{path} is damaged: {error}") from error

    def _present(self) -> dict[str, np.ndarray]:
        return {name: getattr(self, name) for name in _LAYOUT if getattr(self, name) is not None}


def known_box(points: np.ndarray, source: Path) -> np.ndarray:
    """(4,) box of one face's known points (68, 2); DataError naming `source` when they span no area."""
    if np.isnan(points).any(axis=-1).all():
        raise DataError(f"{source} holds no landmark with a position; remove the file from the set")
    box = bounding_boxes(points[None])[0]
    if not (box[2:] > box[:2]).all():
        raise DataError(f"{source}: all its landmarks lie on one line, so they have no face box; remove the file")
    return box
