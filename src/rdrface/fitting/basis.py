"""The face model as the fitter needs it: landmarks as a linear function of 96 coefficients."""

from dataclasses import dataclass, replace

import numpy as np

from rdrface.geometry.contour import slide_contour_line
from rdrface.geometry.rotation import euler_angles
from rdrface.landmarks import CONTOUR
from rdrface.morphable.landmark_model import LandmarkModel, shapes68
from rdrface.morphable.model import FaceModel, PointModel
from rdrface.morphable.params import EXPRESSION, IDENTITY

IDENTITIES, EXPRESSIONS = 50, 46
COEFFICIENTS = IDENTITIES + EXPRESSIONS


@dataclass(frozen=True)
class LandmarkBasis:
    """Mean and derivatives of landmarks and of the parallel lines. Axes of the derivatives: point, x y z, coefficient.

    Attributes:
        landmarks: the model reduced to its landmarks and lines.
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
        """Reduce the face model to its 68 points and its parallel lines."""
        landmarks = LandmarkModel.from_face_model(model)
        lines = model.reduced(model.points["parallel_lines"])
        samples = len(lines.mean) // len(CONTOUR)
        points = PointModel(landmarks.mean[:68], landmarks.identity_basis[:, :68], landmarks.expression_basis[:, :68])
        return cls(
            landmarks=landmarks,
            mean=points.mean,
            basis=derivatives(points),
            line_mean=lines.mean.reshape(len(CONTOUR), samples, 3),
            line_basis=derivatives(lines).reshape(len(CONTOUR), samples, 3, COEFFICIENTS),
            line_normals=shapes68(landmarks.buffers(), np.zeros((1, COEFFICIENTS + 7), np.float32))[2][0],
        )

    def joined(self, points: PointModel) -> "LandmarkBasis":
        """The same with further points behind the landmarks."""
        return replace(
            self,
            mean=np.concatenate((self.mean, points.mean)),
            basis=np.concatenate((self.basis, derivatives(points))),
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

    def mean_contour(self, rotation: np.ndarray) -> np.ndarray:
        """The same as `contour` for the mean face, turned by (B, 3, 3)."""
        shape = (len(rotation), *self.line_mean.shape)
        lines, normals = np.broadcast_to(self.line_mean, shape), np.broadcast_to(self.line_normals, shape)
        return slide_contour_line(lines, normals, pose_of(rotation))

    def at(self, s: np.ndarray) -> "PlacedBasis":
        """The basis with the contour at positions s (B, 17) of the lines."""
        last = self.line_mean.shape[1] - 1
        low = np.clip(np.floor(s), 0, last - 1).astype(np.int64)
        part = (s - low).astype(np.float32)[..., None]
        line = np.arange(len(CONTOUR))
        mean = self.line_mean[line, low]
        mean += (self.line_mean[line, low + 1] - mean) * part
        terms = self.line_basis[line, low]
        terms += (self.line_basis[line, low + 1] - terms) * part[..., None]
        return PlacedBasis(self, mean, terms)


@dataclass(frozen=True)
class PlacedBasis:
    """A `LandmarkBasis` for B faces, each with its own place of the contour.

    Attributes:
        whole: the basis; of it the points behind the contour are used.
        contour_mean: (B, 17, 3) float32 mm.
        contour_basis: (B, 17, 3, 96) float32.
    """

    whole: LandmarkBasis
    contour_mean: np.ndarray
    contour_basis: np.ndarray

    def shape(self, coefficients: np.ndarray) -> np.ndarray:
        """(B, 96) -> (B, L, 3) float32 mm."""
        coefficients = coefficients.astype(np.float32)
        rest = len(CONTOUR)
        contour = self.contour_mean + np.matmul(self.contour_basis, coefficients[:, None, :, None])[..., 0]
        terms = self.whole.basis[rest:].reshape(-1, COEFFICIENTS)
        inner = self.whole.mean[rest:] + (coefficients @ terms.T).reshape(len(coefficients), -1, 3)
        return np.concatenate((contour, inner), axis=1)

    def pictured(self, camera: np.ndarray) -> np.ndarray:
        """Derivatives of the pictured points by the coefficients.

        Args:
            camera: (B, 2, 3) from millimeters to the picture: the scaled first two rows of the rotation.

        Returns:
            (B, L, 2, 96) float32.
        """
        rest, batch = len(CONTOUR), len(camera)
        contour = np.matmul(camera[:, None], self.contour_basis)
        terms = self.whole.basis[rest:]
        flat = terms.transpose(1, 0, 2).reshape(3, -1)
        inner = (camera.reshape(-1, 3) @ flat).reshape(batch, 2, len(terms), COEFFICIENTS)
        return np.concatenate((contour, inner.swapaxes(1, 2)), axis=1)


def derivatives(points: PointModel) -> np.ndarray:
    """(N, 3, 96) float32 mm per coefficient, identity first."""
    whole = np.concatenate((points.identity_basis, points.expression_basis))
    return np.ascontiguousarray(whole.transpose(1, 2, 0), np.float32)


def pose_of(rotation: np.ndarray) -> np.ndarray:
    """(B, 3, 3) rotations -> (B, 7) float32 poses with these angles, t = 0 and f = 1."""
    pose = np.zeros((len(rotation), 7), np.float32)
    pose[:, :3], pose[:, 6] = euler_angles(rotation), 1
    return pose
