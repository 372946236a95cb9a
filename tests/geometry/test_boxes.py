"""Boxes: bounding boxes, size, IoU and non-maximum suppression."""

import numpy as np
import pytest

from rdrface.geometry.boxes import bounding_boxes, box_iou, box_size, nms


def test_the_bounding_box_ignores_unknown_points():
    points = np.array([[[1.0, 2], [5, 4], [np.nan, np.nan]]])
    np.testing.assert_array_equal(bounding_boxes(points), [[1, 2, 5, 4]])


def test_the_size_of_a_box_is_the_square_root_of_its_area():
    assert box_size(np.array([[0.0, 0, 2, 8]])) == pytest.approx(4)


def test_iou_of_equal_overlapping_and_distant_boxes():
    boxes = np.array([[0.0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]])
    np.testing.assert_allclose(box_iou(boxes[:1], boxes), [[1, 1 / 3, 0]])


def test_nms_keeps_the_box_with_the_highest_score_of_each_face():
    boxes = np.array([[0.0, 0, 10, 10], [1, 1, 11, 11], [50, 50, 60, 60], [0, 0, 10, 4]])
    kept = nms(boxes, np.array([0.7, 0.9, 0.8, 0.6]), 0.4)
    np.testing.assert_array_equal(kept, [1, 2, 3])
    assert nms(np.empty((0, 4)), np.empty(0), 0.4).shape == (0,)
