"""Annotated faces as a protocol wants them: any number of points, or none but a head pose.

`FaceRecords` is what training needs and always has the 68 points. The sets of the field are annotated with 21, 34, 68
or 98 points, or with a rotation only; evaluation reads them all as `Annotations`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from rdrface.datasets.records import FaceRecords


def as_it_is(image: str) -> Any:
    """A photo that is opened by its path."""
    return image


@dataclass(frozen=True)
class Annotations:
    """N annotated faces. Arrays are checked and brought to the dtypes named here.

    Attributes:
        image: (N,) str, path or name of each face's photo; a photo with two faces appears twice.
        points: (N, P, 2) float64, photo pixels, center of the top-left pixel (0, 0); NaN where there is no position.
            P is the set's own number of points, 0 for sets of head poses.
        state: (N, P) int8, see `rdrface.datasets.records`.
        box: (N, 4) float64 xyxy, where an aligner looks: the box of the 68 landmarks, or an estimate of it.
        source: (N,) str, which set and part.
        tested: (N,) bool, the face belongs to the test part of its set.
        size: optional (N,) float64 pixels, a normalizer that the set brings along.
        angles: optional (N, 3) float64 degrees, pitch, yaw, roll of the set in its own convention; NaN = not known.
            Bins by yaw are taken from these.
        rotation: optional (N, 3, 3) float64, true rotation of the head in rdrface's frame (docs/conventions.md).
        photos: from an `image` to what `rdrface.Aligner` takes.
    """

    image: np.ndarray
    points: np.ndarray
    state: np.ndarray
    box: np.ndarray
    source: np.ndarray
    tested: np.ndarray
    size: np.ndarray | None = None
    angles: np.ndarray | None = None
    rotation: np.ndarray | None = None
    photos: Callable[[str], Any] = as_it_is

    def __post_init__(self) -> None:
        points = np.asarray(self.points)
        if points.ndim != 3 or points.shape[2] != 2:
            raise ValueError(f"Annotations.points must be (N, P, 2), got {points.shape}")
        count, landmarks = points.shape[:2]
        wanted: dict[str, tuple[tuple[int, ...], Any]] = {
            "image": ((count,), np.str_),
            "points": ((count, landmarks, 2), np.float64),
            "state": ((count, landmarks), np.int8),
            "box": ((count, 4), np.float64),
            "source": ((count,), np.str_),
            "tested": ((count,), np.bool_),
            "size": ((count,), np.float64),
            "angles": ((count, 3), np.float64),
            "rotation": ((count, 3, 3), np.float64),
        }
        for name, (shape, dtype) in wanted.items():
            value = getattr(self, name)
            if value is None and name in ("size", "angles", "rotation"):
                continue
            array = np.asarray(value)
            if array.shape != shape:
                raise ValueError(f"Annotations.{name} must have shape {shape} for {count} faces, got {array.shape}")
            object.__setattr__(self, name, array.astype(dtype, copy=False))

    def __len__(self) -> int:
        return len(self.image)

    @property
    def yaw(self) -> np.ndarray | None:
        """(N,) degrees, the set's own; None where it has no poses."""
        return None if self.angles is None else self.angles[:, 1]

    def select(self, index: npt.ArrayLike) -> "Annotations":
        """The faces named by an integer or boolean index array, in that order."""
        chosen = np.asarray(index)
        if chosen.size == 0:
            chosen = chosen.astype(np.int64)
        values = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "photos"}
        parts: dict[str, Any] = {name: None if value is None else value[chosen] for name, value in values.items()}
        return replace(self, **parts)

    @classmethod
    def of(cls, records: FaceRecords) -> "Annotations":
        """The same faces, from records of 68 points."""
        angles = None if records.annotated_pose is None else np.degrees(records.annotated_pose.astype(np.float64))
        return cls(
            image=records.image,
            points=records.points,
            state=records.state,
            box=records.box,
            source=records.source,
            tested=records.split == "test",
            angles=angles,
        )
