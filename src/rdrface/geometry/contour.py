"""Positions of the 17 contour landmarks of the visible outline on the face: three methods with one interface.

Each contour landmark moves along its own parallel line, from the jawline towards the middle of the face, as far as the
face hides the jawline (supplement, section 1 and Figure 1). Every method maps the lines of a posed face to positions

    s (B, 17): 0 = the jawline end of the line, M - 1 = its end near the middle of the face,

without a gradient: the choice of a position is not differentiable, the point at that position is (`points_on_lines`).
Roll, f and t have no influence. `slide_extreme_x` and `slide_contour_line` run on NumPy arrays and PyTorch tensors and
can be exported.
"""

from typing import Any

import numpy as np
from array_api_compat import array_namespace, is_torch_array

from rdrface.geometry.camera import PITCH, ROLL, YAW
from rdrface.geometry.rotation import Array, rotation_matrix
from rdrface.geometry.visibility import occluded_by_mesh
from rdrface.landmarks import CHIN

_FAR = 1e9  # mm, larger than any face
_TINY = 1e-9


def slide_extreme_x(lines: Array, normals: Array, pose: Array) -> Array:
    """HPEN's method (supplement, Figure 1, first three faces): the extreme x of the lines on the far side.

    For yaw <= 0 landmarks 0-7 are at the smallest x of their lines, for yaw > 0 landmarks 9-16 at the largest. All
    others are on the jawline, and so is the chin. x is measured after rotation by pitch and yaw.

    Args:
        lines: (B, 17, M, 3) points of the parallel lines, mm, model frame, identity and expression applied.
        normals: not used; present so that all methods have the same signature.
        pose: (B, 7) P.

    Returns:
        (B, 17) s, whole numbers, without gradient.
    """
    lines, pose = _detached(lines), _detached(pose)
    xp = array_namespace(lines, pose)
    x = _rotated(lines, pose)[0]
    index = _count(xp, x[..., 0])
    left, right = xp.astype(index < CHIN, x.dtype), xp.astype(index > CHIN, x.dtype)
    to_right = xp.astype(pose[:, YAW] > 0, x.dtype)[:, None]
    slides = (1 - to_right) * left + to_right * right
    extreme = xp.argmax(x * (right - left)[:, None], axis=-1)
    return xp.astype(extreme, x.dtype) * slides


def slide_contour_line(lines: Array, normals: Array, pose: Array) -> Array:
    """The paper's method (supplement, section 1 and Figure 1, fourth face): contour line x parallel line. The default.

    The contour line of the face rotated by pitch and yaw is where its surface turns away from the viewer: the z of the
    rotated normal changes sign. A jawline point that faces the viewer is itself the landmark (the border of the face).
    Otherwise the landmark is where the line crosses the contour line and becomes visible; between two samples the
    crossing is interpolated. If a line crosses several times (eye socket, nostril, corner of the mouth), the outermost
    crossing is used, since the others are behind it. For a line that does not face the viewer anywhere, its outermost
    point is used.

    Args:
        lines: (B, 17, M, 3) points of the parallel lines, mm, model frame, identity and expression applied.
        normals: (B, 17, M, 3) outward normals there, of any length.
        pose: (B, 7) P.

    Returns:
        (B, 17) s, without gradient.
    """
    lines, normals, pose = _detached(lines), _detached(normals), _detached(pose)
    xp = array_namespace(lines, normals, pose)
    x, y, _ = _rotated(lines, pose)
    towards = _rotated(normals, pose)[2] / xp.sqrt(xp.vecdot(normals, normals) + _TINY)
    # The normals of a mesh change in steps: smooth them with one pass of a small filter along each line.
    padded = xp.concat((towards[..., :1], towards, towards[..., -1:]), axis=-1)
    towards = (padded[..., :-2] + 2 * towards + padded[..., 2:]) / 4
    outward = _outward(lines, pose)
    height = x * outward[:, :, None, 0] + y * outward[:, :, None, 1]

    # A line counts as hidden before its first sample, so that a jawline point facing the viewer is a crossing at s = 0.
    before = xp.concat((-xp.ones_like(towards[..., :1]), towards[..., :-1]), axis=-1)
    enters = (towards > 0) & (before <= 0)
    back = towards / xp.where(enters, towards - before, xp.ones_like(towards))  # 0..1 samples back to the zero
    back = xp.concat((xp.zeros_like(back[..., :1]), back[..., 1:]), axis=-1)
    previous = xp.concat((height[..., :1], height[..., :-1]), axis=-1)
    crossing_height = height + (previous - height) * back

    hidden = ~xp.any(enters, axis=-1, keepdims=True)
    score = xp.where(enters, crossing_height, xp.where(hidden, height, xp.full_like(height, -_FAR)))
    index = _count(xp, height)
    chosen = index == xp.astype(xp.argmax(score, axis=-1, keepdims=True), height.dtype)
    position = index - xp.where(enters, back, xp.zeros_like(back))
    return xp.sum(xp.where(chosen, position, xp.zeros_like(position)), axis=-1)


def slide_silhouette(
    lines: np.ndarray,
    normals: np.ndarray,
    pose: np.ndarray,
    vertices: np.ndarray,
    triangles: np.ndarray,
    steps: int = 4,
    bias: float = 1.5,
) -> np.ndarray:
    """The exact silhouette: the first point of each line that the mesh does not hide. NumPy only and slow; for tests.

    Args:
        lines: (B, 17, M, 3) points of the parallel lines, mm, model frame, identity and expression applied.
        normals: not used; present so that all methods have the same signature.
        pose: (B, 7) P.
        vertices: (B, V, 3) mm, the whole mesh with the same coefficients.
        triangles: (F, 3) int.
        steps: number of tests per sample interval; s is a multiple of 1 / steps.
        bias: mm, see `occluded_by_mesh`.

    Returns:
        (B, 17) s; M - 1 for a line that is hidden everywhere.
    """
    batch, count, samples, _ = lines.shape
    positions = np.arange((samples - 1) * steps + 1) / steps
    every = np.broadcast_to(positions, (batch, count, len(positions)))
    dense = _interpolate(lines, every)
    hidden = occluded_by_mesh(dense.reshape(batch, -1, 3), vertices, triangles, pose, bias).reshape(every.shape)
    hidden[..., -1] = False
    first_visible: np.ndarray = positions[hidden.argmin(axis=-1)].astype(lines.dtype)
    return first_visible


def points_on_lines(lines: Array, s: Array) -> Array:
    """The points at positions s of the lines, linearly interpolated between samples; differentiable in the lines.

    Args:
        lines: (B, 17, M, 3) mm.
        s: (B, 17) positions in 0..M - 1; values outside are clipped.

    Returns:
        (B, 17, 3) mm.
    """
    return _interpolate(lines, s[..., None])[:, :, 0]


def _interpolate(lines: Array, s: Array) -> Array:
    """(B, L, M, 3) lines, (B, L, K) positions -> (B, L, K, 3)."""
    xp = array_namespace(lines, s)
    last = lines.shape[2] - 1
    s = xp.where(s < 0, xp.zeros_like(s), xp.where(s > last, xp.full_like(s, last), s))
    # Linear interpolation as a weighted sum over all samples, with hat functions as weights: with a gather, the
    # exported graph would have a fixed batch size.
    away = xp.abs(s[..., None] - _count(xp, lines[..., 0]))
    weights = xp.where(away < 1, 1 - away, xp.zeros_like(away))
    return xp.sum(xp.astype(weights, lines.dtype)[..., None] * lines[:, :, None], axis=-2)


def _count(xp: Any, samples: Array) -> Array:
    """(..., M) -> (M,) the numbers 0..M - 1 with the same dtype and device."""
    return xp.arange(samples.shape[-1], dtype=samples.dtype, device=samples.device)


def _rotated(vectors: Array, pose: Array) -> tuple[Array, Array, Array]:
    """(B, L, M, 3) vectors -> x, y (up) and z (B, L, M) after rotation by pitch and yaw."""
    xp = array_namespace(vectors, pose)
    angles = xp.stack((pose[:, PITCH], pose[:, YAW], xp.zeros_like(pose[:, ROLL])), axis=-1)
    rotation = rotation_matrix(angles)
    x, y, z = (xp.vecdot(vectors, rotation[:, None, None, row, :]) for row in range(3))
    return x, y, z


def _outward(lines: Array, pose: Array) -> Array:
    """(B, 17, 2): unit direction towards the border of the face at each landmark, in the image without roll.

    For a frontal face it points from the middle between the ears to the jawline point. As the head turns, the border
    of the far side becomes the profile, so the direction leans towards the direction of the nose.
    """
    xp = array_namespace(lines, pose)
    jawline = lines[:, :, 0, :2]
    away = jawline - (jawline[:, :1] + jawline[:, -1:]) / 2
    away = away / xp.sqrt(xp.sum(away * away, axis=-1, keepdims=True) + _TINY)
    index, sine = _count(xp, jawline[..., 0]), xp.sin(pose[:, YAW])[:, None]
    # Landmarks 9-16 when the nose points to the right (sine > 0), 0-7 when it points to the left.
    lean = xp.where((index - CHIN) * sine > 0, xp.abs(sine), xp.zeros_like(sine))
    nose = xp.where(sine > 0, xp.ones_like(sine), -xp.ones_like(sine))
    return xp.stack((away[..., 0] * (1 - lean) + nose * lean, away[..., 1] * (1 - lean)), axis=-1)


def _detached(array: Array) -> Array:
    return array.detach() if is_torch_array(array) else array
