"""Detections: what a detector may return."""

import numpy as np
import pytest

from rdrface.detection.protocol import Detections

BOX = np.array([[10.0, 20, 50, 70]])


def test_faces_without_angles_are_upright():
    assert Detections(BOX, [0.5], BOX).angles.tolist() == [0]
    assert len(Detections([], [], [])) == 0
    assert Detections([], [], []).boxes.shape == (0, 4)


def test_parts_are_joined_in_order():
    part = Detections(BOX, [0.5], BOX, [30])
    joined = Detections.joined([part, Detections.empty(), Detections(BOX + 1, [0.7], BOX)])
    assert joined.boxes[:, 0].tolist() == [10, 11]
    assert joined.angles.tolist() == [30, 0]
    assert len(Detections.joined([])) == 0


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("boxes", [[10, 20, np.nan, 70]]),
        ("boxes", [[10, 20, 1e15, 70]]),
        ("boxes", [[10, 20, 10 + 1e-9, 70]]),
        ("boxes", [[50, 20, 10, 70]]),
        ("detector_boxes", [[np.inf, 20, 50, 70]]),
        ("detector_boxes", [10, 20, 50, 70]),
        ("scores", [np.nan]),
        ("scores", [5]),
        ("scores", [0.5, 0.5]),
        ("angles", [np.inf]),
        ("angles", [0, 0]),
    ],
)
def test_a_value_that_cannot_be_used_is_named(name, changed):
    values = {"boxes": BOX, "scores": [0.5], "detector_boxes": BOX, "angles": [0]}
    with pytest.raises(ValueError, match=f"Detections.{name}"):
        Detections(**{**values, name: changed})
