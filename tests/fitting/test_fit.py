"""The fitter on faces of the face model, whose parameters and landmarks are known exactly."""

import numpy as np
import pytest

from rdrface.datasets.readers import read_merl_rav
from rdrface.datasets.records import OCCLUDED, SELF_OCCLUDED, VISIBLE, FaceRecords
from rdrface.fitting import fit_records
from rdrface.fitting.report import wrong_yaw_signs
from rdrface.geometry.boxes import bounding_boxes
from rdrface.geometry.rotation import rotation_matrix
from rdrface.landmarks import CONTOUR
from rdrface.morphable.landmark_model import LandmarkModel
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import (
    EXPRESSION,
    IDENTITY,
    NUM_EXPRESSION,
    NUM_IDENTITY,
    NUM_PARAMETERS,
    PITCH,
    POSE,
    ROLL,
    ROTATION,
    SCALE,
    TRANSLATION,
    YAW,
)

SIDE = 60.0  # pixels: about sqrt(w h) of the faces below


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return FaceModel.load()


def true_faces(model: FaceModel, count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Q (count, 103), outline and jawline (count, 68, 2), image pixels; yaws evenly spaced from -85 to 85 degrees."""
    rng = np.random.default_rng(seed)
    q = np.zeros((count, NUM_PARAMETERS), np.float32)
    q[:, IDENTITY] = rng.normal(0, 0.8, (count, NUM_IDENTITY))
    shape = (count, NUM_EXPRESSION)
    q[:, EXPRESSION] = rng.uniform(0, 0.8, shape) * (rng.random(shape) < 0.12)
    pose = q[:, POSE]  # a view
    pose[:, PITCH], pose[:, ROLL] = rng.normal(0, 0.15, (2, count))
    pose[:, YAW] = np.deg2rad(np.linspace(-85, 85, count))
    pose[:, TRANSLATION], pose[:, SCALE] = (180, -160, 0), SIDE / 120
    outline, jawline = LandmarkModel.from_face_model(model).outline68(q)
    return q, outline[..., :2], jawline[..., :2]


def records_of(points: np.ndarray, state: np.ndarray, contour: str = "outline") -> FaceRecords:
    count = len(points)
    return FaceRecords(
        image=np.array([f"face{i}.png" for i in range(count)]),
        points=points,
        state=state,
        contour=np.full(count, contour),
        box=bounding_boxes(points),
        source=np.full(count, "synthetic"),
        is_test=np.zeros(count, bool),
    )


def far_side(q: np.ndarray) -> np.ndarray:
    """(B, 68) bool: points of profiles that annotators leave out (far brow, eye, contour and half of the mouth)."""
    right = [*range(9, 17), *range(22, 27), 34, 35, *range(42, 48), 52, 53, 54, 55, 56, 63, 64, 65]
    left = [*range(8), *range(17, 22), 31, 32, *range(36, 42), 48, 49, 50, 58, 59, 60, 61, 67]
    far = np.zeros((len(q), 68), bool)
    far[np.ix_(q[:, POSE][:, YAW] > np.deg2rad(60), right)] = True
    far[np.ix_(q[:, POSE][:, YAW] < -np.deg2rad(60), left)] = True
    return far


def mean_error(a: np.ndarray, b: np.ndarray, mask: np.ndarray) -> float:
    """Mean distance over the points of a mask, percent of the face's size."""
    return float(100 * np.linalg.norm(a - b, axis=-1)[mask].mean() / SIDE)


def test_the_face_is_recovered_from_noisy_points_with_occlusions(model):
    q, outline, _ = true_faces(model, 24, seed=1)
    rng = np.random.default_rng(2)
    points = outline + rng.normal(0, 0.0175 * SIDE, outline.shape)
    far = far_side(q)
    guessed = (rng.random(far.shape) < 0.15) & ~far
    points[guessed] += rng.normal(0, 0.08 * SIDE, (guessed.sum(), 2))
    points[far] = np.nan
    state = np.where(far, SELF_OCCLUDED, np.where(guessed, OCCLUDED, VISIBLE))
    fitted = fit_records(records_of(points, state), model, progress=False)

    # The fit is closer to the truth than the annotations, whose mean error is 2.2 %.
    assert mean_error(fitted.outline, outline, ~far) < 1.7
    assert mean_error(fitted.outline, outline, far) < 6
    rotation, truth = (rotation_matrix(each[:, POSE][:, ROTATION].astype(float)) for each in (fitted.Q, q))
    difference = rotation @ truth.swapaxes(1, 2)
    degrees = np.rad2deg(np.arccos(np.clip((np.trace(difference, axis1=1, axis2=2) - 1) / 2, -1, 1)))
    assert np.median(degrees) < 4
    assert degrees.max() < 15  # none is flipped


def test_q_projects_to_the_landmarks_of_the_records(model):
    _, outline, _ = true_faces(model, 5, seed=3)
    fitted = fit_records(records_of(outline, np.ones((5, 68))), model, progress=False)
    outline_of_q, jawline_of_q = LandmarkModel.from_face_model(model).outline68(fitted.Q)
    np.testing.assert_allclose(outline_of_q[..., :2], fitted.outline, atol=1e-3)
    np.testing.assert_allclose(jawline_of_q[..., :2], fitted.jawline, atol=1e-3)
    np.testing.assert_allclose(fitted.box, bounding_boxes(fitted.outline), atol=1e-3)
    # t is the shortest that gives this projection: it has no component along the line of sight.
    pose = fitted.Q[:, POSE]
    depth = (rotation_matrix(pose[:, ROTATION]) @ pose[:, TRANSLATION, None])[:, 2]
    np.testing.assert_allclose(depth, 0, atol=1e-2)


def test_both_contour_conventions_are_fitted(model):
    _, outline, jawline = true_faces(model, 8, seed=4)
    state = np.full((8, 68), VISIBLE)
    everything = np.ones((8, 68), bool)
    as_jawline = fit_records(records_of(jawline, state, "jawline"), model, progress=False)
    assert mean_error(as_jawline.jawline, jawline, everything) < 0.8
    assert mean_error(as_jawline.outline, outline, everything) < 2
    mixed_up = fit_records(records_of(jawline, state, "outline"), model, progress=False)
    contour = np.zeros((8, 68), bool)
    contour[:, CONTOUR] = True
    assert mean_error(as_jawline.jawline, jawline, contour) < mean_error(mixed_up.jawline, jawline, contour)


def test_one_wrong_annotation_does_not_change_the_fit(model):
    _, outline, _ = true_faces(model, 4, seed=5)
    points = outline.copy()
    points[:, 33] += (0.4 * SIDE, 0)  # the base of the nose, annotated at a wrong position
    fitted = fit_records(records_of(points, np.ones((4, 68))), model, progress=False)
    assert mean_error(fitted.outline, outline, np.ones((4, 68), bool)) < 1.5


def test_a_batch_gives_the_same_fits_as_single_faces(model):
    _, outline, _ = true_faces(model, 3, seed=6)
    records = records_of(outline, np.ones((3, 68)))
    together = fit_records(records, model, progress=False)
    singles = [fit_records(records.select([i]), model, progress=False) for i in range(3)]
    for i, single in enumerate(singles):
        np.testing.assert_allclose(single.outline[0], together.outline[i], atol=0.05)
        np.testing.assert_array_equal(single.hidden[0], together.hidden[i])


def test_the_far_half_of_a_profile_is_hidden(model):
    q, outline, _ = true_faces(model, 2, seed=7)  # yaw -85 and 85
    yaw = q[:, POSE][:, YAW].copy()
    q[:, IDENTITY], q[:, EXPRESSION], q[:, POSE][:, ROTATION] = 0, 0, 0
    q[:, POSE][:, YAW] = yaw
    outline, _ = LandmarkModel.from_face_model(model).outline68(q)
    fitted = fit_records(records_of(outline[..., :2], np.ones((2, 68))), model, progress=False)
    left_eye, right_eye = slice(36, 42), slice(42, 48)
    assert fitted.hidden[0, left_eye].mean() > 0.6
    assert fitted.hidden[0, right_eye].mean() < 0.4
    assert fitted.hidden[1, right_eye].mean() > 0.6
    assert fitted.hidden[1, left_eye].mean() < 0.4


def test_the_error_names_faces_with_too_few_points(model):
    _, outline, _ = true_faces(model, 2, seed=8)
    outline[1, 5:] = np.nan
    with pytest.raises(ValueError, match=r"needs 6 points.*face1\.png"):
        fit_records(records_of(outline, np.ones((2, 68))), model, progress=False)


def test_no_faces_give_empty_fits(model):
    empty = records_of(np.zeros((1, 68, 2)), np.ones((1, 68))).select([])
    fitted = fit_records(empty, model, progress=False)
    assert len(fitted) == 0
    assert fitted.Q.shape == (0, NUM_PARAMETERS)


def test_annotated_faces_are_fitted_closely_and_with_the_right_sign_of_yaw(shared_data, model):
    records = read_merl_rav(shared_data / "merl_rav", "train")
    records = records.select(np.arange(0, len(records), len(records) // 60))
    fitted = fit_records(records, model, progress=False)
    assert np.median(fitted.residual) < 2.1
    assert not wrong_yaw_signs(fitted.source, fitted.Q[:, POSE][:, YAW]).any()
