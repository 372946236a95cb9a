"""Packed faces kept on the training device, so that a step transfers only the indices of its faces."""

from collections.abc import Mapping

import numpy as np
import torch

from rdrface.datasets.crops import PackedCrops
from rdrface.training.augmentation.crop_batch import CropBatch, packed_fields
from rdrface.training.augmentation.rng import to_device

MEMORY_FRACTION = 0.5
"""Fraction of an accelerator's free memory that the faces may take; the network's activations need the rest."""


class DeviceCrops:
    """Packed faces that provide batches on the training device.

    The faces are copied to a CUDA device once, if they take at most `MEMORY_FRACTION` of its free memory. Otherwise
    they stay in main memory and each batch is copied.

    Args:
        faces: N packed faces.
        label_weights: (N,) float32, see `rdrface.training.batch.label_weights`.
        teacher: a teacher's outputs, see `rdrface.training.teacher`, or None.
        device: training device.
    """

    def __init__(
        self,
        faces: PackedCrops,
        label_weights: np.ndarray,
        device: torch.device,
        teacher: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        arrays = {name: getattr(faces, name) for name in packed_fields()}
        arrays |= {"label_weight": label_weights, **(teacher or {})}
        fits = _fits(sum(array.nbytes for array in arrays.values()), device)
        self.device = device
        self.margin = faces.margin
        self.home = device if fits else torch.device("cpu")
        self.tensors = {name: torch.from_numpy(array).to(self.home) for name, array in arrays.items()}

    def __len__(self) -> int:
        return len(self.tensors["residual"])

    def batch(self, index: np.ndarray) -> CropBatch:
        """The faces at `index` (B,) int64, on the device."""
        indices = to_device(torch.from_numpy(index), self.home)
        tensors = {name: to_device(tensor[indices], self.device) for name, tensor in self.tensors.items()}
        return CropBatch(**tensors, margin=self.margin)


def _fits(size: int, device: torch.device) -> bool:
    return device.type == "cuda" and size <= MEMORY_FRACTION * torch.cuda.mem_get_info(device)[0]
