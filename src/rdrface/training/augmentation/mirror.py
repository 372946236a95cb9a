"""Mirroring of faces: pixels, order of the landmarks, pose and coefficients."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from rdrface.geometry.camera import mirror_pose
from rdrface.landmarks import MIRROR
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import POSE
from rdrface.training.augmentation.crop_batch import CropBatch
from rdrface.training.augmentation.rng import to_device


@dataclass(frozen=True)
class CoefficientMirror:
    """Changes of the face model's coefficients when the face is mirrored.

    Attributes:
        identity: (50,) +-1 factors.
        expression: (46,) int64 permutation: coefficient i of the mirrored face is coefficient `expression[i]` of the
            face.
    """

    identity: Tensor
    expression: Tensor

    @classmethod
    def of(cls, model: FaceModel, device: torch.device | str = "cpu") -> "CoefficientMirror":
        """The changes for a face model, as tensors on a device."""
        return cls(
            torch.from_numpy(model.identity_mirror).to(device),
            torch.from_numpy(model.expression_mirror).long().to(device),
        )


def mirror_faces(batch: CropBatch, chosen: Tensor, coefficients: CoefficientMirror | None) -> CropBatch:
    """Mirror some faces of a batch left to right.

    Args:
        batch: B faces.
        chosen: (B,) bool, the faces to mirror.
        coefficients: changes of the coefficients; if None, Q does not change.
    """
    device = batch.valid.device
    index = to_device(chosen.nonzero()[:, 0], device)
    if not len(index):
        return batch
    chosen = to_device(chosen, device)
    order = to_device(torch.tensor(MIRROR.tolist()), device)
    flip = to_device(torch.tensor([-1.0, 1.0]), device)

    def either(mirrored: Tensor, kept: Tensor) -> Tensor:
        return torch.where(chosen.reshape(-1, *([1] * (kept.ndim - 1))), mirrored, kept)

    images = batch.images.clone()
    images[index] = images[index].flip(2)

    def mirrored_parameters(Q: Tensor) -> Tensor:
        if coefficients is None:
            return Q
        identity = Q[:, : POSE.start] * coefficients.identity.to(Q)
        expression = Q[:, POSE.stop :][:, coefficients.expression.to(Q.device)]
        return either(torch.cat([identity, mirror_pose(Q[:, POSE]), expression], 1), Q)

    def mirrored_points(points: Tensor) -> Tensor:
        return either(points[:, order] * flip, points)

    return replace(
        batch,
        images=images,
        valid=either(batch.valid[:, [2, 1, 0, 3]] * flip.repeat(2), batch.valid),
        points=mirrored_points(batch.points),
        state=either(batch.state[:, order], batch.state),
        outline=mirrored_points(batch.outline),
        jawline=mirrored_points(batch.jawline),
        Q=mirrored_parameters(batch.Q),
        teacher_points=None if batch.teacher_points is None else mirrored_points(batch.teacher_points),
        teacher_jawline=None if batch.teacher_jawline is None else mirrored_points(batch.teacher_jawline),
        teacher_Q=None if batch.teacher_Q is None else mirrored_parameters(batch.teacher_Q),
    )
