"""From Q to the 68 landmarks, in both contour conventions (supplement, section 1, equation 1).

Network, fitter and runtime share `outline68`. It runs on NumPy arrays and PyTorch tensors alike and can be exported.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from rdrface.geometry.camera import project
from rdrface.geometry.contour import points_on_lines, slide_contour_line
from rdrface.landmarks import CHIN, NUM_CONTOUR, NUM_LANDMARKS
from rdrface.morphable.blend import blend
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import (
    EXPRESSION,
    IDENTITY,
    NUM_EXPRESSION,
    NUM_IDENTITY,
    NUM_PARAMETERS,
    NUM_POSE,
    POSE,
)

Slide = Callable[[Any, Any, Any], Any]
"""A contour method of `rdrface.geometry.contour`: (lines, normals, P) -> s."""


@dataclass(frozen=True)
class LandmarkModel:
    """The face model reduced to the N = 68 + 3 * 17 * M points from which the landmarks are computed.

    The first 68 points are the landmarks, with the contour on the jawline. Then come the corners of the triangles under
    the 17 x M samples of the parallel lines: all first corners, all second, all third. They determine the lines and
    their normals.

    Attributes:
        mean: (N, 3) float32 mm.
        identity_basis: (50, N, 3) float32 mm per standard deviation.
        expression_basis: (46, N, 3) float32 mm at strength 1.
        line_weights: (3, 17 * M, 1) float32, barycentric weights of the three corners.
    """

    mean: Any
    identity_basis: Any
    expression_basis: Any
    line_weights: Any

    @classmethod
    def from_face_model(cls, model: FaceModel) -> "LandmarkModel":
        """Reduce a face model."""
        lines = model.points["parallel_lines"]
        parts = [model.reduced(model.points["ibug68"]), *model.corners(lines)]
        return cls(
            mean=np.concatenate([p.mean for p in parts]),
            identity_basis=np.concatenate([p.identity_basis for p in parts], axis=1),
            expression_basis=np.concatenate([p.expression_basis for p in parts], axis=1),
            line_weights=np.ascontiguousarray(lines.barycentric.T[:, :, None], np.float32),
        )

    def buffers(self) -> dict[str, Any]:
        """The arrays by name, as `outline68` takes them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def outline68(self, q: Any, slide: Slide = slide_contour_line) -> tuple[Any, Any]:
        """`outline68` with the arrays of this model."""
        return outline68(self.buffers(), q, slide)


def shapes68(buffers: Mapping[str, Any], q: Any) -> tuple[Any, Any, Any]:
    """Landmarks and parallel lines of faces in the model frame.

    Args:
        buffers: arrays of a `LandmarkModel`.
        q: (B, 103) Q = [alpha_id 50, P 7, alpha_exp 46]; P is not used.

    Returns:
        landmarks: (B, 68, 3) mm, contour on the jawline.
        lines: (B, 17, M, 3) mm, samples of the parallel lines.
        normals: (B, 17, M, 3) outward normals at the samples, of any length.
    """
    xp = array_namespace(q)
    shape = blend(
        buffers["mean"], buffers["identity_basis"], buffers["expression_basis"], q[:, IDENTITY], q[:, EXPRESSION]
    )
    weights = buffers["line_weights"]
    count = weights.shape[1]
    a, b, c = (shape[:, NUM_LANDMARKS + i * count : NUM_LANDMARKS + (i + 1) * count] for i in range(3))
    lines = a * weights[0] + b * weights[1] + c * weights[2]
    # The cross product is written out because NumPy and PyTorch have no common one that can be exported.
    ab, ac = b - a, c - a
    normals = xp.stack(
        [
            ab[..., 1] * ac[..., 2] - ab[..., 2] * ac[..., 1],
            ab[..., 2] * ac[..., 0] - ab[..., 0] * ac[..., 2],
            ab[..., 0] * ac[..., 1] - ab[..., 1] * ac[..., 0],
        ],
        axis=-1,
    )
    by_line = (-1, NUM_CONTOUR, count // NUM_CONTOUR, 3)
    normals = xp.reshape(normals, by_line)
    # The chin's line runs along edges of the symmetric mesh: its normal is the mean of both sides' triangles, x = 0.
    chin = normals[:, CHIN : CHIN + 1]
    chin = xp.concat([xp.zeros_like(chin[..., :1]), chin[..., 1:]], axis=-1)
    normals = xp.concat([normals[:, :CHIN], chin, normals[:, CHIN + 1 :]], axis=1)
    return shape[:, :NUM_LANDMARKS], xp.reshape(lines, by_line), normals


def outline68(buffers: Mapping[str, Any], q: Any, slide: Slide = slide_contour_line) -> tuple[Any, Any]:
    """From Q to the 68 projected landmarks in both contour conventions (supplement, section 1, equation 1).

    The 51 inner landmarks are the same in both. The positions of the contour landmarks on the parallel lines are found
    for each pose; no gradient flows through this choice. Everything else is differentiable.

    Args:
        buffers: arrays of a `LandmarkModel`, NumPy or PyTorch.
        q: (B, 103) Q = [alpha_id 50, P 7, alpha_exp 46].
        slide: contour method.

    Returns:
        outline (B, 68, 3) and jawline (B, 68, 3), in the frame and unit of P: x right, y down, z towards the viewer.

    Raises:
        ValueError: q has another shape.
    """
    if q.ndim != 2 or q.shape[1] != NUM_PARAMETERS:
        raise ValueError(
            f"Q must be (B, {NUM_PARAMETERS}) = [identity {NUM_IDENTITY}, pose {NUM_POSE}, "
            f"expression {NUM_EXPRESSION}]; got {tuple(q.shape)}"
        )
    xp = array_namespace(q)
    landmarks, lines, normals = shapes68(buffers, q)
    pose = q[:, POSE]
    contour = points_on_lines(lines, slide(lines, normals, pose))
    jawline = project(landmarks, pose)
    outline = xp.concat([project(contour, pose), jawline[:, NUM_CONTOUR:]], axis=1)
    return outline, jawline
