"""Drawing of the 3D face: where it is drawn, and how smoothly."""

from dataclasses import replace

import numpy as np
import pytest

from rdrface.drawing.face_region import FaceRegion, packaged_region
from rdrface.drawing.surface import draw_surface
from rdrface.face import packaged_model
from rdrface.geometry.mesh import directed_edges
from rdrface.morphable.surface import positions
from some_face import some_face

GRAY = 90


def drawn(size: float = 150.0, angles: tuple[float, ...] = (0.0, 0.0, 0.0), opacity: float = 1.0) -> np.ndarray:
    """(400, 400) change of the image by the surface, mean of the colors."""
    canvas = np.full((400, 400, 3), GRAY, np.uint8)
    draw_surface(canvas, some_face(center=(200.0, 230.0), size=size, angles=angles), opacity)
    return canvas.astype(float).mean(axis=2) - GRAY


def at(face_points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    column, row = np.rint(face_points[:, :2]).astype(int).T
    return row, column


def test_the_jagged_border_of_the_mesh_is_outside_the_region():
    model, region = packaged_model(), packaged_region()
    edges = np.sort(directed_edges(model.triangles), axis=1)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    border = np.unique(unique[count == 1])
    assert len(border) > 20
    assert region.inside(model.mean[border]).max() < -5


def test_the_region_contains_the_landmarks_and_is_symmetric():
    model, region = packaged_model(), packaged_region()
    landmarks = positions(model.mean, model.triangles, model.points["ibug68"])
    assert region.inside(landmarks).min() > 0
    inside = region.inside(model.mean)
    np.testing.assert_allclose(inside, inside[model.mirror_vertices], atol=1e-3)
    assert region.inside(positions(model.mean, model.triangles, model.points["ear_lobes"])).max() < 0


def test_exported_meshes_keep_all_triangles():
    face = some_face()
    assert len(face.mesh().triangles) == len(packaged_model().triangles) > len(packaged_region().triangles)


def test_eyes_and_the_open_mouth_stay_uncovered():
    face = some_face(center=(200.0, 230.0), size=150.0, angles=(0.0, 0.0, 0.0))
    change = drawn()
    eyes = face.points("eye_centers")
    mouth = face.projection[60:68].mean(axis=0, keepdims=True)
    assert not change[at(np.concatenate([eyes[:, :2], mouth]))].any()
    assert change[at(face.projection[[30, 33, 8]] - [0, 3])].all()


@pytest.mark.parametrize("yaw", [0.0, 0.8, 1.4])
def test_there_are_no_cracks_between_triangles(yaw):
    face = some_face(center=(200.0, 230.0), size=150.0, angles=(0.0, yaw, 0.0))
    canvas = np.zeros((400, 400, 3), np.uint8)
    draw_surface(canvas, face, 1.0)
    cheek = face.points("wflw98")[4:13, :2].mean(axis=0)
    x, y = (0.6 * cheek + 0.4 * face.projection[48]).astype(int)
    assert canvas[y - 12 : y + 13, x - 8 : x + 9].max(axis=2).all()


def test_the_border_is_antialiased():
    change = drawn(size=150)
    row = np.abs(change[int(230 - 0.75 * 150)])
    outside = np.flatnonzero(row)[0]
    # Rises over at least two pixels and does not jump to the color of the border.
    assert 0 < row[outside] < row[outside : outside + 4].max()


def test_opacity_scales_the_drawing():
    full, half = drawn(), drawn(opacity=0.5)
    strong = np.abs(full) > 20
    np.testing.assert_allclose(half[strong] / full[strong], 0.5, atol=0.06)


def test_another_face_model_can_be_drawn():
    model = packaged_model()
    wider = replace(model, mean=model.mean * np.float32([1.1, 1, 1]))
    region = FaceRegion.of(wider)
    assert region.hairline_radius > packaged_region().hairline_radius
    canvas = np.full((240, 320, 3), GRAY, np.uint8)
    draw_surface(canvas, replace(some_face(), model=wider), 1.0)
    assert (canvas != GRAY).any()
