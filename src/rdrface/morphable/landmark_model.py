"""From Q to the 68 landmarks, in both contour conventions (supplement, section 1, equation 1).

`outline68` is the one function that the network, the fitter and the runtime share. It runs on NumPy arrays and PyTorch
tensors from the same source and can be exported.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from rdrface.geometry.camera import project
from rdrface.geometry.contour import points_on_lines, slide_contour_line
from rdrface.morphable.blend import blend
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import EXPRESSION, IDENTITY, NUM_PARAMETERS, POSE

Slide = Callable[[Any, Any, Any], Any]
"""One of the contour methods of `rdrface.geometry.contour`: (lines, normals, P) -> s."""


@dataclass(frozen=True)
class LandmarkModel:
    """All that is needed to go from Q to landmarks: the face model at N = 68 + 3 * 17 * M points.

    First the 68 points (contour on the jawline), then the corners of the triangles under the 17 x M points of the
    parallel lines: all first corners, all second, all third. From the corners follow the lines and their normals.

    Attributes:
        mean: (N, 3) float32 mm.
        identity_basis: (50, N, 3) float32 mm.
        expression_basis: (46, N, 3) float32 mm.
        line_weights: (3, 17 * M, 1) float32, weights of the three corners.
    """

    mean: Any
    identity_basis: Any
    expression_basis: Any
    line_weights: Any

    @classmethod
    def from_face_model(cls, model: FaceModel) -> "LandmarkModel":
        """The parts of a face model that `outline68` needs."""
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
        """`outline68` with this model's arrays."""
        return outline68(self.buffers(), q, slide)


def shapes68(buffers: Mapping[str, Any], q: Any) -> tuple[Any, Any, Any]:
    """Landmarks and parallel lines of faces in the model frame.

    Args:
        buffers: arrays of a `LandmarkModel`.
        q: (B, 103) Q = [alpha_id 50, P 7, alpha_exp 46]; P is not used.

    Returns:
        jawline points (B, 68, 3) mm, lines (B, 17, M, 3) mm, outward normals of the lines (B, 17, M, 3), not unit.
    """
    xp = array_namespace(q)
    shape = blend(
        buffers["mean"], buffers["identity_basis"], buffers["expression_basis"], q[:, IDENTITY], q[:, EXPRESSION]
    )
    weights = buffers["line_weights"]
    count = weights.shape[1]
    a, b, c = (shape[:, 68 + i * count : 68 + (i + 1) * count] for i in range(3))
    lines = a * weights[0] + b * weights[1] + c * weights[2]
    ab, ac = b - a, c - a
    normals = xp.stack(
        [
            ab[..., 1] * ac[..., 2] - ab[..., 2] * ac[..., 1],
            ab[..., 2] * ac[..., 0] - ab[..., 0] * ac[..., 2],
            ab[..., 0] * ac[..., 1] - ab[..., 1] * ac[..., 0],
        ],
        axis=-1,
    )
    by_line = (-1, 17, count // 17, 3)
    normals = xp.reshape(normals, by_line)
    # The chin's line runs along edges, between the triangles of two sides: its normals are the mean of both.
    chin = normals[:, 8:9]
    chin = xp.concat([xp.zeros_like(chin[..., :1]), chin[..., 1:]], axis=-1)
    normals = xp.concat([normals[:, :8], chin, normals[:, 9:]], axis=1)
    return shape[:, :68], xp.reshape(lines, by_line), normals


def outline68(buffers: Mapping[str, Any], q: Any, slide: Slide = slide_contour_line) -> tuple[Any, Any]:
    """From Q to the 68 projected landmarks in both contour conventions (supplement, section 1, equation 1).

    The 51 inner points are the same in both. The contour of the outline is found anew for every pose, without a
    gradient through the place on the line; all else is differentiable.

    Args:
        buffers: arrays of a `LandmarkModel`, NumPy or PyTorch.
        q: (B, 103) Q = [alpha_id 50, P 7, alpha_exp 46].
        slide: contour method.

    Returns:
        outline (B, 68, 3) and jawline (B, 68, 3), in the frame and unit of P: x right, y down, z towards the viewer.
    """
    if q.ndim != 2 or q.shape[1] != NUM_PARAMETERS:
        raise ValueError(
            f"Q must be (B, {NUM_PARAMETERS}) = [identity 50, pose 7, expression 46]; got {tuple(q.shape)}"
        )
    xp = array_namespace(q)
    points, lines, normals = shapes68(buffers, q)
    pose = q[:, POSE]
    contour = points_on_lines(lines, slide(lines, normals, pose))
    jawline = project(points, pose)
    outline = xp.concat([project(contour, pose), jawline[:, 17:]], axis=1)
    return outline, jawline
