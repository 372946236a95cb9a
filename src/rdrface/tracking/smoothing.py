"""Smoothing of a face over the frames of a video."""

import numpy as np

from rdrface.face import Face, Parameters
from rdrface.landmarks import NUM_CONTOUR, NUM_LANDMARKS
from rdrface.tracking.face_pose import pose_between
from rdrface.tracking.identity import IdentityAverage
from rdrface.tracking.landmark_shape import LandmarkShape
from rdrface.tracking.point_stack import stacked, unstacked
from rdrface.tracking.shape_filter import ShapeFilter
from rdrface.tracking.value_filter import ValueFilter

COEFFICIENT_NOISE = 7.5
"""Noise of the expression coefficients and of the visibility, in units of that of the landmarks in face sizes."""

COEFFICIENT_LIMITS = (4.0, 14.0)
"""See `rdrface.tracking.significance.excess`."""


class FaceSmoother:
    """Smooths one face.

    Args:
        face: the first one.
        time: its time, seconds.
        identity: average of the person's identity coefficients, which is updated.
        shape: the landmarks of the face model.
    """

    def __init__(self, face: Face, time: float, identity: IdentityAverage, shape: LandmarkShape) -> None:
        self._identity = identity
        self._points = ShapeFilter(stacked(face), time)
        self._values = _values(face)
        self._filter = ValueFilter(len(self._values), COEFFICIENT_LIMITS)
        self._shape = shape
        identity.update(face.parameters.identity, face.expected_error, 0.0)

    def predict(self, time: float) -> np.ndarray:
        """(68, 2) the landmarks at a later time, image pixels."""
        return unstacked(self._points.predict(time)).landmarks

    def update(self, face: Face, time: float) -> Face:
        """The smoothed face.

        Args:
            face: the network's output for the frame.
            time: time of the frame, seconds, after that of the last frame.
        """
        elapsed = time - self._points.time
        self._identity.update(face.parameters.identity, face.expected_error, elapsed)
        self._points.update(stacked(face), time)
        innovation = _values(face) - self._values
        noise = COEFFICIENT_NOISE**2 * self._points.noise
        self._values = self._values + self._filter.gains(innovation * innovation, noise, elapsed) * innovation
        return self.smoothed(face)

    def smoothed(self, face: Face) -> Face:
        """The face with the points and coefficients of the filter, and the pose that fits them."""
        points = unstacked(self._points.points)
        expression, visibility = self._values[:-NUM_LANDMARKS], self._values[-NUM_LANDMARKS:]
        shape = self._shape.points(self._identity.mean, expression)
        pose, landmarks_3d = pose_between(shape, points.landmarks_3d)
        projection = landmarks_3d[:, :2].copy()
        projection[:NUM_CONTOUR] += points.outline_3d - points.landmarks_3d[:NUM_CONTOUR, :2]
        custom = None if face.custom_landmarks is None else points.custom_landmarks.astype(np.float32)
        return Face(
            box=face.box,
            score=face.score,
            landmarks=points.landmarks.astype(np.float32),
            landmarks_jawline=points.landmarks_jawline.astype(np.float32),
            landmarks_3d=landmarks_3d.astype(np.float32),
            projection=projection.astype(np.float32),
            visibility=np.where(face.visibility > 0, visibility, 0).astype(np.float32),
            uncertainty=face.uncertainty,
            parameters=Parameters(
                pose=pose.astype(np.float32),
                identity=self._identity.mean.astype(np.float32),
                expression=expression.astype(np.float32),
            ),
            custom_landmarks=custom,
            model=face.model,
        )


def _values(face: Face) -> np.ndarray:
    return np.concatenate([face.parameters.expression, face.visibility]).astype(np.float64)
