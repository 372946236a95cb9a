"""Boxes of a batch agree with those of `rdrface.geometry.boxes`."""

import numpy as np
import pytest

from rdrface.geometry.boxes import bounding_boxes, box_size

torch = pytest.importorskip("torch")

from rdrface.training.augmentation.boxes import bounding_corners, corners_size, points_size  # noqa: E402


def test_boxes_and_sizes_are_those_of_the_numpy_functions():
    points = np.random.default_rng(0).normal(0, 1, (5, 68, 2))
    sizes = box_size(bounding_boxes(points))
    np.testing.assert_allclose(points_size(torch.from_numpy(points)).numpy(), sizes)
    points[:, ::3] = np.nan
    low, high = bounding_corners(torch.from_numpy(points))
    np.testing.assert_array_equal(torch.cat([low, high], 1).numpy(), bounding_boxes(points))
    np.testing.assert_allclose(corners_size(low, high).numpy(), box_size(bounding_boxes(points)))
