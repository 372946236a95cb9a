"""Boxes: bounding boxes, size, IoU and non-maximum suppression."""

import numpy as np
import pytest

from rdrface.geometry.boxes import bounding_boxes, box_iou, box_size, containment, image_edges, nms


def test_the_bounding_box_ignores_unknown_points():
    points = np.array([[[1.0, 2], [5, 4], [np.nan, np.nan]]])
    np.testing.assert_array_equal(bounding_boxes(points), [[1, 2, 5, 4]])


def test_the_edges_of_an_image_are_half_a_pixel_outside_the_centers_of_its_outer_pixels():
    edges = image_edges(width=640, height=480)
    np.testing.assert_array_equal(edges, [-0.5, -0.5, 639.5, 479.5])
    assert edges.dtype == np.float64


def test_the_size_of_a_box_is_the_square_root_of_its_area():
    assert box_size(np.array([[0.0, 0, 2, 8]])) == pytest.approx(4)


def test_iou_of_equal_overlapping_and_distant_boxes():
    boxes = np.array([[0.0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]])
    np.testing.assert_allclose(box_iou(boxes[:1], boxes), [[1, 1 / 3, 0]])


def test_containment_is_the_covered_part_of_the_smaller_box():
    boxes = np.array([[0.0, 0, 10, 10], [5, 0, 15, 10], [2, 2, 4, 4], [9, 9, 11, 11], [20, 20, 30, 30]])
    np.testing.assert_allclose(containment(boxes[:1], boxes), [[1, 1 / 2, 1, 1 / 4, 0]])
    np.testing.assert_allclose(containment(boxes, boxes[:1]), containment(boxes[:1], boxes).T)


def test_nms_keeps_the_box_with_the_highest_score_of_each_face():
    boxes = np.array([[0.0, 0, 10, 10], [1, 1, 11, 11], [50, 50, 60, 60], [0, 0, 10, 4]])
    kept = nms(boxes, np.array([0.7, 0.9, 0.8, 0.6]), 0.4)
    np.testing.assert_array_equal(kept, [1, 2, 3])
    assert nms(np.empty((0, 4)), np.empty(0), 0.4).shape == (0,)


def test_nms_equals_that_of_opencv():
    """On random boxes: clusters, whole pixels, equal boxes, equal scores, none at all."""
    cv2 = pytest.importorskip("cv2")
    rng = np.random.default_rng(0)
    for trial in range(600):
        count = int(rng.integers(0, 60))
        half = rng.uniform(2, 40, (count, 2))
        center = rng.uniform(0, 100, (count, 2))
        boxes = np.concatenate([center - half, center + half], axis=1)
        scores = rng.uniform(0.01, 1, count).astype(np.float32)
        if trial % 3 == 0:
            boxes = np.round(boxes)
        if trial % 2 == 0:
            scores = np.round(scores, 1) + np.float32(0.05)
        if trial % 5 == 0 and count > 3:
            boxes[1], scores[1] = boxes[0], scores[0]
        threshold = float(rng.choice([0.2, 0.4, 0.7]))
        xywh = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
        expected = cv2.dnn.NMSBoxes(xywh.tolist(), scores.tolist(), 0.0, threshold)
        np.testing.assert_array_equal(nms(boxes, scores, threshold), np.array(expected, np.int64))
