"""Packed faces where the training computes, so that a step sends nothing but the numbers of its faces."""

from dataclasses import fields

import numpy as np
import torch
from torch import Tensor

from rdrface.datasets.crops import PackedCrops
from rdrface.training.augmentation.augment import CropBatch
from rdrface.training.augmentation.rng import to_device

SHARE = 0.5
"""Part of an accelerator's free memory that the faces may take; the rest is for the network's activations."""


class DeviceCrops:
    """Faces to learn from, batch by batch, on the device of the training.

    The faces are copied to a CUDA device once, if they take no more than `SHARE` of its free memory. Otherwise they
    stay in main memory and each batch is copied.

    Args:
        faces: packed.
        weights: (N,) float32, what the labels of each face are worth, see `rdrface.training.batches.label_weights`.
        device: of the training.
    """

    def __init__(self, faces: PackedCrops, weights: np.ndarray, device: torch.device) -> None:
        names = [each.name for each in fields(CropBatch) if each.name != "margin"]
        arrays = {name: getattr(faces, name) for name in (*names, "residual")} | {"weights": weights}
        self.faces = faces
        self.device = device
        self.margin = faces.margin
        self.home = device if _fits(sum(array.nbytes for array in arrays.values()), device) else torch.device("cpu")
        self.tensors = {name: torch.from_numpy(array).to(self.home) for name, array in arrays.items()}

    def __len__(self) -> int:
        return len(self.tensors["residual"])

    def batch(self, index: np.ndarray) -> tuple[CropBatch, Tensor, Tensor]:
        """The faces `index` (B,) int64, the residuals of their fits (B,) float32, percent, and the weights of their
        labels (B,) float32, on the device."""
        places = to_device(torch.from_numpy(index), self.home)
        chosen = {name: to_device(tensor[places], self.device) for name, tensor in self.tensors.items()}
        residual, weights = chosen.pop("residual"), chosen.pop("weights")
        return CropBatch(**chosen, margin=self.margin), residual, weights


def _fits(size: int, device: torch.device) -> bool:
    return device.type == "cuda" and size <= SHARE * torch.cuda.mem_get_info(device)[0]
