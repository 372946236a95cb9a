"""Validation of custom landmarks on held-out images: mean error and contact sheet."""

import hashlib
from pathlib import Path

import numpy as np
import torch

from rdrface.crop import CropFrame, cut
from rdrface.datasets.contact_sheet import contact_sheet, write_sheet
from rdrface.datasets.records import VISIBLE
from rdrface.finetuning.faces import CustomFaces
from rdrface.geometry.boxes import bounding_boxes, box_size
from rdrface.image import read_image
from rdrface.network.custom_landmarks import CustomLandmarks, extract_features
from rdrface.network.rdr import RDR

VALIDATION_SHARE = 0.1
"""Share of the images that is held out."""

SHEET_FACES = 24
"""Maximum number of faces on the contact sheet."""


def held_out(images: tuple[str, ...]) -> np.ndarray:
    """Choose the held-out images: a tenth of them, at least one. The choice depends only on the file names.

    Returns:
        (N,) bool.
    """
    digests = [hashlib.sha256(Path(image).name.encode()).hexdigest() for image in images]
    chosen = np.zeros(len(images), bool)
    chosen[np.argsort(np.array(digests), kind="stable")[: max(1, round(VALIDATION_SHARE * len(images)))]] = True
    return chosen


@torch.no_grad()
def mean_error(
    network: RDR, readout: CustomLandmarks, faces: CustomFaces, size: int, sheet: Path | None = None
) -> float:
    """Mean distance of predicted from annotated custom landmarks, percent of the face size.

    As at run time, the faces are aligned once, from the detector's boxes.

    Args:
        network: RDR in evaluation mode.
        readout: the custom landmarks.
        faces: annotated faces.
        size: N, side of the crops in pixels.
        sheet: path of a contact sheet to write, with the predicted landmarks and the error of each face.
    """
    errors, crops, points = [], [], []
    for i, image in enumerate(faces.image):
        frame = CropFrame.from_boxes(faces.boxes[i : i + 1])
        crop = cut(read_image(image), frame, size)
        features = extract_features(network, torch.from_numpy(crop))
        predicted = readout(features).numpy()
        landmarks = frame.to_image(features.prediction.steps[-1].landmarks.numpy())
        label_frame = CropFrame(faces.frame.center[i : i + 1], faces.frame.half[i : i + 1])
        annotated = label_frame.to_image(faces.labels[i : i + 1])
        distance = np.linalg.norm(frame.to_image(predicted) - annotated, axis=-1)
        errors.append(100 * np.nanmean(distance) / box_size(bounding_boxes(landmarks))[0])
        crops.append(crop)
        points.append(predicted)
    if sheet is not None:
        _write_sheet(sheet, crops[:SHEET_FACES], points[:SHEET_FACES], errors[:SHEET_FACES])
    return float(np.mean(errors))


def _write_sheet(path: Path, crops: list[np.ndarray], points: list[np.ndarray], errors: list[float]) -> None:
    """Write a JPEG of crops (1, 3, N, N) with their landmarks (1, L, 2), each titled with its error."""
    titles = [f"{error:.1f}" for error in errors]
    states = np.full((len(points), points[0].shape[1]), VISIBLE)
    sheet = contact_sheet(np.concatenate(crops), np.concatenate(points), states, titles)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_sheet(path, sheet)
