"""The axes of the head beside the face."""

from dataclasses import replace

import numpy as np
import pytest

from rdrface.drawing import draw
from rdrface.drawing.axes import AXES
from some_face import some_face

IMAGE = np.full((240, 320, 3), 90, np.uint8)


def with_axes(angles: tuple[float, ...], center: tuple[float, float] = (160.0, 120.0)) -> np.ndarray:
    face = replace(some_face(center=center, angles=angles), uncertainty=np.full(68, 2.0, np.float32))
    return draw(IMAGE, [face], landmarks=False, axes=True)


def center_of(image: np.ndarray, name: str) -> np.ndarray:
    """Mean position of the pixels that have the color of an axis."""
    rows, columns = np.nonzero((np.abs(image.astype(int) - AXES[name]) < 8).all(axis=2))
    assert len(rows), name
    return np.array([columns.mean(), rows.mean()])


def test_axes_have_the_documented_colors_and_directions():
    frontal = with_axes((0.0, 0.0, 0.0))
    x, y, z = (center_of(frontal, name) for name in "xyz")
    assert x[0] > z[0] + 5 and abs(x[1] - z[1]) < 3
    assert y[1] < z[1] - 5 and abs(y[0] - z[0]) < 3
    to_the_right = with_axes((0.0, 1.2, 0.0))
    assert center_of(to_the_right, "z")[0] > center_of(to_the_right, "y")[0] + 5
    rolled = with_axes((0.0, 0.0, np.pi / 2))
    assert center_of(rolled, "y")[0] < center_of(rolled, "z")[0] - 5


@pytest.mark.parametrize("center", [(160.0, 120.0), (255.0, 120.0), (65.0, 180.0)])
def test_axes_are_beside_the_face_and_inside_the_image(center):
    image = with_axes((0.2, 0.4, 0.0), center)
    face = some_face(center=center, angles=(0.2, 0.4, 0.0))
    changed = (image != IMAGE).any(axis=2)
    (x0, y0), (x1, y1) = face.landmarks.min(0).astype(int), face.landmarks.max(0).astype(int)
    assert changed.any() and not changed[y0 : y1 + 1, x0 : x1 + 1].any()
    assert not changed[0].any() and not changed[-1].any() and not changed[:, 0].any() and not changed[:, -1].any()


def test_axes_do_not_cover_another_face():
    face = replace(some_face(center=(120.0, 120.0)), uncertainty=np.full(68, 2.0, np.float32))
    beside = replace(face, landmarks=face.landmarks + np.float32([115, 0]))
    image = draw(IMAGE, [beside, face], landmarks=False, axes=True)
    x0, y0 = beside.landmarks.min(0).astype(int)
    x1, y1 = beside.landmarks.max(0).astype(int)
    assert not (image != IMAGE).any(axis=2)[y0 : y1 + 1, x0 : x1 + 1].any()


def test_the_axes_of_a_face_outside_the_image_are_not_drawn():
    np.testing.assert_array_equal(with_axes((0.0, 0.0, 0.0), (-200.0, 120.0)), IMAGE)


@pytest.mark.parametrize(("width", "height", "size"), [(24, 27, 18.0), (120, 140, 100.0)])
def test_the_axes_are_left_out_of_crops_without_free_space(width, height, size):
    crop = np.full((height, width, 3), 90, np.uint8)
    face = replace(some_face((width / 2, height / 2), size), uncertainty=np.full(68, 2.0, np.float32))
    np.testing.assert_array_equal(draw(crop, [face], landmarks=False, axes=True), crop)


@pytest.mark.parametrize("angles", [(0.0, 0.0, 0.0), (0.2, 1.2, 0.0), (0.0, -0.5, 2.0)])
def test_smaller_axes_are_drawn_if_the_full_size_does_not_fit(angles):
    face = replace(some_face((250.0, 300.0), 400.0, angles), uncertainty=np.full(68, 2.0, np.float32))
    face = replace(face, landmarks=face.landmarks - face.landmarks.min(0) + 5)
    x1, y1 = np.ceil(face.landmarks.max(0)).astype(int)
    image = np.full((y1 + 5, x1 + 90, 3), 90, np.uint8)  # the full size needs about 150 pixels beside the face
    changed = (draw(image, [face], landmarks=False, axes=True) != image).any(axis=2)
    assert changed[:, x1 + 1 :].any() and not changed[5:y1, 5:x1].any()
