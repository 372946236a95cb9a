"""Faces after the convolutional part, kept in memory: what the recurrence sees of them never changes. For ablate.py."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ablate_scores import Truth
from rdrface.datasets.crops import PackedCrops
from rdrface.morphable.model import FaceModel
from rdrface.network.rdr import RDR
from rdrface.training.augmentation.augment import augment
from rdrface.training.augmentation.config import AugmentConfig, weakened
from rdrface.training.augmentation.crop_batch import CropBatch
from rdrface.training.augmentation.mirror import CoefficientMirror
from rdrface.training.labels import Batch, make_batch

BATCH = 64


@dataclass(frozen=True)
class SeenFaces:
    """N faces as the recurrent part sees them.

    Attributes:
        deconv5: (N, m, m, 80) bfloat16, channels last: rows are looked up without turning the map around.
        res5b: (N, 512, 4, 4) bfloat16, input of the initialization.
        whitened: (N, 103) float32, what the frozen initialization makes of it.
        labels: for the losses, the tensors of `rdrface.training.labels.Batch` without the crops.
    """

    deconv5: Tensor
    res5b: Tensor
    whitened: Tensor
    labels: dict[str, Tensor]

    def __len__(self) -> int:
        return len(self.whitened)

    def maps(self, index: Tensor | slice) -> Tensor:
        """(B, 80, m, m) deconv5 of some faces."""
        return self.deconv5[index].permute(0, 3, 1, 2)

    def labels_of(self, index: Tensor) -> Batch:
        """Labels of some faces; without crops, which the recurrence does not read."""
        return Batch(torch.empty(len(index), 0), **{name: value[index] for name, value in self.labels.items()})


def mild() -> AugmentConfig:
    """Crops as a detector errs, mirrored at random, and the pixels left alone: every face is seen once and for all."""
    return weakened(AugmentConfig(rotation=8.0, arbitrary_rotation=0.0, crop=0.0), 0.0)


@torch.no_grad()
def see(network: RDR, faces: PackedCrops, size: int, config: AugmentConfig, seed: int) -> tuple[SeenFaces, Truth]:
    """Run the convolutional part over faces.

    Args:
        network: trained, in evaluation mode.
        faces: fitted and packed.
        size: N, side of the crops.
        config: how the crops are changed.
        seed: of the change.
    """
    mirror = CoefficientMirror.of(FaceModel.load())
    generator = torch.Generator().manual_seed(seed)
    half = size // 2
    deconv5 = torch.empty(len(faces), half, half, 80, dtype=torch.bfloat16)
    res5b = torch.empty(len(faces), 512, 4, 4, dtype=torch.bfloat16)
    whitened = torch.empty(len(faces), 103)
    labels, truth = [], []
    for start in range(0, len(faces), BATCH):
        index = np.arange(start, min(start + BATCH, len(faces)))
        crops, moved = augment(CropBatch.of(faces, index), size, config, generator, mirror)
        batch = make_batch(crops, moved, network.projection)
        with torch.autocast("cpu", torch.bfloat16):
            low, high = network.backbone(batch.crops)
            deconv5[start : start + BATCH] = network.regression_features(low).permute(0, 2, 3, 1)
            # pool5 of a 4x4 map is that map: the initialization can be fed with it.
            pooled = network.initialization.pool5(high)
            res5b[start : start + BATCH] = pooled
            whitened[start : start + BATCH] = network.initialization(pooled).float()
        labels.append({name: value for name, value in vars(batch).items() if name != "crops"})
        truth.append(Truth.of(moved, network.projection))
    joined = {name: torch.cat([one[name] for one in labels]) for name in labels[0]}
    return SeenFaces(deconv5, res5b, whitened, joined), Truth.concat(truth)
