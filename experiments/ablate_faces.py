"""Faces after the convolutional part, kept in memory: what the recurrence sees of them never changes. For ablate.py."""

from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from ablate_scores import Truth
from rdrface.datasets.crops import PackedCrops
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import NUM_PARAMETERS
from rdrface.network.rdr import RDR
from rdrface.training.augmentation.augment import (
    AugmentConfig,
    CoefficientMirror,
    CropBatch,
    augment,
    weakened,
)
from rdrface.training.batches import targets
from rdrface.training.losses.objective import Targets

BATCH = 64


@dataclass(frozen=True)
class SeenFaces:
    """N faces as the recurrent part sees them.

    Attributes:
        deconv5: (N, m, m, 80) bfloat16, channels last: rows are looked up without turning the map around.
        res5b: (N, 512, 4, 4) bfloat16, input of the initialization.
        whitened: (N, 103) float32, what the frozen initialization makes of it.
        labels: for the losses.
    """

    deconv5: Tensor
    res5b: Tensor
    whitened: Tensor
    labels: Targets

    def __len__(self) -> int:
        return len(self.whitened)

    def maps(self, index: Tensor | slice) -> Tensor:
        """(B, 80, m, m) deconv5 of some faces."""
        return self.deconv5[index].permute(0, 3, 1, 2)

    def labels_of(self, index: Tensor) -> Targets:
        """Labels of some faces."""
        return Targets(*(getattr(self.labels, each.name)[index] for each in fields(Targets)))


def mild() -> AugmentConfig:
    """Crops as a detector errs, mirrored at random, and the pixels left alone: every face is seen once and for all."""
    return weakened(AugmentConfig(turn=8.0, spin=0.0, trim=0.0), 0.0)


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
    model = FaceModel.load()
    mirror = CoefficientMirror(
        torch.from_numpy(model.identity_mirror), torch.from_numpy(model.expression_mirror).long()
    )
    generator = torch.Generator().manual_seed(seed)
    half = size // 2
    deconv5 = torch.empty(len(faces), half, half, 80, dtype=torch.bfloat16)
    res5b = torch.empty(len(faces), 512, 4, 4, dtype=torch.bfloat16)
    whitened = torch.empty(len(faces), NUM_PARAMETERS)
    labels, truth = [], []
    for start in range(0, len(faces), BATCH):
        index = np.arange(start, min(start + BATCH, len(faces)))
        batch = augment(CropBatch.of(faces, index), size, config, generator, mirror)
        residual = torch.from_numpy(faces.residual[index])
        with torch.autocast("cpu", torch.bfloat16):
            low, high = network.backbone(batch.crops.contiguous(memory_format=torch.channels_last))
            deconv5[start : start + BATCH] = network.regression_features(low).permute(0, 2, 3, 1)
            # pool5 of a 4x4 map is that map: the initialization can be fed with it.
            pooled = network.initialization.pool5(high)
            res5b[start : start + BATCH] = pooled
            whitened[start : start + BATCH] = network.initialization(pooled).float()
        labels.append(targets(batch, residual, torch.ones_like(residual), network.projection))
        truth.append(Truth.of(batch, network.projection))
    joined = Targets(*(torch.cat([getattr(one, each.name) for one in labels]) for each in fields(Targets)))
    return SeenFaces(deconv5, res5b, whitened, joined), Truth.concat(truth)
