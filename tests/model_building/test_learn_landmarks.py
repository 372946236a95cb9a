"""Learning the landmarks' surface points from annotations, and the surface functions it uses."""

import numpy as np
import pytest

from rdrface.datasets.records import FaceRecords
from rdrface.geometry.mesh import triangle_normals
from rdrface.geometry.rotation import rotation_matrix
from rdrface.landmarks import INNER, MIRROR
from rdrface.model_building.learn_landmarks import mean_offsets
from rdrface.morphable import FaceModel, LandmarkModel
from rdrface.morphable.surface import cast_outermost, mirror_points, nearest, nearest_on_midline, positions

FLIP = np.array([-1.0, 1, 1])


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return FaceModel.load()


def test_offsets_of_annotations_from_the_fit_are_recovered(model: FaceModel) -> None:
    rng = np.random.default_rng(0)
    count = 60
    q = np.zeros((count, 103), np.float32)
    q[:, 50:53] = rng.uniform(-0.7, 0.7, (count, 3))
    q[:, 56] = rng.uniform(0.8, 3, count)
    landmarks = LandmarkModel.from_face_model(model)
    outline, jawline = landmarks.outline68(q)
    surface = model.points["ibug68"]
    normals = triangle_normals(model.mean.astype(np.float64)[model.triangles])[surface.triangle]
    unit = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    true = rng.normal(0, 1, (68, 3))
    true = (true + true[MIRROR] * FLIP) / 2
    true -= (true * unit).sum(1, keepdims=True) * unit
    rotation = rotation_matrix(q[:, 50:53])
    shift = np.einsum("nri,ki->nkr", rotation[:, :2], true) * q[:, None, 56:57] * (1, -1)
    points = (outline[..., :2] + shift).astype(np.float32)
    records = FaceRecords(
        image=np.full(count, "a.jpg"),
        points=points,
        state=np.ones((count, 68), np.int8),
        contour=np.full(count, "outline"),
        box=np.concatenate([points.min(1), points.max(1)], 1),
        source=np.full(count, "test"),
        is_test=np.zeros(count, bool),
        Q=q,
        outline=outline[..., :2],
        jawline=jawline[..., :2],
        hidden=np.zeros((count, 68), bool),
        residual=np.zeros(count, np.float32),
    )
    found = mean_offsets(records, np.ones((count, 68), bool), normals)
    np.testing.assert_allclose(found[INNER], true[INNER], atol=0.35)


def test_outermost_hit_is_the_outer_skin(model: FaceModel) -> None:
    # From inside the head through the mouth: the inside of the mouth first, the lip last.
    mouth = positions(model.mean, model.triangles, model.points["ibug68"])[57]
    hit = cast_outermost(
        model.mean.astype(float), model.triangles, np.array([[0, mouth[1], -60.0]]), np.array([[0, 0, 1.0]])
    )
    assert positions(model.mean, model.triangles, hit)[0, 2] == pytest.approx(mouth[2], abs=0.1)
    with pytest.raises(ValueError, match="misses"):
        cast_outermost(model.mean.astype(float), model.triangles, np.array([[0, 900.0, 0]]), np.array([[0, 0, 1.0]]))


def test_the_nearest_surface_point_of_a_surface_point_is_itself(model: FaceModel) -> None:
    points = model.points["ibug68"]
    at = positions(model.mean, model.triangles, points).astype(float)
    everywhere = np.ones(len(model.triangles), bool)
    found = nearest(model.mean.astype(float), model.triangles, at + 0.0, everywhere)
    np.testing.assert_allclose(positions(model.mean, model.triangles, found), at, atol=1e-3)
    middle = np.arange(68) == MIRROR
    lifted = at[middle] + [0.5, 0, 0]
    found = nearest_on_midline(model.mean.astype(float), model.triangles, lifted, everywhere)
    np.testing.assert_allclose(positions(model.mean, model.triangles, found), at[middle], atol=0.02)


def test_mirrored_points_have_mirrored_positions(model: FaceModel) -> None:
    points = model.points["parallel_lines"]
    other = mirror_points(points, model.triangles, model.mirror_vertices)
    mirrored_positions = positions(model.mean, model.triangles, other)
    np.testing.assert_allclose(mirrored_positions * FLIP, positions(model.mean, model.triangles, points), atol=1e-4)
