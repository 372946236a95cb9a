import numpy as np

from expressive_faces import SIZE, KnowingAligner, face_with
from rdrface.evaluation.predictions.mirroring import MirroringAligner, mirrored_face
from rdrface.face import packaged_model


def assert_same(first, second):
    for name in ("box", "landmarks", "landmarks_jawline", "projection", "landmarks_3d", "visibility"):
        np.testing.assert_allclose(getattr(first, name), getattr(second, name), atol=1e-3, err_msg=name)
    for name in ("pose", "identity", "expression"):
        ours, theirs = getattr(first.parameters, name), getattr(second.parameters, name)
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4, err_msg=name)


def test_a_face_mirrored_twice_is_the_face() -> None:
    face = face_with({"eyeBlinkLeft": 1, "jawOpen": 0.4}, (0.1, -0.4, 0.2))
    model = packaged_model()
    assert_same(mirrored_face(mirrored_face(face, 320, model), 320, model), face)


def test_a_mirrored_face_swaps_sides_and_keeps_its_3d_face_on_its_points() -> None:
    face = face_with({"eyeBlinkLeft": 1, "jawOpen": 0.4}, (0.1, -0.4, 0.2))
    other = mirrored_face(face, 320, packaged_model())
    assert other.blendshapes["eyeBlinkRight"] == 1 and other.blendshapes["eyeBlinkLeft"] == 0
    assert other.pose.yaw == -face.pose.yaw
    np.testing.assert_allclose(other.points("ibug68"), other.landmarks_3d, atol=1e-2)


def test_a_mirrored_photo_gives_the_face_of_the_photo() -> None:
    face = face_with({"eyeBlinkLeft": 1, "mouthSmileRight": 0.5}, (0.1, -0.4, 0.2))
    photo = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    photo[0, 0] = 255
    [back] = MirroringAligner(KnowingAligner([face]), packaged_model()).align(photo, face.box[None])
    assert_same(back, face)
