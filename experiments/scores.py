"""What the ablations measure: errors of networks on held-out faces."""

from dataclasses import dataclass

import torch
from torch import Tensor

from rdrface.geometry.yaw_bins import yaw_index
from rdrface.morphable.params import POSE, YAW
from rdrface.network.projection import Projection
from rdrface.network.rdr import Step
from rdrface.training.augmentation.crop_batch import CropBatch
from rdrface.training.validation import comparable_points

RUN_TO = 5
"""Iterations in evaluation, whatever K a network was trained with."""

BATCH = 64
"""Faces per batch in evaluation."""

YAW_BINS = ("yaw_0", "yaw_30", "yaw_60")
NME = tuple(f"nme_{k}" for k in range(RUN_TO + 1))
PROJECTION = tuple(f"projection_{k}" for k in range(RUN_TO + 1))
COLUMNS = (*NME, "projection", "jawline", *YAW_BINS)
"""Columns of the tables of the experiments from a random start."""


@dataclass(frozen=True)
class Truth:
    """Annotations and fits of B faces, crop frame.

    Attributes:
        points: (B, 68, 2) annotated points.
        weight: (B, 68), 1 where an annotation exists in the outline convention, else 0.
        side: (B,) sqrt(w h) of the box of the fitted outline.
        jawline: (B, 68, 3) the fitted face, jawline convention.
        yaw: (B,) degrees.
    """

    points: Tensor
    weight: Tensor
    side: Tensor
    jawline: Tensor
    yaw: Tensor

    @classmethod
    def of(cls, labels: CropBatch, projection: Projection) -> "Truth":
        """Of crops without augmentation. The same points are counted as in `rdrface.training.validation`."""
        yaw = torch.rad2deg(labels.Q[:, POSE][:, YAW])
        return cls(*comparable_points(labels), projection(labels.Q)[1], yaw)


def face_errors(steps: list[Step], truth: Truth, iterations: int) -> Tensor:
    """Errors per face in percent of its side, (B, 2 RUN_TO + 4).

    The columns are the NME of S_0 ... S_5, the NME of S_p at K, the mean 3D distance of the 68 points of the jawline
    convention at K, and the NME of S_p at k = 0 ... 5. An orthographic camera does not define the origin of z, so the
    mean of z is subtracted.

    Args:
        steps: RUN_TO + 1 steps, k = 0 first.
        truth: of the same B faces.
        iterations: K of the training.
    """

    def nme(points: Tensor) -> Tensor:
        distance = (points - truth.points).norm(dim=-1)
        return (distance * truth.weight).sum(1) / truth.weight.sum(1).clamp(min=1)

    difference = steps[iterations].projection_jawline - truth.jawline
    xy, z = difference[..., :2], difference[..., 2:]
    distance = torch.cat([xy, z - z.mean(1, keepdim=True)], dim=-1).norm(dim=-1).mean(1)
    projection = [nme(step.projection[..., :2]) for step in steps]
    columns = [*(nme(step.landmarks) for step in steps), projection[iterations], distance, *projection]
    return 100 * torch.stack(columns, 1) / truth.side.unsqueeze(1)


def summary(errors: list[Tensor], yaw: list[Tensor], iterations: int) -> dict[str, float]:
    """Means over faces: `COLUMNS`, `PROJECTION`, and `nme` of S_K; the yaw bins are those of S_K.

    Args:
        errors: batches of `face_errors`.
        yaw: batches (B,) degrees.
        iterations: K of the training.
    """
    every, bins = torch.cat(errors).numpy(), yaw_index(torch.cat(yaw).numpy())
    names = (*NME, "projection", "jawline", *PROJECTION)
    scores = dict(zip(names, every.mean(0).tolist(), strict=True))
    scores["nme"] = scores[f"nme_{iterations}"]
    for number, name in enumerate(YAW_BINS):
        inside = every[bins == number, iterations]
        scores[name] = float(inside.mean()) if len(inside) else float("nan")
    return {name: round(value, 3) for name, value in scores.items()}
