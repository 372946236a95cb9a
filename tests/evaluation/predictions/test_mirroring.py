"""Mirrored faces and the alignment of mirrored images."""

import numpy as np

from expressive_faces import SIZE, LookupAligner, face_with
from rdrface.evaluation.predictions.mirroring import MirroringAligner, mirrored_face
from rdrface.face import packaged_model


def assert_same(first, second):
    for name in ("box", "landmarks", "landmarks_jawline", "projection", "landmarks_3d", "visibility"):
        np.testing.assert_allclose(getattr(first, name), getattr(second, name), atol=1e-3, err_msg=name)
    for name in ("pose", "identity", "expression"):
        one, other = getattr(first.parameters, name), getattr(second.parameters, name)
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4, err_msg=name)


def test_mirroring_twice_gives_the_original_face() -> None:
    face = face_with({"eyeBlinkLeft": 1, "jawOpen": 0.4}, (0.1, -0.4, 0.2))
    model = packaged_model()
    assert_same(mirrored_face(mirrored_face(face, 320, model), 320, model), face)


def test_mirroring_swaps_sides_and_keeps_the_3d_face_on_the_landmarks() -> None:
    face = face_with({"eyeBlinkLeft": 1, "jawOpen": 0.4}, (0.1, -0.4, 0.2))
    other = mirrored_face(face, 320, packaged_model())
    assert other.blendshapes["eyeBlinkRight"] == 1 and other.blendshapes["eyeBlinkLeft"] == 0
    assert other.pose.yaw == -face.pose.yaw
    np.testing.assert_allclose(other.points("ibug68"), other.landmarks_3d, atol=1e-2)


def test_aligning_the_mirrored_image_gives_the_original_face() -> None:
    face = face_with({"eyeBlinkLeft": 1, "mouthSmileRight": 0.5}, (0.1, -0.4, 0.2))
    image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    image[0, 0] = 255
    [back] = MirroringAligner(LookupAligner([face]), packaged_model()).align(image, face.box[None])
    assert_same(back, face)
