"""An image of three colors, for tests of reading images."""

import numpy as np

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def colored(width=8, height=6):
    """The top left quarter is red, the top right quarter green, the lower half blue."""
    array = np.zeros((height, width, 3), np.uint8)
    array[: height // 2, : width // 2] = RED
    array[: height // 2, width // 2 :] = GREEN
    array[height // 2 :] = BLUE
    return array


def assert_rgb(result, shape):
    assert result.shape == shape and result.dtype == np.uint8 and result.flags.c_contiguous
