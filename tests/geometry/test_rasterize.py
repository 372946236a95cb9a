"""The z-buffer."""

import numpy as np

from rdrface.geometry.rasterize import rasterize, to_pixels

SQUARE = np.float32([[[2, 2, 0], [12, 2, 0], [12, 12, 0]], [[2, 2, 0], [12, 12, 0], [2, 12, 0]]])


def test_the_front_triangle_is_shown_without_gaps():
    front = np.float32([[[4, 4, 5], [8, 4, 5], [4, 8, 5]]])
    raster = rasterize(np.concatenate([front, SQUARE]), 16)
    shown = raster.triangle.reshape(16, 16)
    assert (shown[2:13, 2:13] >= 0).all() and (shown >= 0).sum() == 121
    assert shown[5, 5] == 0 and shown[10, 11] == 1 and shown[11, 10] == 2
    depth = raster.depth.reshape(16, 16)
    assert depth[5, 5] == 5 and depth[10, 11] == 0 and np.isneginf(depth[0, 0])


def test_interpolated_corners_are_the_positions_of_the_pixels():
    raster = rasterize(SQUARE, 16)
    at = raster.interpolate(SQUARE).reshape(16, 16, 3)
    rows, columns = np.nonzero(raster.triangle.reshape(16, 16) >= 0)
    np.testing.assert_allclose(at[rows, columns, :2], np.stack([columns, rows], 1), atol=1e-4)


def test_triangles_outside_the_image_and_degenerate_ones_are_not_drawn():
    point = np.float32([[[5, 5, 0], [5, 5, 0], [5, 5, 0]]])
    raster = rasterize(np.concatenate([SQUARE + np.float32([40, 0, 0]), point]), 16)
    assert (raster.triangle == -1).all()


def test_frame_edges_are_half_a_pixel_outside_the_outermost_centers():
    pixels = to_pixels(np.float32([[-1, 1, 0.5]]), 8)
    np.testing.assert_allclose(pixels, [[-0.5, 7.5, 2.0]])


def test_images_need_not_be_square():
    square, wide = rasterize(SQUARE, 16), rasterize(SQUARE, (24, 16))
    for name in ("triangle", "depth"):
        kept = getattr(wide, name).reshape(16, 24)[:, :16]
        np.testing.assert_array_equal(kept, getattr(square, name).reshape(16, 16))
