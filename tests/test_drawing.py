from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from rdrface.drawing import draw
from rdrface.errors import ImageError
from some_face import some_face

PHOTO = np.full((240, 320, 3), 90, np.uint8)


def changed(picture: np.ndarray) -> np.ndarray:
    return (picture != PHOTO).any(-1)


def test_the_photo_is_never_changed():
    photo = PHOTO.copy()
    result = draw(photo, [some_face()], mesh=True, axes=True)
    np.testing.assert_array_equal(photo, PHOTO)
    assert result.shape == photo.shape and result.dtype == np.uint8


def test_every_landmark_is_marked_and_nothing_far_from_the_face():
    face = some_face()
    touched = changed(draw(PHOTO, [face]))
    for x, y in np.rint(face.landmarks).astype(int):
        assert touched[y, x]
    rows, columns = np.nonzero(touched)
    low, high = face.landmarks.min(0) - 6, face.landmarks.max(0) + 6
    assert columns.min() >= low[0] and columns.max() <= high[0]
    assert rows.min() >= low[1] and rows.max() <= high[1]


def test_hidden_points_look_different_from_visible_ones():
    face = some_face()
    seen = replace(face, visibility=np.ones(68, np.float32))
    differs = (draw(PHOTO, [face]) != draw(PHOTO, [seen])).any(-1)
    for i, (x, y) in enumerate(np.rint(face.landmarks).astype(int)):
        around = differs[y - 2 : y + 3, x - 2 : x + 3].any()
        if face.visibility[i] < 0.5:
            assert around
        elif i < 7 or i > 20:  # far from any hidden point
            assert not around


def test_the_mesh_covers_the_face_and_lets_the_photo_through():
    face = some_face()
    touched = changed(draw(PHOTO, [face], landmarks=False, mesh=True))
    vertices = face.mesh().vertices[:, :2]
    box = np.ptp(vertices, axis=0).prod()
    assert 0.5 * box < touched.sum() < box
    x, y = np.rint(face.landmarks[30]).astype(int)
    assert touched[y, x]
    lighter = draw(PHOTO + np.uint8(100), [face], landmarks=False, mesh=True)
    darker = draw(PHOTO, [face], landmarks=False, mesh=True)
    assert 20 < lighter[y, x].mean() - darker[y, x].mean() < 90


def test_axes_start_at_the_nose_and_have_their_colors():
    face = some_face(angles=(0.0, 0.0, 0.0))
    picture = draw(PHOTO, [face], landmarks=False, axes=True).astype(int)
    x, y = np.rint(face.landmarks_3d[30, :2]).astype(int)
    red = picture[y, x + 30]
    green = picture[y - 30, x]
    assert red[0] > red[1] + 80 and red[0] > red[2] + 80
    assert green[1] > green[0] + 80 and green[1] > green[2] + 80


@pytest.mark.parametrize("center", [(0, 0), (319, 10), (-500, -500), (160, 239)])
@pytest.mark.parametrize("size", [8, 900])
def test_faces_at_and_beyond_the_edge(center, size):
    result = draw(PHOTO, [some_face(center=center, size=size)], mesh=True, axes=True)
    assert result.shape == PHOTO.shape
    assert changed(result).any() == (center != (-500, -500) or size == 900)


def test_no_faces_gives_a_copy():
    result = draw(PHOTO, [])
    np.testing.assert_array_equal(result, PHOTO)
    assert result is not PHOTO


def test_whatever_detect_reads_can_be_drawn_on(tmp_path):
    path = tmp_path / "gray.png"
    Image.fromarray(PHOTO).save(path)
    wanted = draw(PHOTO, [some_face()])
    for image in (path, str(path), Image.open(path), PHOTO[..., 0], PHOTO / 255):
        np.testing.assert_array_equal(draw(image, [some_face()]), wanted)


@pytest.mark.parametrize("image", [np.zeros(5, np.uint8), np.zeros((5, 5, 3), np.int32), np.zeros((5, 5, 7), np.uint8)])
def test_unusable_arrays_are_refused(image):
    with pytest.raises(ImageError):
        draw(image, [])
