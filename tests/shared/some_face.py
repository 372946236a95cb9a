"""A synthetic face, for tests that do not need a network."""

import numpy as np

from rdrface.face import Face, Parameters
from rdrface.geometry.camera import transform_pose
from rdrface.morphable.landmark_model import LandmarkModel
from rdrface.morphable.model import FaceModel


def some_face(
    center: tuple[float, float] = (160.0, 120.0), size: float = 100.0, angles: tuple[float, ...] = (0.1, -0.4, 0.2)
) -> Face:
    """A smiling face of about `size` pixels around `center`; angles: pitch, yaw, roll in radians."""
    model = FaceModel.load()
    q = np.zeros((1, 103))
    q[0, :5] = [0.5, -1.0, 0.3, 0.8, -0.2]
    q[0, 50:57] = [*angles, 0, 0, 0, 1 / 130]
    q[0, 57 + model.expression_names.index("jawOpen")] = 0.4
    q[0, 57 + model.expression_names.index("mouthSmileLeft")] = 0.25
    q[:, 50:57] = transform_pose(q[:, 50:57], np.array([size]), np.zeros(1), np.array([center]))
    outline, jawline = LandmarkModel.from_face_model(model).outline68(q)
    visible = np.ones(68, np.float32)
    visible[9:17] = 0.125
    half = size / 2
    box = np.array([center[0] - half, center[1] - half, center[0] + half, center[1] + half])
    return Face(
        box=box.astype(np.float32),
        score=0.75,
        landmarks=outline[0, :, :2].astype(np.float32) + np.float32(0.25),
        landmarks_jawline=jawline[0, :, :2].astype(np.float32) + np.float32(0.25),
        projection=outline[0, :, :2].astype(np.float32),
        landmarks_3d=jawline[0].astype(np.float32),
        visibility=visible,
        uncertainty=np.linspace(1, 10, 68).astype(np.float32),
        parameters=Parameters(
            q[0, 50:57].astype(np.float32), q[0, :50].astype(np.float32), q[0, 57:].astype(np.float32)
        ),
    )
