"""Validation of custom landmarks on held-out images: errors and contact sheet."""

import hashlib
from pathlib import Path

import numpy as np
import torch

from rdrface.crop import CropFrame, cut
from rdrface.datasets.contact_sheet import contact_sheet, write_sheet
from rdrface.datasets.records import VISIBLE
from rdrface.finetuning.faces import CustomFaces
from rdrface.image import read_image
from rdrface.network.custom_landmarks import CustomLandmarks, extract_features
from rdrface.network.rdr import RDR
from rdrface.network.shape_indexed import shape_indexed

VALIDATION_SHARE = 0.1
"""Share of the photos that is held out."""

SHEET_FACES = 24
"""Maximum number of faces on the contact sheet."""

STAGES = 3
"""Number of stages of custom landmarks: the base, after the first and after the second correction."""


def held_out(photos: np.ndarray) -> np.ndarray:
    """Choose the held-out faces: those of a tenth of the photos, at least one. The choice depends only on the names.

    Args:
        photos: (N,) str, name of each face's photo.

    Returns:
        (N,) bool.
    """
    names = _shuffled(photos)
    return np.isin(photos, names[: max(1, round(VALIDATION_SHARE * len(names)))])


def assign_folds(photos: np.ndarray, count: int) -> np.ndarray:
    """Assign each face to a fold of a cross-validation. The assignment depends only on the names of the photos.

    Args:
        photos: (N,) str, name of each face's photo; the faces of a photo are in the same fold.
        count: number of folds; their numbers of photos differ by at most one.

    Returns:
        (N,) int64, 0 to count - 1.
    """
    names = _shuffled(photos)
    fold = {name: i % count for i, name in enumerate(names)}
    return np.array([fold[photo] for photo in photos.tolist()], np.int64)


def _shuffled(photos: np.ndarray) -> list[str]:
    """The distinct names, in an order that depends only on them."""
    return sorted(set(photos.tolist()), key=lambda name: hashlib.sha256(name.encode()).hexdigest())


@torch.no_grad()
def stage_errors(
    network: RDR, readout: CustomLandmarks, faces: CustomFaces, size: int, sheet: Path | None = None
) -> np.ndarray:
    """Distances of predicted from annotated custom landmarks at each stage, percent of the face size.

    As at run time, the faces are aligned once, from `CustomFaces.boxes`.

    Args:
        network: RDR in evaluation mode.
        readout: the custom landmarks.
        faces: N annotated faces.
        size: side of the crops in pixels.
        sheet: path of a contact sheet to write, with the predicted landmarks and the mean error of each face.

    Returns:
        (`STAGES`, N, L) float64; NaN where a point has no position.
    """
    annotated = faces.frame.to_image(faces.labels)
    face_sizes = faces.sizes * faces.frame.half
    errors = np.empty((STAGES, len(faces), readout.count))
    crops: list[np.ndarray] = []
    points: list[np.ndarray] = []
    for i, image in enumerate(faces.image):
        frame = CropFrame.from_boxes(faces.boxes[i : i + 1])
        crop = cut(read_image(image), frame, size)
        features = extract_features(network, torch.from_numpy(crop))
        last = features.prediction.steps[-1]
        base = readout.base(last)
        placed = readout.placed(base, readout.context(last, features.hidden))
        corrected = readout.corrected(placed, shape_indexed(features.prediction.deconv5, placed))
        predicted = np.stack([frame.to_image(stage.numpy())[0] for stage in (base, placed, corrected)])
        errors[:, i] = 100 * np.linalg.norm(predicted - annotated[i], axis=-1) / face_sizes[i]
        if len(crops) < SHEET_FACES:
            crops.append(crop)
            points.append(corrected.numpy())
    if sheet is not None:
        _write_sheet(sheet, crops, points, np.nanmean(errors[-1], axis=1).tolist())
    return errors


def _write_sheet(path: Path, crops: list[np.ndarray], points: list[np.ndarray], errors: list[float]) -> None:
    """Write a JPEG of crops (1, 3, N, N) with their landmarks (1, L, 2), each titled with its error."""
    titles = [f"{error:.1f}" for error in errors[: len(crops)]]
    states = np.full((len(points), points[0].shape[1]), VISIBLE)
    sheet = contact_sheet(np.concatenate(crops), np.concatenate(points), states, titles)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_sheet(path, sheet)
