"""Drawing of landmarks, mesh and axes."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from rdrface.drawing import draw
from rdrface.errors import ImageError
from some_face import some_face

IMAGE = np.full((240, 320, 3), 90, np.uint8)


def changed(image: np.ndarray) -> np.ndarray:
    return (image != IMAGE).any(-1)


def test_the_input_image_does_not_change():
    image = IMAGE.copy()
    result = draw(image, [some_face()], mesh=True, axes=True)
    np.testing.assert_array_equal(image, IMAGE)
    assert result.shape == image.shape and result.dtype == np.uint8


def test_every_landmark_is_drawn_and_nothing_far_from_the_face():
    face = some_face()
    touched = changed(draw(IMAGE, [face]))
    for x, y in np.rint(face.landmarks).astype(int):
        assert touched[y, x]
    rows, columns = np.nonzero(touched)
    low, high = face.landmarks.min(0) - 6, face.landmarks.max(0) + 6
    assert columns.min() >= low[0] and columns.max() <= high[0]
    assert rows.min() >= low[1] and rows.max() <= high[1]


def test_hidden_points_look_different_from_visible_ones():
    face = some_face()
    all_visible = replace(face, visibility=np.ones(68, np.float32))
    differs = (draw(IMAGE, [face]) != draw(IMAGE, [all_visible])).any(-1)
    for i, (x, y) in enumerate(np.rint(face.landmarks).astype(int)):
        around = differs[y - 2 : y + 3, x - 2 : x + 3].any()
        if face.visibility[i] < 0.5:
            assert around
        elif i < 7 or i > 20:  # far from any hidden point
            assert not around


def test_the_mesh_covers_the_face_and_is_translucent():
    face = some_face()
    touched = changed(draw(IMAGE, [face], landmarks=False, mesh=True))
    vertices = face.mesh().vertices[:, :2]
    box = np.ptp(vertices, axis=0).prod()
    assert 0.5 * box < touched.sum() < box
    x, y = np.rint(face.landmarks[30]).astype(int)
    assert touched[y, x]
    lighter = draw(IMAGE + np.uint8(100), [face], landmarks=False, mesh=True)
    darker = draw(IMAGE, [face], landmarks=False, mesh=True)
    assert 20 < lighter[y, x].mean() - darker[y, x].mean() < 90


def test_axes_start_at_the_nose_and_have_the_documented_colors():
    face = some_face(angles=(0.0, 0.0, 0.0))
    image = draw(IMAGE, [face], landmarks=False, axes=True).astype(int)
    x, y = np.rint(face.landmarks_3d[30, :2]).astype(int)
    red = image[y, x + 30]
    green = image[y - 30, x]
    assert red[0] > red[1] + 80 and red[0] > red[2] + 80
    assert green[1] > green[0] + 80 and green[1] > green[2] + 80


@pytest.mark.parametrize("center", [(0, 0), (319, 10), (-500, -500), (160, 239)])
@pytest.mark.parametrize("size", [8, 900])
def test_faces_at_and_beyond_the_edge_of_the_image(center, size):
    result = draw(IMAGE, [some_face(center=center, size=size)], mesh=True, axes=True)
    assert result.shape == IMAGE.shape
    assert changed(result).any() == (center != (-500, -500) or size == 900)


def test_no_faces_gives_a_copy():
    result = draw(IMAGE, [])
    np.testing.assert_array_equal(result, IMAGE)
    assert result is not IMAGE


def test_every_image_type_can_be_drawn_on(tmp_path):
    path = tmp_path / "gray.png"
    Image.fromarray(IMAGE).save(path)
    expected = draw(IMAGE, [some_face()])
    for image in (path, str(path), Image.open(path), IMAGE[..., 0], IMAGE / 255):
        np.testing.assert_array_equal(draw(image, [some_face()]), expected)


@pytest.mark.parametrize("image", [np.zeros(5, np.uint8), np.zeros((5, 5, 3), np.int32), np.zeros((5, 5, 7), np.uint8)])
def test_invalid_arrays_are_refused(image):
    with pytest.raises(ImageError):
        draw(image, [])


@pytest.mark.parametrize("faces", [[{"landmarks": 1}], [[some_face()]]])
def test_only_faces_can_be_drawn(faces):
    with pytest.raises(TypeError, match=r"rdrface\.Face"):
        draw(IMAGE, faces)


def test_faces_with_unusable_landmarks():
    face = some_face()
    with pytest.raises(ValueError, match="NaN"):
        draw(IMAGE, [replace(face, landmarks=face.landmarks * np.float32(np.nan))])
    assert draw(IMAGE, [replace(face, landmarks=face.landmarks * np.float32(1e9))], axes=True).shape == IMAGE.shape
