"""Placing custom landmarks on the 3D face: the surface point of each landmark, and the pairs of mirrored landmarks.

The network predicts the shape and pose of the head in every image. The surface point of a custom landmark is the
point of the face model whose projection is closest to the annotations of that landmark over all images.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from rdrface.geometry.camera import project
from rdrface.geometry.mesh import mirror_triangles, triangle_normals, vertex_normals
from rdrface.geometry.visibility import facing, occluded_by_mesh
from rdrface.morphable.model import FaceModel, SurfacePoints
from rdrface.morphable.params import EXPRESSION, IDENTITY, POSE
from rdrface.morphable.surface import positions

MAX_FACES = 200
"""Maximum number of faces used; with more faces the placement does not change."""

ROBUST_SCALE = 0.06
"""Distance, as a share of the face size, beyond which the influence of an annotation falls (Geman-McClure loss)."""

MIN_FACING = -0.1
"""Minimum of `facing` for a surface point to count as visible. It is 0 at the contour, where contour points are."""

CANDIDATES = 12
"""Number of triangles, ranked by the cost of their corners, around which the fine search looks."""

GRID_DIVISIONS = 6
"""Number of parts into which the fine search divides each edge of a triangle; a part is about 0.7 mm long."""

MAX_PAIR_DISTANCE = 20.0
"""Maximum distance in mm, on the mean face, between the mirror image of a landmark and its partner. Landmarks on the
visible contour, which slides over the face, are placed up to 15 mm apart. Most of that error is along the contour and
does not change the pairs."""

MAX_PAIR_EXCESS = 10.0
"""Maximum distance in mm by which the partner may be farther away than the nearest landmark. Needed for the same reason
as `MAX_PAIR_DISTANCE`, because the assignment is one to one."""


@dataclass(frozen=True)
class Placement:
    """Surface points of custom landmarks.

    Attributes:
        points: L surface points.
        misfit: (L,) float32, median distance between the annotations and the projected surface point, percent of the
            face size.
        visible_share: (L,) float32, share of the annotated faces in which the surface point faces the viewer.
    """

    points: SurfacePoints
    misfit: np.ndarray
    visible_share: np.ndarray


def place_points(model: FaceModel, q: np.ndarray, labels: np.ndarray, sizes: np.ndarray) -> Placement:
    """Find the surface point that best explains the annotations of each custom landmark.

    The search is exhaustive, because the surface is curved and folded and a local search could end in the wrong fold:
    first over all vertices, then over a fine grid on the triangles around the best vertices.

    Args:
        model: face model.
        q: (N, 103) parameters predicted by the network, in any frame.
        labels: (N, L, 2) annotated points in the same frame; NaN where a point has no position.
        sizes: (N,) face sizes in the same frame, sqrt(width x height) of the landmark box.

    Returns:
        The placement. A landmark without any annotation gets an arbitrary surface point and the misfit NaN.
    """
    if len(q) > MAX_FACES:
        # Sample evenly over yaw: the depth of a landmark can only be determined from turned faces.
        sample = np.argsort(q[:, POSE.start + 1], kind="stable")[np.linspace(0, len(q) - 1, MAX_FACES).astype(int)]
        q, labels, sizes = q[sample], labels[sample], sizes[sample]
    q = q.astype(np.float32)
    labels = (labels / sizes[:, None, None]).astype(np.float32)
    triangles = model.triangles
    shapes = model.shape(q[:, IDENTITY], q[:, EXPRESSION])
    vertices = (project(shapes, q[:, POSE])[..., :2] / sizes[:, None, None]).astype(np.float32)
    normals = vertex_normals(model.mean, triangles)
    vertex_visible = facing(np.repeat(normals[None], len(q), 0), q[:, POSE]) > MIN_FACING
    outer = outer_triangles(model)
    on_outer = np.zeros(len(model.mean), bool)
    on_outer[triangles[outer]] = True

    grid, found = _grid(), []
    misfit, visible_share = np.full(labels.shape[1], np.nan, np.float32), np.zeros(labels.shape[1], np.float32)
    for k in range(labels.shape[1]):
        known = np.isfinite(labels[:, k]).all(1)
        if not known.any():
            found.append((int(np.flatnonzero(outer)[0]), grid[0]))
            continue
        label = labels[known, k][:, None]
        cost = _cost(vertices[known], label, vertex_visible[known])
        cost[~on_outer] = np.inf
        candidates = _candidate_triangles(triangles, outer, cost)
        # All grid points of all candidate triangles: (T, G, n, 2) for T triangles, G grid points and n faces.
        fine = np.einsum("gi,tinc->tgnc", grid, vertices[known][:, triangles[candidates]].transpose(1, 2, 0, 3))
        visible = vertex_visible[known][:, triangles[candidates]].any(2)
        fine_cost = _cost(fine.reshape(-1, known.sum(), 2).swapaxes(0, 1), label, np.repeat(visible, len(grid), axis=1))
        triangle, node = divmod(int(np.argmin(fine_cost)), len(grid))
        found.append((int(candidates[triangle]), grid[node]))
        distance = np.linalg.norm(fine[triangle, node] - label[:, 0], axis=-1)
        faces = visible[:, triangle]
        visible_share[k] = faces.mean()
        misfit[k] = 100 * np.median(distance[faces] if faces.any() else distance)
    points = SurfacePoints(
        np.array([triangle for triangle, _ in found], np.int32), np.array([weights for _, weights in found], np.float32)
    )
    return Placement(points, misfit, visible_share)


def mirror_pairs(model: FaceModel, points: SurfacePoints) -> tuple[np.ndarray | None, str]:
    """Find the mirror permutation of custom landmarks from their positions on the mean face.

    Args:
        model: face model, whose mean face is symmetric about x = 0.
        points: L surface points.

    Returns:
        The permutation, (L,) int64: landmark i of the mirrored face is landmark ``order[i]`` of the face. None if the
        landmarks do not form pairs; the text then gives the reason, with the landmarks numbered from 1.
    """
    at = positions(model.mean, model.triangles, points)
    distance = np.linalg.norm((at * np.array([-1, 1, 1], np.float32))[:, None] - at[None], axis=-1)
    # Squared, because one large distance is worse than several small ones. Symmetric, because the partner of a landmark
    # must have that landmark as its partner.
    order = linear_sum_assignment(distance**2 + distance.T**2)[1].astype(np.int64)
    gap = distance[np.arange(len(order)), order]
    if unpaired := np.flatnonzero(order[order] != np.arange(len(order))).tolist():
        return None, f"points {_numbers(unpaired)} do not form pairs"
    if unpaired := np.flatnonzero(gap > MAX_PAIR_DISTANCE).tolist():
        return None, f"points {_numbers(unpaired)} have no partner within {MAX_PAIR_DISTANCE:.0f} mm on the other side"
    if unpaired := np.flatnonzero(gap > distance.min(1) + MAX_PAIR_EXCESS).tolist():
        return (
            None,
            f"points {_numbers(unpaired)} are closer to the mirror image of another point than to their partner's",
        )
    return order, ""


def outer_triangles(model: FaceModel) -> np.ndarray:
    """(F,) bool: triangles of the outer surface, without the inside of the mouth and of the eyelids."""
    centers = model.mean[model.triangles].mean(1)
    normals = triangle_normals(model.mean[model.triangles])
    visible, half = np.zeros(len(centers), bool), centers[:, 0] > -1e-3
    for pitch in (0.0, -0.5, 0.5):
        for yaw in (0.0, -1.0, 1.0):
            pose = np.array([[pitch, yaw, 0, 0, 0, 0, 1]])
            # The occlusion test is slow, so only triangles of one half that are not yet known to be visible are tested.
            tested = np.flatnonzero(~visible & half & (facing(normals[None], pose)[0] > 0.15))
            visible[tested] = ~occluded_by_mesh(centers[None, tested], model.mean[None], model.triangles, pose, 0.5)[0]
    visible |= visible[mirror_triangles(model.triangles, model.mirror_vertices)]
    return visible


def _cost(candidates: np.ndarray, label: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """(N, C, 2) candidates, (N, 1, 2) labels, (N, C) visible -> (C,) mean robust cost over the faces, 0 to 1."""
    square = ((candidates - label) ** 2).sum(-1) / ROBUST_SCALE**2
    # A candidate that faces away from the viewer has the maximum cost. Annotations of the visible contour slide over
    # the face as the head rotates; without this cost, a candidate that is visible in a few faces, and fits only these,
    # could win.
    cost: np.ndarray = np.where(visible, square / (1 + square), np.float32(1)).mean(0)
    return cost


def _candidate_triangles(triangles: np.ndarray, outer: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """Indices of the `CANDIDATES` outer triangles with the lowest mean cost of their corners, and their neighbors."""
    mean = np.where(outer, cost[triangles].mean(1), np.inf)
    best = np.argsort(mean, kind="stable")[:CANDIDATES]
    adjacent = np.isin(triangles, triangles[best]).any(1) & outer
    return np.flatnonzero(adjacent)


def _grid() -> np.ndarray:
    """(G, 3) float32 barycentric coordinates of a regular grid on a triangle, edges and corners included."""
    divisions = range(GRID_DIVISIONS + 1)
    nodes = [(i, j, GRID_DIVISIONS - i - j) for i in divisions for j in range(GRID_DIVISIONS + 1 - i)]
    return np.array(nodes, np.float32) / GRID_DIVISIONS


def _numbers(indices: Sequence[int]) -> str:
    """The first eight of some points, numbered from 1 as in all output."""
    return ", ".join(str(index + 1) for index in indices[:8]) + (", ..." if len(indices) > 8 else "")
