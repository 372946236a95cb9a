"""Outputs of a trained network's convolutional part, computed once per face and kept in memory."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rdrface.datasets.crops import PackedCrops
from rdrface.morphable.model import FaceModel
from rdrface.network.rdr import RDR
from rdrface.training.augmentation.augment import augment
from rdrface.training.augmentation.config import AugmentConfig, weakened
from rdrface.training.augmentation.crop_batch import CropBatch
from rdrface.training.augmentation.mirror import CoefficientMirror
from rdrface.training.batch import Batch, make_batch
from scores import BATCH, Truth


@dataclass(frozen=True)
class CachedFaces:
    """N faces.

    Attributes:
        deconv5: (N, m, m, 80) bfloat16, regression features, channels last.
        pool5: (N, 512, 4, 4) bfloat16, input of the initialization.
        standardized: (N, 103) float32, parameters predicted by the trained initialization.
        labels: of all faces, for the losses; its crops are empty.
        truth: for the scores, in batches of `BATCH` faces.
    """

    deconv5: Tensor
    pool5: Tensor
    standardized: Tensor
    labels: Batch
    truth: list[Truth]

    def __len__(self) -> int:
        return len(self.standardized)

    def maps(self, index: Tensor | slice) -> Tensor:
        """deconv5 of some faces, (B, 80, m, m)."""
        return self.deconv5[index].permute(0, 3, 1, 2)

    def labels_of(self, index: Tensor) -> Batch:
        """Labels of some faces."""
        return Batch(**{name: value[index] for name, value in _tensors(self.labels).items()})


def mild_augmentation() -> AugmentConfig:
    """Detector errors, small rotations and mirroring; pixels are not changed."""
    return weakened(AugmentConfig(rotation=8.0, arbitrary_rotation=0.0, crop=0.0), 0.0)


@torch.no_grad()
def cache(network: RDR, faces: PackedCrops, size: int, config: AugmentConfig) -> CachedFaces:
    """Run the convolutional part once over all faces.

    Args:
        network: trained, in evaluation mode.
        faces: fitted and packed.
        size: N, side of the crops in pixels.
        config: augmentation; every face gets one augmented crop.
    """
    mirror, generator = CoefficientMirror.of(FaceModel.load()), torch.Generator().manual_seed(0)
    # Allocated at once, because it is by far the largest part: 1.6 GB for 2,500 crops of 128 pixels.
    deconv5 = torch.empty(len(faces), size // 2, size // 2, 80, dtype=torch.bfloat16)
    pool5, standardized, labels, truth = [], [], [], []
    for start in range(0, len(faces), BATCH):
        index = np.arange(start, min(start + BATCH, len(faces)))
        crops, moved = augment(CropBatch.of(faces, index), size, config, generator, mirror)
        with torch.autocast("cpu", torch.bfloat16):
            res3b, res5b = network.backbone(crops.contiguous(memory_format=torch.channels_last))
            deconv5[start : start + BATCH] = network.regression_features(res3b).permute(0, 2, 3, 1)
            # pool5 of a 4x4 map is that map, so the initialization accepts its own pooled input.
            pool5.append(network.initialization.pool5(res5b).bfloat16())
            standardized.append(network.initialization(pool5[-1]).float())
        # Without pixels: only the labels are kept.
        labels.append(make_batch(crops[..., :0], moved, network.projection))
        truth.append(Truth.of(moved, network.projection))
    joined = Batch(**{name: torch.cat([_tensors(batch)[name] for batch in labels]) for name in _tensors(labels[0])})
    return CachedFaces(deconv5, torch.cat(pool5), torch.cat(standardized), joined, truth)


def _tensors(batch: Batch) -> dict[str, Tensor]:
    # The faces of the experiments have no teacher.
    return {name: value for name, value in vars(batch).items() if name != "teacher"}
