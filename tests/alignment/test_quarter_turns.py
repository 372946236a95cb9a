"""Detections in images rotated by quarter turns, converted back."""

import numpy as np
import pytest

from rdrface.alignment.quarter_turns import quarter_turns_of, rotated_back
from rdrface.detection.protocol import Detections
from some_face import some_face


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_a_box_found_in_a_turned_image_is_returned_where_it_is_in_the_image(quarters):
    image = np.zeros((60, 100), bool)
    image[20:31, 70:81] = True
    rows, columns = np.nonzero(np.rot90(image, quarters))
    box = np.array([[columns.min(), rows.min(), columns.max(), rows.max()]], float)
    found = Detections(box, np.ones(1, np.float32), box + np.array([[-2, -1, 2, 1]]), np.array([10.0]))
    back = rotated_back(found, image.shape, quarters)
    np.testing.assert_array_equal(back.boxes, [[70, 20, 80, 30]])
    np.testing.assert_array_equal(
        back.detector_boxes[0, 2:] - back.detector_boxes[0, :2], [14, 12][:: 1 - quarters % 2 * 2]
    )
    np.testing.assert_allclose(back.angles, [[10, 100, -170, -80][quarters]])


def test_the_rotation_that_makes_most_faces_upright():
    face = some_face().landmarks - some_face().landmarks.mean(axis=0)
    rotated = {
        degrees: face @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
        for degrees, a in ((degrees, np.radians(degrees)) for degrees in (0, 20, 100, 170, -170, -95))
    }
    assert quarter_turns_of([rotated[0], rotated[20], rotated[100]]) == 0
    assert quarter_turns_of([rotated[100]]) == 1
    assert quarter_turns_of([rotated[0], rotated[170], rotated[-170]]) == 2
    assert quarter_turns_of([rotated[-95]]) == 3
