"""FG-NET (Cootes et al.; Lanitis, 2002): scanned photos of people aged 0 to 69, with 68 points in its own order."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from rdrface.datasets.readers.images import IMAGE_SUFFIXES, require_images
from rdrface.datasets.readers.pts import folder, read_pts
from rdrface.datasets.records import UNKNOWN, FaceRecords
from rdrface.errors import DataError
from rdrface.landmarks import NUM_LANDMARKS

# fmt: off
FROM_FGNET: Mapping[int, int] = MappingProxyType({
    8: 7, 30: 67, 33: 41, 36: 27, 39: 29, 42: 34, 45: 32, **{i: i for i in range(48, 60)},
})
# fmt: on
"""iBUG landmark -> FG-NET point at the same position: chin, nose tip, nose base, eye corners, outer lip line. The other
points of FG-NET are at other positions of the same curves, so the other landmarks of iBUG get no position."""

EYES = ((27, 29, 28, 30), (32, 34, 33, 35))
"""FG-NET points of the image's left and right eye: outer corner, inner corner, middle of upper and of lower lid."""

TWO_PAIRS = 8 / 9
"""Ratio of the lid aperture as `rdrface.geometry.eyes.eye_aspect` measures it to the aperture in the middle of the eye.
iBUG's two pairs of lid points are near 1/3 and 2/3 of the eye's width. With each lid a parabola through both corners,
its height at position x in [0, 1] is 4 x (1 - x) of the height in the middle, so 8/9 at 1/3 and 2/3."""

LID_OUTLINE = 0.85
"""Correction for lid points that are farther apart than iBUG's: with it the median aspect of FG-NET's adults equals
that of near-frontal faces of MERL-RAV and 300-W."""

_TEST_PERSONS = 5  # persons whose number is divisible by this are the test part
_NAME = re.compile(r"\d{3}[aA]\d{2}")


def read_fgnet(root: str | Path) -> FaceRecords:
    """Read `root/points/*.pts` and the images `root/images/*.JPG` with the same names (case is ignored).

    The files count pixels from 0. They are named after person and age, e.g. 001a02. The dataset has no official
    division: persons whose number is divisible by 5 are the test part, so no person is in both parts.

    Args:
        root: folder with images/ and points/.

    Returns:
        Records with source "fgnet" and all states unknown. `points` has the 19 landmarks of `FROM_FGNET`, NaN for the
        others. `box` is NaN, because the 19 do not span the box of the 68; `rdrface.fitting.estimated_boxes` estimates
        it. `eye_aspect` comes from FG-NET's own lid points.

    Raises:
        DataError: a folder or images are missing, or an annotation is damaged or misnamed; the message contains the
            path.
    """
    base = folder(root, "the FG-NET folder, with images/ and points/ in it")
    images = _images(folder(base / "images", "the images of FG-NET"))
    files = sorted(folder(base / "points", "the .pts files of FG-NET").glob("*.pts"))
    if not files:
        raise DataError(f"{base / 'points'} contains no .pts files; expected FG-NET's annotations, e.g. 001a02.pts")
    for file in files:
        if not _NAME.match(file.stem):
            raise DataError(
                f"{file}: names of FG-NET's files must have three digits, the letter a and the age, e.g. 001a02"
            )
    require_images([str(file) for file in files if file.stem.lower() not in images], len(files))
    annotated = np.stack([read_pts(file) for file in files])
    points = np.full((len(files), NUM_LANDMARKS, 2), np.nan, np.float32)
    points[:, list(FROM_FGNET)] = annotated[:, list(FROM_FGNET.values())]
    person = np.array([int(file.stem[:3]) for file in files])
    return FaceRecords(
        image=np.array([str(images[file.stem.lower()]) for file in files]),
        points=points,
        state=np.full((len(files), NUM_LANDMARKS), UNKNOWN, np.int8),
        contour=np.full(len(files), "outline"),
        box=np.full((len(files), 4), np.nan),
        source=np.full(len(files), "fgnet"),
        is_test=person % _TEST_PERSONS == 0,
        eye_aspect=np.stack([_aspect(annotated[:, eye]) for eye in EYES], axis=1),
    )


def _images(images: Path) -> dict[str, Path]:
    """Name of an image in lower case, without suffix -> path of the image."""
    suffixes = {suffix.lower() for suffix in IMAGE_SUFFIXES}
    return {path.stem.lower(): path for path in sorted(images.iterdir()) if path.suffix.lower() in suffixes}


def _aspect(eye: np.ndarray) -> np.ndarray:
    """(N,) eye aspect from outer and inner corner, upper and lower lid (N, 4, 2); NaN where the corners coincide."""
    outer, inner, upper, lower = (eye[:, i] for i in range(4))
    width = np.linalg.norm(inner - outer, axis=1)
    aspect: np.ndarray = (
        LID_OUTLINE * TWO_PAIRS * np.linalg.norm(upper - lower, axis=1) / np.where(width > 0, width, np.nan)
    )
    return aspect
