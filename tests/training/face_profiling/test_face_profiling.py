from dataclasses import replace

import numpy as np
import pytest

from rdrface.datasets.crops import PackedCrops, pack
from rdrface.datasets.records import SELF_OCCLUDED, UNKNOWN, VISIBLE
from rdrface.datasets.synthetic import draw_faces
from rdrface.geometry.rasterize import rasterize
from rdrface.morphable.landmark_model import LandmarkModel
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import EXPRESSION
from rdrface.training.face_profiling.face_profiling import SUFFIX, ProfilingConfig, choose_faces, profile_faces

PLAIN = ProfilingConfig(pitch=0.0, open_mouth=0.0, close_eyes=0.0)
SIZE = 112


@pytest.fixture(scope="module")
def faces(tmp_path_factory) -> PackedCrops:
    """Four drawn faces turned by at most 20 degrees."""
    packed = pack(draw_faces(tmp_path_factory.mktemp("drawn"), 24, seed=4), SIZE)
    frontal = np.flatnonzero(np.abs(packed.Q[:, 51]) < np.deg2rad(20))
    assert len(frontal) >= 4
    return packed.select(frontal[:4])


def to_yaw(degrees: float) -> ProfilingConfig:
    return replace(PLAIN, yaw=(degrees, degrees))


def inside(faces: PackedCrops, i: int) -> np.ndarray:
    axis = (2 * np.arange(faces.size) + 1) / faces.size - 1
    x0, y0, x1, y1 = faces.valid[i]
    return ((axis > y0) & (axis < y1))[:, None] & ((axis > x0) & (axis < x1))


def painted(faces: PackedCrops, landmark: int | np.ndarray) -> PackedCrops:
    """The same faces on black with a bright spot at one landmark of each."""
    axis = (2 * np.arange(faces.size) + 1) / faces.size - 1
    at = faces.points[np.arange(len(faces)), landmark]
    away = (axis[None, None] - at[:, 0, None, None]) ** 2 + (axis[None, :, None] - at[:, 1, None, None]) ** 2
    spot = np.rint(255 * np.exp(-away / (2 * 0.03**2))).astype(np.uint8)
    return replace(faces, images=np.repeat(spot[..., None], 3, axis=3))


def test_a_turn_by_nothing_changes_nothing(faces):
    turned = profile_faces(faces, np.arange(4), to_yaw(0.0), seed=1, progress=False)
    for i in range(4):
        box = np.concatenate([faces.outline[i].min(0), faces.outline[i].max(0)])
        part = inside(replace(faces, valid=np.repeat(box[None], 4, 0)), i)
        error = (turned.images[i].astype(float) - faces.images[i])[part]
        assert 10 * np.log10(255**2 / (error**2).mean()) > 30
    np.testing.assert_allclose(turned.Q, faces.Q, atol=2e-3)
    np.testing.assert_allclose(turned.valid, faces.valid, atol=1e-4)
    kept = turned.state == VISIBLE
    assert kept.mean() > 0.9
    np.testing.assert_allclose(turned.points[kept], faces.points[kept], atol=1e-4)
    np.testing.assert_allclose(turned.outline, faces.outline, atol=1e-4)


def test_labels_are_the_geometry_of_the_turned_face(faces):
    turned = profile_faces(faces, np.arange(4), ProfilingConfig(yaw=(60.0, 60.0)), seed=2, progress=False)
    outline, jawline = LandmarkModel.from_face_model(FaceModel.load()).outline68(turned.Q)
    np.testing.assert_allclose(turned.outline, outline[..., :2], atol=1e-5)
    np.testing.assert_allclose(turned.jawline, jawline[..., :2], atol=1e-5)
    np.testing.assert_allclose(np.abs(np.rad2deg(turned.Q[:, 51])), 60, atol=1e-3)
    np.testing.assert_array_equal(np.isnan(turned.points).any(2), turned.state == SELF_OCCLUDED)
    # The window lies around the new landmark box as `pack` cuts it.
    low, high = turned.outline.min(1), turned.outline.max(1)
    np.testing.assert_allclose(low + high, 0, atol=1e-5)
    np.testing.assert_allclose(np.sqrt((high - low).prod(1)), 2 / (1.6 * 1.4), rtol=1e-4)


@pytest.mark.parametrize("landmark", [27, 30, 33, 57])
def test_features_are_where_the_labels_say(faces, landmark):
    turned = profile_faces(painted(faces, landmark), np.arange(4), to_yaw(50.0), seed=3, progress=False)
    axis = (2 * np.arange(SIZE) + 1) / SIZE - 1
    for i in range(4):
        light = turned.images[i, ..., 0].astype(float) ** 2
        # The brightest place: a spot that runs over an edge loses its other half.
        row, column = np.unravel_index(light.argmax(), light.shape)
        assert (
            np.hypot(axis[column] - turned.outline[i, landmark, 0], axis[row] - turned.outline[i, landmark, 1]) < 0.05
        )


def test_labels_off_the_fit_pull_the_photo_onto_it(faces):
    """The feature lies where the annotator says, a little off the fit; the turned photo shows it at the label."""
    moved = faces.points + np.float32([0.02, -0.015])
    turned = profile_faces(painted(replace(faces, points=moved), 30), np.arange(4), to_yaw(0.0), 3, progress=False)
    axis = (2 * np.arange(SIZE) + 1) / SIZE - 1
    for i in range(4):
        light = turned.images[i, ..., 0].astype(float)
        found = [(light * axis).sum() / light.sum(), (light * axis[:, None]).sum() / light.sum()]
        np.testing.assert_allclose(found, turned.points[i, 30], atol=0.01)


def test_the_nose_hides_the_far_eye(faces):
    turned = profile_faces(faces, np.arange(4), to_yaw(75.0), seed=4, progress=False)
    right = turned.Q[:, 51] > 0
    far, near = np.where(right[:, None], range(42, 48), range(36, 42)), np.where(right, 36, 45)
    assert (np.take_along_axis(turned.state, far, 1) == SELF_OCCLUDED).all()
    assert np.isnan(turned.points[np.arange(4)[:, None], far]).all()
    assert (turned.state[np.arange(4), near] == VISIBLE).all()
    # The pixels of the far eye's corner are gone, those of the near one's are not.
    for landmark, seen in ((np.where(right, 45, 36), False), (near, True)):
        spot = profile_faces(painted(faces, landmark), np.arange(4), to_yaw(75.0), seed=4, progress=False)
        assert ((spot.images.max((1, 2, 3)) > 128) == seen).all()


def test_no_hole_is_left_in_the_photo(faces):
    white = replace(faces, images=np.full_like(faces.images, 200))
    config = replace(PLAIN, yaw=(30.0, 90.0), pitch=15.0)
    turned = profile_faces(white, np.arange(4), config, seed=5, progress=False)
    for i in range(4):
        assert (turned.images[i][inside(turned, i)] == 200).all()
        assert (turned.images[i][~inside(turned, i)] == 0).all()


def test_points_without_a_label_get_none(faces):
    points, state = faces.points.copy(), faces.state.copy()
    points[:, 30], state[:, 30] = np.nan, SELF_OCCLUDED
    turned = profile_faces(replace(faces, points=points, state=state), np.arange(4), to_yaw(35.0), 6, progress=False)
    assert np.isnan(turned.points[:, 30]).all()
    assert (turned.state[:, 30] == UNKNOWN).all()


def test_mouth_and_eyes(faces):
    names = FaceModel.load().expression_names
    shut = replace(faces, outline=faces.outline.copy())
    shut.outline[:, 65:68] = shut.outline[:, 63:60:-1]
    config = replace(PLAIN, open_mouth=1.0, close_eyes=1.0, opening=(0.6, 0.6), closing=(0.9, 0.9))
    turned = profile_faces(shut, np.arange(4), config, seed=7, progress=False)
    for name, value in (("jawOpen", 0.6), ("eyeBlinkLeft", 0.9), ("eyeBlinkRight", 0.9)):
        assert (turned.Q[:, EXPRESSION][:, names.index(name)] >= value - 1e-6).all()


def test_chance_is_a_function_of_seed_and_face(faces):
    config = ProfilingConfig()
    both = profile_faces(faces, np.array([2, 0]), config, seed=8, progress=False)
    alone = profile_faces(faces, np.array([0]), config, seed=8, progress=False)
    other = profile_faces(faces, np.array([0]), config, seed=9, progress=False)
    np.testing.assert_array_equal(both.images[1], alone.images[0])
    np.testing.assert_array_equal(both.Q[1], alone.Q[0])
    assert (other.Q != alone.Q).any()
    assert alone.source_names == tuple(name + SUFFIX for name in faces.source_names)


def test_no_faces_and_faces_without_a_fit(faces):
    none = profile_faces(faces, np.array([], int), ProfilingConfig(), seed=0, progress=False)
    assert len(none) == 0 and none.images.shape == (0, SIZE, SIZE, 3) and none.margin == faces.margin
    unfitted = replace(faces, Q=np.full_like(faces.Q, np.nan))
    with pytest.raises(ValueError, match="only fitted faces"):
        profile_faces(unfitted, np.array([1]), ProfilingConfig(), seed=0)
    assert len(choose_faces(unfitted, 4, ProfilingConfig(), seed=0)) == 0


def test_choice_leaves_out_what_cannot_be_turned(faces):
    config = ProfilingConfig(resolution=0.0)
    assert sorted(choose_faces(faces, 9, config, seed=1)) == [0, 1, 2, 3]
    assert len(choose_faces(faces, 2, config, seed=1)) == 2
    Q, residual, valid = faces.Q.copy(), faces.residual.copy(), faces.valid.copy()
    Q[0, 51], residual[1], valid[2, 3] = 1.0, 9.0, 0.2
    assert choose_faces(replace(faces, Q=Q, residual=residual, valid=valid), 9, config, seed=1).tolist() == [3]


def test_raster_shows_the_front_without_cracks():
    square = np.float32([[[2, 2, 0], [12, 2, 0], [12, 12, 0]], [[2, 2, 0], [12, 12, 0], [2, 12, 0]]])
    front = np.float32([[[4, 4, 5], [8, 4, 5], [4, 8, 5]]])
    raster = rasterize(np.concatenate([front, square]), 16)
    shown = raster.triangle.reshape(16, 16)
    assert (shown[2:13, 2:13] >= 0).all() and (shown >= 0).sum() == 121
    assert shown[5, 5] == 0 and shown[10, 11] == 1 and shown[11, 10] == 2
    # Weights give back the place of the pixel.
    at = raster.interpolate(np.concatenate([front, square])).reshape(16, 16, 3)
    rows, columns = np.nonzero(shown >= 0)
    np.testing.assert_allclose(at[rows, columns, :2], np.stack([columns, rows], 1), atol=1e-4)
