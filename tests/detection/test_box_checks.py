"""Checks of boxes that users pass."""

import numpy as np
import pytest

from rdrface.detection.box_checks import check_boxes, check_boxes_in_image
from rdrface.errors import BoxError, RdrError


def test_boxes_are_converted_and_invalid_ones_are_refused():
    assert check_boxes([]).shape == (0, 4)
    assert check_boxes([[1, 2, 3, 4]]).dtype == np.float64
    with pytest.raises(ValueError, match="single box"):
        check_boxes([1, 2, 3, 4])
    with pytest.raises(ValueError, match="shape"):
        check_boxes(np.zeros((2, 5)))
    with pytest.raises(ValueError, match="xyxy"):
        check_boxes([[10, 10, 5, 20]])


@pytest.mark.parametrize(
    ("boxes", "reason"),
    [
        ([[0.2, 0.1, 0.5, 0.6]], "multiply them by its width and height"),
        ([[10, 10, 90, 90], [0, 0, 1, 1]], r"got \[0, 0, 1, 1\]"),
        ([[-0.1, 0.1, 1.1, 0.9]], "in image pixels"),
        ([[400, 300, 90, 100]], r"pass x, y, x \+ width, y \+ height"),
        ([[True, True, False, False]], "dtype bool"),
        ([["1", "2", "30", "40"]], "must be numbers"),
        ([{"box": [1, 2, 30, 40]}], "must be numbers"),
        (None, "must be numbers"),
        ([[1, 2], [1, 2, 30, 40]], "rows of different lengths"),
    ],
)
def test_boxes_that_are_not_in_pixels_or_not_xyxy_are_refused(boxes, reason):
    with pytest.raises(BoxError, match=reason):
        check_boxes(boxes)


def test_errors_of_boxes_are_value_errors_and_errors_of_rdrface():
    assert issubclass(BoxError, ValueError) and issubclass(BoxError, RdrError)


@pytest.mark.parametrize(
    "box",
    [
        [10, 10, 90, 90],
        [0, 0, 319, 239],
        [-60, 20, 60, 140],  # a face cut at half of its width
        [280, 100, 420, 240],
        [100, 20, 150, 130],
        [0, 100, 28, 200],  # the visible part of such a face
    ],
)
def test_boxes_in_and_partly_in_the_image_are_accepted(box):
    check_boxes_in_image(check_boxes([box]), 320, 240)


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        ([400, 100, 480, 180], "outside the image of 320 x 240 pixels"),
        ([-90, 20, -10, 100], "outside the image"),
        ([100, 300, 180, 380], "outside the image"),
        ([315, 20, 400, 100], "outside the image"),  # 6 %
        ([-2000, -2000, 2000, 2000], "outside the image"),
        ([90, 100, 110, 190], r"pass x, y, x \+ width, y \+ height"),  # x, y, width, height
        ([10, 100, 310, 140], "more than 4 times as long as wide"),
    ],
)
def test_boxes_that_do_not_belong_to_the_image_are_refused(box, reason):
    boxes = check_boxes([[10, 10, 90, 90], box])
    with pytest.raises(BoxError, match=reason):
        check_boxes_in_image(boxes, 320, 240)


def test_no_boxes_are_accepted():
    check_boxes_in_image(np.empty((0, 4)), 320, 240)
