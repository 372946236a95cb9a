"""Outputs of a trained network's convolutional part, computed once per face and kept in memory."""

from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from rdrface.datasets.crops import PackedCrops
from rdrface.network.rdr import RDR
from rdrface.training.augmentation.augment import AugmentConfig, CropBatch, augment, weakened
from rdrface.training.batches import targets
from rdrface.training.loop import coefficient_mirror
from rdrface.training.losses.objective import Targets
from scores import BATCH, Truth


@dataclass(frozen=True)
class CachedFaces:
    """N faces.

    Attributes:
        deconv5: (N, m, m, 80) bfloat16, regression features, channels last.
        pool5: (N, 512, 4, 4) bfloat16, input of the initialization.
        standardized: (N, 103) float32, parameters predicted by the trained initialization.
        labels: for the losses.
        truth: for the scores, in batches of `BATCH` faces.
    """

    deconv5: Tensor
    pool5: Tensor
    standardized: Tensor
    labels: Targets
    truth: list[Truth]

    def __len__(self) -> int:
        return len(self.standardized)

    def maps(self, index: Tensor | slice) -> Tensor:
        """deconv5 of some faces, (B, 80, m, m)."""
        return self.deconv5[index].permute(0, 3, 1, 2)

    def labels_of(self, index: Tensor) -> Targets:
        """Labels of some faces."""
        return Targets(*(getattr(self.labels, each.name)[index] for each in fields(Targets)))


def mild_augmentation() -> AugmentConfig:
    """Detector errors, small rotations and mirroring; pixels are not changed."""
    return weakened(AugmentConfig(turn=8.0, spin=0.0, trim=0.0), 0.0)


@torch.no_grad()
def cache(network: RDR, faces: PackedCrops, size: int, config: AugmentConfig) -> CachedFaces:
    """Run the convolutional part once over all faces.

    Args:
        network: trained, in evaluation mode.
        faces: fitted and packed.
        size: N, side of the crops in pixels.
        config: augmentation; every face gets one augmented crop.
    """
    mirror, rng = coefficient_mirror(torch.device("cpu")), torch.Generator().manual_seed(0)
    # Allocated at once, because it is by far the largest part: 1.6 GB for 2,500 crops of 128 pixels.
    deconv5 = torch.empty(len(faces), size // 2, size // 2, 80, dtype=torch.bfloat16)
    pool5, standardized, labels, truth = [], [], [], []
    for start in range(0, len(faces), BATCH):
        index = np.arange(start, min(start + BATCH, len(faces)))
        batch = augment(CropBatch.of(faces, index), size, config, rng, mirror)
        with torch.autocast("cpu", torch.bfloat16):
            res3b, res5b = network.backbone(batch.crops.contiguous(memory_format=torch.channels_last))
            deconv5[start : start + BATCH] = network.regression_features(res3b).permute(0, 2, 3, 1)
            # pool5 of a 4x4 map is that map, so the initialization accepts its own pooled input.
            pool5.append(network.initialization.pool5(res5b).bfloat16())
            standardized.append(network.initialization(pool5[-1]).float())
        residual = torch.from_numpy(faces.residual[index])
        labels.append(targets(batch, residual, torch.ones_like(residual), network.projection))
        truth.append(Truth.of(batch, network.projection))
    joined = Targets(*(torch.cat([getattr(one, each.name) for one in labels]) for each in fields(Targets)))
    return CachedFaces(deconv5, torch.cat(pool5), torch.cat(standardized), joined, truth)
