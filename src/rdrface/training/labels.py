"""The labels of a training step, and the weight of each."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from rdrface.crop import EXPANSION
from rdrface.datasets.crops import PackedCrops
from rdrface.datasets.records import OCCLUDED, SELF_OCCLUDED
from rdrface.datasets.sources import check_sources, value_of
from rdrface.geometry.camera import transform_pose
from rdrface.landmarks import CONTOUR
from rdrface.morphable.params import POSE
from rdrface.network.projection import Projection
from rdrface.training.augmentation.crop_batch import CropBatch

OCCLUDED_WEIGHT = 0.5
"""Weight of a point that the annotator placed behind an occluder."""

FITTED_WEIGHT = 0.25
"""Weight of a point that the head itself hides, whether its position is a guess of the set or comes from the fitted
face, and of a point whose label is not used."""

FULL_TRUST_POINTS = 34
"""Number of labeled points from which a fit's expression is fully trusted: the half of a face that a profile shows."""

MAX_LABEL_DISTANCE = 0.15 * 2 / EXPANSION
"""Distance of a label from the fitted face, crop frame, beyond which the label is not used: 15 % of the face's side."""


class Batch:
    """Crops and labels of a training step, crop frame.

    A plain class: Lightning Fabric rounds the tensors of collections and dataclasses to the precision of the
    convolutions, and coordinates need float32.

    Attributes:
        crops: (B, 3, N, N) float32 RGB 0..255.
        points: (B, 68, 2) landmarks, visible outline; arbitrary where `weight` is 0.
        weight: (B, 68) weight of each point: 1 annotated as visible, less where the annotator or the fit guessed, 0
            where there is no label.
        labeled: (B, 68) bool, the point is an annotator's, not the fit's.
        state: (B, 68) integer, see `rdrface.datasets.records`.
        jawline: (B, 68, 3) the fitted face with the contour on the absolute jawline, z included.
        q: (B, 103) Q of the fit.
        trust: (B,) trust in the fit, 0..1.
        expression_trust: (B,) trust in the fit's expression, 0..1.
    """

    def __init__(
        self,
        crops: Tensor,
        *,
        points: Tensor,
        weight: Tensor,
        labeled: Tensor,
        state: Tensor,
        jawline: Tensor,
        q: Tensor,
        trust: Tensor,
        expression_trust: Tensor,
    ) -> None:
        self.crops = crops
        self.points = points
        self.weight = weight
        self.labeled = labeled
        self.state = state
        self.jawline = jawline
        self.q = q
        self.trust = trust
        self.expression_trust = expression_trust


@torch.no_grad()
def make_batch(crops: Tensor, labels: CropBatch, projection: Projection) -> Batch:
    """The batch of a step. The fitted face replaces the points that the head hides and labels that are not used.

    A point that the set does not annotate at all (no position, and not marked as hidden by the head) has weight 0: the
    fit places it by its neighbors alone, and training on it would teach the mean face.

    Args:
        crops: (B, 3, N, N), see `rdrface.training.augmentation.augment`.
        labels: in the frame of the crops.
        projection: maps Q to points.
    """
    outline, jawline = projection(labels.Q)
    # An ordinary fit has a residual of 2.5 % and is fully trusted; beyond 6 % the fitted face is not that of the photo.
    trust = ((6.0 - labels.residual) / 3.5).clamp(0.0, 1.0)
    labeled = labels.annotated
    # Contour points on the absolute jawline are no labels of the visible outline.
    contour = torch.zeros(1, labeled.shape[1], dtype=torch.bool, device=labeled.device)
    contour[:, : len(CONTOUR)] = True
    labeled = labeled & ~(contour & labels.jawline_convention.unsqueeze(1))
    # Nor are slips of the annotator's mouse, some hundred in MERL-RAV.
    labeled &= (labels.points - outline[..., :2]).norm(dim=-1) < MAX_LABEL_DISTANCE
    points = torch.where(labeled.unsqueeze(-1), labels.points, outline[..., :2])

    annotated = torch.where(labels.state == OCCLUDED, OCCLUDED_WEIGHT, 1.0)
    annotated = torch.where(labels.state == SELF_OCCLUDED, FITTED_WEIGHT, annotated) * labels.label_weight.unsqueeze(1)
    missing = ~labels.annotated & (labels.state != SELF_OCCLUDED)
    weight = torch.where(labeled, annotated, FITTED_WEIGHT * trust.unsqueeze(1)).masked_fill(missing, 0.0)
    complete = (labeled.sum(1) / FULL_TRUST_POINTS).clamp(max=1.0)
    return Batch(
        crops.contiguous(memory_format=torch.channels_last),
        points=points,
        weight=weight,
        labeled=labeled,
        state=labels.state,
        jawline=jawline,
        q=labels.Q,
        trust=trust,
        expression_trust=trust * labels.label_weight * complete,
    )


def label_weights(faces: PackedCrops, table: Mapping[str, float]) -> np.ndarray:
    """(N,) float32: weight of the labels of each face by its source; `table` as `TrainingConfig.label_weight`.

    Raises:
        ConfigError: an entry fits no source of these faces.
    """
    check_sources(faces.source_names, table, "label_weight")
    values = np.array([value_of(name, table, 1.0) for name in faces.source_names], np.float32)
    weights: np.ndarray = values[faces.source]
    return weights


def crop_parameters(faces: PackedCrops) -> Tensor:
    """(N, 103) float32 Q of packed faces in the frame of their crops without augmentation."""
    q = torch.from_numpy(faces.Q)
    scale = torch.full((len(q),), faces.margin)
    pose = transform_pose(q[:, POSE], scale, torch.zeros(len(q)), torch.zeros(len(q), 2))
    return torch.cat([q[:, : POSE.start], pose, q[:, POSE.stop :]], dim=1)
