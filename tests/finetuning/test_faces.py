"""Choice of the box from which an annotated face is aligned."""

import numpy as np
import pytest

from rdrface.detection.protocol import Detections

pytest.importorskip("torch")

from rdrface.finetuning.faces import initial_box


def test_the_detected_face_that_contains_the_points_is_chosen() -> None:
    boxes = np.array([[0, 0, 50, 50], [100, 0, 150, 50]], float)
    detections = Detections(boxes, np.ones(2, np.float32), boxes)
    points = np.array([[110, 10], [140, 12], [np.nan, np.nan], [120, 55]], np.float32)
    box, detected = initial_box(detections, points)
    assert detected
    np.testing.assert_array_equal(box, boxes[1])
    box, detected = initial_box(detections, points + np.float32([0, 300]))
    assert not detected and box[1] >= 300 and (box[2:] > box[:2]).all()


def test_collinear_points_still_give_a_box() -> None:
    box, detected = initial_box(Detections.empty(), np.array([[10, 10], [30, 10]], np.float32))
    assert not detected and (box[2:] - box[:2] > 10).all()
