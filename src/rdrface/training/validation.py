"""Validation: the averaged network on held-out faces, as in use, with a picture to look at."""

from pathlib import Path

import cv2
import numpy as np
import torch

from rdrface.datasets.contact_sheet import contact_sheet
from rdrface.datasets.crops import PackedCrops
from rdrface.evaluation.metrics.expression import eye_statistics, near_eyes
from rdrface.geometry.eyes import eye_aspect
from rdrface.geometry.yaw_bins import yaw_index
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import EXPRESSION, POSE, YAW
from rdrface.network.rdr import RDR
from rdrface.training.augmentation.augment import CropBatch, augment, no_augmentation

PICTURED = 32
"""Faces in the sample picture."""


@torch.no_grad()
def validate(
    network: RDR, faces: PackedCrops, size: int, iterations: int, device: torch.device, picture: Path
) -> dict[str, float]:
    """Errors of a network on packed faces, without augmentation.

    The error of a face is the mean distance of its annotated points (visible or guessed) in percent of the root of the
    landmark box's area; the means are over faces.

    Args:
        network: in evaluation mode.
        faces: fitted and packed.
        size: N, side of the crops.
        iterations: K.
        device: of the network.
        picture: where to write a sheet of the first faces with S_K.

    Returns:
        ``nme_0`` ... ``nme_K`` of S_k, ``projection`` of the last S_p, and S_K's mean by |yaw|: ``yaw_0``, ``yaw_30``,
        ``yaw_60``; NaN for an empty bin. ``blink_closed`` and ``blink_open``, the median eyeBlink of eyes whose labels
        are closed and open (`rdrface.evaluation.metrics.expression`), and ``blink_area`` under the ROC curve between them.
    """
    generator = torch.Generator(device=device).manual_seed(0)
    rows, sheet, expression = [], [], []
    for start in range(0, len(faces), 64):
        index = np.arange(start, min(start + 64, len(faces)))
        batch = augment(CropBatch.of(faces, index, device), size, no_augmentation(), generator)
        with torch.autocast(device.type, torch.bfloat16):
            steps = network(batch.crops.contiguous(memory_format=torch.channels_last), iterations).steps
        weight = batch.weight.clone()
        # Contour labels of the jawline convention cannot be compared with the outline.
        weight[:, :17] *= (~batch.jawline_convention).float().unsqueeze(1)
        span = batch.outline.amax(1) - batch.outline.amin(1)
        side = span.prod(-1).sqrt()

        def nme(points: torch.Tensor, batch=batch, weight=weight, side=side) -> torch.Tensor:
            distance = (points - batch.points).norm(dim=-1)
            return 100 * (distance * weight).sum(1) / weight.sum(1).clamp(min=1) / side

        expression.append(steps[-1].q[:, EXPRESSION].cpu())
        rows.append(torch.stack([*(nme(s.landmarks) for s in steps), nme(steps[-1].projection[..., :2])], 1).cpu())
        if start < PICTURED:
            sheet.append((batch.crops.cpu().numpy(), steps[-1].landmarks.cpu().numpy()))
    errors = torch.cat(rows).numpy()
    crops, points = (np.concatenate(parts)[:PICTURED] for parts in zip(*sheet, strict=True))
    drawn = contact_sheet(crops, points, titles=[f"{e:.1f}" for e in errors[:PICTURED, -2]])
    cv2.imwrite(str(picture), cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR))

    bins = yaw_index(np.degrees(faces.Q[:, 51]))
    means = errors.mean(0)
    scores = {f"nme_{k}": float(means[k]) for k in range(iterations + 1)}
    scores["projection"] = float(means[-1])
    for number, name in enumerate(("yaw_0", "yaw_30", "yaw_60")):
        inside = errors[bins == number, -2]
        scores[name] = float(inside.mean()) if len(inside) else float("nan")
    scores |= _blink(torch.cat(expression).numpy(), faces, np.degrees(faces.Q[:, POSE][:, YAW]))
    return {name: round(value, 4) for name, value in scores.items()}


def _blink(expression: np.ndarray, faces: PackedCrops, yaw: np.ndarray) -> dict[str, float]:
    names = FaceModel.load().expression_names
    # The picture's left eye is the subject's right one.
    blink = expression[:, [names.index("eyeBlinkRight"), names.index("eyeBlinkLeft")]]
    aspect = np.where(near_eyes(yaw), eye_aspect(faces.points), np.nan)
    figures = eye_statistics(blink, aspect, higher_when_closed=True)
    return {"blink_closed": figures.closed_median, "blink_open": figures.open_median, "blink_area": figures.area}
