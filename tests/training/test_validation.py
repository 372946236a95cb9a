"""The points that validation compares."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from rdrface.datasets.packing import pack
from rdrface.datasets.synthetic import draw_faces
from rdrface.training.augmentation.crop_batch import CropBatch
from rdrface.training.validation import comparable_points


def test_points_without_a_position_and_contours_on_the_jawline_have_weight_0(tmp_path: Path) -> None:
    labels = CropBatch.of(pack(draw_faces(tmp_path / "faces", 2), 32), np.arange(2))
    labels.points[0, 40] = torch.nan
    labels = replace(labels, jawline_convention=torch.tensor([False, True]))
    points, weight, side = comparable_points(labels)
    assert torch.isfinite(points).all() and (side > 0).all()
    assert weight[0, 40] == 0 and (weight[1, :17] == 0).all()
    assert weight[0].sum() == 67 and weight[1].sum() == 51
