"""The geometry of `Projection` on planes: one row of all x, one of all y and one of all z, for the exported graph.

The same function as `rdrface.morphable.landmark_model.outline68` with the contour methods of
`rdrface.geometry.contour`, which explain it. Rotations and cross products of planes are products and sums of whole
rows, which inference engines join into single kernels. Everything that is linear in the coefficients (the samples of
the parallel lines, their differences, two edges of the triangle under each sample) comes from one product with a basis.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rdrface.landmarks import CHIN, NUM_CONTOUR, NUM_LANDMARKS
from rdrface.morphable.params import NUM_POSE
from rdrface.network.projection import Projection

_TINY = 1e-9
_FAR = 2000.0  # mm, larger than any face, and small enough for float32 to keep differences of 0.001 mm

Planes = tuple[Tensor, ...]
"""The x and y, or x, y and z, of N points: (B, N) each."""


@dataclass(frozen=True)
class Angles:
    """Sines and cosines of pitch, yaw and roll, (B, 1) each."""

    sp: Tensor
    sy: Tensor
    sr: Tensor
    cp: Tensor
    cy: Tensor
    cr: Tensor

    @classmethod
    def of(cls, pose: Tensor) -> "Angles":
        """The angles of P (B, 7)."""
        return cls(*torch.split(torch.sin(pose[:, :3]), 1, dim=1), *torch.split(torch.cos(pose[:, :3]), 1, dim=1))

    def turned(self, x: Tensor, y: Tensor, z: Tensor) -> Planes:
        """Planes of points (B, N) rotated by pitch and yaw, without roll."""
        return (
            self.cy * x + self.sy * self.sp * y + self.sy * self.cp * z,
            self.cp * y - self.sp * z,
            -self.sy * x + self.cy * self.sp * y + self.cy * self.cp * z,
        )

    def rotation(self) -> Tensor:
        """(B, 9): the rows of R = R_z(roll) R_y(yaw) R_x(pitch)."""
        sp, sy, sr, cp, cy, cr = self.sp, self.sy, self.sr, self.cp, self.cy, self.cr
        first = (cr * cy, cr * sy * sp - sr * cp, cr * sy * cp + sr * sp)
        second = (sr * cy, sr * sy * sp + cr * cp, sr * sy * cp - cr * sp)
        return torch.cat([*first, *second, -sy, cy * sp, cy * cp], dim=1)


class FaceRows(nn.Module):
    """alpha_id -> everything that is linear in alpha_exp, in rows.

    R rows: x of the landmarks, of the 17 x M samples of the parallel lines and of the steps to the sample before; then
    y and z of these; x, y and z of the two edges of the triangle under each sample; x and y of the jawline points
    relative to the middle between its ends. Samples are in the order (M, 17).
    """

    def forward(self, projection: Projection, identity: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 50) alpha_id -> the rows without expression (B, R), and their expression basis (46, R)."""
        weights = projection.line_weights
        rows = identity @ _rows(projection.identity_basis, weights) + _rows(projection.mean[None], weights)
        return rows, _rows(projection.expression_basis, weights)


class PlaneGeometry(nn.Module):
    """Rows of a face and P -> planes of the 68 landmarks.

    Args:
        samples: M, number of samples of each parallel line.
        contour: method of the contour landmarks, one of `rdrface.network.rdr.CONTOURS`.
    """

    side: Tensor
    is_later: Tensor
    is_not_chin: Tensor
    neighbors: Tensor
    order: Tensor

    def __init__(self, samples: int, contour: str) -> None:
        super().__init__()
        self.samples = samples
        self.contour = contour
        column, sample = torch.arange(NUM_CONTOUR), torch.arange(samples)
        constants = {
            "side": torch.sign(column - CHIN).float(),
            "is_later": (sample > 0).float()[:, None],
            "is_not_chin": (column != CHIN).float(),
            "neighbors": torch.cat([sample + step for step in (-2, -1, 1)]).clamp(0, samples - 1),
            "order": -sample.float()[:, None],
        }
        for name, value in constants.items():
            self.register_buffer(name, value, persistent=False)

    def forward(
        self, neutral: Tensor, basis: Tensor, expression: Tensor, pose: Tensor, last: bool
    ) -> tuple[Planes, Planes]:
        """The 68 landmarks in the frame of P: x right, y down, and z towards the viewer.

        Args:
            neutral, basis: see `FaceRows`.
            expression: (B, 46) alpha_exp.
            pose: (B, 7) P.
            last: compute the second result too.

        Returns:
            x, y and z (B, 68) with the contour on the visible outline, and of the 17 jawline points (B, 17) if `last`.
        """
        count = NUM_CONTOUR * self.samples
        parts = [NUM_LANDMARKS + 2 * count] * 3 + [count] * 6 + [NUM_CONTOUR] * 2
        x, y, z, *edges, away_x, away_y = torch.split(neutral + expression @ basis, parts, dim=1)
        angles = Angles.of(pose)
        posed = [
            torch.split(plane, [NUM_CONTOUR, NUM_LANDMARKS - NUM_CONTOUR, count, count], dim=1)
            for plane in angles.turned(x, y, z)
        ]
        lines = [plane[2].view(-1, self.samples, NUM_CONTOUR) for plane in posed]
        steps = [plane[3].view(-1, self.samples, NUM_CONTOUR) for plane in posed]
        if self.contour == "line":
            candidates, score = self._crossings(lines, steps, edges, away_x, away_y, angles)
        else:
            candidates, score = lines, self._extremes(lines[0], angles)
        chosen = torch.argmax(score, dim=1, keepdim=True)
        contour = [torch.gather(plane, 1, chosen)[:, 0] for plane in candidates]
        outline = [torch.cat([on_line, plane[1]], dim=1) for on_line, plane in zip(contour, posed, strict=True)]
        jawline = [plane[0] for plane in posed]
        return _placed(outline, angles, pose), _placed(jawline, angles, pose) if last else ()

    def _crossings(
        self, lines: list[Tensor], steps: list[Tensor], edges: list[Tensor], away_x: Tensor, away_y: Tensor, a: Angles
    ) -> tuple[list[Tensor], Tensor]:
        """Contour line x parallel line, as in `slide_contour_line`.

        Returns:
            Planes (B, M, 17) of the point that each sample stands for, and its score (B, M, 17).
        """
        (bx, by, bz), (cx, cy, cz) = edges[:3], edges[3:]
        nx, ny, nz = (by * cz - bz * cy) * self.is_not_chin.repeat(self.samples), bz * cx - bx * cz, bx * cy - by * cx
        facing = -a.sy * nx + a.cy * a.sp * ny + a.cy * a.cp * nz
        towards = facing / torch.sqrt(nx * nx + ny * ny + nz * nz + _TINY)
        towards = towards.view(-1, self.samples, NUM_CONTOUR)
        second, first, after = torch.split(towards.index_select(1, self.neighbors), self.samples, dim=1)
        before = (second + 2 * first + towards) / 4 * self.is_later - (1 - self.is_later)
        towards = (first + 2 * towards + after) / 4
        enters = (towards > 0) & (before <= 0)
        back = torch.where(enters, towards / (towards - before), torch.zeros_like(towards)) * self.is_later
        points = [line + step * back for line, step in zip(lines, steps, strict=True)]
        # The direction towards the border of the face, see `rdrface.geometry.contour._outward`.
        lean = torch.relu(self.side * a.sy)
        length = (1 - lean) / torch.sqrt(away_x * away_x + away_y * away_y + _TINY)
        out_x, out_y = away_x * length + self.side * lean, away_y * length
        height = points[0] * out_x[:, None] + points[1] * out_y[:, None]
        return points, torch.where(enters, height, height - _FAR)

    def _extremes(self, x: Tensor, a: Angles) -> Tensor:
        """Score (B, M, 17) of `slide_extreme_x`: x on the sliding side; the other lines keep their first sample."""
        slides = torch.where(a.sy > 0, torch.relu(self.side), -torch.relu(-self.side))[:, None]
        return torch.where(slides == 0, self.order, x * slides)


def _placed(planes: list[Tensor], a: Angles, pose: Tensor) -> Planes:
    """Planes turned by pitch and yaw -> the frame of P: translated, rotated by roll, scaled, y down."""
    t_x, t_y, t_z, f = torch.split(pose[:, 3:NUM_POSE], 1, dim=1)
    x, y, z = (plane + shift for plane, shift in zip(planes, a.turned(t_x, t_y, t_z), strict=True))
    return f * (a.cr * x - a.sr * y), -f * (a.sr * x + a.cr * y), f * z


def _rows(basis: Tensor, weights: Tensor) -> Tensor:
    """(E, 68 + 3 * 17 * M, 3) the points of a `LandmarkModel`, and its `line_weights` -> (E, R), see `FaceRows`."""
    weights = weights.view(3, NUM_CONTOUR, -1, 1).transpose(1, 2)
    landmarks = basis[:, :NUM_LANDMARKS]
    corners = basis[:, NUM_LANDMARKS:].reshape(len(basis), 3, NUM_CONTOUR, -1, 3).transpose(2, 3)
    first, second, third = corners.unbind(1)  # (E, M, 17, 3)
    lines = first * weights[0] + second * weights[1] + third * weights[2]
    steps = torch.cat([lines[:, :1], lines[:, :-1]], dim=1) - lines
    points = torch.cat([landmarks, lines.flatten(1, 2), steps.flatten(1, 2)], dim=1)
    jawline = landmarks[:, :NUM_CONTOUR, :2]
    away = jawline - (jawline[:, :1] + jawline[:, -1:]) / 2
    edges = (second - first).flatten(1, 2), (third - first).flatten(1, 2)
    return torch.cat([part.transpose(1, 2).flatten(1) for part in (points, *edges, away)], dim=1)
