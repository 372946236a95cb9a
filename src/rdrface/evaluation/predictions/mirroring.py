"""Aligning the mirrored photo: what a face in it becomes in the photo itself."""

from dataclasses import replace
from typing import Any

import numpy as np

from rdrface.evaluation.predictions.aligning import Aligns
from rdrface.face import Face, Parameters
from rdrface.geometry.camera import mirror_pose, transform_pose
from rdrface.image import read_image
from rdrface.landmarks import MIRROR
from rdrface.morphable.model import FaceModel


class MirroringAligner:
    """Aligns mirrored photos and gives the faces mirrored back, in the place and with the sides of the photo itself.

    An aligner that treats both sides alike gives the same faces either way.

    Args:
        aligner: what is run on the mirrored photos.
        model: the face model of its parameters.
    """

    def __init__(self, aligner: Aligns, model: FaceModel) -> None:
        self.aligner = aligner
        self.model = model

    def align(self, photo: Any, boxes: np.ndarray) -> list[Face]:
        """One face per box (n, 4), both in the frame of the photo that is not mirrored."""
        pixels = read_image(photo)
        turned = mirrored_boxes(np.asarray(boxes), pixels.shape[1])
        return self._back(self.aligner.align(_mirrored(pixels), turned), pixels.shape[1])

    def detect(self, photo: Any) -> list[Face]:
        """All faces that are found in the mirrored photo."""
        pixels = read_image(photo)
        return self._back(self.aligner.detect(_mirrored(pixels)), pixels.shape[1])

    def _back(self, faces: list[Face], width: int) -> list[Face]:
        return [mirrored_face(face, width, self.model) for face in faces]


def mirrored_boxes(boxes: np.ndarray, width: int) -> np.ndarray:
    """Boxes (n, 4) xyxy of a photo of `width` pixels in the mirrored photo."""
    last = width - 1
    return np.stack([last - boxes[:, 2], boxes[:, 1], last - boxes[:, 0], boxes[:, 3]], axis=1)


def mirrored_face(face: Face, width: int, model: FaceModel) -> Face:
    """The same face in the mirrored photo of `width` pixels. Mirrored twice it is the face again.

    Args:
        face: without landmarks of one's own setting; they are left out of the result.
        width: of the photo, pixels.
        model: the face model of the parameters.
    """
    last = width - 1
    parameters = face.parameters
    pose = mirror_pose(parameters.pose[None].astype(np.float64))
    pose = transform_pose(pose, np.ones(1), np.zeros(1), np.array([[last, 0.0]]))

    def turned(points: np.ndarray) -> np.ndarray:
        result = points[MIRROR].copy()
        result[:, 0] = last - result[:, 0]
        return result

    return replace(
        face,
        box=mirrored_boxes(face.box[None], width)[0],
        landmarks=turned(face.landmarks),
        landmarks_jawline=turned(face.landmarks_jawline),
        projection=turned(face.projection),
        landmarks_3d=turned(face.landmarks_3d),
        visibility=face.visibility[MIRROR],
        uncertainty=face.uncertainty[MIRROR],
        parameters=Parameters(
            pose=pose[0].astype(np.float32),
            identity=parameters.identity * model.identity_mirror,
            expression=parameters.expression[model.expression_mirror],
        ),
        custom_landmarks=None,
    )


def _mirrored(pixels: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(pixels[:, ::-1])
