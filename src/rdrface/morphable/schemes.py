"""Annotation schemes: named sets of points on the surface of the face model, such as the 68 of iBUG."""

from collections.abc import Mapping

import numpy as np

from rdrface.landmarks import INNER, NUM_CONTOUR
from rdrface.morphable.model import FaceModel, SurfacePoints

SCHEMES: Mapping[str, str] = {
    "ibug68": "the 68 points of iBUG / Multi-PIE, contour on the absolute jawline",
    "inner51": "the 51 points of ibug68 that are not on the contour",
    "aflw21": "the 21 points of AFLW, from left to right and top to bottom",
    "aflw34": "the 21 points of AFLW and 13 more on lids, nose, lips and jaw",
    "eye_centers": "the centers of the two pupils of eyes that look straight ahead",
    "ear_lobes": "the lower ends of the two ears",
    "wflw98": "the 98 points of WFLW, contour on the absolute jawline",
    "parallel_lines": "17 lines from the jawline across the cheek, with the same number of points each",
}
"""Name of a scheme -> description. The left side of the image comes first."""

NUM_WFLW98 = 98
"""Number of WFLW's points."""

WFLW98_TO_IBUG68: Mapping[int, int] = {
    **{2 * k: k for k in range(NUM_CONTOUR)},
    **{33 + k: 17 + k for k in range(5)},
    **{42 + k: 22 + k for k in range(5)},
    **{51 + k: 27 + k for k in range(9)},
    60: 36,
    64: 39,
    68: 42,
    72: 45,
    **{76 + k: 48 + k for k in range(7)},
    85: 57,
    88: 60,
    90: 62,
    92: 64,
    94: 66,
}
"""Point of WFLW -> landmark of the 68 at the same position."""

WFLW98_EVEN: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
    ((36, 37, 38, 39), (61, 62, 63)),
    ((39, 40, 41, 36), (65, 66, 67)),
    ((42, 43, 44, 45), (69, 70, 71)),
    ((45, 46, 47, 42), (73, 74, 75)),
    ((54, 55, 56, 57), (83, 84)),
    ((57, 58, 59, 48), (86, 87)),
    ((60, 61, 62), (89,)),
    ((62, 63, 64), (91,)),
    ((64, 65, 66), (93,)),
    ((66, 67, 60), (95,)),
)
"""Lines through the 68 landmarks, each with the points of WFLW that divide it into equal lengths. WFLW spaces its
points evenly on lids, inner lips and the lower border of the lower lip, as the mean of its training annotations shows
(part of PIPNet's code). iBUG does not: its lid points are at one and two thirds, and those of the inner lips are close
to the middle. The nearest landmark, which is often used instead, is several millimeters away."""

WFLW98_BROWS: Mapping[int, int] = {38: 37, 39: 36, 40: 35, 41: 34, 47: 45, 48: 44, 49: 43, 50: 42}
"""Point of WFLW on the lower edge of a brow -> the point above it on the upper edge."""

WFLW98_PUPILS = (96, 97)
"""Points of WFLW on the left and right pupil."""


def _wflw98_mirror() -> np.ndarray:
    order = np.arange(NUM_WFLW98)
    for first, last in ((0, 32), (51, 51), (55, 59), (76, 82), (83, 87), (88, 92), (93, 95), (96, 97)):
        order[first : last + 1] = np.arange(last, first - 1, -1)
    for left, right in (
        (range(33, 38), range(46, 41, -1)),
        (range(38, 42), range(50, 46, -1)),
        (range(60, 65), range(72, 67, -1)),
        (range(65, 68), range(75, 72, -1)),
    ):
        order[left], order[right] = right, left
    order.setflags(write=False)
    return order


WFLW98_MIRROR = _wflw98_mirror()
"""(98,) int: point i of the mirrored face is point ``WFLW98_MIRROR[i]`` of the original face."""


def surface_points(model: FaceModel, scheme: str) -> SurfacePoints:
    """The points of a scheme on a face model.

    Raises:
        ValueError: the scheme does not exist.
    """
    if scheme == "inner51":
        landmarks = model.points["ibug68"]
        return SurfacePoints(landmarks.triangle[INNER], landmarks.barycentric[INNER])
    if scheme not in model.points:
        raise ValueError(f"the face model has no scheme {scheme!r}; choose one of {', '.join(sorted(SCHEMES))}")
    return model.points[scheme]
