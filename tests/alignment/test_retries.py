"""Faces at any angle, faces at the edge of the image, and detections that are no face, on scikit-image's astronaut."""

import io

import numpy as np
import pytest
from PIL import Image

import rdrface
from rdrface.alignment.retries import UPRIGHT_WITHIN, corrected_frames, without_small_rotations
from rdrface.datasets.readers import read_merl_rav
from rdrface.datasets.records import VISIBLE
from rdrface.detection.protocol import Detections
from rdrface.geometry.boxes import box_size

data = pytest.importorskip("skimage.data")
BOX = np.array([183.0, 92, 266, 176])


class FixedBoxes:
    """A detector that reports the same boxes, upright, in every image."""

    def __init__(self, *boxes) -> None:
        self.boxes = np.array(boxes, float).reshape(-1, 4)

    def detect(self, image: np.ndarray) -> Detections:
        scores = np.linspace(0.7, 0.9, len(self.boxes), dtype=np.float32)
        return Detections(self.boxes, scores, self.boxes)


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return data.astronaut()


@pytest.fixture(scope="module")
def aligner() -> rdrface.Aligner:
    return rdrface.load(threads=2)


@pytest.fixture(scope="module")
def upright(aligner, image) -> rdrface.Face:
    (face,) = aligner.detect(image)
    return face


def turned(image, points, degrees):
    """The image and points (n, 2) rotated clockwise about the center of a larger, gray image."""
    canvas = Image.new("RGB", (740, 740), (128, 128, 128))
    canvas.paste(Image.fromarray(image), (114, 114))
    angle, center = np.radians(degrees), np.array([369.5, 369.5])
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    rotated = canvas.rotate(-degrees, Image.Resampling.BILINEAR, fillcolor=(128, 128, 128))
    return np.asarray(rotated), (points + 114 - center) @ matrix.T + center


@pytest.mark.parametrize("degrees", range(45, 360, 45))
def test_a_rotated_photo_gives_the_rotated_landmarks(aligner, image, upright, degrees):
    pixels, expected = turned(image, upright.landmarks, degrees)
    (face,) = aligner.detect(pixels)
    assert np.linalg.norm(face.landmarks - expected, axis=1).mean() < 0.03 * upright.size
    assert face.expected_error < 1.5 * upright.expected_error
    # The 3D face is rotated too: its projection is where the 2D landmarks are.
    assert np.linalg.norm(face.projection - expected, axis=1).mean() < 0.05 * upright.size
    np.testing.assert_allclose(face.points("ibug68"), face.landmarks_3d, atol=0.002 * face.size)


def test_an_upside_down_face_is_found_from_an_upright_box(image, upright):
    """The detector often reports an upside-down face as upright."""
    pixels, expected = turned(image, upright.landmarks, 180)
    box = np.concatenate([expected.min(0), expected.max(0)])
    aligner = rdrface.load(detector=FixedBoxes(box), threads=2)
    (face,) = aligner.detect(pixels)
    assert np.linalg.norm(face.landmarks - expected, axis=1).mean() < 0.03 * upright.size
    (aligned,) = aligner.align(pixels, [box])
    np.testing.assert_allclose(aligned.landmarks, face.landmarks, atol=1e-3)


@pytest.mark.parametrize("factor", [0.7, 1.5])
def test_a_box_of_the_wrong_size_is_corrected(image, upright, factor):
    center, half = (BOX[:2] + BOX[2:]) / 2, (BOX[2:] - BOX[:2]) / 2 * factor
    aligner = rdrface.load(detector=FixedBoxes([*(center - half), *(center + half)]), threads=2)
    (face,) = aligner.detect(image)
    assert np.linalg.norm(face.landmarks - upright.landmarks, axis=1).mean() < 0.03 * upright.size


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_face_cut_by_the_edge_keeps_its_pose_and_hides_what_is_outside(aligner, image, upright, side):
    x0, x1 = upright.landmarks[:, 0].min(), upright.landmarks[:, 0].max()
    edge = round(float(x0 + 0.35 * (x1 - x0) if side == "left" else x1 - 0.35 * (x1 - x0)))
    part, offset = (image[:, edge:], edge) if side == "left" else (image[:, :edge], 0)
    (face,) = aligner.detect(np.ascontiguousarray(part))
    landmarks = face.landmarks + np.array([offset, 0])
    assert abs(face.pose.yaw - upright.pose.yaw) < 15
    assert np.linalg.norm(landmarks - upright.landmarks, axis=1).mean() < 0.05 * upright.size
    outside = landmarks[:, 0] < edge - 0.5 if side == "left" else landmarks[:, 0] > edge - 0.5
    assert outside.sum() > 5
    assert (face.visibility[outside] == 0).all()
    assert (face.visibility[~outside] > 0.5).sum() > 30


def test_a_detection_that_is_no_face_is_dropped_and_counted(image):
    background = np.array([20.0, 20, 120, 140])
    aligner = rdrface.load(detector=FixedBoxes(BOX, background), threads=2)
    (face,), (dropped,) = aligner.detect_with_dropped(image)
    np.testing.assert_allclose(face.box, BOX)
    np.testing.assert_allclose(dropped.box, background)
    assert dropped.expected_error > aligner.max_uncertainty
    keeps_all = rdrface.load(detector=FixedBoxes(BOX, background), threads=2, max_uncertainty=None)
    assert len(keeps_all.detect(image)) == 2
    # Boxes that the caller passes are never dropped.
    assert len(aligner.align(image, [BOX, background])) == 2


def test_one_person_in_two_boxes_is_one_face(image):
    aligner = rdrface.load(detector=FixedBoxes(BOX, BOX + np.array([30, 0, 30, 0])), threads=2)
    assert len(aligner.detect(image)) == 1
    twins = np.concatenate([image, image], axis=1)
    aligner = rdrface.load(detector=FixedBoxes(BOX, BOX + np.array([512, 0, 512, 0])), threads=2)
    assert len(aligner.detect(twins)) == 2


def test_the_order_of_the_faces(image):
    """From left to right: a small face, a large one and one in between, with scores of 0.9, 0.7 and 0.8."""
    scales, lefts = (0.5, 1.0, 0.75), (0, 256, 768)
    canvas = np.zeros((512, 1152, 3), np.uint8)
    boxes = []
    for scale, left in zip(scales, lefts, strict=True):
        side = round(512 * scale)
        canvas[:side, left : left + side] = Image.fromarray(image).resize((side, side), Image.Resampling.HAMMING)
        boxes.append(BOX * scale + np.array([left, 0, left, 0]))
    detector = FixedBoxes(boxes[1], boxes[2], boxes[0])
    found = {
        order: [
            int(np.searchsorted(lefts, face.landmarks[:, 0].mean()) - 1)
            for face in rdrface.load(detector=detector, threads=2, order=order).detect(canvas)
        ]
        for order in ("score", "size", "left_to_right")
    }
    assert found == {"score": [0, 2, 1], "size": [1, 2, 0], "left_to_right": [0, 1, 2]}


def test_faces_that_are_rotated_little_are_cut_out_upright():
    angles = np.array([UPRIGHT_WITHIN - 1, UPRIGHT_WITHIN + 1, -179.0, 350])
    np.testing.assert_allclose(without_small_rotations(angles), [0, UPRIGHT_WITHIN + 1, -179, 0])


@pytest.mark.parametrize("degrees", [0, 60, -150])
def test_the_corrected_crop_is_around_the_landmarks_and_upright(upright, degrees):
    angle = np.radians(degrees)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = upright.landmarks.astype(float) @ matrix.T
    frame = corrected_frames(points[None])
    in_crop = frame.to_crop(points[None])[0]
    np.testing.assert_allclose(in_crop.min(0) + in_crop.max(0), 0, atol=1e-6)
    assert in_crop[36:48, 1].mean() < in_crop[48:, 1].mean() - 0.2
    assert abs(np.degrees(frame.angle[0]) - degrees) < 10


class FindsUprightFacesOnly:
    """A detector that finds the astronaut if the image is upright, by the color of a corner, and nothing otherwise."""

    def detect(self, image: np.ndarray) -> Detections:
        if image[0, 0].tolist() != [255, 0, 0]:
            return Detections.empty()
        return Detections(BOX[None], np.ones(1, np.float32), BOX[None])


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_a_sideways_photo_is_searched_again_in_rotated_form(image, upright, quarter_turns):
    marked = image.copy()
    marked[0, 0] = 255, 0, 0
    aligner = rdrface.load(detector=FindsUprightFacesOnly(), threads=2, batch_size=3)
    sideways = np.rot90(marked, quarter_turns)
    ((face,), (same,)) = aligner.detect_batch([sideways, sideways])
    x, y = upright.landmarks.T
    expected = {1: (y, 511 - x), 2: (511 - x, 511 - y), 3: (511 - y, x)}[quarter_turns]
    assert np.linalg.norm(face.landmarks.T - expected, axis=0).mean() < 0.03 * upright.size
    np.testing.assert_allclose(face.landmarks, same.landmarks, atol=0.1)


class FindsSomeFaces:
    """A detector that finds one of two faces in a sideways photo, and both in the upright one."""

    def detect(self, image: np.ndarray) -> Detections:
        height, width = image.shape[:2]
        boxes = np.array([BOX, BOX + np.array([512, 0, 512, 0])])
        if width < height:  # rotated counterclockwise by 90 degrees: (x, y) -> (y, 1023 - x)
            boxes = np.array([[BOX[1], 1023 - BOX[2], BOX[3], 1023 - BOX[0]]])
        return Detections(boxes, np.ones(len(boxes), np.float32), boxes)


def test_the_faces_of_a_sideways_photo_that_were_missed_are_found_in_the_rotated_one(image):
    twins = np.rot90(np.concatenate([image, image], axis=1))
    aligner = rdrface.load(detector=FindsSomeFaces(), threads=2)
    assert len(aligner.detect(twins)) == 2


def test_a_compressed_profile_is_not_turned_upside_down(shared_data):
    """Its expected error is high, and so are those at other angles: a small difference does not decide."""
    faces = read_merl_rav(shared_data / "merl_rav", "test")
    (index,) = np.flatnonzero([str(path).endswith("lefthalf/testset/image19587.jpg") for path in faces.image])
    compressed = io.BytesIO()
    Image.open(faces.image[index]).save(compressed, "JPEG", quality=10)
    (face,) = rdrface.load(precision="float32").align(compressed.getvalue(), faces.box[index][None])
    distance = np.linalg.norm(face.landmarks - faces.points[index], axis=1)[faces.state[index] == VISIBLE]
    assert distance.mean() < 0.1 * box_size(faces.box[index])
