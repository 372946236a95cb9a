"""Expression coefficients compared with annotated eyes, mouth and brows.

All measures are ratios within one image. `docs/expression.md` defines them.
"""

from dataclasses import dataclass

import numpy as np

from rdrface.evaluation.metrics.uncertainty import roc_curve
from rdrface.geometry.eyes import CLOSED_EYE, OPEN_EYE, eye_aspect
from rdrface.landmarks import GROUPS, OUTER_EYE_CORNERS

ACTIVE = 0.065
"""A coefficient above this value is active. With the weights of release 0.1, jawLeft and jawRight are both active, or
mouthLeft and mouthRight are, in 52 % of the faces of 300-W (AFW and the training parts of HELEN and LFPW)."""

STRONG = 0.5
"""A coefficient of at least this value is a strong expression."""

WINK_MARGIN = 0.3
"""A wink is clear if the eyeBlink of the closed eye exceeds that of the open eye by at least this much."""

ONE_EYE_YAW = 60.0
"""Degrees of |yaw| beyond which only the near eye is counted."""

FRONTAL_YAW = 30.0
"""Degrees of |yaw| below which distances across the face are compared."""

PART_PREFIXES = {
    "eyes": ("eye",),
    "brows": ("brow",),
    "jaw": ("jaw",),
    "mouth": ("mouth",),
    "cheeks, nose": ("cheek", "nose"),
}
"""Part of the face -> prefixes of the names of its blendshapes."""

_INNER_LIPS = ((61, 67), (62, 66), (63, 65))
_MOUTH_CORNERS = (48, 54)


@dataclass(frozen=True)
class AnnotatedExpression:
    """Measures of expression from the annotations of N faces; NaN where a point has no position or is not visible.

    Attributes:
        eye_aspect: (N, 2) of the left and right eye in the image, which are the subject's right and left.
        lip_gap: (N,) distance between the inner lips over sqrt(w h) of the landmark box.
        mouth_width: (N,) over the inter-ocular distance; near-frontal faces only.
        brow_height: (N,) over the inter-ocular distance; near-frontal faces only.
    """

    eye_aspect: np.ndarray
    lip_gap: np.ndarray
    mouth_width: np.ndarray
    brow_height: np.ndarray


def lip_gap(points: np.ndarray) -> np.ndarray:
    """(N,) pixels, mean of |61-67|, |62-66| and |63-65|; points (N, 68, 2)."""
    gap: np.ndarray = np.mean([_distance(points, pair) for pair in _INNER_LIPS], axis=0)
    return gap


def mouth_width(points: np.ndarray) -> np.ndarray:
    """(N,) |48-54| over the inter-ocular distance |36-45|; points (N, 68, 2)."""
    width: np.ndarray = _distance(points, _MOUTH_CORNERS) / _distance(points, OUTER_EYE_CORNERS)
    return width


def brow_height(points: np.ndarray) -> np.ndarray:
    """(N,) mean distance of the ten brow points from the center of their eye, over |36-45|; points (N, 68, 2)."""
    distances = []
    for side in ("left", "right"):
        center = points[:, list(GROUPS[f"{side}_eye"])].mean(1, keepdims=True)
        distances.append(np.linalg.norm(points[:, list(GROUPS[f"{side}_brow"])] - center, axis=-1))
    height: np.ndarray = np.concatenate(distances, axis=1).mean(1) / _distance(points, OUTER_EYE_CORNERS)
    return height


def measure_annotations(
    points: np.ndarray, size: np.ndarray, yaw: np.ndarray, aspect: np.ndarray | None = None
) -> AnnotatedExpression:
    """Measure eyes, mouth and brows on annotated points.

    Args:
        points: (N, 68, 2) pixels; NaN for points that are not counted, because they are hidden or have no position.
        size: (N,) pixels, sqrt(w h) of the landmark boxes.
        yaw: (N,) degrees, positive if the nose points to the right of the image. NaN counts as frontal.
        aspect: (N, 2) eye aspects provided by a set whose eyelid points differ from those of the 68. A finite value
            replaces the aspect of the points.
    """
    points = np.asarray(points, np.float64)
    yaw = np.nan_to_num(np.asarray(yaw, np.float64))
    eyes = eye_aspect(points)
    if aspect is not None:
        eyes = np.where(np.isfinite(aspect), aspect, eyes)
    frontal = np.abs(yaw) < FRONTAL_YAW
    return AnnotatedExpression(
        eye_aspect=np.where(near_eyes(yaw), eyes, np.nan),
        lip_gap=lip_gap(points) / np.asarray(size, np.float64),
        mouth_width=np.where(frontal, mouth_width(points), np.nan),
        brow_height=np.where(frontal, brow_height(points), np.nan),
    )


def near_eyes(yaw: np.ndarray) -> np.ndarray:
    """Which eyes are counted at a yaw: both up to `ONE_EYE_YAW`, only the near one beyond.

    Args:
        yaw: (N,) degrees, positive if the nose points to the right of the image; the near eye is then the left one.

    Returns:
        (N, 2) bool, the left and right eye in the image.
    """
    return np.stack([yaw >= -ONE_EYE_YAW, yaw <= ONE_EYE_YAW], axis=1)


@dataclass(frozen=True)
class EyeStatistics:
    """How well a value distinguishes closed eyes from open eyes.

    Attributes:
        closed_median, open_median: medians of the value over closed and over open eyes; NaN without any.
        area: area under the ROC curve, closed against open eyes.
        closed_count, open_count: numbers of eyes.
    """

    closed_median: float
    open_median: float
    area: float
    closed_count: int
    open_count: int


def eye_statistics(value: np.ndarray, aspect: np.ndarray, higher_when_closed: bool) -> EyeStatistics:
    """Compare a value of each eye with the annotated eye aspect.

    Args:
        value: (N, 2) of the left and right eye in the image; NaN for faces that were not found.
        aspect: (N, 2) annotated eye aspects; NaN for eyes that are not counted.
        higher_when_closed: True for a value like eyeBlink, False for a value like the eye aspect.
    """
    known = np.isfinite(value) & np.isfinite(aspect)
    closed, opened = known & (aspect < CLOSED_EYE), known & (aspect > OPEN_EYE)
    either = closed | opened
    scores = value[either] if higher_when_closed else -value[either]
    area = roc_curve(scores, closed[either]).area
    return EyeStatistics(_median(value[closed]), _median(value[opened]), area, int(closed.sum()), int(opened.sum()))


@dataclass(frozen=True)
class WinkStatistics:
    """How well a value identifies the closed eye of a wink.

    Attributes:
        accuracy: share of the winks in which the closed eye is identified, percent; NaN without winks.
        clear: share of the winks in which it is identified by at least a margin, percent.
        count: number of winks: faces with one eye closed and the other open.
    """

    accuracy: float
    clear: float
    count: int


def wink_statistics(
    value: np.ndarray, aspect: np.ndarray, higher_when_closed: bool, margin: float = WINK_MARGIN
) -> WinkStatistics:
    """Compare the values of both eyes in faces with one closed and one open eye.

    Args:
        value, aspect: (N, 2) of the image's left and right eye, see `eye_statistics`.
        higher_when_closed: see `eye_statistics`.
        margin: difference from which a wink is clear, in units of the value.
    """
    known = np.isfinite(value).all(1)
    left = known & (aspect[:, 0] < CLOSED_EYE) & (aspect[:, 1] > OPEN_EYE)
    right = known & (aspect[:, 1] < CLOSED_EYE) & (aspect[:, 0] > OPEN_EYE)
    difference = value[:, 0] - value[:, 1] if higher_when_closed else value[:, 1] - value[:, 0]
    lead = np.concatenate([difference[left], -difference[right]])
    return WinkStatistics(_percent(lead > 0), _percent(lead >= margin), len(lead))


def pearson(first: np.ndarray, second: np.ndarray) -> tuple[float, int]:
    """Pearson correlation of two values (N,), and the number of faces that have both.

    The correlation is NaN for fewer than three faces, or if one of the values is constant.
    """
    known = np.isfinite(first) & np.isfinite(second)
    count = int(known.sum())
    if count < 3 or np.ptp(first[known]) == 0 or np.ptp(second[known]) == 0:
        return float("nan"), count
    return float(np.corrcoef(first[known], second[known])[0, 1]), count


def both_active(coefficients: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Whether both coefficients of a pair are above `ACTIVE`.

    Args:
        coefficients: (N, 46).
        pairs: (P, 2) indices, see `rdrface.morphable.antagonists.pair_indices`.

    Returns:
        (N, P) bool.
    """
    both: np.ndarray = np.all(coefficients[:, pairs] > ACTIVE, axis=2)
    return both


def part_of(name: str) -> str:
    """Part of the face, a key of `PART_PREFIXES`, that a blendshape belongs to.

    Raises:
        ValueError: the name has none of the prefixes.
    """
    for part, prefixes in PART_PREFIXES.items():
        if name.startswith(prefixes):
            return part
    raise ValueError(f"the blendshape {name!r} belongs to no part of the face: {', '.join(PART_PREFIXES)}")


def _distance(points: np.ndarray, pair: tuple[int, int]) -> np.ndarray:
    distance: np.ndarray = np.linalg.norm(points[:, pair[0]] - points[:, pair[1]], axis=-1)
    return distance


def _median(values: np.ndarray) -> float:
    return float(np.median(values)) if len(values) else float("nan")


def _percent(mask: np.ndarray) -> float:
    return 100 * float(mask.mean()) if len(mask) else float("nan")
