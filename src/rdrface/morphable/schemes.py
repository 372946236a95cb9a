"""Annotation schemes: named sets of points on the surface of the face model."""

from collections.abc import Mapping

import numpy as np

from rdrface.morphable.model import FaceModel, SurfacePoints

SCHEMES: Mapping[str, str] = {
    "ibug68": "the 68 points of iBUG / Multi-PIE, contour on the absolute jawline",
    "inner51": "the 51 points of ibug68 that are not on the contour",
    "aflw21": "the 21 points of AFLW, from the picture's left to its right, top to bottom",
    "aflw34": "the 21 of AFLW and 13 more on lids, nose, lips and jaw",
    "eye_centers": "the centers of the two pupils, looking straight ahead",
    "ear_lobes": "the lower ends of the two ears",
    "wflw98": "the 98 points of WFLW, contour on the absolute jawline",
    "parallel_lines": "17 lines from the jawline over the cheek, the same number of points each",
}
"""Name of a scheme -> what it holds. The picture's left comes first."""

WFLW98_IS: Mapping[int, int] = {
    **{2 * k: k for k in range(17)},
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
"""Point of WFLW -> the one of the 68 that lies at the same place."""

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
"""Lines through the 68 -> the points of WFLW that cut them into equal lengths. WFLW spaces its points evenly on lids,
inner lips and the lower lip's border: the mean of its training annotations, part of PIPNet's code, shows it. The 68 do
not: iBUG has a lid's points at a third and two thirds, and the inner lips' close to the middle. The nearest of the 68,
often taken instead, lies some millimeters beside the place."""

WFLW98_BROWS: Mapping[int, int] = {38: 37, 39: 36, 40: 35, 41: 34, 47: 45, 48: 44, 49: 43, 50: 42}
"""Point on a brow's lower edge -> the point of WFLW above it on the upper edge."""

WFLW98_PUPILS = (96, 97)


def _wflw98_mirror() -> np.ndarray:
    order = np.arange(98)
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
"""(98,) int: point i of the mirrored face is point ``WFLW98_MIRROR[i]`` of the face."""


def surface_points(model: FaceModel, scheme: str) -> SurfacePoints:
    """The surface points of a scheme.

    Raises:
        ValueError: there is no such scheme.
    """
    if scheme == "inner51":
        whole = model.points["ibug68"]
        return SurfacePoints(whole.triangle[17:], whole.barycentric[17:])
    if scheme not in model.points:
        raise ValueError(f"no scheme {scheme!r} on this face model; there are: {', '.join(sorted(SCHEMES))}")
    return model.points[scheme]
