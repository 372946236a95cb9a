"""The face model in the form that the fitter needs: landmarks as a linear function of 96 coefficients.

The 96 coefficients are alpha_id (50) and alpha_exp (46), one after the other.
"""

from dataclasses import dataclass, replace

import numpy as np

from rdrface.geometry.contour import slide_contour_line
from rdrface.geometry.mesh import triangle_normals
from rdrface.geometry.rotation import euler_angles
from rdrface.landmarks import CONTOUR, NUM_CONTOUR, NUM_LANDMARKS
from rdrface.morphable.landmark_model import LandmarkModel, shapes68
from rdrface.morphable.model import FaceModel, PointModel, SurfacePoints
from rdrface.morphable.params import (
    EXPRESSION,
    IDENTITY,
    NUM_EXPRESSION,
    NUM_IDENTITY,
    NUM_PARAMETERS,
    NUM_POSE,
    ROTATION,
    SCALE,
)

NUM_COEFFICIENTS = NUM_IDENTITY + NUM_EXPRESSION


@dataclass(frozen=True)
class LandmarkBasis:
    """Mean and basis of the landmarks and of the parallel lines. Axes of a basis: point, x y z, coefficient.

    Attributes:
        landmarks: the face model reduced to its landmarks and lines.
        mean: (L, 3) float32 mm; the first 17 are the contour on the absolute jawline.
        basis: (L, 3, 96) float32 mm per coefficient, identity first.
        line_mean: (17, M, 3), line_basis: (17, M, 3, 96): the same for the samples of the parallel lines.
        line_normals: (17, M, 3) outward normals of the mean face at these samples, of any length.
    """

    landmarks: LandmarkModel
    mean: np.ndarray
    basis: np.ndarray
    line_mean: np.ndarray
    line_basis: np.ndarray
    line_normals: np.ndarray

    @classmethod
    def from_model(cls, model: FaceModel) -> "LandmarkBasis":
        """Reduce the face model to its 68 landmarks and its parallel lines."""
        landmarks = LandmarkModel.from_face_model(model)
        lines = model.reduced(model.points["parallel_lines"])
        samples = len(lines.mean) // NUM_CONTOUR
        points = PointModel(
            landmarks.mean[:NUM_LANDMARKS],
            landmarks.identity_basis[:, :NUM_LANDMARKS],
            landmarks.expression_basis[:, :NUM_LANDMARKS],
        )
        mean_face = np.zeros((1, NUM_PARAMETERS), np.float32)
        return cls(
            landmarks=landmarks,
            mean=points.mean,
            basis=_basis_of(points),
            line_mean=lines.mean.reshape(NUM_CONTOUR, samples, 3),
            line_basis=_basis_of(lines).reshape(NUM_CONTOUR, samples, 3, NUM_COEFFICIENTS),
            line_normals=shapes68(landmarks.buffers(), mean_face)[2][0],
        )

    def extended(self, points: PointModel) -> "LandmarkBasis":
        """This basis with further points appended after the landmarks."""
        return replace(
            self,
            mean=np.concatenate((self.mean, points.mean)),
            basis=np.concatenate((self.basis, _basis_of(points))),
        )

    def contour_positions(self, coefficients: np.ndarray, rotation: np.ndarray) -> np.ndarray:
        """Positions of the visible outline on the parallel lines.

        Args:
            coefficients: (B, 96).
            rotation: (B, 3, 3).

        Returns:
            (B, 17) s, see `rdrface.geometry.contour`.
        """
        q = np.zeros((len(coefficients), NUM_PARAMETERS), np.float32)
        q[:, IDENTITY], q[:, EXPRESSION] = coefficients[:, :NUM_IDENTITY], coefficients[:, NUM_IDENTITY:]
        _, lines, normals = shapes68(self.landmarks.buffers(), q)
        positions: np.ndarray = slide_contour_line(lines, normals, _pose_from_rotation(rotation))
        return positions

    def mean_contour_positions(self, rotation: np.ndarray) -> np.ndarray:
        """`contour_positions` of the mean face under rotations (B, 3, 3)."""
        shape = (len(rotation), *self.line_mean.shape)
        lines, normals = np.broadcast_to(self.line_mean, shape), np.broadcast_to(self.line_normals, shape)
        positions: np.ndarray = slide_contour_line(lines, normals, _pose_from_rotation(rotation))
        return positions

    def with_contour(self, s: np.ndarray) -> "BatchBasis":
        """The basis of B faces whose contour landmarks are at positions s (B, 17) of the parallel lines."""
        last = self.line_mean.shape[1] - 1
        low = np.clip(np.floor(s), 0, last - 1).astype(np.int64)
        fraction = (s - low).astype(np.float32)[..., None]
        mean = self.line_mean[CONTOUR, low]
        mean += (self.line_mean[CONTOUR, low + 1] - mean) * fraction
        basis = self.line_basis[CONTOUR, low]
        basis += (self.line_basis[CONTOUR, low + 1] - basis) * fraction[..., None]
        return BatchBasis(self, mean, basis)


@dataclass(frozen=True)
class BatchBasis:
    """A `LandmarkBasis` of B faces, each with its own contour landmarks.

    Attributes:
        shared: the basis of all other points, the same for every face.
        contour_mean: (B, 17, 3) float32 mm.
        contour_basis: (B, 17, 3, 96) float32.
    """

    shared: LandmarkBasis
    contour_mean: np.ndarray
    contour_basis: np.ndarray

    def shape(self, coefficients: np.ndarray) -> np.ndarray:
        """Points of the faces: coefficients (B, 96) -> (B, L, 3) float32 mm."""
        coefficients = coefficients.astype(np.float32)
        contour = self.contour_mean + np.matmul(self.contour_basis, coefficients[:, None, :, None])[..., 0]
        basis = self.shared.basis[NUM_CONTOUR:].reshape(-1, NUM_COEFFICIENTS)
        inner = self.shared.mean[NUM_CONTOUR:] + (coefficients @ basis.T).reshape(len(coefficients), -1, 3)
        return np.concatenate((contour, inner), axis=1)

    def projected(self, camera: np.ndarray) -> np.ndarray:
        """Derivatives of the projected points with respect to the coefficients.

        Args:
            camera: (B, 2, 3) first two rows of the scaled rotation, image units per mm.

        Returns:
            (B, L, 2, 96) float32.
        """
        contour = np.matmul(camera[:, None], self.contour_basis)
        basis = self.shared.basis[NUM_CONTOUR:]
        flat = basis.transpose(1, 0, 2).reshape(3, -1)
        inner = (camera.reshape(-1, 3) @ flat).reshape(len(camera), 2, len(basis), NUM_COEFFICIENTS)
        return np.concatenate((contour, inner.swapaxes(1, 2)), axis=1)


def mean_normals(model: FaceModel, points: SurfacePoints) -> np.ndarray:
    """(N, 3) unit normals of the mean face at N surface points."""
    normals = triangle_normals(np.stack([corner.mean for corner in model.corners(points)], axis=1))
    unit: np.ndarray = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    return unit


def _basis_of(points: PointModel) -> np.ndarray:
    """(N, 3, 96) float32 mm per coefficient, identity first."""
    both = np.concatenate((points.identity_basis, points.expression_basis))
    return np.ascontiguousarray(both.transpose(1, 2, 0), np.float32)


def _pose_from_rotation(rotation: np.ndarray) -> np.ndarray:
    """(B, 3, 3) rotations -> (B, 7) float32 P with these angles, t = 0 and f = 1."""
    pose = np.zeros((len(rotation), NUM_POSE), np.float32)
    pose[:, ROTATION], pose[:, SCALE] = euler_angles(rotation), 1
    return pose
