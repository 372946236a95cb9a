"""`supervision.KeyPoints` of Roboflow's supervision."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rdrface.errors import ConfigError
from rdrface.face import Face
from rdrface.interchange.points68 import to_numbers, to_points68
from rdrface.landmarks import NUM_LANDMARKS


def to_supervision(faces: Sequence[Face]) -> Any:
    """Faces as `supervision.KeyPoints`.

    Args:
        faces: the faces.

    Returns:
        KeyPoints with `xy` (n, 68, 2) in pixels, the confidence of each point, which is its visibility, the class 0,
        and `data` with "box" (n, 4) xyxy, "uncertainty" (n, 68) and "score" (n,).

    Raises:
        ConfigError: supervision is not installed.
    """
    try:
        import supervision
    except ImportError as error:
        raise ConfigError(f"supervision cannot be imported ({error}): pip install supervision") from error
    visibility = _stacked([face.visibility for face in faces], (NUM_LANDMARKS,))
    data = {
        "box": _stacked([face.box for face in faces], (4,)),
        "uncertainty": _stacked([face.uncertainty for face in faces], (NUM_LANDMARKS,)),
        "score": _stacked([face.score for face in faces], ()),
    }
    points, classes = to_points68(faces), np.zeros(len(faces), int)
    # Up to release 0.28, the confidence of the points has another name.
    name = "keypoint_confidence" if _has_field(supervision.KeyPoints, "keypoint_confidence") else "confidence"
    return supervision.KeyPoints(xy=points, class_id=classes, data=data, **{name: visibility})


def from_supervision(keypoints: Any) -> np.ndarray:
    """The points of `supervision.KeyPoints` with 68 points each.

    Returns:
        (n, 68, 2) float32 pixels.

    Raises:
        TypeError: `keypoints` is something else.
        ValueError: another number of points.
    """
    if not hasattr(keypoints, "xy"):
        raise TypeError(f"keypoints must be supervision.KeyPoints; got {type(keypoints).__name__}")
    points = to_numbers(keypoints.xy, "keypoints.xy").astype(np.float32)
    if points.size == 0:
        return np.zeros((0, NUM_LANDMARKS, 2), np.float32)
    if points.shape[1:] != (NUM_LANDMARKS, 2):
        raise ValueError(f"expected KeyPoints with xy of shape (n, {NUM_LANDMARKS}, 2); got {points.shape}")
    return points


def _stacked(rows: Sequence[Any], shape: tuple[int, ...]) -> np.ndarray:
    return np.asarray(rows, np.float32).reshape(-1, *shape)


def _has_field(kind: Any, name: str) -> bool:
    return name in getattr(kind, "__dataclass_fields__", {})
