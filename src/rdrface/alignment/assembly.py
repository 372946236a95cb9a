"""Conversion of the network's outputs to faces in image pixels."""

from collections.abc import Sequence

import numpy as np

from rdrface.alignment.crop_alignment import CropAlignment
from rdrface.detection.protocol import Detections
from rdrface.face import Face, Parameters
from rdrface.geometry.boxes import image_edges
from rdrface.geometry.camera import transform_pose
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import EXPRESSION, IDENTITY, POSE
from rdrface.runtime.session import CUSTOM_LANDMARKS


def assemble(
    alignment: CropAlignment,
    detections: Detections,
    image_sizes: Sequence[tuple[int, int]],
    model: FaceModel | None,
) -> list[Face]:
    """Convert the outputs for B crops to faces.

    Args:
        alignment: outputs and positions of the crops.
        detections: B boxes and scores.
        image_sizes: height and width of the image of each face; points outside are not visible.
        model: see `Face`.
    """
    frame, outputs = alignment.frame, alignment.outputs
    landmarks = alignment.landmarks
    # One conversion for all points: a tracker calls this function for every frame.
    flat = np.concatenate([outputs["landmarks_jawline"], outputs["projection"][..., :2]], axis=1)
    landmarks_jawline, projection = np.split(frame.to_image(flat).astype(np.float32), 2, axis=1)
    projection_jawline = frame.to_image(outputs["projection_jawline"]).astype(np.float32)
    custom = frame.to_image(outputs[CUSTOM_LANDMARKS]).astype(np.float32) if CUSTOM_LANDMARKS in outputs else None
    q = outputs["parameters"].astype(np.float64)
    pose = transform_pose(q[:, POSE], frame.half, frame.angle, frame.center)
    edges = np.array([image_edges(width, height) for height, width in image_sizes])[:, None]
    inside = ((landmarks >= edges[..., :2]) & (landmarks <= edges[..., 2:])).all(axis=-1)
    visibility = np.where(inside, outputs["visibility"], 0.0)
    return [
        Face(
            box=detections.boxes[i].astype(np.float32),
            score=float(detections.scores[i]),
            landmarks=landmarks[i].astype(np.float32),
            landmarks_jawline=landmarks_jawline[i],
            landmarks_3d=projection_jawline[i],
            projection=projection[i],
            visibility=visibility[i].astype(np.float32),
            uncertainty=alignment.uncertainty[i].astype(np.float32),
            parameters=Parameters(
                pose=pose[i].astype(np.float32),
                identity=q[i, IDENTITY].astype(np.float32),
                expression=q[i, EXPRESSION].astype(np.float32),
            ),
            custom_landmarks=None if custom is None else custom[i],
            model=model,
        )
        for i in range(len(detections))
    ]
