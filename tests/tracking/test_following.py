"""How often the network runs for a face that is followed."""

import numpy as np
import pytest

from moving_face import shifted
from rdrface.alignment.crop_alignment import CropAlignment
from rdrface.crop import CropFrame
from rdrface.face import packaged_model
from rdrface.tracking.following import follow
from rdrface.tracking.landmark_shape import LandmarkShape
from rdrface.tracking.track import Track
from some_face import some_face


class FakeAligner:
    """Finds the same landmarks in every crop, and counts the crops."""

    def __init__(self, landmarks: np.ndarray) -> None:
        self.landmarks, self.frames = landmarks, []

    def align(self, images, image_of, frame: CropFrame) -> CropAlignment:
        self.frames.append(frame)
        in_crop = frame.to_crop(np.repeat(self.landmarks[None], len(frame), axis=0))
        return CropAlignment(frame, {"landmarks": in_crop, "uncertainty": np.full((len(frame), 68), 0.01)})


def num_crops(face, by: float) -> int:
    """Number of crops for a face that has moved by a part of its size since the last frame."""
    track = Track(1, face, 0.0, LandmarkShape(packaged_model()))
    aligner = FakeAligner(shifted(face, np.array([by * face.size, 0.0])).landmarks.astype(np.float64))
    _, lost = follow(aligner, np.zeros((240, 320, 3), np.uint8), [track], 1 / 30, 10.0)
    assert not lost.any()
    return len(aligner.frames)


@pytest.mark.parametrize("pitch", [0, 20, 30])
@pytest.mark.parametrize("yaw", [0, 40, 60])
@pytest.mark.parametrize("roll", [-90, 0, 45, 75])
def test_a_still_face_needs_one_crop(pitch, yaw, roll) -> None:
    """Also a turned and rolled one, whose box in the image has another center than that in its crop."""
    assert num_crops(some_face(angles=tuple(np.radians([pitch, yaw, roll]))), 0.0) == 1


def test_a_face_that_moved_far_is_aligned_again() -> None:
    face = some_face(angles=(0.0, 0.0, 0.0))
    assert num_crops(face, 0.1) == 1
    assert num_crops(face, 0.14) == 2
