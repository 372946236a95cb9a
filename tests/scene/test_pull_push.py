"""Filling of holes in images."""

import numpy as np

from rdrface.scene.pull_push import pull_push


def test_known_pixels_stay_and_holes_get_values_between_their_neighbors():
    rng = np.random.default_rng(0)
    image = rng.uniform(50, 200, (64, 64, 3)).astype(np.float32)
    known = (rng.random((64, 64)) < 0.2).astype(np.float32)
    filled = pull_push(image, known)
    np.testing.assert_allclose(filled[known == 1], image[known == 1], rtol=1e-5)
    assert filled.min() >= 50 and filled.max() <= 200


def test_a_gap_in_a_gradient_is_bridged_without_a_step():
    gradient = np.broadcast_to(np.arange(64, dtype=np.float32)[None, :, None], (64, 64, 1))
    known = np.ones((64, 64), np.float32)
    known[:, 24:40] = 0
    filled = pull_push(gradient, known)
    assert np.abs(np.diff(filled[:, :, 0], axis=1)).max() < 5


def test_without_a_known_pixel_the_result_is_black():
    assert pull_push(np.ones((8, 8, 3), np.float32), np.zeros((8, 8), np.float32)).max() == 0
