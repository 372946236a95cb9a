"""Arrays become (H, W, 3) uint8 RGB, or an ImageError with the reason."""

import numpy as np
import pytest
from PIL import Image

from colored_image import assert_rgb, colored
from rdrface.errors import ImageError
from rdrface.image import read_image


def test_uint8_rgb_arrays_are_returned_without_a_copy():
    array = colored()
    assert read_image(array) is array


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1)])
def test_gray_arrays(shape):
    result = read_image(np.full(shape, 9, np.uint8))
    assert_rgb(result, (5, 7, 3))
    assert (result == 9).all()


def test_float_and_bool_arrays():
    values = np.array([[0.0, 0.5, 1.0]])
    for dtype in (np.float64, np.float32, np.float16):
        np.testing.assert_array_equal(read_image(values.astype(dtype))[0, :, 0], [0, 128, 255])
    assert read_image(np.array([[True, False]]))[0, :, 2].tolist() == [255, 0]


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros((3, 40, 40), np.uint8), "move the channels"),
        (np.zeros((40, 40, 2), np.uint8), "must be"),
        (np.zeros(40, np.uint8), "must be"),
        (np.zeros((2, 40, 40, 3), np.uint8), "must be"),
        (np.zeros((0, 40, 3), np.uint8), "no pixels"),
        (np.zeros((4, 4, 3), np.int64), "int64"),
        (np.zeros((4, 4, 3), complex), "complex128"),
        (np.full((4, 4, 3), 200.0), "0..1, got 200..200"),
        (np.full((4, 4, 3), -0.1), "0..1"),
        (np.full((4, 4, 3), np.nan), "NaN"),
        (np.full((4, 4), "x"), "<U1"),
    ],
)
def test_invalid_arrays_are_refused(array, reason):
    with pytest.raises(ImageError, match=reason):
        read_image(array)


def test_uint16_arrays_with_values_of_uint8_are_refused():
    with pytest.raises(ImageError, match=r"maximum is 255; convert values of 0..255 with astype\('uint8'\)"):
        read_image(colored().astype(np.uint16))
    assert read_image(np.zeros((4, 5), np.uint16)).max() == 0
    assert read_image(np.full((4, 5), 257, np.uint16)).max() == 1


def test_files_of_16_bits_with_values_of_8_bits_are_scaled(tmp_path):
    Image.fromarray(np.arange(256, dtype=np.uint16).reshape(16, 16)).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png")[..., 0].ravel(), np.arange(256))
