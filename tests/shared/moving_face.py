"""A synthetic face that moves, with the noise of a network."""

from dataclasses import replace

import numpy as np

from rdrface.face import Face, Parameters
from some_face import some_face


def shifted(face: Face, by: np.ndarray) -> Face:
    """The face moved by (2,) or, per landmark, (68, 2) pixels."""
    by = np.asarray(by, np.float32)
    depth = np.zeros((*by.shape[:-1], 1), np.float32)
    return replace(
        face,
        landmarks=face.landmarks + by,
        landmarks_jawline=face.landmarks_jawline + by,
        projection=face.projection + by,
        landmarks_3d=face.landmarks_3d + np.concatenate([by, depth], axis=-1),
    )


def with_expression(face: Face, name: str, value: float) -> Face:
    """The face with another expression coefficient."""
    expression = face.parameters.expression.copy()
    expression[face._model.expression_names.index(name)] = value
    return replace(face, parameters=Parameters(face.parameters.pose, face.parameters.identity, expression))


def noisy(face: Face, rng: np.random.Generator, std: float = 0.1) -> Face:
    """The face with noise of the landmarks, pixels per axis; a third of its variance is common to all."""
    return shifted(face, 0.7 * rng.normal(0, std, 2) + rng.normal(0, std, (68, 2)))


def upright_face() -> Face:
    """A frontal face of 100 pixels."""
    return some_face(angles=(0.0, 0.0, 0.0))
