"""The labels of a training step and their weights."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from rdrface.crop import EXPANSION
from rdrface.datasets.crops import PackedCrops
from rdrface.datasets.records import OCCLUDED, SELF_OCCLUDED, UNKNOWN
from rdrface.datasets.sources import check_sources, value_of
from rdrface.geometry.camera import transform_pose
from rdrface.landmarks import CONTOUR
from rdrface.morphable.params import POSE
from rdrface.network.projection import Projection
from rdrface.training.augmentation.crop_batch import CropBatch

OCCLUDED_WEIGHT = 0.5
"""Weight of an annotated point that is behind an occluder."""

FITTED_WEIGHT = 0.25
"""Weight of a self-occluded point, whether its position is a guess of the annotator or comes from the fitted face, and
of a point whose label is not used."""

FULL_TRUST_POINTS = 34
"""Number of labeled points from which the fitted expression is fully trusted: half a face, as visible in a profile."""

MAX_LABEL_DISTANCE = 0.15 * 2 / EXPANSION
"""Distance of a label from the fitted face, crop frame, beyond which the label is not used: 15 % of the face size."""


class Batch:
    """Crops and labels of a training step, crop frame.

    This is not a dataclass, because Lightning Fabric converts the tensors of collections and dataclasses to the
    precision of the convolutions, and coordinates need float32.

    Attributes:
        crops: (B, 3, N, N) float32 RGB 0..255.
        points: (B, 68, 2) landmarks, visible outline; arbitrary where `weight` is 0.
        weight: (B, 68) weight of each point: 1 for visible annotated points, less for positions that were guessed by
            the annotator or come from the fit, 0 without a label.
        labeled: (B, 68) bool, True for annotated points, False for points of the fit.
        state: (B, 68) integer, see `rdrface.datasets.records`.
        jawline: (B, 68, 3) the fitted face with the contour on the absolute jawline, z included.
        q: (B, 103) Q of the fit.
        trust: (B,) trust in the fit, 0..1.
        expression_trust: (B,) trust in the fit's expression, 0..1.
        no_face: (B,) bool, True for crops without a face, which have no labels: weights, states and trust are 0.
        teacher: the same crops with a teacher's outputs as labels; None without a teacher.
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
        no_face: Tensor | None = None,
        teacher: "Batch | None" = None,
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
        self.no_face = no_face
        self.teacher = teacher


@torch.no_grad()
def make_batch(crops: Tensor, labels: CropBatch, projection: Projection) -> Batch:
    """Make the batch of a step. The fitted face replaces self-occluded points and labels that are not used.

    A point that the dataset does not annotate (no position, and not marked as self-occluded) has weight 0: its fitted
    position depends only on its neighbors, and training on it would pull the network to the mean face.

    Args:
        crops: (B, 3, N, N), see `rdrface.training.augmentation.augment`.
        labels: labels in the crop frame.
        projection: layer that maps Q to points.
    """
    labels = _without_labels_of_no_face(labels)
    outline, jawline = projection(labels.Q)
    # A typical fit has a residual of 2.5 % and is fully trusted; beyond 6 % the fit has failed.
    trust = ((6.0 - labels.residual) / 3.5).clamp(0.0, 1.0)
    labeled = labels.annotated
    # Contour points on the absolute jawline are not labels of the visible outline.
    contour = torch.zeros(1, labeled.shape[1], dtype=torch.bool, device=labeled.device)
    contour[:, : len(CONTOUR)] = True
    labeled = labeled & ~(contour & labels.jawline_convention.unsqueeze(1))
    # Annotation mistakes are not used either; MERL-RAV has a few hundred.
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
        no_face=labels.no_face,
        teacher=_teacher_batch(crops, labels, projection),
    )


def _without_labels_of_no_face(labels: CropBatch) -> CropBatch:
    """The labels, with no point, no state and an infinite residual for crops without a face."""
    no_face = labels.no_face
    if no_face is None:
        return labels
    return replace(
        labels,
        points=labels.points.masked_fill(no_face[:, None, None], torch.nan),
        state=labels.state.masked_fill(no_face[:, None], UNKNOWN),
        residual=labels.residual.masked_fill(no_face, torch.inf),
    )


def _teacher_batch(crops: Tensor, labels: CropBatch, projection: Projection) -> Batch | None:
    if labels.teacher_points is None or labels.teacher_jawline is None or labels.teacher_Q is None:
        return None
    _, jawline = projection(labels.teacher_Q)
    # The jawline of the read-out is more accurate than that of the 3D face; its depth is that of the 3D face.
    jawline = torch.cat([labels.teacher_jawline, jawline[..., 2:]], dim=-1)
    trust = torch.ones_like(labels.label_weight)
    if labels.no_face is not None:
        trust = trust.masked_fill(labels.no_face, 0.0)
    return Batch(
        crops,
        points=labels.teacher_points,
        weight=trust.unsqueeze(1).expand(labels.state.shape),
        labeled=torch.ones_like(labels.annotated),
        state=labels.state,
        jawline=jawline,
        q=labels.teacher_Q,
        trust=trust,
        expression_trust=trust,
    )


def label_weights(faces: PackedCrops, table: Mapping[str, float]) -> np.ndarray:
    """(N,) float32 weight of the labels of each face, by its source; `table` is `TrainingConfig.label_weight`.

    Raises:
        ConfigError: an entry does not match any source of these faces.
    """
    check_sources(faces.source_names, table, "label_weight")
    values = np.array([value_of(name, table, 1.0) for name in faces.source_names], np.float32)
    weights: np.ndarray = values[faces.source]
    return weights


def crop_parameters(faces: PackedCrops) -> Tensor:
    """(N, 103) float32 Q of packed faces in the frame of their crops, without augmentation."""
    q = torch.from_numpy(faces.Q)
    scale = torch.full((len(q),), faces.margin)
    pose = transform_pose(q[:, POSE], scale, torch.zeros(len(q)), torch.zeros(len(q), 2))
    return torch.cat([q[:, : POSE.start], pose, q[:, POSE.stop :]], dim=1)
