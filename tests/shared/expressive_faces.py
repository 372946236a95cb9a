"""Faces with known expression coefficients, and an aligner that returns them for an image and its mirror image."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from rdrface.evaluation.predictions.mirroring import mirrored_face
from rdrface.face import Face, Parameters, packaged_model
from rdrface.image import read_image
from rdrface.morphable.landmark_model import LandmarkModel
from some_face import some_face

SIZE = (320, 240)
"""Width and height of the images, pixels."""


def face_with(values: Mapping[str, float], angles: tuple[float, ...] = (0.0, 0.0, 0.0)) -> Face:
    """A face in the middle of the image with these coefficients; all others are 0."""
    model = packaged_model()
    face = some_face(angles=angles)
    expression = np.zeros(46, np.float32)
    for name, value in values.items():
        expression[model.expression_names.index(name)] = value
    q = np.concatenate([np.zeros(50), face.parameters.pose, expression])[None].astype(np.float64)
    outline, jawline = (points[0].astype(np.float32) for points in LandmarkModel.from_face_model(model).outline68(q))
    return replace(
        face,
        box=np.concatenate([outline[:, :2].min(0), outline[:, :2].max(0)]),
        landmarks=outline[:, :2],
        landmarks_jawline=jawline[:, :2],
        projection=outline[:, :2],
        landmarks_3d=jawline,
        parameters=Parameters(face.parameters.pose, np.zeros(50, np.float32), expression),
    )


class LookupAligner:
    """Aligner that looks up the face by the gray value of the image.

    An image whose first pixel is not white is taken to be mirrored.

    Args:
        faces: face k is in the image of gray value k.
        mirror_bias: value added to every coefficient in mirrored images, like a network that treats sides differently.
    """

    precision, crop_size = "float32", 128

    def __init__(self, faces: list[Face], mirror_bias: float = 0.0) -> None:
        self.faces = faces
        self.mirror_bias = mirror_bias

    def align(self, image: object, boxes: np.ndarray) -> list[Face]:
        pixels = read_image(image)
        face = self.faces[int(pixels[10, 10, 0])]
        if pixels[0, 0, 0] != 255:
            face = mirrored_face(face, pixels.shape[1], packaged_model())
            parameters = face.parameters
            face = replace(
                face, parameters=replace(parameters, expression=parameters.expression + np.float32(self.mirror_bias))
            )
        np.testing.assert_allclose(boxes, face.box[None], atol=0.02)
        return [face]


def write_images(folder: Path, faces: list[Face]) -> None:
    """Write images 0.png, 1.png, ... and their .pts files, which count pixels from 1 like those of 300-W."""
    for k, face in enumerate(faces):
        pixels = np.full((SIZE[1], SIZE[0], 3), k, np.uint8)
        pixels[0, 0] = 255
        Image.fromarray(pixels).save(folder / f"{k}.png")
        lines = "\n".join(f"{x + 1:.3f} {y + 1:.3f}" for x, y in face.landmarks)
        (folder / f"{k}.pts").write_text(f"version: 1\nn_points: 68\n{{\n{lines}\n}}\n")
