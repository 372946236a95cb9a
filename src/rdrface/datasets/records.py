"""Annotated faces as arrays: the output of every dataset reader and the input of fitting, training and evaluation."""

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rdrface.errors import DataError
from rdrface.files import write_aside
from rdrface.geometry.boxes import bounding_boxes
from rdrface.landmarks import NUM_CONTOUR, NUM_LANDMARKS
from rdrface.morphable.params import NUM_PARAMETERS

UNKNOWN, VISIBLE, OCCLUDED, SELF_OCCLUDED = 0, 1, 2, 3
"""Values of `FaceRecords.state`: not annotated; visible; occluded by another object; occluded by the head itself."""

CONTOURS = ("outline", "jawline")
FIT_FIELDS = ("Q", "outline", "jawline", "hidden", "residual")

_FORMAT = "rdrface-records-2"
_OLD_FORMAT = "rdrface-records-1"
_REQUIRED = ("image", "points", "state", "box", "source", "is_test")
_P = "P"

# name -> (shape after N, dtype); P is the dataset's number of points.
_LAYOUT: dict[str, tuple[tuple[int | str, ...], Any]] = {
    "image": ((), np.str_),
    "points": ((_P, 2), np.float64),
    "state": ((_P,), np.int8),
    "box": ((4,), np.float64),
    "source": ((), np.str_),
    "is_test": ((), np.bool_),
    "contour": ((), np.str_),
    "normalizer": ((), np.float64),
    "angles": ((3,), np.float64),
    "rotation": ((3, 3), np.float64),
    "pose": ((3,), np.float32),
    "jawline_contour": ((NUM_CONTOUR, 2), np.float32),
    "eye_aspect": ((2,), np.float32),
    "Q": ((NUM_PARAMETERS,), np.float32),
    "outline": ((NUM_LANDMARKS, 2), np.float32),
    "jawline": ((NUM_LANDMARKS, 2), np.float32),
    "hidden": ((NUM_LANDMARKS,), np.bool_),
    "residual": ((), np.float32),
}


def image_path(image: str) -> Any:
    """Default of `FaceRecords.open_image`: the image is a file and is opened by its path."""
    return image


@dataclass(frozen=True)
class FaceRecords:
    """N annotated faces with P points each. Arrays are checked and converted to the dtypes below.

    Attributes:
        image: (N,) str, path or name of each face's image; an image with two faces appears twice.
        points: (N, P, 2) float64 image pixels, center of the top-left pixel (0, 0); NaN where there is no position. P
            is the dataset's number of points, 0 for datasets with a head pose only.
        state: (N, P) int8, `UNKNOWN` 0, `VISIBLE` 1, `OCCLUDED` 2 (by another object), `SELF_OCCLUDED` 3.
        box: (N, 4) float64 xyxy image pixels, box of the 68 landmarks with a position (after a fit: of the fitted 68),
            or the dataset's nearest equivalent; NaN if the dataset has no boxes.
        source: (N,) str, dataset and part, e.g. "merl_rav/left/trainset".
        is_test: (N,) bool, True for faces of the dataset's test part.
        contour: (N,) str, convention of points 0-16 of the 68: 'outline' (visible outline) or 'jawline' (absolute
            jawline). None for datasets whose points are not the 68.
        normalizer: optional (N,) float64 pixels, the dataset's own normalizer of landmark errors.
        angles: optional (N, 3) float64 degrees, pitch, yaw and roll in the dataset's own convention; NaN =
            unknown. Published yaw bins and pose errors are defined on these.
        rotation: optional (N, 3, 3) float64, annotated rotation of the head in the frame of docs/conventions.md.
        pose: optional (N, 3) float32 radians, annotated [pitch, yaw, roll] in the convention of P; NaN = unknown.
        jawline_contour: optional (N, 17, 2) float32 image pixels, points 0-16 on the absolute jawline for datasets
            that annotate both contours; NaN = none.
        eye_aspect: optional (N, 2) float32, lid aperture of the image's left and right eye divided by the eye's width
            (corner to corner), as `rdrface.geometry.eyes.eye_aspect` computes it from the 68 points; NaN = unknown.
        Q: after the fit, (N, 103) float32 in the image frame.
        outline, jawline: after the fit, (N, 68, 2) float32 image pixels, landmarks of the fitted face.
        hidden: after the fit, (N, 68) bool, True where the head itself occludes the landmark.
        residual: after the fit, (N,) float32, error of the fit in percent of the box's sqrt(w h).
        open_image: function from an entry of `image` to an input of `rdrface.Aligner` (a path or an RGB array).
    """

    image: np.ndarray
    points: np.ndarray
    state: np.ndarray
    box: np.ndarray
    source: np.ndarray
    is_test: np.ndarray
    contour: np.ndarray | None = None
    normalizer: np.ndarray | None = None
    angles: np.ndarray | None = None
    rotation: np.ndarray | None = None
    pose: np.ndarray | None = None
    jawline_contour: np.ndarray | None = None
    eye_aspect: np.ndarray | None = None
    Q: np.ndarray | None = None
    outline: np.ndarray | None = None
    jawline: np.ndarray | None = None
    hidden: np.ndarray | None = None
    residual: np.ndarray | None = None
    open_image: Callable[[str], Any] = image_path

    def __post_init__(self) -> None:
        points = np.asarray(self.points)
        if points.ndim != 3 or points.shape[2] != 2:
            raise ValueError(f"FaceRecords.points must have shape (N, P, 2), got {points.shape}")
        count, landmarks = points.shape[:2]
        for name, (rest, dtype) in _LAYOUT.items():
            value = getattr(self, name)
            if value is None and name not in _REQUIRED:
                continue
            shape = (count, *(landmarks if size == _P else size for size in rest))
            array = np.asarray(value)
            if array.shape != shape:
                raise ValueError(f"FaceRecords.{name} must have shape {shape} for {count} faces, got {array.shape}")
            object.__setattr__(self, name, array.astype(dtype, copy=False))
        if self.contour is not None and (bad := set(self.contour.tolist()) - set(CONTOURS)):
            raise ValueError(f"FaceRecords.contour must be one of {CONTOURS}, got {sorted(bad)}")
        if not ((self.state >= 0) & (self.state <= 3)).all():
            raise ValueError("FaceRecords.state must be 0..3 (unknown, visible, occluded, self-occluded)")

    def __len__(self) -> int:
        return len(self.image)

    @property
    def yaw(self) -> np.ndarray | None:
        """(N,) float64 degrees in the dataset's own convention; None without `angles`."""
        return None if self.angles is None else self.angles[:, 1]

    @property
    def on_jawline(self) -> np.ndarray:
        """(N,) bool, True where points 0-16 follow the absolute jawline, False for the visible outline.

        Raises:
            ValueError: the points are not the 68 landmarks, so they have no contour convention.
        """
        if self.points.shape[1] != NUM_LANDMARKS or self.contour is None:
            raise ValueError(
                f"records of the {NUM_LANDMARKS} landmarks with their contour convention are needed here; these have "
                f"{self.points.shape[1]} points" + ("" if self.contour is not None else " and no `contour`")
            )
        on_jawline: np.ndarray = self.contour == "jawline"
        return on_jawline

    def select(self, index: npt.ArrayLike) -> "FaceRecords":
        """The faces at `index`, (M,) int or (N,) bool, in that order.

        Raises:
            ValueError: the index is not one-dimensional, or is a boolean array of another length.
        """
        index = np.asarray(index)
        if index.size == 0:
            index = index.astype(np.int64)
        if index.dtype == np.bool_ and index.shape != (len(self),):
            raise ValueError(f"a boolean index must have shape ({len(self)},), got {index.shape}")
        if index.ndim != 1:
            raise ValueError(f"the index must be one-dimensional, got shape {index.shape}")
        parts: dict[str, Any] = {name: value[index] for name, value in self._present().items()}
        return replace(self, **parts)

    @staticmethod
    def concat(parts: Sequence["FaceRecords"]) -> "FaceRecords":
        """All faces of several records, in order.

        Optional annotations (angles, pose, ...) become NaN for parts without them. `contour` and the fields of a fit
        must be present in all parts or in none.

        Raises:
            ValueError: no parts, different numbers of points, different `open_image`, or `contour` or a fit in some of
                the parts only.
        """
        if not parts:
            raise ValueError("FaceRecords.concat needs at least one FaceRecords")
        if len({part.points.shape[1] for part in parts}) > 1:
            raise ValueError(f"all records must have the same points, got {[part.points.shape[1] for part in parts]}")
        if any(part.open_image != parts[0].open_image for part in parts):
            raise ValueError("the images of all records must be opened by the same function")
        joined: dict[str, Any] = {}
        for name, (rest, dtype) in _LAYOUT.items():
            values = [getattr(part, name) for part in parts]
            present = [value is not None for value in values]
            if not any(present):
                continue
            if not all(present):
                if name in FIT_FIELDS:
                    raise ValueError(f"some of the records have fitted '{name}' and some do not; fit all of them first")
                if name == "contour":
                    raise ValueError("some of the records have a contour convention and some do not")
                values = [
                    np.full((len(part), *rest), np.nan, dtype) if value is None else value
                    for part, value in zip(parts, values, strict=True)
                ]
            joined[name] = np.concatenate(values)
        return FaceRecords(**joined, open_image=parts[0].open_image)

    def save(self, path: str | Path) -> None:
        """Write an .npz of plain arrays (no pickle); the file name is used unchanged.

        Raises:
            ValueError: the images are opened by a function, which cannot be saved.
            DataError: the folder does not exist.
        """
        if self.open_image is not image_path:
            raise ValueError(
                "only records whose images are files can be saved; these are opened by the function `open_image`"
            )
        with write_aside(path) as partial, partial.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, format=np.array(_FORMAT), **self._present())

    @classmethod
    def load(cls, path: str | Path) -> "FaceRecords":
        """Read a file written by `save`, of this release or of 0.1.

        Raises:
            DataError: the file is missing or damaged, or is not a record file.
        """
        try:
            # np.load does not close a damaged file that it opened itself.
            with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                content = {name: arrays[name] for name in arrays.files}
        except FileNotFoundError as error:
            raise DataError(f"no record file at {path}") from error
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, TypeError, AttributeError) as error:
            raise DataError(f"{path} is not a readable record file (.npz written by rdrface): {error}") from error
        file_format = str(content.pop("format", ""))
        if file_format not in (_FORMAT, _OLD_FORMAT):
            raise DataError(
                f"{path} is not a record file of format '{_FORMAT}' or '{_OLD_FORMAT}'; write it again with "
                "`rdrface fit`"
            )
        if file_format == _OLD_FORMAT:
            content = _from_old_format(content)
        if missing := [name for name in _REQUIRED if name not in content]:
            raise DataError(f"{path} is damaged: {', '.join(missing)} missing; write it again with `rdrface fit`")
        try:
            known: dict[str, Any] = {name: content[name] for name in _LAYOUT if name in content}
            return cls(**known)
        except ValueError as error:
            raise DataError(f"{path} is damaged: {error}") from error

    def _present(self) -> dict[str, np.ndarray]:
        return {name: getattr(self, name) for name in _LAYOUT if getattr(self, name) is not None}


def known_box(points: np.ndarray, source: str | Path) -> np.ndarray:
    """(4,) xyxy box of the points (P, 2) of one face that have a position.

    Args:
        points: NaN where there is no position.
        source: file (and line) of the annotation, for the message.

    Raises:
        DataError: no point has a position, or the box has no area.
    """
    if np.isnan(points).any(axis=-1).all():
        raise DataError(f"{source} has no landmark with a position; remove the face from the set")
    box: np.ndarray = bounding_boxes(points[None])[0]
    if not (box[2:] > box[:2]).all():
        raise DataError(f"{source}: all landmarks are on one line, so they have no face box; remove the face")
    return box


def is_outside(points: np.ndarray, width: int, height: int) -> bool:
    """Whether all points of a face that have a position, (P, 2) image pixels, are outside an image of this size. Then
    they belong to another image, or to another size of it."""
    known = points[np.isfinite(points).all(axis=1)]
    inside = ((known >= -0.5) & (known < np.array([width, height]) - 0.5)).all(axis=1)
    return len(known) > 0 and not bool(inside.any())


def _from_old_format(content: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    # Release 0.1 stored the part as text, and the dataset's own angles in radians.
    new = dict(content)
    if "split" in new:
        new["is_test"] = new.pop("split") == "test"
    if "annotated_pose" in new:
        new["angles"] = np.degrees(new.pop("annotated_pose").astype(np.float64))
    return new
