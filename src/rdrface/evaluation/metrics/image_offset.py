"""Constant offset between a dataset's annotations and its images, measured on the images alone, without a network.

Near-frontal faces are aligned by their annotations and averaged. Horizontally, the mean face is symmetric about its own
axis and the annotations are symmetric about theirs; the distance between the two axes is the offset. Vertically there
is no such symmetry. The line between closed lips is the darkest row of the mean mouth and is annotated in every
dataset, so the distance of the annotations from it can be compared between datasets.

Unit of all lengths: percent of the face's size, sqrt(width * height) of the landmark box.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from tqdm import tqdm

from rdrface.datasets.records import FaceRecords
from rdrface.geometry.boxes import box_size
from rdrface.image import read_image
from rdrface.landmarks import INNER, MIRROR, OUTER_EYE_CORNERS

MAX_NOSE_DISTANCE = 0.06
"""Largest distance of the nose tip from the middle between the outer eye corners in a near-frontal face, as a share of
the distance between the corners. It corresponds to 8 degrees of yaw."""

MAX_LIP_GAP = 1.5
"""Largest distance between the inner lip lines of a closed mouth, percent of the face's size."""

MIN_FACES = 20
"""Smallest number of faces that are averaged to a mean face."""

_PER_PERCENT = 2  # pixels of the mean face
_FACE = (70, 80)  # percent, width and height of the mean face: brows to lower lip, without hair and background
_MOUTH = (12, 16)  # percent, width and height of the mean mouth: the middle of the lips, without their corners
_SMOOTH = 4.0  # percent: lighting that varies more slowly than this across the mean face is removed
_SEARCH = 4.0  # percent to either side of the middle in which the axis is searched
_GROUPS = 20  # of faces, for the standard error
_NOSE_TIP = 30
_UPPER, _LOWER = [61, 62, 63], [67, 66, 65]  # inner lip lines, in vertical pairs


@dataclass(frozen=True)
class ImageOffset:
    """Offset of a dataset's annotations from its images.

    Attributes:
        horizontal: percent of the face's size by which the annotations lie to the right of the mean face's mirror axis;
            NaN with too few faces.
        horizontal_error: standard error of `horizontal`, by the jackknife over groups of faces.
        faces: number of near-frontal faces used for `horizontal`.
        vertical: percent of the face's size by which the mean of the inner lip annotations lies below the dark line
            between closed lips; only differences between datasets are meaningful. NaN with too few faces.
        vertical_error: standard error of `vertical`.
        closed_mouths: number of near-frontal faces with closed lips, used for `vertical`.
    """

    horizontal: float
    horizontal_error: float
    faces: int
    vertical: float
    vertical_error: float
    closed_mouths: int


def measure_image_offset(records: FaceRecords, progress: bool | None = None) -> ImageOffset:
    """Measure the offset of the annotations of a dataset or of a part of it.

    Args:
        records: N faces; the near-frontal ones are used.
        progress: True shows a progress bar, False does not, None shows it on a terminal only.

    Raises:
        ImageError: an image cannot be read.
    """
    used = INNER[np.isfinite(records.points[:, INNER]).all(-1).mean(0) > 0.5]
    frontal = near_frontal(records.points) & np.isfinite(records.points[:, used]).all((1, 2))
    records = records.select(frontal)
    if len(records) < MIN_FACES:
        return ImageOffset(np.nan, np.nan, len(records), np.nan, np.nan, 0)
    points = records.points.astype(np.float64)
    size = box_size(records.box)
    roll, center = upright(points, used)
    closed = closed_lips(points, size)
    lips = points[:, _UPPER + _LOWER].mean(1)
    # Consecutive faces form a group, so that copies of one image (300W-LP) mostly fall into the same group.
    group = np.arange(len(records)) * _GROUPS // len(records)
    faces, mouths = _CropSums(_FACE), _CropSums(_MOUTH)
    disable = None if progress is None else not progress
    for i in tqdm(range(len(records)), unit="face", desc="averaging", disable=disable):
        image = cv2.cvtColor(read_image(str(records.image[i])), cv2.COLOR_RGB2GRAY)
        faces.add(group[i], image, center[i], roll[i], size[i])
        if closed[i]:
            mouths.add(group[i], image, lips[i], roll[i], size[i])
    horizontal, horizontal_error = faces.estimate(mirror_axis)
    vertical, vertical_error = mouths.estimate(dark_row) if closed.sum() >= MIN_FACES else (np.nan, np.nan)
    return ImageOffset(-horizontal, horizontal_error, len(records), -vertical, vertical_error, int(closed.sum()))


def near_frontal(points: np.ndarray) -> np.ndarray:
    """Whether the nose tip is near the middle between the outer eye corners.

    Args:
        points: (N, 68, 2) pixels; NaN for points without a position.

    Returns:
        (N,) bool.
    """
    left, right = (points[:, corner].astype(np.float64) for corner in OUTER_EYE_CORNERS)
    between = right - left
    along = ((points[:, _NOSE_TIP] - left) * between).sum(1) / (between**2).sum(1)
    frontal: np.ndarray = np.abs(along - 0.5) < MAX_NOSE_DISTANCE
    return frontal


def closed_lips(points: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Whether the inner lip lines are at most `MAX_LIP_GAP` apart.

    Args:
        points: (N, 68, 2) pixels.
        size: (N,) pixels, the faces' sizes.

    Returns:
        (N,) bool.
    """
    gap = np.linalg.norm(points[:, _UPPER] - points[:, _LOWER], axis=-1).mean(1)
    closed: np.ndarray = 100 * gap / size <= MAX_LIP_GAP
    return closed


def upright(points: np.ndarray, used: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Roll and center of faces, from the mirror symmetry of their annotations.

    Args:
        points: (N, 68, 2) image pixels.
        used: (n,) int, landmarks that have a position in every face; the mirror image of each must be among them.

    Returns:
        (N,) radians, the clockwise rotation of the face in the image; (N, 2) image pixels, the mean of the used
        landmarks, which lies on their mirror axis.
    """
    pairs = np.array([(i, MIRROR[i]) for i in used if i < MIRROR[i]])
    across = (points[:, pairs[:, 1]] - points[:, pairs[:, 0]]).sum(1)
    return np.arctan2(across[:, 1], across[:, 0]), points[:, used].mean(1)


def mirror_axis(mean: np.ndarray) -> float:
    """Position of the mirror axis of a mean face (H, W): percent to the right of its middle column.

    The face is correlated with its mirror image shifted by d pixels. At the best match the axis is at d / 2.
    """
    detail = mean - cv2.GaussianBlur(mean, (0, 0), _SMOOTH * _PER_PERCENT)
    mirrored = detail[:, ::-1]
    reach = int(2 * _SEARCH * _PER_PERCENT)
    middle = detail[:, reach:-reach]
    width = middle.shape[1]
    correlation = [
        np.corrcoef(middle.ravel(), mirrored[:, reach - d : reach - d + width].ravel())[0, 1]
        for d in range(-reach, reach + 1)
    ]
    return (peak(np.array(correlation)) - reach) / 2 / _PER_PERCENT


def dark_row(mean: np.ndarray) -> float:
    """Position of the darkest row of a mean mouth (H, W): percent below its middle row."""
    rows = mean.mean(1)
    return (peak(-rows) - (len(rows) - 1) / 2) / _PER_PERCENT


def peak(values: np.ndarray) -> float:
    """Position of the maximum of values (n,) between samples: the vertex of a parabola through it and its neighbors."""
    i = int(np.clip(np.argmax(values), 1, len(values) - 2))
    before, top, after = values[i - 1 : i + 2]
    bend = before - 2 * top + after
    return i + (0.5 * (before - after) / bend if bend < 0 else 0.0)


class _CropSums:
    """Sums of crops by group of faces. Each crop is standardized, so that all images have the same contrast."""

    def __init__(self, extent: tuple[int, int]) -> None:
        # Odd numbers of pixels, so that the middle is the center of a pixel.
        self.width, self.height = (extent[i] * _PER_PERCENT + 1 for i in (0, 1))
        self.total = np.zeros((_GROUPS, self.height, self.width))
        self.count = np.zeros(_GROUPS)

    def add(self, group: int, image: np.ndarray, center: np.ndarray, roll: float, size: float) -> None:
        """Add the upright crop around `center` (2,) of a gray image; `size` is the face's size in pixels."""
        scale = size / 100 / _PER_PERCENT
        c, s = scale * np.cos(roll), scale * np.sin(roll)
        matrix = np.array([[c, -s, 0], [s, c, 0]])
        matrix[:, 2] = center - matrix[:, :2] @ [(self.width - 1) / 2, (self.height - 1) / 2]
        crop = cv2.warpAffine(
            image,
            matrix,
            (self.width, self.height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        ).astype(np.float64)
        self.total[group] += (crop - crop.mean()) / max(crop.std(), 1.0)
        self.count[group] += 1

    def estimate(self, measure: Callable[[np.ndarray], float]) -> tuple[float, float]:
        """`measure` of the mean crop and its standard error, by the jackknife over groups."""
        total, count = self.total.sum(0), self.count.sum()
        left_out = np.array(
            [measure((total - self.total[i]) / (count - self.count[i])) for i in np.flatnonzero(self.count)]
        )
        n = len(left_out)
        error = np.sqrt((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum())
        return measure(total / count), float(error)
