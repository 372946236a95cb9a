"""The crop: its geometry, resampling and invalid boxes."""

import numpy as np
import pytest

from rdrface.crop import EXPANSION, CropFrame, cut
from rdrface.geometry.boxes import bounding_boxes


def crop_pixel_centers(frame: CropFrame, size: int) -> np.ndarray:
    """(B, size, size, 2): image coordinates of every pixel of the crops."""
    centers = (2 * np.arange(size) + 1) / size - 1
    grid = np.stack(np.meshgrid(centers, centers), axis=-1).reshape(1, -1, 2).repeat(len(frame.half), axis=0)
    return frame.to_image(grid).reshape(-1, size, size, 2)


def gradient(width: int, height: int) -> np.ndarray:
    """Image whose red value is proportional to x and whose green value is proportional to y, with random rounding.

    Without the random part, the rounding errors of neighboring pixels are alike and do not cancel in averages.
    """
    rng = np.random.default_rng(0)
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = np.floor(np.arange(width) * 254 / (width - 1) + rng.random((height, width)))
    image[..., 1] = np.floor(np.arange(height)[:, None] * 254 / (height - 1) + rng.random((height, width)))
    return image


def test_the_crop_is_a_square_around_the_box():
    frame = CropFrame.from_boxes(np.array([[10.0, 20, 50, 110]]))
    np.testing.assert_allclose(frame.center, [[30, 65]])
    np.testing.assert_allclose(frame.half, [np.sqrt(40 * 90) * EXPANSION / 2])


def test_to_crop_is_the_inverse_of_to_image():
    frame = CropFrame.from_boxes(np.array([[10.0, 20, 50, 110], [-5, 3, 400, 90]]))
    points = np.random.default_rng(0).uniform(-1.5, 1.5, (2, 68, 3))
    np.testing.assert_allclose(frame.to_crop(frame.to_image(points)), points, atol=1e-12)
    np.testing.assert_allclose(frame.to_image(np.array([[[1.0, -1, 0.5]]] * 2))[:, 0, 2], frame.half / 2)
    turned = CropFrame.from_boxes(np.array([[10.0, 20, 50, 110], [-5, 3, 400, 90]]), np.array([25.0, -170]))
    np.testing.assert_allclose(turned.to_crop(turned.to_image(points)), points, atol=1e-12)


def assert_shows_gradient(box: np.ndarray, angle: float) -> None:
    """Check that the crop of a box (4,) shows `gradient` at its pixels, without an offset of half a pixel."""
    frame = CropFrame.from_boxes(box[None], np.array([angle]))
    crop = cut(gradient(1000, 800), frame, 64)[0]
    at = crop_pixel_centers(frame, 64)[0]
    # One gray level is 4 image pixels wide; averages of 64 pixels of the crop.
    red, green = crop[0] - at[..., 0] * 254 / 999, crop[1] - at[..., 1] * 254 / 799
    np.testing.assert_allclose(red.mean(axis=0), 0, atol=0.6)
    np.testing.assert_allclose(green.mean(axis=1), 0, atol=0.6)
    assert abs(red.mean()) < 0.12
    assert abs(green.mean()) < 0.12


@pytest.mark.parametrize("side", [40.3, 64, 150, 311.7, 600])
def test_a_crop_pixel_shows_the_image_at_its_center(side):
    """Whether the crop is enlarged, unchanged, or reduced a little or a lot."""
    half = side / EXPANSION / 2
    assert_shows_gradient(np.array([487.3 - half, 411.8 - half, 487.3 + half, 411.8 + half]), 0.0)


@pytest.mark.parametrize("angle", [30, -100, 180])
@pytest.mark.parametrize("side", [64, 311.7])
def test_a_rotated_crop_shows_the_image_at_its_pixels(angle, side):
    half = side / 2
    assert_shows_gradient(np.array([487.3 - half, 411.8 - half, 487.3 + half, 411.8 + half]), angle)


def test_a_crop_turned_by_90_degrees_is_the_crop_of_the_turned_image():
    image = np.random.default_rng(2).integers(0, 256, (90, 100, 3), np.uint8)
    center = np.array([[41.5, 38.5]])
    upright = cut(image, CropFrame(center, np.array([32.0])), 64)[0]
    turned = cut(image, CropFrame(center, np.array([32.0]), np.radians([90.0])), 64)[0]
    np.testing.assert_allclose(turned, np.rot90(upright, axes=(1, 2)), atol=1e-3)


def test_a_crop_at_the_scale_of_the_image_has_the_same_pixels():
    image = np.random.default_rng(1).integers(0, 256, (90, 100, 3), np.uint8)
    # The first pixel of the crop is image pixel (10, 7); the edges are half a pixel outside.
    frame = CropFrame(center=np.array([[10 + 31.5, 7 + 31.5]]), half=np.array([32.0]))
    np.testing.assert_array_equal(cut(image, frame, 64)[0], image[7:71, 10:74].transpose(2, 0, 1))


def test_large_faces_are_averaged():
    stripes = np.zeros((640, 640, 3), np.uint8)
    stripes[:, ::2] = 200
    frame = CropFrame(center=np.array([[319.5, 319.5]]), half=np.array([256.0]))
    np.testing.assert_allclose(cut(stripes, frame, 64)[0], 100, atol=2)


def test_outside_the_image_its_edge_is_repeated():
    image = np.full((50, 50, 3), 100, np.uint8)
    image[:, -1] = 200
    image[0] = 30
    frame = CropFrame.from_boxes(np.array([[30.0, 30, 70, 70], [500, 500, 700, 700], [1e7, -1e7, 1e7 + 100, -1e7 + 9]]))
    crops = cut(image, frame, 32)
    beyond = crop_pixel_centers(frame, 32)[0][..., 0] > 49
    assert (crops[0][:, beyond] == 200).all()
    assert (crops[0][:, crop_pixel_centers(frame, 32)[0][..., 0] < 48] == 100).all()
    assert (crops[1] == 200).all()
    assert (crops[2] == 30).all()


@pytest.mark.parametrize(
    "boxes", [[[0, 0, 0, 5]], [[5, 5, 1, 9]], [[0, 0, np.nan, 5]], [0, 0, 1, 1], [[0, 0, 1]], [[0, 0, np.inf, 1]]]
)
def test_invalid_boxes_are_refused(boxes):
    with pytest.raises(ValueError, match="boxes must"):
        CropFrame.from_boxes(np.array(boxes, float))


def test_bounding_boxes_ignore_unknown_points():
    points = np.array([[[1.0, 2], [np.nan, np.nan], [5, -3]]])
    np.testing.assert_array_equal(bounding_boxes(points), [[1, -3, 5, 2]])


@pytest.mark.parametrize("half", [6.0, 40.0, 260.0])
@pytest.mark.parametrize("center", [(70.3, 45.6), (-3.0, 99.0)])
def test_an_upright_crop_is_the_limit_of_a_rotated_one(half, center):
    """Upright crops are sampled by rows and columns, rotated ones pixel by pixel."""
    image = np.random.default_rng(0).integers(0, 256, (100, 140, 3), dtype=np.uint8)
    at, size = np.array([center]), np.array([half])
    upright = cut(image, CropFrame(at, size), 64)
    rotated = cut(image, CropFrame(at, size, np.array([1e-9])), 64)
    np.testing.assert_allclose(upright, rotated, atol=1e-3)
