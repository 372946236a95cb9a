"""Boxes of the 68 landmarks, estimated from the points of other annotation schemes."""

import numpy as np
import pytest

from rdrface.datasets.readers import read_merl_rav
from rdrface.datasets.records import SELF_OCCLUDED, VISIBLE
from rdrface.evaluation.protocols.aflw import of_merl_rav
from rdrface.fitting.landmark_box import landmark_box_of
from rdrface.geometry.boxes import bounding_boxes
from some_face import some_face


@pytest.mark.parametrize("scheme", ["aflw21", "aflw34"])
@pytest.mark.parametrize("yaw", [0.0, 0.6, -1.2])
def test_landmark_box_of_generated_faces(scheme, yaw):
    face = some_face((160, 120), 100, (0.1, yaw, 0.2))
    points = face.points(scheme)[None, :, :2].astype(np.float64)
    state = np.full(points.shape[:2], VISIBLE)
    if yaw < -1:
        nose = face.points("ibug68")[30, 0]
        far = np.sign(points[0, :, 0] - nose) == np.sign(yaw)  # the half of the face that the nose points to
        state[0, far], points[0, far] = SELF_OCCLUDED, np.nan
        assert far.any()
    box = landmark_box_of(points, state, scheme)
    true = bounding_boxes(face.projection[None].astype(np.float64))

    def middle(b):
        return (b[0, :2] + b[0, 2:]) / 2

    side, true_side = (np.sqrt((b[0, 2:] - b[0, :2]).prod()) for b in (box, true))
    assert side == pytest.approx(true_side, rel=0.08)  # the estimate assumes the neutral mean face
    assert np.linalg.norm(middle(box) - middle(true)) < 0.06 * true_side


def test_landmark_box_ignores_hidden_points_and_needs_visible_ones():
    face = some_face()
    points = np.repeat(face.points("aflw21")[None, :, :2].astype(np.float64), 3, axis=0)
    state = np.full((3, 21), VISIBLE)
    state[:, :3] = SELF_OCCLUDED
    points[1, :3] += 500
    state[2, 5:] = SELF_OCCLUDED
    box = landmark_box_of(points, state, "aflw21")
    np.testing.assert_allclose(box[0], box[1])
    assert np.isnan(box[2]).all()
    with pytest.raises(ValueError, match=r"\(N, 34, 2\)"):
        landmark_box_of(points, state, "aflw34")
    with pytest.raises(ValueError, match="no scheme"):
        landmark_box_of(points, state, "aflw68")


def test_landmark_box_on_real_faces(shared_data):
    every = read_merl_rav(shared_data / "merl_rav", "test").select(np.arange(0, 2451, 16))
    faces = of_merl_rav(every, 21)
    box = landmark_box_of(faces.points, faces.state, "aflw21")
    side, true = (np.sqrt((b[:, 2:] - b[:, :2]).prod(1)) for b in (box, faces.box))
    distance = np.linalg.norm((box[:, :2] + box[:, 2:] - faces.box[:, :2] - faces.box[:, 2:]) / 2, axis=1) / true
    assert np.isfinite(box).all()
    assert np.median(np.abs(side / true - 1)) < 0.05 and np.percentile(np.abs(side / true - 1), 90) < 0.12
    assert np.median(distance) < 0.05 and np.percentile(distance, 90) < 0.12
