"""The named points of the face model, and how Q becomes the 68 landmarks of both contour conventions.

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
from rdrface.morphable.model import FaceModel, SurfacePoints

Slide = Callable[[Any, Any, Any], Any]
"""One of the contour methods of `rdrface.geometry.contour`: (lines, normals, P) -> s."""

IDENTITY = slice(0, 50)
POSE = slice(50, 57)
EXPRESSION = slice(57, 103)
"""Places of alpha_id, P and alpha_exp in Q (supplement, section 1)."""

SCHEMES: Mapping[str, str] = {
    "ibug68": "the 68 points of iBUG / Multi-PIE, contour on the absolute jawline",
    "inner51": "the 51 points of ibug68 that are not on the contour",
    "aflw21": "the 21 points of AFLW, from the picture's left to its right, top to bottom",
    "aflw34": "the 21 of AFLW and 13 more on lids, nose, lips and jaw",
    "eye_centres": "the centres of the two pupils, looking straight ahead",
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
    **{60: 36, 64: 39, 68: 42, 72: 45},
    **{76 + k: 48 + k for k in range(7)},
    **{85: 57, 88: 60, 90: 62, 92: 64, 94: 66},
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
often taken instead, lies some millimetres beside the place."""

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
    if q.ndim != 2 or q.shape[1] != 103:
        raise ValueError(f"Q must be (B, 103) = [identity 50, pose 7, expression 46]; got {tuple(q.shape)}")
    xp = array_namespace(q)
    points, lines, normals = shapes68(buffers, q)
    pose = q[:, POSE]
    contour = points_on_lines(lines, slide(lines, normals, pose))
    jawline = project(points, pose)
    outline = xp.concat([project(contour, pose), jawline[:, 17:]], axis=1)
    return outline, jawline
