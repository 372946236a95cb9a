"""Packed faces as tensors, the input of augmentation."""

from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from rdrface.datasets.crops import PackedCrops


@dataclass(frozen=True)
class CropBatch:
    """B packed faces as tensors on one device.

    The labels are in the packed frame of `rdrface.datasets.crops`. In the result of augmentation they are in the crop
    frame, but `images` and `valid` do not change.

    Attributes:
        images: (B, S, S, 3) uint8 RGB.
        valid: (B, 4) xyxy, packed frame: the part covered by the image.
        points: (B, 68, 2) annotated points; NaN where a point has no position.
        state: (B, 68) integer, see `rdrface.datasets.records`.
        jawline_convention: (B,) bool, True where points 0-16 are on the absolute jawline.
        outline, jawline: (B, 68, 2) the fitted face; NaN without a fit.
        Q: (B, 103) of the fit; NaN without a fit.
        residual: (B,) error of the fit in percent of the face size; NaN without a fit.
        label_weight: (B,) weight of the face's labels, see `rdrface.training.batch.label_weights`.
        margin: side of the packed crop in units of the network's crop.
        teacher_points, teacher_jawline: (B, 68, 2) a teacher's S_K, with the contour on the visible outline and on the
            absolute jawline (`rdrface.training.teacher`); None without a teacher.
        teacher_Q: (B, 103) a teacher's Q; None without a teacher.
        no_face: (B,) bool, True for crops that augmentation made without a face; their labels are meaningless. None
            before augmentation.
    """

    images: Tensor
    valid: Tensor
    points: Tensor
    state: Tensor
    jawline_convention: Tensor
    outline: Tensor
    jawline: Tensor
    Q: Tensor
    residual: Tensor
    label_weight: Tensor
    margin: float
    teacher_points: Tensor | None = None
    teacher_jawline: Tensor | None = None
    teacher_Q: Tensor | None = None
    no_face: Tensor | None = None

    @classmethod
    def of(cls, packed: PackedCrops, index: np.ndarray, device: torch.device | str = "cpu") -> "CropBatch":
        """The faces at `index` (B,) of a pack, on `device`, with label weight 1."""
        tensors = {name: torch.from_numpy(getattr(packed, name)[index]).to(device) for name in packed_fields()}
        return cls(**tensors, label_weight=torch.ones(len(index), device=device), margin=packed.margin)

    @property
    def annotated(self) -> Tensor:
        """(B, 68) bool, True where a point has an annotated position."""
        return torch.isfinite(self.points).all(-1)


def packed_fields() -> list[str]:
    """Names of the fields that `CropBatch` takes from `PackedCrops` face by face."""
    others = ("label_weight", "margin", "no_face", *teacher_fields())
    return [field.name for field in fields(CropBatch) if field.name not in others]


def teacher_fields() -> list[str]:
    """Names of the fields that `CropBatch` takes from a teacher's outputs face by face."""
    return [field.name for field in fields(CropBatch) if field.name.startswith("teacher_")]
