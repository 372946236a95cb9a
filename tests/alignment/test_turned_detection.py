"""Detections in turned images, converted back."""

import numpy as np
import pytest

from rdrface.alignment.turned_detection import quarters_of, turned_back
from rdrface.detection.protocol import Detections


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_a_box_found_in_a_turned_image_is_returned_where_it_is_in_the_image(quarters):
    image = np.zeros((60, 100), bool)
    image[20:31, 70:81] = True
    rows, columns = np.nonzero(np.rot90(image, quarters))
    box = np.array([[columns.min(), rows.min(), columns.max(), rows.max()]], float)
    found = Detections(box, np.ones(1, np.float32), box + np.array([[-2, -1, 2, 1]]), np.array([10.0]))
    back = turned_back(found, image.shape, quarters)
    np.testing.assert_array_equal(back.boxes, [[70, 20, 80, 30]])
    np.testing.assert_array_equal(
        back.detector_boxes[0, 2:] - back.detector_boxes[0, :2], [14, 12][:: 1 - quarters % 2 * 2]
    )
    np.testing.assert_allclose(back.angles, [[10, 100, -170, -80][quarters]])


def test_the_turn_that_makes_most_faces_upright():
    assert quarters_of(np.array([5.0, -30, 100])) == 0
    assert quarters_of(np.array([80.0, 100, 3])) == 1
    assert quarters_of(np.array([175.0, -170])) == 2
    assert quarters_of(np.array([-95.0])) == 3
