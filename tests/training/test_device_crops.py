"""Batches of packed faces on the training device."""

from pathlib import Path

import numpy as np
import torch

from rdrface.datasets.packing import pack
from rdrface.datasets.synthetic import draw_faces
from rdrface.training.device_crops import DeviceCrops


def test_a_batch_contains_the_faces_of_the_pack(tmp_path: Path) -> None:
    faces = pack(draw_faces(tmp_path / "faces", 6), 32)
    index = np.array([5, 0, 5])
    weights = np.linspace(0, 1, len(faces), dtype=np.float32)
    resident = DeviceCrops(faces, weights, torch.device("cpu"))
    batch = resident.batch(index)
    assert len(resident) == len(faces)
    for name in ("images", "valid", "points", "state", "jawline_convention", "outline", "jawline", "Q", "residual"):
        np.testing.assert_array_equal(getattr(batch, name).numpy(), getattr(faces, name)[index])
    np.testing.assert_array_equal(batch.label_weight.numpy(), weights[index])
