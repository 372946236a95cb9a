"""Anatomical positions of the named points on the mean face.

`rdrface.model_building.learn_landmarks` starts from them. Coordinates are millimeters on the mean face, with the origin
between the eyeballs' centers: x points right in the image, y up, z towards the viewer. Only points of the right half of
the image and of the midline are listed; the left half is mirrored.
"""

import numpy as np
import numpy.typing as npt

from rdrface.landmarks import CHIN, MIRROR, NUM_CONTOUR, NUM_LANDMARKS
from rdrface.morphable.curve import evenly_spaced, midpoints
from rdrface.morphable.model import SurfacePoints
from rdrface.morphable.schemes import (
    NUM_WFLW98,
    WFLW98_BROWS,
    WFLW98_EVEN,
    WFLW98_MIRROR,
    WFLW98_PUPILS,
    WFLW98_TO_IBUG68,
)
from rdrface.morphable.surface import cast_outermost, mirror_points, nearest, positions

LINE_POINTS = 24
"""Number of points per parallel line."""

HEAD_CENTER = np.array([0.0, -50.0, -40.0])
"""A point inside the head from which the whole surface of the cheeks and the jaw is visible."""

FRONTAL: dict[int, tuple[float, float]] = {
    # Eyebrows: upper edge, from the inner to the outer end.
    22: (14.0, 14.5), 23: (25.0, 18.5), 24: (37.0, 20.0), 25: (48.0, 18.0), 26: (56.0, 11.5),
    # Nose: ridge from the root to the tip, then the base from the midline to the wing.
    27: (0.0, -2.0), 28: (0.0, -16.0), 29: (0.0, -29.0), 30: (0.0, -41.0),
    33: (0.0, -53.0), 34: (7.5, -51.0), 35: (15.5, -48.5),
    # Eye: corners, and the margins of the eyelids at one third and two thirds of their length.
    42: (19.0, -3.4), 43: (27.0, 2.4), 44: (37.0, 2.5), 45: (44.9, -1.8), 46: (37.2, -6.6), 47: (28.0, -6.6),
    # Outer edge of the lips.
    51: (0.0, -63.6), 52: (6.0, -62.6), 53: (15.0, -66.0), 54: (25.2, -75.2), 55: (17.5, -82.0), 56: (8.5, -85.0),
    57: (0.0, -85.6),
    # Line between the lips.
    62: (0.0, -73.4), 63: (9.0, -73.2), 64: (23.5, -75.2), 65: (9.0, -75.4), 66: (0.0, -75.4),
}  # fmt: skip
"""Landmark -> (x, y) in the front view; the depth follows from the surface."""

JAWLINE: dict[int, tuple[float, float, float]] = {
    16: (77.0, -13.0, -60.0), 15: (75.0, -32.0, -57.0), 14: (71.0, -51.0, -53.0), 13: (67.0, -69.0, -48.0),
    12: (62.0, -86.0, -43.0), 11: (53.0, -100.0, -32.0), 10: (38.0, -111.0, -14.0), 9: (20.0, -117.0, 4.0),
    8: (0.0, -119.0, 14.0),
}  # fmt: skip
"""Landmark -> (x, y, z) near the absolute jawline; projected onto the surface from `HEAD_CENTER`."""

LINE_ENDS: dict[int, tuple[float, float, float]] = {
    16: (22.0, -24.0, 10.0), 15: (21.0, -33.0, 14.0), 14: (23.0, -43.0, 12.0), 13: (24.0, -51.0, 14.0),
    12: (27.0, -56.0, 16.0), 11: (27.0, -61.0, 16.0), 10: (20.0, -79.0, 20.0), 9: (11.0, -87.0, 22.0),
    8: (0.0, -102.0, 24.0),
}  # fmt: skip
"""Landmark -> end of its parallel line, near nose, mouth and chin. The heights are chosen such that, on a turned face,
the lines cross the far outline where the training sets of MERL-RAV and 300-W are annotated."""

BROW_HEIGHT = 7.0
"""Vertical distance in mm from the upper to the lower edge of an eyebrow. It is about the mean of WFLW's training
annotations, relative to the height from the eyes to the base of the nose."""

EAR_LOBE = (83.0, -51.0, -75.0)
"""(x, y, z) near the ear lobe."""

PUPIL_HEIGHT = -1.0
"""y of the pupils."""


def place_landmarks(vertices: np.ndarray, triangles: np.ndarray, mirror: np.ndarray, skin: np.ndarray) -> SurfacePoints:
    """Place the 68 points, with the contour on the absolute jawline.

    Args:
        vertices: (V, 3) mm, mean face, with the origin between the eyeballs' centers.
        triangles: (F, 3) vertex indices.
        mirror: (V,) index of each vertex's mirrored vertex.
        skin: (F,) bool, triangles that are neither eyeball nor ear.
    """
    index = np.flatnonzero(skin)
    origins: list[npt.ArrayLike] = []
    directions: list[npt.ArrayLike] = []
    for k in range(NUM_LANDMARKS):
        if k in FRONTAL:
            origins.append([*FRONTAL[k], -20.0])
            directions.append([0.0, 0.0, 1.0])
        elif k in JAWLINE:
            origins.append(HEAD_CENTER)
            directions.append(np.array(JAWLINE[k]) - HEAD_CENTER)
        else:
            origins.append([0.0, -30.0, 0.0])
            directions.append([0.0, 0.0, 1.0])
    hits = cast_outermost(vertices, triangles[index], np.array(origins, float), np.array(directions, float))
    return symmetrized(SurfacePoints(index[hits.triangle].astype(np.int32), hits.barycentric), triangles, mirror)


def symmetrized(points: SurfacePoints, triangles: np.ndarray, mirror: np.ndarray) -> SurfacePoints:
    """Replace the points in the left half of the image by the mirrored points of the right half.

    Args:
        points: the 68 points.
        triangles: (F, 3) vertex indices.
        mirror: (V,) index of each vertex's mirrored vertex.
    """
    other = mirror_points(points, triangles, mirror)
    left = np.array([k in range(8) or k in LEFT_INNER for k in range(NUM_LANDMARKS)])
    triangle = np.where(left, other.triangle[MIRROR], points.triangle)
    barycentric = np.where(left[:, None], other.barycentric[MIRROR], points.barycentric)
    return SurfacePoints(triangle.astype(np.int32), barycentric.astype(np.float32))


LEFT_INNER = frozenset([*range(17, 22), 31, 32, *range(36, 42), 48, 49, 50, 58, 59, 60, 61, 67])
"""Inner landmarks in the left half of the image."""


def place_lines(
    vertices: np.ndarray, triangles: np.ndarray, mirror: np.ndarray, skin: np.ndarray, jawline: SurfacePoints
) -> SurfacePoints:
    """Place the parallel lines, each from its jawline point across the cheek towards the midline.

    A line is the projection from `HEAD_CENTER` of a great circle between its two ends. Its points are evenly spaced
    along the surface.

    Args:
        vertices: see `place_landmarks`.
        triangles: see `place_landmarks`.
        mirror: see `place_landmarks`.
        skin: see `place_landmarks`.
        jawline: the 17 jawline points, symmetric.

    Returns:
        17 x `LINE_POINTS` points, line by line.
    """
    index = np.flatnonzero(skin)
    starts = positions(vertices, triangles, jawline)
    lines: dict[int, SurfacePoints] = {}
    for k in range(CHIN, NUM_CONTOUR):
        first, last = starts[k] - HEAD_CENTER, np.array(LINE_ENDS[k]) - HEAD_CENTER
        share = np.linspace(0, 1, 8 * LINE_POINTS)
        for _ in range(2):
            directions = _great_circle(first, last, share)
            hits = cast_outermost(
                vertices, triangles[index], np.broadcast_to(HEAD_CENTER, directions.shape), directions
            )
            on = positions(vertices, triangles[index], hits)
            length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(on, axis=0), axis=1))])
            share = np.interp(np.linspace(0, length[-1], LINE_POINTS), length, share)
        line = SurfacePoints(index[hits.triangle].astype(np.int32), hits.barycentric)
        line.triangle[0], line.barycentric[0] = jawline.triangle[k], jawline.barycentric[k]
        lines[k] = line
        if k != 8:
            lines[16 - k] = mirror_points(line, triangles, mirror)
    order = [lines[k] for k in range(NUM_CONTOUR)]
    return SurfacePoints(
        np.concatenate([line.triangle for line in order]), np.concatenate([line.barycentric for line in order])
    )


def _great_circle(first: np.ndarray, last: np.ndarray, share: np.ndarray) -> np.ndarray:
    """(N, 3) unit vectors between the directions `first` and `last` (3,), at shares (N,) of the angle between them."""
    a, b = first / np.linalg.norm(first), last / np.linalg.norm(last)
    angle = np.arccos(np.clip(a @ b, -1, 1))
    between: np.ndarray = (np.sin((1 - share) * angle)[:, None] * a + np.sin(share * angle)[:, None] * b) / np.sin(
        angle
    )
    return between


def place_others(
    vertices: np.ndarray, triangles: np.ndarray, mirror: np.ndarray, eyeball: np.ndarray, ear: np.ndarray
) -> tuple[SurfacePoints, SurfacePoints]:
    """Place the eye centers and the ear lobes.

    Args:
        vertices: see `place_landmarks`.
        triangles: see `place_landmarks`.
        mirror: see `place_landmarks`.
        eyeball: (F,) bool, triangles of the eyeballs.
        ear: (F,) bool, triangles of the ears.

    Returns:
        Two eye centers and two ear lobes, each with the point in the left half of the image first.
    """
    pairs = []
    balls = np.flatnonzero(eyeball)
    center = vertices[np.unique(triangles[balls])]
    x = np.abs(center[:, 0]).mean()
    hit = cast_outermost(vertices, triangles[balls], np.array([[x, PUPIL_HEIGHT, -20.0]]), np.array([[0.0, 0.0, 1.0]]))
    pairs.append(SurfacePoints(balls[hit.triangle].astype(np.int32), hit.barycentric))
    lobes = np.flatnonzero(ear)
    hit = cast_outermost(
        vertices, triangles[lobes], np.array([[40.0, EAR_LOBE[1], EAR_LOBE[2]]]), np.array([[1.0, 0.0, 0.0]])
    )
    pairs.append(SurfacePoints(lobes[hit.triangle].astype(np.int32), hit.barycentric))
    both = []
    for right in pairs:
        left = mirror_points(right, triangles, mirror)
        both.append(
            SurfacePoints(
                np.concatenate([left.triangle, right.triangle]), np.concatenate([left.barycentric, right.barycentric])
            )
        )
    return both[0], both[1]


def place_wflw98(
    vertices: np.ndarray,
    triangles: np.ndarray,
    mirror: np.ndarray,
    skin: np.ndarray,
    ibug68: SurfacePoints,
    eyes: SurfacePoints,
) -> SurfacePoints:
    """Place WFLW's 98 points symmetrically, with the contour on the absolute jawline.

    Points that are not among the 68 are constructed. Additional jawline points are halfway between two jawline
    landmarks and are projected onto the surface from `HEAD_CENTER`. Points on other lines divide the line through its
    landmarks into equal lengths. The lower edge of an eyebrow is `BROW_HEIGHT` below the upper edge.

    Args:
        vertices: see `place_landmarks`.
        triangles: see `place_landmarks`.
        mirror: see `place_landmarks`.
        skin: see `place_landmarks`.
        ibug68: the 68 points, symmetric.
        eyes: the two pupils.
    """
    at = positions(vertices, triangles, ibug68).astype(np.float64)
    targets = np.zeros((NUM_WFLW98, 3))
    for point, landmark in WFLW98_TO_IBUG68.items():
        targets[point] = at[landmark]
    for line, points in WFLW98_EVEN:
        targets[list(points)] = evenly_spaced(at[list(line)], len(points) + 2)[1:-1]
    for below, above in WFLW98_BROWS.items():
        targets[below] = targets[above] - [0.0, BROW_HEIGHT, 0.0]
    placed = nearest(vertices, triangles, targets, skin)
    index = np.flatnonzero(skin)
    jaw, brows = list(range(1, 33, 2)), list(WFLW98_BROWS)
    towards = midpoints(at[:NUM_CONTOUR]) - HEAD_CENTER
    origins = np.concatenate([np.broadcast_to(HEAD_CENTER, towards.shape), targets[brows] * [1, 1, 0]])
    directions = np.concatenate([towards, np.broadcast_to([0.0, 0.0, 1.0], (len(brows), 3))])
    hits = cast_outermost(vertices, triangles[index], origins, directions)
    placed.triangle[jaw + brows], placed.barycentric[jaw + brows] = index[hits.triangle], hits.barycentric
    # The left half of the image is replaced by the mirrored right half. The points of the 68 and the pupils are copied
    # afterwards, so they are exactly those of the other schemes.
    left = targets[:, 0] < 0
    left[1:16:2] = True
    other = mirror_points(placed, triangles, mirror)
    placed.triangle[left] = other.triangle[WFLW98_MIRROR][left]
    placed.barycentric[left] = other.barycentric[WFLW98_MIRROR][left]
    copies = [(point, ibug68, row) for point, row in WFLW98_TO_IBUG68.items()]
    copies += [(point, eyes, row) for row, point in enumerate(WFLW98_PUPILS)]
    for point, known, row in copies:
        placed.triangle[point], placed.barycentric[point] = known.triangle[row], known.barycentric[row]
    return placed
