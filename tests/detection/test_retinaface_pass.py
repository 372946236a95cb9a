"""One pass of RetinaFace: input, priors and decoding."""

import numpy as np
import pytest

from rdrface.detection.retinaface_pass import BORDER, decode_boxes, pad, priors


def test_the_border_repeats_the_edge_of_the_image():
    image = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    padded = pad(image)
    assert padded.shape == (1, 3, 128, 128) and padded.dtype == np.float32
    inside = padded[0, :, BORDER : BORDER + 40, BORDER : BORDER + 50]
    np.testing.assert_array_equal(inside.transpose(1, 2, 0)[..., ::-1] + [123, 117, 104], image)
    np.testing.assert_array_equal(padded[0, :, BORDER + 5, :BORDER], np.repeat(inside[:, 5, :1], BORDER, axis=1))


def test_one_prior_pair_per_cell_and_stride():
    result = priors(64, 96)
    assert result.shape == (2 * (8 * 12 + 4 * 6 + 2 * 3), 3)
    np.testing.assert_array_equal(result[:3], [[4, 4, 16], [4, 4, 32], [12, 4, 16]])
    np.testing.assert_array_equal(result[-1], [80, 48, 512])


def test_decoding_follows_ssd():
    boxes = decode_boxes(np.array([[0.0, 0, 0, 0], [1, -2, 5, 0]]), np.array([[100.0, 50, 20], [100, 50, 20]]))
    np.testing.assert_allclose(boxes[0], [90, 40, 110, 60])
    np.testing.assert_allclose((boxes[1, :2] + boxes[1, 2:]) / 2, [102, 46])
    np.testing.assert_allclose(boxes[1, 2:] - boxes[1, :2], [20 * np.e, 20])


@pytest.mark.parametrize("shape", [(64, 96), (48, 112), (256, 336)])
def test_chosen_priors_are_those_of_all(shape):
    every = priors(*shape)
    assert len(every) == 2 * sum(-(-shape[0] // stride) * -(-shape[1] // stride) for stride in (8, 16, 32))
    chosen = np.array([0, 5, len(every) // 2, len(every) - 1])
    np.testing.assert_array_equal(priors(*shape, chosen), every[chosen])


def test_the_border_and_the_multiple_can_be_chosen():
    image = np.full((40, 60, 3), 200, np.uint8)
    assert pad(image, 8, 16).shape == (1, 3, 64, 80)
    assert pad(image, 0, 16).shape == (1, 3, 48, 64)
