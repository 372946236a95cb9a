"""Contact sheets."""

import numpy as np
import pytest

from rdrface.datasets.contact_sheet import STATE_COLORS, contact_sheet, draw_dot, draw_line
from rdrface.geometry.rasterize import to_pixels


def test_the_layout_is_the_same_for_both_kinds_of_crops():
    uint8 = np.full((5, 40, 40, 3), 60, np.uint8)
    sheet = contact_sheet(uint8, columns=3, cell=50)
    assert sheet.shape == (100, 150, 3) and sheet.dtype == np.uint8
    assert (sheet[:50] == 60).all() and (sheet[50:, 100:] == 128).all()
    same = contact_sheet(np.full((5, 3, 40, 40), 60.2, np.float32), columns=3, cell=50)
    np.testing.assert_array_equal(sheet, same)


def test_points_are_drawn_at_their_pixels():
    crops = np.zeros((1, 40, 40, 3), np.uint8)
    points = np.array([[[2 * 20.5 / 40 - 1, 2 * 10.5 / 40 - 1], [np.nan, 0], [1e9, 0]]])  # pixel (20, 10)
    sheet = contact_sheet(crops, points, np.array([[2, 1, 1]]), cell=40)
    assert sheet[10, 20].tolist() == list(STATE_COLORS[2])
    light = sheet.sum(2) / sheet.sum()
    np.testing.assert_allclose([light.sum(1) @ np.arange(40), light.sum(0) @ np.arange(40)], [10, 20], atol=0.25)
    numbered = contact_sheet(crops, points, titles=["a"], cell=160, numbers=True)
    assert (numbered > 0).sum() > (contact_sheet(crops, points, cell=160) > 0).sum()


def test_inconsistent_input_is_refused():
    with pytest.raises(ValueError, match="2 crops, but 1 points"):
        contact_sheet(np.zeros((2, 8, 8, 3), np.uint8), np.zeros((1, 68, 2)))
    with pytest.raises(ValueError, match="crops must be"):
        contact_sheet(np.zeros((0, 8, 8, 3), np.uint8))


def test_lines_and_dots_with_invalid_points_are_not_drawn():
    image = np.zeros((40, 40, 3), np.uint8)
    assert to_pixels(np.array([-1.0, 1.0]), 40).tolist() == [-0.5, 39.5]
    for bad in ([np.nan, 1.0], [1e9, 1.0]):
        draw_dot(image, np.array(bad), (255, 0, 0))
        draw_line(image, np.array([[1.0, 1.0], bad]), (255, 0, 0))
    assert not image.any()
    draw_line(image, np.array([[5.0, 5.0], [30.0, 5.0], [30.0, 20.0]]), (255, 0, 0), closed=True)
    assert image[5, 15, 0] > 200 and image[12, 30, 0] > 200 and image[11, 15, 0] > 0 and not image[..., 1:].any()
