"""Drawing of whole faces: `rdrface.draw`."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from rdrface.drawing import UNCERTAIN, draw
from rdrface.drawing.surface import draw_surface
from rdrface.errors import ImageError
from some_face import some_face

IMAGE = np.full((240, 320, 3), 90, np.uint8)


def changed(image: np.ndarray) -> np.ndarray:
    return (image != IMAGE).any(-1)


def certain_face(**arguments):
    face = some_face(**arguments)
    return replace(face, uncertainty=np.full(68, 2.0, np.float32))


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
    assert 0.3 * box < touched.sum() < box
    x, y = np.rint(face.landmarks[30]).astype(int)
    assert touched[y, x]
    lighter = draw(IMAGE + np.uint8(100), [face], landmarks=False, mesh=True)
    darker = draw(IMAGE, [face], landmarks=False, mesh=True)
    assert 20 < lighter[y, x].mean() - darker[y, x].mean() < 90


def test_a_face_with_a_high_expected_error_is_paler_and_has_a_note():
    certain = certain_face()
    uncertain = replace(certain, uncertainty=np.full(68, UNCERTAIN + 2, np.float32))
    strength = [np.abs(draw(IMAGE, [face]).astype(int) - IMAGE).sum(-1) for face in (certain, uncertain)]
    drawn = strength[0] > 60
    assert strength[1][drawn].mean() < 0.7 * strength[0][drawn].mean()
    below_chin = slice(int(certain.landmarks[:, 1].max()) + 6, None)
    assert not strength[0][below_chin].any()
    assert (strength[1][below_chin] > 300).any()
    nothing = draw(IMAGE, [uncertain], landmarks=False)
    np.testing.assert_array_equal(nothing, IMAGE)


@pytest.mark.parametrize("center", [(0, 0), (319, 10), (-500, -500), (160, 239)])
@pytest.mark.parametrize("size", [0.01, 8, 900, 40_000])
def test_faces_at_and_beyond_the_edge_of_the_image(center, size):
    result = draw(IMAGE, [some_face(center=center, size=size)], mesh=True, axes=True)
    assert result.shape == IMAGE.shape
    assert changed(result).any() == (center != (-500, -500) or size >= 900)


@pytest.mark.parametrize("shape", [(240, 320), (240, 320, 4), (1, 1, 3), (2, 300, 3)])
@pytest.mark.parametrize("roll", [0.8, 1.6, 2.4, 3.2, -2.0])
def test_rotated_faces_in_images_of_any_shape(shape, roll):
    image = np.full(shape, 90, np.uint8)
    result = draw(image, [some_face(angles=(0.4, 1.4, roll))], mesh=True, axes=True)
    assert result.shape == (*shape[:2], 3)


def test_degenerate_faces():
    face = certain_face()
    pose = face.parameters.pose

    def with_scale(scale: float):
        return replace(face, parameters=replace(face.parameters, pose=np.array([*pose[:6], scale], np.float32)))

    wild = np.random.default_rng(0).normal(0, 100, 46).astype(np.float32)
    faces = [
        *(with_scale(scale) for scale in (0.0, -1.0, 1e30, np.nan)),
        replace(face, parameters=replace(face.parameters, expression=wild)),
        replace(face, landmarks=np.zeros_like(face.landmarks)),
        replace(face, landmarks=face.landmarks * np.float32(1e9)),
        replace(face, uncertainty=np.full(68, np.nan, np.float32), visibility=np.full(68, np.nan, np.float32)),
    ]
    for one in faces:
        assert draw(IMAGE, [one], mesh=True, axes=True).shape == IMAGE.shape


def test_no_faces_gives_a_copy():
    result = draw(IMAGE, [])
    np.testing.assert_array_equal(result, IMAGE)
    assert result is not IMAGE


def test_every_image_type_can_be_drawn_on(tmp_path):
    path = tmp_path / "gray.png"
    Image.fromarray(IMAGE).save(path)
    expected = draw(IMAGE, [some_face()])
    for image in (path, str(path), Image.open(path), IMAGE[..., 0], IMAGE / 255, IMAGE[::-1, ::-1]):
        np.testing.assert_array_equal(draw(image, [some_face()]), expected)


@pytest.mark.parametrize("image", [np.zeros(5, np.uint8), np.zeros((5, 5, 3), np.int32), np.zeros((5, 5, 7), np.uint8)])
def test_invalid_arrays_are_refused(image):
    with pytest.raises(ImageError):
        draw(image, [])


@pytest.mark.parametrize("faces", [[{"landmarks": 1}], [[some_face()]]])
def test_only_faces_can_be_drawn(faces):
    with pytest.raises(TypeError, match=r"rdrface\.Face"):
        draw(IMAGE, faces)


def test_faces_with_landmarks_that_are_not_finite():
    face = some_face()
    with pytest.raises(ValueError, match="NaN"):
        draw(IMAGE, [replace(face, landmarks=face.landmarks * np.float32(np.nan))])


def drawn_flat(canvas: np.ndarray, face) -> None:
    draw(canvas, [face], axes=True)


def drawn_mesh(canvas: np.ndarray, face) -> None:
    draw_surface(canvas, face, 1.0)


@pytest.mark.parametrize(("drawn", "copies"), [(drawn_flat, 1), (drawn_mesh, 0)])
def test_only_the_region_of_the_face_is_processed(drawn, copies):
    """The memory that drawing needs, beside the copy of the image, does not depend on the size of the image."""
    face = replace(some_face(center=(300.0, 200.0)), uncertainty=np.full(68, UNCERTAIN + 2, np.float32))

    def peak(height: int, width: int) -> int:
        canvas = np.zeros((height, width, 3), np.uint8)
        tracemalloc.start()
        try:
            drawn(canvas, face)
            return tracemalloc.get_traced_memory()[1] - copies * canvas.nbytes
        finally:
            tracemalloc.stop()

    peak(400, 600)  # fonts and the region of the face model are found once per process
    # One byte per pixel of the larger image would be 64 MB. The mesh needs 46 MB, landmarks and axes 1 MB.
    assert peak(8000, 8000) < 1.2 * peak(400, 600)
