"""The face model as the fitter needs it: the 68 points of a face as a linear function of 96 coefficients."""

from dataclasses import dataclass

import numpy as np

from rdrface.geometry.contour import slide_contour_line
from rdrface.geometry.rotation import euler_angles
from rdrface.landmarks import CONTOUR
from rdrface.morphable.model import FaceModel
from rdrface.morphable.schemes import EXPRESSION, IDENTITY, LandmarkModel, shapes68

IDENTITIES, EXPRESSIONS = 50, 46
COEFFICIENTS = IDENTITIES + EXPRESSIONS


@dataclass(frozen=True)
class LandmarkBasis:
    """Mean and derivatives of the jawline-convention points and of the parallel lines.

    Attributes:
        landmarks: the model reduced to its landmarks and lines.
        mean: (68, 3) float32 mm, contour on the absolute jawline.
        basis: (68, 96, 3) float32 mm per coefficient, identity first.
        line_mean: (17, M, 3), line_basis: (17, M, 96, 3): the same for the samples of the parallel lines.
    """

    landmarks: LandmarkModel
    mean: np.ndarray
    basis: np.ndarray
    line_mean: np.ndarray
    line_basis: np.ndarray

    @classmethod
    def from_model(cls, model: FaceModel) -> "LandmarkBasis":
        """Reduce the face model to its 68 points and its parallel lines."""
        landmarks = LandmarkModel.from_face_model(model)
        lines = model.reduced(model.points["parallel_lines"])
        whole = np.concatenate((landmarks.identity_basis, landmarks.expression_basis))
        line_basis = np.concatenate((lines.identity_basis, lines.expression_basis))
        return cls(
            landmarks=landmarks,
            mean=landmarks.mean[:68],
            basis=whole[:, :68].swapaxes(0, 1).copy(),
            line_mean=lines.mean.reshape(len(CONTOUR), -1, 3),
            line_basis=line_basis.swapaxes(0, 1).reshape(len(CONTOUR), -1, COEFFICIENTS, 3).copy(),
        )

    def contour(self, coefficients: np.ndarray, rotation: np.ndarray) -> np.ndarray:
        """Where the visible outline lies on the parallel lines.

        Args:
            coefficients: (B, 96). rotation: (B, 3, 3).

        Returns:
            (B, 17) s, see `rdrface.geometry.contour`.
        """
        q = np.zeros((len(coefficients), COEFFICIENTS + 7), np.float32)
        q[:, IDENTITY], q[:, EXPRESSION] = coefficients[:, :IDENTITIES], coefficients[:, IDENTITIES:]
        _, lines, normals = shapes68(self.landmarks.buffers(), q)
        return slide_contour_line(lines, normals, pose_of(rotation))

    def at(self, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean (B, 68, 3) and basis (B, 68, 96, 3) with the contour at positions s (B, 17) of the lines."""
        batch, last = len(s), self.line_mean.shape[1] - 1
        low = np.clip(np.floor(s), 0, last - 1).astype(np.int64)
        part = (s - low).astype(np.float32)
        line = np.arange(len(CONTOUR))
        mean = np.repeat(self.mean[None], batch, axis=0)
        basis = np.repeat(self.basis[None], batch, axis=0)
        weight = part[..., None]
        mean[:, CONTOUR] = self.line_mean[line, low] * (1 - weight) + self.line_mean[line, low + 1] * weight
        weight = part[..., None, None]
        basis[:, CONTOUR] = self.line_basis[line, low] * (1 - weight) + self.line_basis[line, low + 1] * weight
        return mean, basis


def pose_of(rotation: np.ndarray) -> np.ndarray:
    """(B, 3, 3) rotations -> (B, 7) float32 poses with these angles, t = 0 and f = 1."""
    pose = np.zeros((len(rotation), 7), np.float32)
    pose[:, :3], pose[:, 6] = euler_angles(rotation), 1
    return pose
