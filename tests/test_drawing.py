from dataclasses import replace

import numpy as np
import pytest

from rdrface.drawing import overlay
from some_face import some_face

PHOTO = np.full((240, 320, 3), 90, np.uint8)


def changed(picture: np.ndarray) -> np.ndarray:
    return (picture != PHOTO).any(-1)


def test_the_photo_is_never_changed():
    photo = PHOTO.copy()
    result = overlay(photo, [some_face()], mesh=True, axes=True)
    np.testing.assert_array_equal(photo, PHOTO)
    assert result.shape == photo.shape and result.dtype == np.uint8


def test_every_landmark_is_marked_and_nothing_far_from_the_face():
    face = some_face()
    touched = changed(overlay(PHOTO, [face]))
    for x, y in np.rint(face.landmarks).astype(int):
        assert touched[y, x]
    rows, columns = np.nonzero(touched)
    low, high = face.landmarks.min(0) - 6, face.landmarks.max(0) + 6
    assert columns.min() >= low[0] and columns.max() <= high[0]
    assert rows.min() >= low[1] and rows.max() <= high[1]


def test_hidden_points_look_different_from_visible_ones():
    face = some_face()
    seen = replace(face, visible=np.ones(68, np.float32))
    differs = (overlay(PHOTO, [face]) != overlay(PHOTO, [seen])).any(-1)
    for i, (x, y) in enumerate(np.rint(face.landmarks).astype(int)):
        around = differs[y - 2 : y + 3, x - 2 : x + 3].any()
        if face.visible[i] < 0.5:
            assert around
        elif i < 7 or i > 20:  # far from any hidden point
            assert not around


def test_the_mesh_covers_the_face_and_lets_the_photo_through():
    face = some_face()
    touched = changed(overlay(PHOTO, [face], landmarks=False, mesh=True))
    vertices = face.mesh().vertices[:, :2]
    box = np.ptp(vertices, axis=0).prod()
    assert 0.5 * box < touched.sum() < box
    x, y = np.rint(face.landmarks[30]).astype(int)
    assert touched[y, x]
    lighter = overlay(PHOTO + np.uint8(100), [face], landmarks=False, mesh=True)
    darker = overlay(PHOTO, [face], landmarks=False, mesh=True)
    assert 20 < lighter[y, x].mean() - darker[y, x].mean() < 90


def test_axes_start_at_the_nose_and_have_their_colours():
    face = some_face(angles=(0.0, 0.0, 0.0))
    picture = overlay(PHOTO, [face], landmarks=False, axes=True).astype(int)
    x, y = np.rint(face.landmarks_3d[30, :2]).astype(int)
    red = picture[y, x + 30]
    green = picture[y - 30, x]
    assert red[0] > red[1] + 80 and red[0] > red[2] + 80
    assert green[1] > green[0] + 80 and green[1] > green[2] + 80


@pytest.mark.parametrize("centre", [(0, 0), (319, 10), (-500, -500), (160, 239)])
@pytest.mark.parametrize("size", [8, 900])
def test_faces_at_and_beyond_the_edge(centre, size):
    result = overlay(PHOTO, [some_face(centre=centre, size=size)], mesh=True, axes=True)
    assert result.shape == PHOTO.shape
    assert changed(result).any() == (centre != (-500, -500) or size == 900)


def test_no_faces_gives_a_copy():
    result = overlay(PHOTO, [])
    np.testing.assert_array_equal(result, PHOTO)
    assert result is not PHOTO


@pytest.mark.parametrize("photo", [np.zeros((5, 5), np.uint8), np.zeros((5, 5, 3)), np.zeros((5, 5, 4), np.uint8)])
def test_other_arrays_are_refused(photo):
    with pytest.raises(ValueError, match="uint8 RGB"):
        overlay(photo, [])
