"""A constant by which labels are displaced from what the photos show, measured on the photos alone, without a network.

Near-frontal faces are brought to one frame by their labels and averaged. Across, the mean face is symmetric about its
own middle, and so are its labels about theirs: the distance of the two axes is the labels' offset. Down there is no
such symmetry. The line between closed lips is the darkest row of the mean mouth, and every set labels it; how far the
labels lie below it can be compared between sets.

Unit of all lengths: percent of the face's side, sqrt(w h) of the landmark box.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from tqdm import tqdm

from rdrface.datasets.records import FaceRecords
from rdrface.image import read_image
from rdrface.landmarks import INNER, MIRROR, OUTER_EYE_CORNERS

FRONTAL = 0.06
"""How far the nose tip may be from the middle between the outer eye corners, as a share of their distance: 8 degrees of
yaw."""

CLOSED = 1.5
"""Percent of the side: lips whose inner lines are labeled no farther apart are closed."""

LEAST = 20
"""Faces that a mean face needs."""

_PER_PERCENT = 2  # pixels of the mean face
_FACE = (70, 80)  # percent, width and height of the mean face: brows to lower lip, without hair and background
_MOUTH = (12, 16)  # percent, width and height of the mean mouth: the middle of the lips, without their corners
_SMOOTH = 4.0  # percent: light that changes more slowly over the mean face is taken away
_SEARCH = 4.0  # percent to either side in which the axis is looked for
_GROUPS = 20  # of faces, for the standard error
_NOSE_TIP = 30
_UPPER, _LOWER = [61, 62, 63], [67, 66, 65]  # inner lines of the lips, above each other


@dataclass(frozen=True)
class Offset:
    """How far labels are displaced from the photos.

    Attributes:
        across: percent of the side to the right of the mean face's mirror axis; NaN with too few faces.
        down: percent of the side from the dark line between closed lips down to the mean of the inner lip labels; to be
            compared with another set's only.
        across_error, down_error: standard errors, by the jackknife over groups of faces.
        faces: near-frontal faces in `across`.
        closed: those with closed lips in `down`.
    """

    across: float
    across_error: float
    faces: int
    down: float
    down_error: float
    closed: int


def measure_offset(records: FaceRecords, progress: bool | None = None) -> Offset:
    """Measure the offset of the labels of a set or of a part of one.

    Args:
        records: N faces; the near-frontal ones are used.
        progress: show a progress bar; None shows it on a terminal only.

    Raises:
        ImageError: a photo cannot be read.
    """
    used = INNER[np.isfinite(records.points[:, INNER]).all(-1).mean(0) > 0.5]
    chosen = near_frontal(records.points) & np.isfinite(records.points[:, used]).all((1, 2))
    records = records.select(chosen)
    if len(records) < LEAST:
        return Offset(np.nan, np.nan, len(records), np.nan, np.nan, 0)
    points = records.points.astype(np.float64)
    side = np.sqrt((records.box[:, 2:] - records.box[:, :2]).prod(1))
    turn, center = upright(points, used)
    closed = closed_lips(points, side)
    lips = points[:, _UPPER + _LOWER].mean(1)
    # In the order of the set: copies of one photo (300W-LP) mostly fall into one group.
    group = np.arange(len(records)) * _GROUPS // len(records)
    faces, mouths = _Sums(_FACE), _Sums(_MOUTH)
    disable = None if progress is None else not progress
    for i in tqdm(range(len(records)), unit="face", desc="averaging", disable=disable):
        photo = cv2.cvtColor(read_image(str(records.image[i])), cv2.COLOR_RGB2GRAY)
        faces.add(group[i], photo, center[i], turn[i], side[i])
        if closed[i]:
            mouths.add(group[i], photo, lips[i], turn[i], side[i])
    across, across_error = faces.estimate(mirror_axis)
    down, down_error = mouths.estimate(dark_row) if closed.sum() >= LEAST else (np.nan, np.nan)
    return Offset(-across, across_error, len(records), -down, down_error, int(closed.sum()))


def near_frontal(points: np.ndarray) -> np.ndarray:
    """(N,) bool: the nose tip is near the middle between the outer eye corners; points (N, 68, 2), NaN = unknown."""
    left, right = (points[:, corner].astype(np.float64) for corner in OUTER_EYE_CORNERS)
    between = right - left
    along = ((points[:, _NOSE_TIP] - left) * between).sum(1) / (between**2).sum(1)
    return np.abs(along - 0.5) < FRONTAL


def closed_lips(points: np.ndarray, side: np.ndarray) -> np.ndarray:
    """(N,) bool: the inner lines of the lips (N, 68, 2) are at most `CLOSED` percent of the side (N,) apart."""
    gap = np.linalg.norm(points[:, _UPPER] - points[:, _LOWER], axis=-1).mean(1)
    return 100 * gap / side <= CLOSED


def upright(points: np.ndarray, used: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Roll and middle of faces by the mirror symmetry of their labels.

    Args:
        points: (N, 68, 2) photo pixels.
        used: (n,) int, landmarks with a position in every face; with each also its mirror image.

    Returns:
        (N,) radians, clockwise in the picture, that brings an upright face to this one; (N, 2) photo pixels, the mean
        of the used labels, which lies on their mirror axis.
    """
    pairs = np.array([(i, MIRROR[i]) for i in used if i < MIRROR[i]])
    across = (points[:, pairs[:, 1]] - points[:, pairs[:, 0]]).sum(1)
    return np.arctan2(across[:, 1], across[:, 0]), points[:, used].mean(1)


def mirror_axis(mean: np.ndarray) -> float:
    """Where a mean face (H, W) is symmetric: percent to the right of its middle column.

    The face is compared with its mirror image, shifted by d; where they agree best the axis is at d / 2.
    """
    detail = mean - cv2.GaussianBlur(mean, (0, 0), _SMOOTH * _PER_PERCENT)
    mirrored = detail[:, ::-1]
    reach = int(2 * _SEARCH * _PER_PERCENT)
    middle = detail[:, reach:-reach]
    width = middle.shape[1]
    agreement = [
        np.corrcoef(middle.ravel(), mirrored[:, reach - d : reach - d + width].ravel())[0, 1]
        for d in range(-reach, reach + 1)
    ]
    return (peak(np.array(agreement)) - reach) / 2 / _PER_PERCENT


def dark_row(mean: np.ndarray) -> float:
    """The darkest row of a mean mouth (H, W): percent below its middle row."""
    rows = mean.mean(1)
    return (peak(-rows) - (len(rows) - 1) / 2) / _PER_PERCENT


def peak(values: np.ndarray) -> float:
    """Index of the highest of (n,) values, between samples: the top of the parabola through it and its neighbors."""
    i = int(np.clip(np.argmax(values), 1, len(values) - 2))
    before, top, after = values[i - 1 : i + 2]
    bend = before - 2 * top + after
    return i + (0.5 * (before - after) / bend if bend < 0 else 0.0)


class _Sums:
    """Sums of crops by group of faces; each crop has mean 0 and variance 1, so that no photo's contrast counts more."""

    def __init__(self, extent: tuple[int, int]) -> None:
        # Odd, so that the middle is a pixel.
        self.width, self.height = (extent[i] * _PER_PERCENT + 1 for i in (0, 1))
        self.total = np.zeros((_GROUPS, self.height, self.width))
        self.count = np.zeros(_GROUPS)

    def add(self, group: int, photo: np.ndarray, center: np.ndarray, turn: float, side: float) -> None:
        """Add the crop around `center` (2,) of a gray photo, turned upright; `side` is 100 percent, in pixels."""
        scale = side / 100 / _PER_PERCENT
        c, s = scale * np.cos(turn), scale * np.sin(turn)
        matrix = np.array([[c, -s, 0], [s, c, 0]])
        matrix[:, 2] = center - matrix[:, :2] @ [(self.width - 1) / 2, (self.height - 1) / 2]
        crop = cv2.warpAffine(
            photo,
            matrix,
            (self.width, self.height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        ).astype(np.float64)
        self.total[group] += (crop - crop.mean()) / max(crop.std(), 1.0)
        self.count[group] += 1

    def estimate(self, measure: Callable[[np.ndarray], float]) -> tuple[float, float]:
        """`measure` of the mean of all crops, and its standard error by leaving out one group after the other."""
        total, count = self.total.sum(0), self.count.sum()
        left_out = np.array(
            [measure((total - self.total[i]) / (count - self.count[i])) for i in np.flatnonzero(self.count)]
        )
        n = len(left_out)
        error = np.sqrt((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum())
        return measure(total / count), float(error)
