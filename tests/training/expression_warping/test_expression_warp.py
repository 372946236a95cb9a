"""Expression warping: labels, parameters and pixels of closed eyes, and the choice of the faces."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from rdrface.datasets.crops import PackedCrops
from rdrface.datasets.packing import pack
from rdrface.datasets.records import OCCLUDED, SELF_OCCLUDED
from rdrface.datasets.synthetic import draw_faces
from rdrface.face_rendering.eyelid_warp import EyelidMotion, warp_eyelids
from rdrface.geometry.rasterize import to_pixels
from rdrface.morphable.landmark_model import LandmarkModel
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import EXPRESSION
from rdrface.training.expression_warping.expression_warp import (
    SUFFIX,
    ExpressionWarpConfig,
    choose_open_eyes,
    close_eyes,
)

SIZE = 160
RED = np.array([255, 0, 0], np.uint8)
RIGHT, LEFT = np.arange(36, 42), np.arange(42, 48)
BOTH_CLOSED = ExpressionWarpConfig(wink_probability=0.0, fully_closed_probability=1.0)
WINK = ExpressionWarpConfig(wink_probability=1.0, fully_closed_probability=1.0)
NAMES = FaceModel.load().expression_names


@pytest.fixture(scope="module")
def faces(tmp_path_factory) -> PackedCrops:
    """Synthetic faces with open eyes, with gray skin and red eyeballs."""
    packed = pack(draw_faces(tmp_path_factory.mktemp("drawn"), 150, seed=4), SIZE)
    images = np.full_like(packed.images, 160)
    for image, points in zip(images, packed.points, strict=True):
        for eye in (RIGHT, LEFT):
            if np.isfinite(points[eye]).all():
                # Slightly smaller than the labels: eyelids have edges, and cv2 fills half a pixel more.
                at = points[eye].mean(axis=0) + 0.75 * (points[eye] - points[eye].mean(axis=0))
                cv2.fillPoly(image, [np.rint(to_pixels(at, SIZE)).astype(np.int32)], RED.tolist())
    packed = replace(packed, images=images)
    chosen = choose_open_eyes(packed, 12, ExpressionWarpConfig(), seed=0)
    assert len(chosen) >= 6
    return packed.select(chosen)


def aperture(points: np.ndarray, eye: np.ndarray) -> np.ndarray:
    """(N,) mean distance of the eyelids, in eye widths."""
    at = points[:, eye]
    along = at[:, 3] - at[:, 0]
    between = (at[:, [5, 4]] - at[:, [1, 2]]).mean(axis=1)
    return (along[:, 0] * between[:, 1] - along[:, 1] * between[:, 0]) / (along**2).sum(axis=1)


def coefficient(faces: PackedCrops, name: str) -> np.ndarray:
    return faces.Q[:, EXPRESSION][:, NAMES.index(name)]


def winks(faces: PackedCrops, closed: PackedCrops) -> np.ndarray:
    """(N,) bool: the eye on the left of the image is closed."""
    moved = [np.abs(closed.points[:, eye] - faces.points[:, eye]).max(axis=(1, 2)) > 0 for eye in (RIGHT, LEFT)]
    assert (moved[0] ^ moved[1]).all(), "a wink closes exactly one eye"
    return moved[0]


def test_labels_parameters_and_fitted_face_agree(faces):
    closed = close_eyes(faces, np.arange(len(faces)), BOTH_CLOSED, seed=1, progress=False)
    outline, jawline = LandmarkModel.from_face_model(FaceModel.load()).outline68(closed.Q)
    np.testing.assert_allclose(closed.outline, outline[..., :2], atol=1e-5)
    np.testing.assert_allclose(closed.jawline, jawline[..., :2], atol=1e-5)
    for eye in (RIGHT, LEFT):
        assert (aperture(faces.points, eye) > 0.16).all()
        np.testing.assert_allclose(aperture(closed.points, eye), 0, atol=1e-4)
        # The eyelids of the fitted face at eyeBlink 1 may be open by a millimeter or cross.
        assert np.linalg.norm(closed.points[:, eye] - closed.outline[:, eye], axis=2).max() < 0.02
    for name in ("eyeBlinkLeft", "eyeBlinkRight"):
        assert (coefficient(closed, name) >= 0.9).all()
        assert (coefficient(closed, name) <= 1.0).all()
    for unit in ("eyeWide", "eyeSquint", "eyeLookUp", "eyeLookDown"):
        for side in ("Left", "Right"):
            assert (coefficient(closed, unit + side) == 0).all()


def test_half_closed_eyes_are_half_closed_in_labels_and_parameters(faces):
    config = ExpressionWarpConfig(wink_probability=0.0, fully_closed_probability=0.0, closing_range=(0.5, 0.5))
    open_eyes = faces.Q.copy()
    for unit in ("eyeBlink", "eyeWide", "eyeSquint", "eyeLookUp", "eyeLookDown"):
        for side in ("Left", "Right"):
            open_eyes[:, EXPRESSION.start + NAMES.index(unit + side)] = 0
    outline, jawline = LandmarkModel.from_face_model(FaceModel.load()).outline68(open_eyes)
    points = faces.points.copy()
    points[:, 36:48] = outline[:, 36:48, :2]
    neutral = replace(faces, Q=open_eyes, outline=outline[..., :2], jawline=jawline[..., :2], points=points)
    closed = close_eyes(neutral, np.arange(len(faces)), config, seed=1, progress=False)
    for eye in (RIGHT, LEFT):
        np.testing.assert_allclose(aperture(closed.points, eye) / aperture(points, eye), 0.5, atol=0.12)
        np.testing.assert_allclose(closed.points[:, eye], closed.outline[:, eye], atol=0.005)
    for name in ("eyeBlinkLeft", "eyeBlinkRight"):
        assert ((coefficient(closed, name) >= 0.45) & (coefficient(closed, name) <= 0.5)).all()


def test_a_wink_closes_one_eye_and_does_not_change_the_other(faces):
    closed = close_eyes(faces, np.arange(len(faces)), WINK, seed=2, progress=False)
    at_left = winks(faces, closed)
    assert at_left.any() and not at_left.all(), "both sides occur"
    for i, left in enumerate(at_left):
        # The subject's right eye is on the left of the image.
        closed_side, other = ("Right", "Left") if left else ("Left", "Right")
        eye = LEFT if left else RIGHT
        assert coefficient(closed, f"eyeBlink{closed_side}")[i] >= 0.9
        for unit in ("eyeBlink", "eyeWide", "eyeSquint", "eyeLookUp", "eyeLookDown"):
            assert coefficient(closed, unit + other)[i] == coefficient(faces, unit + other)[i]
        x0, y0 = np.floor(to_pixels(faces.points[i, eye], SIZE).min(0)).astype(int)
        x1, y1 = np.ceil(to_pixels(faces.points[i, eye], SIZE).max(0)).astype(int) + 1
        np.testing.assert_array_equal(closed.images[i, y0:y1, x0:x1], faces.images[i, y0:y1, x0:x1])


def test_the_eyeball_is_covered(faces):
    closed = close_eyes(
        faces, np.arange(len(faces)), replace(BOTH_CLOSED, lash_darkness_range=(0.0, 0.0)), seed=3, progress=False
    )

    def red(images):
        return np.clip(images[..., 0].astype(float) - images[..., 1], 0, None).sum(axis=(1, 2))

    assert (red(closed.images) < 0.25 * red(faces.images)).all()


def test_the_dark_line_of_closed_eyes_is_at_the_labels(faces):
    gray = replace(faces, images=np.full_like(faces.images, 160))
    closed = close_eyes(
        gray, np.arange(len(faces)), replace(BOTH_CLOSED, lash_darkness_range=(1.0, 1.0)), seed=3, progress=False
    )
    for i in range(len(faces)):
        for landmark in (37, 38, 43, 44):
            column, row = np.rint(to_pixels(closed.points[i, landmark], SIZE)).astype(int)
            assert closed.images[i, row - 1 : row + 2, column].min() < 60
            assert closed.images[i, row - 6, column].min() > 150


def test_nothing_else_changes(faces):
    closed = close_eyes(faces, np.arange(len(faces)), BOTH_CLOSED, seed=4, progress=False)
    rest = np.setdiff1d(np.arange(68), np.concatenate([RIGHT, LEFT]))
    np.testing.assert_array_equal(closed.points[:, rest], faces.points[:, rest])
    np.testing.assert_array_equal(closed.Q[:, : EXPRESSION.start], faces.Q[:, : EXPRESSION.start])
    for name in ("state", "residual", "valid", "resolution", "source"):
        np.testing.assert_array_equal(getattr(closed, name), getattr(faces, name))
    for i in range(len(faces)):
        changed = np.argwhere((closed.images[i] != faces.images[i]).any(axis=2))[:, ::-1]
        eyes = to_pixels(faces.points[i, np.concatenate([np.arange(17, 27), RIGHT, LEFT])], SIZE)
        margin = 0.5 * np.linalg.norm(eyes[13] - eyes[10])
        assert (changed >= eyes.min(0) - margin).all()
        assert (changed <= eyes.max(0) + margin).all()
    assert closed.source_names == tuple(name + SUFFIX for name in faces.source_names)


def test_the_result_depends_on_seed_and_face_only(faces):
    config = ExpressionWarpConfig()
    both = close_eyes(faces, np.array([2, 0]), config, seed=8, progress=False)
    alone = close_eyes(faces, np.array([0]), config, seed=8, progress=False)
    everything = [close_eyes(faces, np.arange(len(faces)), config, seed=seed, progress=False) for seed in (8, 9)]
    np.testing.assert_array_equal(both.images[1], alone.images[0])
    np.testing.assert_array_equal(both.Q[1], alone.Q[0])
    assert (everything[0].Q != everything[1].Q).any()


def test_only_faces_with_open_visible_and_fitted_eyes_are_chosen(faces):
    config = ExpressionWarpConfig()
    count = len(faces)
    assert len(choose_open_eyes(faces, 3, config, seed=0)) == 3
    suitable = choose_open_eyes(faces, 1000, config, seed=0)
    np.testing.assert_array_equal(np.sort(suitable), np.arange(count))
    points, state, residual = faces.points.copy(), faces.state.copy(), faces.residual.copy()
    points[0, [37, 38]] = points[0, [41, 40]]
    state[1, 44] = OCCLUDED
    points[2, 45], state[2, 45] = np.nan, SELF_OCCLUDED
    residual[3] = np.nan
    points[4, 36:48, 1] += 0.02
    worse = replace(faces, points=points, state=state, residual=residual)
    assert set(range(count)) - set(choose_open_eyes(worse, 1000, config, seed=0).tolist()) >= {0, 1, 2, 3}
    assert len(choose_open_eyes(close_eyes(faces, suitable, BOTH_CLOSED, 0, False), 1000, config, seed=0)) == 0


def test_faces_whose_labels_are_not_on_the_eyes_are_not_chosen(faces):
    """The red eyeball is darker than the skin around it; above it there is only skin."""
    shifted = replace(faces, images=np.roll(faces.images, -SIZE // 12, axis=1))
    assert len(choose_open_eyes(shifted, 1000, ExpressionWarpConfig(), seed=0)) < len(faces) / 2


def test_eyelids_that_do_not_move_change_no_pixels():
    eye = np.array([[30, 50], [37, 45], [45, 45], [52, 50], [45, 53], [37, 53]], np.float32)
    brow = np.array([[26, 38], [33, 34], [40, 33], [47, 34], [54, 38]], np.float32)
    image = np.random.default_rng(0).integers(0, 255, (80, 80, 3), dtype=np.uint8)
    same = image.copy()
    warp_eyelids(same, EyelidMotion(eye, eye, brow, 0.0), lash_darkness=0.5)
    np.testing.assert_array_equal(same, image)


def test_no_faces_give_no_faces_and_faces_without_a_fit_are_refused(faces):
    none = close_eyes(faces, np.array([], int), ExpressionWarpConfig(), seed=0, progress=False)
    assert len(faces.joined(none)) == len(faces)
    unfitted = replace(faces, Q=np.full_like(faces.Q, np.nan))
    assert len(choose_open_eyes(unfitted, 10, ExpressionWarpConfig(), seed=0)) == 0
    with pytest.raises(ValueError, match="faces with a fit"):
        close_eyes(unfitted, np.array([0]), ExpressionWarpConfig(), seed=0)
