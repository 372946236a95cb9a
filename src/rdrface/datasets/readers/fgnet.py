"""FG-NET (Cootes et al.; Lanitis, 2002): scanned photos of people from babyhood to old age, 68 points in its order."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from rdrface.datasets.readers.pts import IMAGE_SUFFIXES, folder, read_pts
from rdrface.datasets.records import UNKNOWN, FaceRecords
from rdrface.errors import DataError

# fmt: off
FROM_FGNET: Mapping[int, int] = MappingProxyType({
    8: 7, 30: 67, 33: 41, 36: 27, 39: 29, 42: 34, 45: 32, **{i: i for i in range(48, 60)},
})
# fmt: on
"""iBUG landmark -> FG-NET's point at the same place: chin, nose tip, nose base, eye corners, outer lip line. FG-NET's
other points lie elsewhere on the same curves, so iBUG's other landmarks get no position."""

EYES = ((27, 29, 28, 30), (32, 34, 33, 35))
"""FG-NET's points of the picture's left and right eye: outer corner, inner corner, middle of upper and of lower lid."""

TWO_PAIRS = 8 / 9
"""Lid aperture as `rdrface.geometry.eyes.eye_aspect` takes it, over the aperture in the middle of the eye. iBUG's two pairs
of lid points are near 1/3 and 2/3 of the eye's width. Each lid is taken for a parabola through both corners; at
position x in [0, 1] it is 4 x (1 - x) times as high as in the middle, so 8/9 at 1/3 and 2/3."""

LID_OUTLINE = 0.85
"""FG-NET's lid points lie farther apart than iBUG's: this brings the median aspect of its adults to that of
near-frontal faces of MERL-RAV and 300-W."""

_TESTED = 5  # persons whose number is divisible by this are the test part
_NAME = re.compile(r"\d{3}[aA]\d{2}")


def read_fgnet(root: str | Path) -> FaceRecords:
    """Read `root/points/*.pts` and the photos `root/images/*.JPG` of the same names (upper and lower case may differ).

    The files count pixels from 0. They are named after person and age, e.g. 001a02. The set has no division of its own:
    persons whose number is divisible by 5 are 'test', the others 'train', so no person is in both.

    Args:
        root: folder with images/ and points/.

    Returns:
        Records with source "fgnet" and all states unknown. `points` has the 19 landmarks of `FROM_FGNET`, NaN for the
        rest; `box` is therefore NaN (see `rdrface.fitting.landmark_box`). `eye_aspect` comes from FG-NET's
        own lid points.

    Raises:
        DataError: a folder or a photo is missing, or an annotation is damaged or misnamed; the message names it.
    """
    base = folder(root, "the FG-NET folder, with images/ and points/ in it")
    photos = _photos(folder(base / "images", "the photos of FG-NET"))
    files = sorted(folder(base / "points", "the .pts files of FG-NET").glob("*.pts"))
    if not files:
        raise DataError(f"{base / 'points'} holds no .pts files; wanted FG-NET's annotations, e.g. 001a02.pts")
    for file in files:
        if not _NAME.match(file.stem):
            raise DataError(f"{file} is not named as FG-NET's files are: three digits, the letter a, the age (001a02)")
        if file.stem.lower() not in photos:
            raise DataError(f"no photo {file.stem} in {base / 'images'} for {file}; copy the photos there")
    own = np.stack([read_pts(file) for file in files])
    points = np.full((len(files), 68, 2), np.nan, np.float32)
    points[:, list(FROM_FGNET)] = own[:, list(FROM_FGNET.values())]
    state = np.full((len(files), 68), UNKNOWN, np.int8)
    person = np.array([int(file.stem[:3]) for file in files])
    return FaceRecords(
        image=np.array([str(photos[file.stem.lower()]) for file in files]),
        points=points,
        state=state,
        contour=np.full(len(files), "outline"),
        box=np.full((len(files), 4), np.nan),
        source=np.full(len(files), "fgnet"),
        is_test=person % _TESTED == 0,
        eye_aspect=np.stack([_aspect(own[:, eye]) for eye in EYES], axis=1),
    )


def _photos(images: Path) -> dict[str, Path]:
    """Name in lower case without its ending -> photo."""
    endings = {ending.lower() for ending in IMAGE_SUFFIXES}
    return {path.stem.lower(): path for path in sorted(images.iterdir()) if path.suffix.lower() in endings}


def _aspect(eye: np.ndarray) -> np.ndarray:
    """(N,) from outer corner, inner corner, upper and lower lid (N, 4, 2); NaN where the corners coincide."""
    outer, inner, upper, lower = (eye[:, i] for i in range(4))
    width = np.linalg.norm(inner - outer, axis=1)
    return LID_OUTLINE * TWO_PAIRS * np.linalg.norm(upper - lower, axis=1) / np.where(width > 0, width, np.nan)
