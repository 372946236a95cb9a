"""Antialiased lines, discs and rings."""

import numpy as np

from rdrface.drawing.strokes import blend, coverage, strokes

SHAPE = (60, 80, 3)


def alpha(*arguments, **options) -> np.ndarray:
    """(60, 80) alpha of strokes."""
    covered = coverage(strokes(*arguments, **options), SHAPE)
    image = np.zeros(SHAPE[0] * SHAPE[1])
    image[covered.pixel] = covered.alpha
    return image.reshape(SHAPE[:2])


def point(x: float, y: float) -> np.ndarray:
    return np.array([[x, y]])


def test_a_disc_has_its_area_and_its_center_at_positions_between_pixels():
    disc = alpha(point(30.3, 20.8), point(30.3, 20.8), 7.4, (255, 255, 255))
    np.testing.assert_allclose(disc.sum(), np.pi * 7.4**2, rtol=0.01)
    rows, columns = np.indices(disc.shape)
    np.testing.assert_allclose((disc * columns).sum() / disc.sum(), 30.3, atol=0.02)
    np.testing.assert_allclose((disc * rows).sum() / disc.sum(), 20.8, atol=0.02)


def test_a_line_has_its_width_in_every_direction():
    for angle in (0.0, 0.3, 1.2):
        end = point(40 + 25 * np.cos(angle), 30 + 25 * np.sin(angle))
        line = alpha(point(40, 30), end, 1.5, (255, 255, 255))
        np.testing.assert_allclose(line.sum(), 25 * 3 + np.pi * 1.5**2, rtol=0.02)
        # Pieces of a line do not overlap visibly.
        assert line.max() == 1


def test_a_ring_is_empty_inside():
    ring = alpha(point(40, 30), point(40, 30), 8.0, (255, 255, 255), hole=6.0)
    assert ring[30, 40] == 0 and ring[30, 44] == 0
    assert ring[30, 47] == 1
    np.testing.assert_allclose(ring.sum(), np.pi * (8**2 - 6**2), rtol=0.01)


def test_strokes_are_clipped_to_the_image():
    outside = point(-1e9, -1e9)
    line = alpha(outside, point(1e9, 1e9), 1.0, (255, 255, 255))
    assert line[30, 30] == 1 and line[30, 40] == 0
    assert not alpha(outside, outside, 5.0, (255, 255, 255)).any()
    assert not alpha(point(-20, 0), point(-20, 60), 5.0, (255, 255, 255)).any()
    assert alpha(point(-4, 0), point(-4, 60), 5.0, (255, 255, 255))[30, 0] == 1


def test_strokes_are_removed_where_others_are():
    line = coverage(strokes(point(10, 30), point(70, 30), 2.0, (255, 0, 0)), SHAPE)
    hole = coverage(strokes(point(40, 30), point(40, 30), 5.0, (0, 0, 0)), SHAPE)
    canvas = np.zeros(SHAPE, np.uint8)
    blend(canvas, line.without(hole))
    assert canvas[30, 20].tolist() == [255, 0, 0]
    assert not canvas[26:35, 38:43].any()
    nothing = coverage(strokes(np.zeros((0, 2)), np.zeros((0, 2)), 1.0, (0, 0, 0)), SHAPE)
    assert line.without(nothing) is line


def test_blending_is_proportional_to_opacity():
    canvas = np.full(SHAPE, 100, np.uint8)
    blend(canvas, coverage(strokes(point(40, 30), point(40, 30), 5.0, (200, 100, 0), 0.25), SHAPE))
    assert canvas[30, 40].tolist() == [125, 100, 75]
    assert canvas[0, 0].tolist() == [100, 100, 100]
