"""Expression coefficients against what the labels of a face show: eyes, mouth and brows, from arrays.

All measures are ratios within one picture. `docs/expression.md` has the definitions.
"""

from dataclasses import dataclass

import numpy as np

from rdrface.evaluation.metrics.uncertainty import roc_curve
from rdrface.geometry.eyes import CLOSED, OPEN, eye_aspect
from rdrface.landmarks import GROUPS, OUTER_EYE_CORNERS

ON = 0.065
"""A coefficient above this counts as on. With the weights of release 0.1 both of jawLeft and jawRight, or both of
mouthLeft and mouthRight, are then on in 52 % of the faces of 300-W (AFW and the training parts of HELEN and LFPW)."""

FULL = 0.5
"""A coefficient of at least this much is a clear expression."""

MARGIN = 0.3
"""A wink is clear when the closed eye's eyeBlink is larger than the other's by at least this much."""

TURNED = 60.0
"""Degrees of |yaw| beyond which only the eye on the near side counts."""

NEAR_FRONTAL = 30.0
"""Degrees of |yaw| below which distances across the face are compared."""

PART_PREFIXES = {
    "eyes": ("eye",),
    "brows": ("brow",),
    "jaw": ("jaw",),
    "mouth": ("mouth",),
    "cheeks, nose": ("cheek", "nose"),
}
"""Part of the face -> how the names of its shapes begin."""

_INNER_LIPS = ((61, 67), (62, 66), (63, 65))
_MOUTH_CORNERS = (48, 54)


@dataclass(frozen=True)
class LabelMeasures:
    """What the labels of N faces show. NaN: not counted, a point is missing or hidden.

    Attributes:
        aspect: (N, 2) eye aspect of the picture's left and right eye: the subject's right and left.
        lip_gap: (N,) gap of the inner lips over sqrt(w h) of the landmark box.
        mouth_width: (N,) over the inter-ocular distance; near-frontal faces only.
        brow_height: (N,) over the inter-ocular distance; near-frontal faces only.
    """

    aspect: np.ndarray
    lip_gap: np.ndarray
    mouth_width: np.ndarray
    brow_height: np.ndarray


def lip_gap(points: np.ndarray) -> np.ndarray:
    """(N,) pixels, mean of |61-67|, |62-66| and |63-65|; points (N, 68, 2)."""
    return np.mean([_distance(points, pair) for pair in _INNER_LIPS], axis=0)


def mouth_width(points: np.ndarray) -> np.ndarray:
    """(N,) |48-54| over the inter-ocular distance |36-45|; points (N, 68, 2)."""
    return _distance(points, _MOUTH_CORNERS) / _distance(points, OUTER_EYE_CORNERS)


def brow_height(points: np.ndarray) -> np.ndarray:
    """(N,) mean distance of the ten brow points from the center of their eye over |36-45|; points (N, 68, 2)."""
    distances = []
    for side in ("left", "right"):
        center = points[:, list(GROUPS[f"{side}_eye"])].mean(1, keepdims=True)
        distances.append(np.linalg.norm(points[:, list(GROUPS[f"{side}_brow"])] - center, axis=-1))
    return np.concatenate(distances, axis=1).mean(1) / _distance(points, OUTER_EYE_CORNERS)


def measure_labels(
    points: np.ndarray, size: np.ndarray, yaw: np.ndarray, aspect: np.ndarray | None = None
) -> LabelMeasures:
    """What the labels show of eyes, mouth and brows.

    Args:
        points: (N, 68, 2) pixels; NaN for points that must not count: hidden, or without a position.
        size: (N,) pixels, sqrt(w h) of the landmark boxes.
        yaw: (N,) degrees, positive: the nose points to the picture's right. NaN counts as frontal.
        aspect: (N, 2) the set's own eye aspects, for sets whose lid points are not those of the 68. Where one is
            finite, it replaces the aspect of the points.
    """
    points = np.asarray(points, np.float64)
    turn = np.nan_to_num(np.asarray(yaw, np.float64))
    eyes = eye_aspect(points)
    if aspect is not None:
        eyes = np.where(np.isfinite(aspect), aspect, eyes)
    frontal = np.abs(turn) < NEAR_FRONTAL
    return LabelMeasures(
        aspect=np.where(near_eyes(turn), eyes, np.nan),
        lip_gap=lip_gap(points) / np.asarray(size, np.float64),
        mouth_width=np.where(frontal, mouth_width(points), np.nan),
        brow_height=np.where(frontal, brow_height(points), np.nan),
    )


def near_eyes(yaw: np.ndarray) -> np.ndarray:
    """(N, 2) bool: the picture's left and right eye count at this yaw (N,) degrees.

    A head that turns its nose to the picture's right shows its left side of the picture.
    """
    return np.stack([yaw >= -TURNED, yaw <= TURNED], axis=1)


@dataclass(frozen=True)
class EyeFigures:
    """How well a value of an eye tells closed eyes from open ones.

    Attributes:
        closed, open: median of the value over closed and over open eyes; NaN without any.
        area: under the ROC curve, closed against open.
        closed_count, open_count: eyes.
    """

    closed: float
    open: float
    area: float
    closed_count: int
    open_count: int


def eye_figures(value: np.ndarray, aspect: np.ndarray, rises: bool) -> EyeFigures:
    """Compare a value of each eye with the labels' aspect.

    Args:
        value: (N, 2) of the picture's left and right eye; NaN for faces that were not found.
        aspect: (N, 2) of the labels; NaN for eyes that are not counted.
        rises: the value is larger for closed eyes, as eyeBlink is; an aspect is smaller.
    """
    known = np.isfinite(value) & np.isfinite(aspect)
    closed, opened = known & (aspect < CLOSED), known & (aspect > OPEN)
    either = closed | opened
    scores = value[either] if rises else -value[either]
    area = roc_curve(scores, closed[either]).area
    return EyeFigures(_median(value[closed]), _median(value[opened]), area, int(closed.sum()), int(opened.sum()))


@dataclass(frozen=True)
class WinkFigures:
    """How well a value of both eyes tells which one is closed.

    Attributes:
        right: share of the winks in which the closed eye is told, percent; NaN without winks.
        clear: the same with a difference of at least a margin.
        count: winks: faces with one eye closed and the other open.
    """

    right: float
    clear: float
    count: int


def wink_figures(value: np.ndarray, aspect: np.ndarray, rises: bool, margin: float = MARGIN) -> WinkFigures:
    """Arguments as `eye_figures`; `margin` in units of the value."""
    known = np.isfinite(value).all(1)
    left = known & (aspect[:, 0] < CLOSED) & (aspect[:, 1] > OPEN)
    right = known & (aspect[:, 1] < CLOSED) & (aspect[:, 0] > OPEN)
    more = value[:, 0] - value[:, 1] if rises else value[:, 1] - value[:, 0]
    lead = np.concatenate([more[left], -more[right]])
    return WinkFigures(_percent(lead > 0), _percent(lead >= margin), len(lead))


def pearson(first: np.ndarray, second: np.ndarray) -> tuple[float, int]:
    """Pearson's correlation of two values (N,) over the faces that have both, and how many these are.

    NaN below three faces, or when one of the values is the same for all.
    """
    known = np.isfinite(first) & np.isfinite(second)
    count = int(known.sum())
    if count < 3 or np.ptp(first[known]) == 0 or np.ptp(second[known]) == 0:
        return float("nan"), count
    return float(np.corrcoef(first[known], second[known])[0, 1]), count


def both_on(coefficients: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """(N, P) bool: both coefficients of a pair are above `ON`.

    Args:
        coefficients: (N, 46). pairs: (P, 2) places, `rdrface.morphable.antagonists.pair_indices`.
    """
    return np.all(coefficients[:, pairs] > ON, axis=2)


def part_of(name: str) -> str:
    """Which of `PART_PREFIXES` a shape belongs to.

    Raises:
        ValueError: to none.
    """
    for part, prefixes in PART_PREFIXES.items():
        if name.startswith(prefixes):
            return part
    raise ValueError(f"the shape {name!r} belongs to no part of the face: {', '.join(PART_PREFIXES)}")


def _distance(points: np.ndarray, pair: tuple[int, int]) -> np.ndarray:
    return np.linalg.norm(points[:, pair[0]] - points[:, pair[1]], axis=-1)


def _median(values: np.ndarray) -> float:
    return float(np.median(values)) if len(values) else float("nan")


def _percent(right: np.ndarray) -> float:
    return 100 * float(right.mean()) if len(right) else float("nan")
