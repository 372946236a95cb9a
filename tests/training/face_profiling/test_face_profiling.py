"""Face profiling: labels, parameters and pixels of rotated faces, and the choice of the faces."""

from dataclasses import replace

import numpy as np
import pytest

from rdrface.datasets.crops import PackedCrops
from rdrface.datasets.packing import pack
from rdrface.datasets.records import SELF_OCCLUDED, UNKNOWN, VISIBLE
from rdrface.datasets.synthetic import draw_faces
from rdrface.morphable.landmark_model import LandmarkModel
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import EXPRESSION
from rdrface.training.face_profiling.face_profiling import (
    SUFFIX,
    FaceProfilingConfig,
    choose_near_frontal_faces,
    profile_faces,
)

PLAIN = FaceProfilingConfig(pitch_change_std_deg=0.0, open_mouth_probability=0.0, close_eyes_probability=0.0)
SIZE = 112


@pytest.fixture(scope="module")
def faces(tmp_path_factory) -> PackedCrops:
    """Four synthetic faces with at most 20 degrees of yaw."""
    packed = pack(draw_faces(tmp_path_factory.mktemp("drawn"), 24, seed=4), SIZE)
    frontal = np.flatnonzero(np.abs(packed.Q[:, 51]) < np.deg2rad(20))
    assert len(frontal) >= 4
    return packed.select(frontal[:4])


def to_yaw(degrees: float) -> FaceProfilingConfig:
    return replace(PLAIN, yaw_range_deg=(degrees, degrees))


def inside(faces: PackedCrops, i: int) -> np.ndarray:
    """(S, S) bool: the pixels of the packed crop that the image covers."""
    axis = (2 * np.arange(faces.size) + 1) / faces.size - 1
    x0, y0, x1, y1 = faces.valid[i]
    return ((axis > y0) & (axis < y1))[:, None] & ((axis > x0) & (axis < x1))


def with_spot(faces: PackedCrops, landmark: int | np.ndarray) -> PackedCrops:
    """The same faces in black images with a bright spot at one landmark."""
    axis = (2 * np.arange(faces.size) + 1) / faces.size - 1
    at = faces.points[np.arange(len(faces)), landmark]
    away = (axis[None, None] - at[:, 0, None, None]) ** 2 + (axis[None, :, None] - at[:, 1, None, None]) ** 2
    spot = np.rint(255 * np.exp(-away / (2 * 0.03**2))).astype(np.uint8)
    return replace(faces, images=np.repeat(spot[..., None], 3, axis=3))


def test_the_old_yaw_gives_the_old_face(faces):
    profiled = profile_faces(faces, np.arange(4), to_yaw(0.0), seed=1, progress=False)
    for i in range(4):
        box = np.concatenate([faces.outline[i].min(0), faces.outline[i].max(0)])
        part = inside(replace(faces, valid=np.repeat(box[None], 4, 0)), i)
        error = (profiled.images[i].astype(float) - faces.images[i])[part]
        assert 10 * np.log10(255**2 / (error**2).mean()) > 30
    np.testing.assert_allclose(profiled.Q, faces.Q, atol=2e-3)
    np.testing.assert_allclose(profiled.valid, faces.valid, atol=1e-4)
    kept = profiled.state == VISIBLE
    assert kept.mean() > 0.9
    np.testing.assert_allclose(profiled.points[kept], faces.points[kept], atol=1e-4)
    np.testing.assert_allclose(profiled.outline, faces.outline, atol=1e-4)


def test_labels_are_the_projected_points_of_the_new_parameters(faces):
    profiled = profile_faces(
        faces, np.arange(4), FaceProfilingConfig(yaw_range_deg=(60.0, 60.0)), seed=2, progress=False
    )
    outline, jawline = LandmarkModel.from_face_model(FaceModel.load()).outline68(profiled.Q)
    np.testing.assert_allclose(profiled.outline, outline[..., :2], atol=1e-5)
    np.testing.assert_allclose(profiled.jawline, jawline[..., :2], atol=1e-5)
    np.testing.assert_allclose(np.abs(np.rad2deg(profiled.Q[:, 51])), 60, atol=1e-3)
    np.testing.assert_array_equal(np.isnan(profiled.points).any(2), profiled.state == SELF_OCCLUDED)
    # The packed crop is around the new landmark box, as `pack` cuts it.
    low, high = profiled.outline.min(1), profiled.outline.max(1)
    np.testing.assert_allclose(low + high, 0, atol=1e-5)
    np.testing.assert_allclose(np.sqrt((high - low).prod(1)), 2 / (1.6 * 1.4), rtol=1e-4)


@pytest.mark.parametrize("landmark", [27, 30, 33, 57])
def test_features_are_at_their_labels(faces, landmark):
    profiled = profile_faces(with_spot(faces, landmark), np.arange(4), to_yaw(50.0), seed=3, progress=False)
    axis = (2 * np.arange(SIZE) + 1) / SIZE - 1
    for i in range(4):
        light = profiled.images[i, ..., 0].astype(float) ** 2
        # The brightest pixel and not the center of mass: half of a spot on an outline is hidden.
        row, column = np.unravel_index(light.argmax(), light.shape)
        assert (
            np.hypot(axis[column] - profiled.outline[i, landmark, 0], axis[row] - profiled.outline[i, landmark, 1])
            < 0.05
        )


def test_the_image_is_warped_onto_the_fit(faces):
    """The feature is at its annotated point, a little off the fit; in the new image it is at its new label."""
    moved = faces.points + np.float32([0.02, -0.015])
    profiled = profile_faces(with_spot(replace(faces, points=moved), 30), np.arange(4), to_yaw(0.0), 3, progress=False)
    axis = (2 * np.arange(SIZE) + 1) / SIZE - 1
    for i in range(4):
        light = profiled.images[i, ..., 0].astype(float)
        found = [(light * axis).sum() / light.sum(), (light * axis[:, None]).sum() / light.sum()]
        np.testing.assert_allclose(found, profiled.points[i, 30], atol=0.01)


def test_the_far_eye_is_hidden_in_profiles(faces):
    profiled = profile_faces(faces, np.arange(4), to_yaw(75.0), seed=4, progress=False)
    right = profiled.Q[:, 51] > 0
    far, near = np.where(right[:, None], range(42, 48), range(36, 42)), np.where(right, 36, 45)
    assert (np.take_along_axis(profiled.state, far, 1) == SELF_OCCLUDED).all()
    assert np.isnan(profiled.points[np.arange(4)[:, None], far]).all()
    assert (profiled.state[np.arange(4), near] == VISIBLE).all()
    # The pixels of the corner of the far eye are hidden, those of the near eye are not.
    for landmark, visible in ((np.where(right, 45, 36), False), (near, True)):
        spot = profile_faces(with_spot(faces, landmark), np.arange(4), to_yaw(75.0), seed=4, progress=False)
        assert ((spot.images.max((1, 2, 3)) > 128) == visible).all()


def test_the_new_image_has_no_holes(faces):
    white = replace(faces, images=np.full_like(faces.images, 200))
    config = replace(PLAIN, yaw_range_deg=(30.0, 90.0), pitch_change_std_deg=15.0)
    profiled = profile_faces(white, np.arange(4), config, seed=5, progress=False)
    for i in range(4):
        assert (profiled.images[i][inside(profiled, i)] == 200).all()
        assert (profiled.images[i][~inside(profiled, i)] == 0).all()


def test_points_without_a_label_stay_without_one(faces):
    points, state = faces.points.copy(), faces.state.copy()
    points[:, 30], state[:, 30] = np.nan, SELF_OCCLUDED
    profiled = profile_faces(replace(faces, points=points, state=state), np.arange(4), to_yaw(35.0), 6, progress=False)
    assert np.isnan(profiled.points[:, 30]).all()
    assert (profiled.state[:, 30] == UNKNOWN).all()


def test_mouths_are_opened_and_eyes_are_closed(faces):
    names = FaceModel.load().expression_names
    closed = replace(faces, outline=faces.outline.copy())
    closed.outline[:, 65:68] = closed.outline[:, 63:60:-1]
    config = replace(PLAIN, open_mouth_probability=1.0, close_eyes_probability=1.0)
    config = replace(config, jaw_open_range=(0.6, 0.6), eye_blink_range=(0.9, 0.9))
    profiled = profile_faces(closed, np.arange(4), config, seed=7, progress=False)
    for name, value in (("jawOpen", 0.6), ("eyeBlinkLeft", 0.9), ("eyeBlinkRight", 0.9)):
        assert (profiled.Q[:, EXPRESSION][:, names.index(name)] >= value - 1e-6).all()


def test_the_result_depends_on_seed_and_face_only(faces):
    config = FaceProfilingConfig()
    both = profile_faces(faces, np.array([2, 0]), config, seed=8, progress=False)
    alone = profile_faces(faces, np.array([0]), config, seed=8, progress=False)
    other = profile_faces(faces, np.array([0]), config, seed=9, progress=False)
    np.testing.assert_array_equal(both.images[1], alone.images[0])
    np.testing.assert_array_equal(both.Q[1], alone.Q[0])
    assert (other.Q != alone.Q).any()
    assert alone.source_names == tuple(name + SUFFIX for name in faces.source_names)


def test_no_faces_give_no_faces_and_faces_without_a_fit_are_refused(faces):
    none = profile_faces(faces, np.array([], int), FaceProfilingConfig(), seed=0, progress=False)
    assert len(none) == 0 and none.images.shape == (0, SIZE, SIZE, 3) and none.margin == faces.margin
    unfitted = replace(faces, Q=np.full_like(faces.Q, np.nan))
    with pytest.raises(ValueError, match="needs fitted faces"):
        profile_faces(unfitted, np.array([1]), FaceProfilingConfig(), seed=0)
    assert len(choose_near_frontal_faces(unfitted, 4, FaceProfilingConfig(), seed=0)) == 0


def test_unsuitable_faces_are_not_chosen(faces):
    config = FaceProfilingConfig(min_resolution=0.0)
    assert sorted(choose_near_frontal_faces(faces, 9, config, seed=1)) == [0, 1, 2, 3]
    assert len(choose_near_frontal_faces(faces, 2, config, seed=1)) == 2
    Q, residual, valid = faces.Q.copy(), faces.residual.copy(), faces.valid.copy()
    Q[0, 51], residual[1], valid[2, 3] = 1.0, 9.0, 0.2
    worse = replace(faces, Q=Q, residual=residual, valid=valid)
    assert choose_near_frontal_faces(worse, 9, config, seed=1).tolist() == [3]
