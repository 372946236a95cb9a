"""Where the points of a setting lie on the face: on its surface, and which of them are mirror images of each other.

The network says how the head of every photo is shaped and posed. A point of the face model that, projected, falls on
the labels of a setting's point in all photos *is* that point.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from rdrface.geometry.camera import project
from rdrface.geometry.visibility import facing, occluded_by_mesh
from rdrface.model_building.learn_landmarks import mirror_triangles, triangle_normals
from rdrface.morphable.model import FaceModel, SurfacePoints
from rdrface.morphable.params import EXPRESSION, IDENTITY, POSE, YAW
from rdrface.morphable.surface import positions

MOST_FACES = 200
"""Faces that are looked at: more do not move a point any further."""

ROBUST = 0.06
"""Share of the face's size: a label that lies much further off counts as a slip and little more."""

RIM = -0.1
"""`facing` from which a place counts as on the visible side. Contour points lie at the rim itself, where it is 0."""

BEST = 12
"""Triangles that are searched finely, around the best corners."""

PARTS = 6
"""Into how many parts the fine search divides the edge of a triangle: about 0.7 mm."""

FURTHEST_PAIR = 20.0
"""mm on the mean face between a point's mirror image and its partner, beyond which they are no pair. Points of a
contour that slides are found up to 15 mm off, mostly along the contour, which does not change who pairs with whom."""

FORCED_PAIR = 10.0
"""mm by which a partner may be further than the nearest point, in order to pair all points one to one; as above."""


@dataclass(frozen=True)
class Placement:
    """Where a setting's points were found.

    Attributes:
        points: L surface points.
        misfit: (L,) float32, median distance of the labels, percent of the face's size.
        seen: (L,) float32, share of the labeled faces in which the point is on the visible side.
    """

    points: SurfacePoints
    misfit: np.ndarray
    seen: np.ndarray


def place_points(model: FaceModel, q: np.ndarray, labels: np.ndarray, sizes: np.ndarray) -> Placement:
    """Find the surface points that explain labels best.

    For each point every vertex is tried in every face, then a fine grid on the triangles around the best vertices: the
    surface is curved and folded, and a search that only walks downhill would end in the wrong fold.

    Args:
        model: the face model.
        q: (N, 103) the network's Q, in any frame.
        labels: (N, L, 2) in the same frame; NaN where there is none.
        sizes: (N,) the faces' sizes in that frame, root of the area of the landmark box.

    Returns:
        The placement. A point that no face labels is put anywhere and has misfit NaN.
    """
    if len(q) > MOST_FACES:
        # Evenly over yaw: the turned faces say where a point lies in depth.
        spread = np.argsort(q[:, POSE][:, YAW], kind="stable")[np.linspace(0, len(q) - 1, MOST_FACES).astype(int)]
        q, labels, sizes = q[spread], labels[spread], sizes[spread]
    q = q.astype(np.float32)
    labels = (labels / sizes[:, None, None]).astype(np.float32)
    triangles = model.triangles
    shapes = model.shape(q[:, IDENTITY], q[:, EXPRESSION])
    corners = (project(shapes, q[:, POSE])[..., :2] / sizes[:, None, None]).astype(np.float32)
    normals = vertex_normals(model.mean, triangles)
    towards = facing(np.repeat(normals[None], len(q), 0), q[:, POSE]) > RIM
    outer = outer_triangles(model)
    usable = np.zeros(len(model.mean), bool)
    usable[triangles[outer]] = True

    grid, chosen = _grid(), []
    misfit, seen = np.full(labels.shape[1], np.nan, np.float32), np.zeros(labels.shape[1], np.float32)
    for k in range(labels.shape[1]):
        known = np.isfinite(labels[:, k]).all(1)
        if not known.any():
            chosen.append((int(np.flatnonzero(outer)[0]), grid[0]))
            continue
        label = labels[known, k][:, None]
        cost = _cost(corners[known], label, towards[known])
        cost[~usable] = np.inf
        around = _triangles_around(triangles, outer, cost)
        # The fine candidates: every grid place on every triangle found.
        flat = np.einsum("gi,tinc->tgnc", grid, corners[known][:, triangles[around]].transpose(1, 2, 0, 3))
        side = towards[known][:, triangles[around]].any(2)
        fine = _cost(flat.reshape(-1, known.sum(), 2).swapaxes(0, 1), label, np.repeat(side, len(grid), axis=1))
        best = int(np.argmin(fine))
        triangle, place = divmod(best, len(grid))
        chosen.append((int(around[triangle]), grid[place]))
        distance = np.linalg.norm(flat[triangle, place] - label[:, 0], axis=-1)
        visible = side[:, triangle]
        seen[k] = visible.mean()
        misfit[k] = 100 * np.median(distance[visible] if visible.any() else distance)
    found = SurfacePoints(
        np.array([triangle for triangle, _ in chosen], np.int32), np.array([place for _, place in chosen], np.float32)
    )
    return Placement(found, misfit, seen)


def mirror_pairs(model: FaceModel, points: SurfacePoints) -> tuple[np.ndarray | None, str]:
    """The mirror permutation of a setting, from where its points lie on the mean face.

    Args:
        model: the face model, whose mean face is symmetric about x = 0.
        points: L surface points.

    Returns:
        (L,) int64: point i of the mirrored face is point ``order[i]``; or None and why there is none.
    """
    at = positions(model.mean, model.triangles, points)
    distance = np.linalg.norm((at * np.array([-1, 1, 1], np.float32))[:, None] - at[None], axis=-1)
    # Squared: one partner far away is worse than several a little off. Symmetric: a pair counts from both sides.
    order = linear_sum_assignment(distance**2 + distance.T**2)[1].astype(np.int64)
    gap = distance[np.arange(len(order)), order]
    if wrong := np.flatnonzero(order[order] != np.arange(len(order))).tolist():
        return None, f"points {_listed(wrong)} do not form pairs"
    if wrong := np.flatnonzero(gap > FURTHEST_PAIR).tolist():
        return None, f"points {_listed(wrong)} have no partner within {FURTHEST_PAIR:.0f} mm on the other side"
    if wrong := np.flatnonzero(gap > distance.min(1) + FORCED_PAIR).tolist():
        return None, f"points {_listed(wrong)} lie nearer to another point's mirror image than to their partner's"
    return order, ""


def outer_triangles(model: FaceModel) -> np.ndarray:
    """(F,) bool: the outer surface, without the mouth sack and the inside of the lids."""
    centers = model.mean[model.triangles].mean(1)
    normals = triangle_normals(model.mean, model.triangles)
    seen, half = np.zeros(len(centers), bool), centers[:, 0] > -1e-3
    for pitch in (0.0, -0.5, 0.5):
        for yaw in (0.0, -1.0, 1.0):
            pose = np.array([[pitch, yaw, 0, 0, 0, 0, 1]])
            # The test is slow: it is made on one half of the face, where no viewer has seen the triangle before.
            asked = np.flatnonzero(~seen & half & (facing(normals[None], pose)[0] > 0.15))
            seen[asked] = ~occluded_by_mesh(centers[None, asked], model.mean[None], model.triangles, pose, 0.5)[0]
    seen |= seen[mirror_triangles(model.triangles, model.mirror_vertices)]
    return seen


def vertex_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(V, 3) outward normals, not of unit length: the sum of those of the triangles around each vertex."""
    normals = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], triangle_normals(vertices, triangles))
    return normals


def _cost(places: np.ndarray, label: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """(N, C, 2) candidates, (N, 1, 2) labels, (N, C) visible -> (C,) mean robust cost, 0 to 1."""
    square = ((places - label) ** 2).sum(-1) / ROBUST**2
    # Out of sight counts as a miss. Labels of the visible contour slide over the face as it turns; without this their
    # places would be those that few faces see and that fit these few.
    cost: np.ndarray = np.where(visible, square / (1 + square), np.float32(1)).mean(0)
    return cost


def _triangles_around(triangles: np.ndarray, outer: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """Indices of the `BEST` outer triangles with the smallest mean cost of their corners, and of their neighbors."""
    mean = np.where(outer, cost[triangles].mean(1), np.inf)
    best = np.argsort(mean, kind="stable")[:BEST]
    touched = np.isin(triangles, triangles[best]).any(1) & outer
    return np.flatnonzero(touched)


def _grid() -> np.ndarray:
    """(G, 3) float32 barycentric coordinates of a regular grid on a triangle, edges and corners included."""
    whole = [(i, j, PARTS - i - j) for i in range(PARTS + 1) for j in range(PARTS + 1 - i)]
    return np.array(whole, np.float32) / PARTS


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:8])) + (", ..." if len(numbers) > 8 else "")
