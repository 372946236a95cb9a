"""Validation of the averaged network on held-out faces without augmentation, and a contact sheet of sample faces."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rdrface.datasets.contact_sheet import contact_sheet, write_sheet
from rdrface.datasets.crops import PackedCrops
from rdrface.evaluation.metrics.expression import eye_statistics, near_eyes
from rdrface.geometry.eyes import eye_aspect
from rdrface.landmarks import CONTOUR
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import EXPRESSION, POSE
from rdrface.network.rdr import RDR
from rdrface.training.augmentation.augment import augment
from rdrface.training.augmentation.boxes import points_size
from rdrface.training.augmentation.config import no_augmentation
from rdrface.training.augmentation.crop_batch import CropBatch

YAW_EDGES = (30.0, 60.0)
"""Edges of the three usual bins of |yaw|, in degrees."""

SAMPLE_COUNT = 32
"""Number of faces on the contact sheet."""

BATCH_SIZE = 64


@torch.no_grad()
def validate(
    network: RDR, faces: PackedCrops, size: int, iterations: int, device: torch.device, sample: Path
) -> dict[str, float]:
    """Errors of a network on packed faces, without augmentation.

    The error of a face is the mean distance of its annotated points, visible or not, in percent of the square
    root of the landmark box's area. Means are over faces.

    Args:
        network: network in evaluation mode.
        faces: fitted and packed faces.
        size: N, side of the crops in pixels.
        iterations: K.
        device: device of the network.
        sample: path of the contact sheet to write, with S_K of the first faces.

    Returns:
        Errors ``nme_0`` ... ``nme_K`` of S_k, ``projection`` of the last S_p, and ``yaw_0``, ``yaw_30``, ``yaw_60`` of
        S_K by |yaw|, NaN for an empty bin. ``blink_closed`` and ``blink_open`` are the median eyeBlink of eyes whose
        labels are closed and open (`rdrface.evaluation.metrics.expression`), and ``blink_area`` is the area under the
        ROC curve between them.
    """
    generator = torch.Generator(device=device).manual_seed(0)
    rows, samples, expression = [], [], []
    for start in range(0, len(faces), BATCH_SIZE):
        index = np.arange(start, min(start + BATCH_SIZE, len(faces)))
        crops, labels = augment(CropBatch.of(faces, index, device), size, no_augmentation(), generator)
        with torch.autocast(device.type, torch.bfloat16):
            steps = network(crops.contiguous(memory_format=torch.channels_last), iterations).steps
        truth, weight, side = comparable_points(labels)

        def nme(points: Tensor, truth: Tensor = truth, weight: Tensor = weight, side: Tensor = side) -> Tensor:
            distance = (points - truth).norm(dim=-1)
            percent: Tensor = 100 * (distance * weight).sum(1) / weight.sum(1).clamp(min=1) / side
            return percent

        expression.append(steps[-1].q[:, EXPRESSION].cpu())
        rows.append(torch.stack([*(nme(s.landmarks) for s in steps), nme(steps[-1].projection[..., :2])], 1).cpu())
        if start < SAMPLE_COUNT:
            samples.append((crops.cpu().numpy(), steps[-1].landmarks.cpu().numpy()))
    errors = torch.cat(rows).numpy()
    images, points = (np.concatenate(parts)[:SAMPLE_COUNT] for parts in zip(*samples, strict=True))
    sheet = contact_sheet(images, points, titles=[f"{e:.1f}" for e in errors[:SAMPLE_COUNT, -2]])
    write_sheet(sample, sheet)

    yaw = np.degrees(faces.Q[:, POSE][:, 1])
    bins = np.digitize(np.abs(yaw), YAW_EDGES)
    means = errors.mean(0)
    scores = {f"nme_{k}": float(means[k]) for k in range(iterations + 1)}
    scores["projection"] = float(means[-1])
    for number, name in enumerate(("yaw_0", "yaw_30", "yaw_60")):
        inside = errors[bins == number, -2]
        scores[name] = float(inside.mean()) if len(inside) else float("nan")
    scores |= blink_scores(torch.cat(expression).numpy(), faces, yaw)
    return {name: round(value, 4) for name, value in scores.items()}


def comparable_points(labels: CropBatch) -> tuple[Tensor, Tensor, Tensor]:
    """Select the annotated points that can be compared with the visible outline.

    Args:
        labels: B faces, crop frame.

    Returns:
        The points (B, 68, 2), their weight (B, 68) float32, 0 without a position and for contours on the absolute
        jawline, and the face size (B,), square root of the area of the fitted outline's box.
    """
    weight = labels.annotated.float()
    weight[:, : len(CONTOUR)] *= (~labels.jawline_convention).float().unsqueeze(1)
    side = points_size(labels.outline)
    # A zero weight would not remove NaN.
    return torch.nan_to_num(labels.points), weight, side


def blink_scores(expression: np.ndarray, faces: PackedCrops, yaw: np.ndarray) -> dict[str, float]:
    """``blink_closed``, ``blink_open`` and ``blink_area`` of `validate`.

    Args:
        expression: (N, 46) predicted expression coefficients.
        faces: N packed faces.
        yaw: (N,) degrees.
    """
    names = FaceModel.load().expression_names
    # The left eye of the image is the subject's right eye.
    blink = expression[:, [names.index("eyeBlinkRight"), names.index("eyeBlinkLeft")]]
    aspect = np.where(near_eyes(yaw), eye_aspect(faces.points), np.nan)
    figures = eye_statistics(blink, aspect, higher_when_closed=True)
    return {"blink_closed": figures.closed_median, "blink_open": figures.open_median, "blink_area": figures.area}
