"""RetinaFace: boxes, angles, resolutions and cut faces."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from rdrface.detection import retinaface
from rdrface.detection.retinaface import RetinaFace, input_scale
from rdrface.detection.retinaface_pass import BORDER
from rdrface.errors import WeightsError
from rdrface.geometry.boxes import bounding_boxes, box_iou
from rdrface.runtime.session import open_graph

FACE = np.array([183.0, 92, 266, 176])
"""Approximate landmark box of scikit-image's astronaut."""


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return pytest.importorskip("skimage.data").astronaut()


@pytest.fixture(scope="module")
def portrait(image) -> np.ndarray:
    """Part of the image that is small enough to be searched at full resolution at once."""
    return np.ascontiguousarray(image[:380, :380])


@pytest.fixture(scope="module")
def detector() -> RetinaFace:
    return RetinaFace(open_graph(retinaface.weights(), "openvino", 1))


def test_the_astronaut_is_detected_at_her_position(detector, image):
    found = detector.detect(image)
    assert len(found) == 1
    assert found.scores[0] > 0.95
    assert box_iou(found.boxes, FACE[None])[0, 0] > 0.7
    assert found.detector_boxes.shape == (1, 4)
    assert found.detector_boxes[0, 1] < found.boxes[0, 1]  # the detector's box includes the forehead
    assert abs(found.angles[0]) < 15


@pytest.mark.parametrize("scale", [0.3, 1.7, 2.5, 4.0])
def test_boxes_scale_with_the_image(detector, image, scale):
    """Also beyond 1280 pixels, where the image is downscaled, and for faces larger than the largest prior."""
    expected = detector.detect(image).boxes
    resized = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    found = detector.detect(resized).boxes
    assert len(found) == 1
    np.testing.assert_allclose((found + 0.5) / scale - 0.5, expected, atol=0.06 * (expected[0, 2] - expected[0, 0]))


def test_the_whole_of_a_face_that_fills_a_large_image_is_detected(detector, image):
    close = cv2.resize(image[40:220, 130:310], None, fx=7, fy=7, interpolation=cv2.INTER_CUBIC)
    found = detector.detect(close)
    assert len(found) == 1
    assert box_iou((found.boxes + 0.5) / 7 - 0.5 + [130, 40, 130, 40], FACE[None])[0, 0] > 0.7


@pytest.mark.parametrize("turns", [1, 3])
def test_the_box_rotates_with_the_face_by_a_right_angle(detector, image, turns):
    found = detector.detect(np.ascontiguousarray(np.rot90(image, turns)))
    assert len(found) >= 1
    corners = FACE.reshape(2, 2)
    rotated = np.stack([corners[:, 1], 511 - corners[:, 0]] if turns == 1 else [511 - corners[:, 1], corners[:, 0]], 1)
    assert box_iou(found.boxes[:1], bounding_boxes(rotated[None]))[0, 0] > 0.6


def test_several_faces_and_one_at_the_edge_are_detected(detector, image):
    face = image[:260, 100:330]
    row = np.concatenate([face, face[:, ::-1], face[:, :110]], axis=1)
    found = detector.detect(np.ascontiguousarray(row))
    assert len(found) >= 2
    assert (np.diff(found.scores) <= 0).all()
    # The two whole faces are mirror images about column 230.
    first, second = found.boxes[np.argsort(found.boxes[:, 0])[:2]]
    np.testing.assert_allclose(
        459 - second[[2, 1, 0, 3]] - [0, 459 - 2 * second[1], 0, 459 - 2 * second[3]], first, atol=6
    )


def rotated(image: np.ndarray, degrees: float) -> np.ndarray:
    """The image rotated about the center of FACE, clockwise as seen in the image."""
    matrix = cv2.getRotationMatrix2D(((FACE[0] + FACE[2]) / 2, (FACE[1] + FACE[3]) / 2), -degrees, 1.0)
    return cv2.warpAffine(image, matrix, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)


@pytest.mark.parametrize("degrees", [-60, -45, -30, -15, 0, 15, 30, 45, 60])
def test_the_angle_and_the_landmark_box_follow_the_rotation(detector, portrait, degrees):
    upright = detector.detect(portrait)
    found = detector.detect(rotated(portrait, degrees))
    assert abs(found.angles[0] - upright.angles[0] - degrees) < (12 if abs(degrees) <= 45 else 25)
    side = FACE[2] - FACE[0]
    assert found.boxes[0, 2] - found.boxes[0, 0] == pytest.approx(upright.boxes[0, 2] - upright.boxes[0, 0], rel=0.1)
    # The face was rotated about the center of its landmark box, so that the center stays.
    centers = [(boxes[0, :2] + boxes[0, 2:]) / 2 for boxes in (upright.boxes, found.boxes)]
    np.testing.assert_allclose(*centers, atol=0.12 * side)


@pytest.mark.parametrize("fraction", [0.2, 0.35, 0.5])
@pytest.mark.parametrize("edge", ["left", "top", "right", "bottom"])
def test_the_box_of_a_face_cut_by_the_edge_is_that_of_the_whole_face(detector, image, edge, fraction):
    whole = detector.detect(image).boxes[0]
    side = whole[2] - whole[0]
    part = {
        "left": np.s_[:, int(whole[0] + fraction * side) :],
        "top": np.s_[int(whole[1] + fraction * side) :, :],
        "right": np.s_[:, : int(whole[2] - fraction * side)],
        "bottom": np.s_[: int(whole[3] - fraction * side), :],
    }[edge]
    found = detector.detect(image[part])
    assert len(found) == 1
    start = [part[1].start or 0, part[0].start or 0] * 2
    assert box_iou(found.boxes + start, whole[None])[0, 0] > 0.75


@pytest.mark.parametrize("pixels", [24, 32, 40, 100])
def test_the_face_that_fills_a_thumbnail_is_detected_in_its_pixels(detector, image, pixels):
    thumbnail = cv2.resize(image[60:190, 160:290], (pixels, pixels), interpolation=cv2.INTER_AREA)
    found = detector.detect(thumbnail)
    assert len(found) == 1
    expected = (FACE - [160, 60, 160, 60]) * pixels / 130
    assert box_iou(found.boxes, expected[None])[0, 0] > 0.65


def crowd(image: np.ndarray, width: int, height: int, sizes: list[int], count: int) -> tuple[np.ndarray, np.ndarray]:
    """`count` copies of the astronaut's head in a grid on a gray image; landmark boxes of the given sizes in turn."""
    head, side = image[40:240, 120:320], FACE[2] - FACE[0]
    cell = int(max(sizes) * 200 / side) + 2
    canvas = np.full((height, width, 3), 120, np.uint8)
    boxes = []
    for i in range(count):
        pixels = round(sizes[i % len(sizes)] * 200 / side)
        x, y = i % (width // cell) * cell, i // (width // cell) * cell
        canvas[y : y + pixels, x : x + pixels] = cv2.resize(head, (pixels, pixels), interpolation=cv2.INTER_AREA)
        boxes.append((FACE - [120, 40, 120, 40]) * pixels / 200 + [x, y, x, y])
    assert y + pixels <= height
    return canvas, np.array(boxes)


def recall(boxes: np.ndarray, expected: np.ndarray) -> float:
    return float((box_iou(expected, boxes).max(axis=1, initial=0) > 0.4).mean())


class CountingSession:
    """Session that records the sizes of its inputs, (height, width)."""

    input_size = None

    def __init__(self, session):
        self.session, self.sizes = session, []

    def run(self, images):
        self.sizes.append(images.shape[2:])
        return self.session.run(images)


def test_small_faces_of_a_large_crowd_are_detected(detector, image):
    """Three times the resolution of the first pass, like a 4K image at the default `max_side`."""
    image, expected = crowd(image, 1920, 1080, [28, 32, 40, 60], 84)
    session = CountingSession(detector.session)
    found = RetinaFace(session, max_side=640).detect(image)
    assert recall(found.boxes, expected) > 0.95
    assert len(found) < 1.05 * len(expected)
    assert len(session.sizes) == 3  # coarse, full resolution, small faces


def test_images_without_small_faces_have_no_pass_for_small_faces(detector, image):
    image, expected = crowd(image, 1920, 1080, [120], 8)
    session = CountingSession(detector.session)
    found = RetinaFace(session, max_side=640).detect(image)
    assert recall(found.boxes, expected) == 1
    assert max(np.prod(size) for size in session.sizes) < 700 * 500


def test_one_small_face_in_a_large_image_costs_little(detector, image):
    image, expected = crowd(image, 3840, 2160, [51], 1)
    session = CountingSession(detector.session)
    found = RetinaFace(session).detect(image)
    assert recall(found.boxes, expected) == 1
    coarse, full, last = (np.prod(session.sizes[i]) for i in (0, 1, -1))
    assert last < full / 4 and coarse < full / 4


def test_the_faces_of_a_panorama_are_detected(detector, image):
    image, expected = crowd(image, 12000, 1000, [150, 200], 20)
    assert recall(detector.detect(image).boxes, expected) == 1


@pytest.mark.parametrize("ratio", [(4, 3), (3, 2), (16, 9), (1, 1)])
def test_images_of_usual_aspect_ratios_are_downscaled_to_max_side(ratio):
    width, height = 2000 * ratio[0], 2000 * ratio[1]
    assert input_scale(height, width, 1280) == pytest.approx(1280 / width)
    assert input_scale(width, height, 1280) == pytest.approx(1280 / width)
    assert input_scale(600, 800, 1280) == 1


@pytest.mark.parametrize("shape", [(1000, 12000), (100, 100_000), (1, 1_000_000), (30_000, 40_000), (2, 2)])
def test_the_size_of_the_input_is_bounded(shape):
    scale = input_scale(*shape, 1280)
    padded = (shape[0] * scale + 3 * BORDER) * (shape[1] * scale + 3 * BORDER)
    assert padded < 2 * 1280 * 1280


def test_concurrent_calls_give_the_same_boxes(detector, image):
    images = [np.ascontiguousarray(np.rot90(image, k)) for k in (0, 1, 0, 3, 0)]
    expected = [detector.detect(each).boxes for each in images]
    with ThreadPoolExecutor(3) as pool:
        for found, boxes in zip(pool.map(detector.detect, images), expected, strict=True):
            np.testing.assert_array_equal(found.boxes, boxes)


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (2000, 3), (31, 33), (64, 64)])
def test_images_without_a_face_have_no_detections(detector, shape):
    found = detector.detect(np.full((*shape, 3), 77, np.uint8))
    assert len(found) == 0
    assert found.boxes.shape == (0, 4) and found.scores.shape == (0,) and found.detector_boxes.shape == (0, 4)
    assert found.angles.shape == (0,)


def test_both_runtimes_give_the_same_boxes(detector, image):
    other = RetinaFace(open_graph(retinaface.weights(), "onnxruntime", 1))
    np.testing.assert_allclose(other.detect(image).boxes, detector.detect(image).boxes, atol=0.01)


def test_a_missing_or_damaged_graph_is_refused(monkeypatch, tmp_path):
    assert len(retinaface.weights()) > 1_000_000
    monkeypatch.setattr(retinaface, "GRAPH", tmp_path / "retinaface.onnx")
    with pytest.raises(WeightsError, match="cannot be read"):
        retinaface.weights()
    (tmp_path / "retinaface.onnx").write_bytes(b"version https://git-lfs.github.com/spec/v1")
    with pytest.raises(WeightsError, match="damaged"):
        retinaface.weights()


def test_the_license_of_the_graph_is_packaged():
    assert "ddfabbro" in retinaface.GRAPH.with_suffix(".LICENSE").read_text()


@pytest.mark.parametrize(
    "options", [{"score_threshold": 0}, {"score_threshold": 1.5}, {"iou_threshold": 1}, {"max_side": 10}]
)
def test_invalid_options_are_refused(detector, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        RetinaFace(detector.session, **options)
