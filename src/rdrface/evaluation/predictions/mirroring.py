"""Alignment of mirrored images, with the faces mirrored back into the original image."""

from dataclasses import replace
from typing import Any

import numpy as np

from rdrface.evaluation.predictions.aligning import AlignerLike
from rdrface.face import Face, Parameters
from rdrface.geometry.boxes import mirrored_boxes
from rdrface.geometry.camera import mirror_pose, transform_pose
from rdrface.image import read_image
from rdrface.landmarks import MIRROR
from rdrface.morphable.model import FaceModel


class MirroringAligner:
    """Aligns mirrored images and returns the faces mirrored back: in the original image, with the original sides.

    An aligner without a bias to one side returns the same faces with and without mirroring.

    Args:
        aligner: aligner to run on the mirrored images.
        model: face model of its parameters.
    """

    def __init__(self, aligner: AlignerLike, model: FaceModel) -> None:
        self.aligner = aligner
        self.model = model

    def align(self, image: Any, boxes: np.ndarray) -> list[Face]:
        """One face per box; boxes (n, 4) and faces are in the frame of the original image."""
        pixels = read_image(image)
        width = pixels.shape[1]
        return self._mirrored_back(
            self.aligner.align(_mirrored(pixels), mirrored_boxes(np.asarray(boxes), width)), width
        )

    def detect(self, image: Any) -> list[Face]:
        """All faces found in the mirrored image, in the frame of the original image."""
        pixels = read_image(image)
        return self._mirrored_back(self.aligner.detect(_mirrored(pixels)), pixels.shape[1])

    def _mirrored_back(self, faces: list[Face], width: int) -> list[Face]:
        return [mirrored_face(face, width, self.model) for face in faces]


def mirrored_face(face: Face, width: int, model: FaceModel) -> Face:
    """The same face in the mirror image. Mirroring twice gives the original face.

    Args:
        face: its custom landmarks, if any, are left out of the result, since their mirror pairs are not known here.
        width: width of the image, pixels.
        model: face model of the parameters.
    """
    last = width - 1
    parameters = face.parameters
    pose = mirror_pose(parameters.pose[None].astype(np.float64))
    pose = transform_pose(pose, np.ones(1), np.zeros(1), np.array([[last, 0.0]]))

    def mirrored(points: np.ndarray) -> np.ndarray:
        result: np.ndarray = points[MIRROR].copy()
        result[:, 0] = last - result[:, 0]
        return result

    return replace(
        face,
        box=mirrored_boxes(face.box[None], width)[0],
        landmarks=mirrored(face.landmarks),
        landmarks_jawline=mirrored(face.landmarks_jawline),
        projection=mirrored(face.projection),
        landmarks_3d=mirrored(face.landmarks_3d),
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
