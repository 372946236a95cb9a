"""The coarse pass of RetinaFace, and the windows around doubtful faces."""

import cv2
import numpy as np
import pytest

from rdrface.detection import retinaface
from rdrface.detection.coarse import (
    MAX_WINDOWS,
    WINDOW_SIDE,
    is_doubtful,
    relative_scale,
    replace_matched,
    resize_fast,
)
from rdrface.detection.retinaface import RetinaFace
from rdrface.detection.retinaface_pass import Candidates
from rdrface.geometry.boxes import box_iou
from rdrface.runtime.session import open_graph

FACE = np.array([183.0, 92, 266, 176])
"""Approximate landmark box of scikit-image's astronaut."""


class CountingSession:
    """Session that records the sizes of its inputs, (height, width)."""

    input_size = None

    def __init__(self, session):
        self.session, self.sizes = session, []

    def run(self, images):
        self.sizes.append(images.shape[2:])
        return self.session.run(images)

    @property
    def pixels(self) -> int:
        return sum(height * width for height, width in self.sizes)


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return pytest.importorskip("skimage.data").astronaut()


@pytest.fixture
def session() -> CountingSession:
    return CountingSession(open_graph(retinaface.weights(), "openvino", 1))


def head(image: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The astronaut's head with a landmark box of `size` pixels, and that box."""
    scale = size / (FACE[2] - FACE[0])
    pixels = cv2.resize(image[40:230, 130:320], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return pixels, (FACE - [130, 40, 130, 40] + 0.5) * scale - 0.5


def with_heads(image: np.ndarray, width: int, height: int, sizes: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """A gray image with heads in a row, and their landmark boxes."""
    canvas, boxes, x = np.full((height, width, 3), 120, np.uint8), [], 3
    for size in sizes:
        pixels, box = head(image, size)
        canvas[5 : 5 + len(pixels), x : x + pixels.shape[1]] = pixels
        boxes.append(box + np.array([x, 5, x, 5]))
        x += pixels.shape[1] + 7
    return canvas, np.array(boxes)


def recall(found: np.ndarray, expected: np.ndarray) -> float:
    return float((box_iou(expected, found).max(axis=1, initial=0) > 0.4).mean())


@pytest.mark.parametrize(("width", "height"), [(640, 480), (1280, 720), (1200, 1600), (4000, 3000)])
def test_an_ordinary_photo_takes_less_than_a_third_of_the_pixels(session, image, width, height):
    canvas, boxes = with_heads(image, width, height, [width // 5])
    found = RetinaFace(session).detect(canvas)
    assert len(found) == 1 and recall(found.boxes, boxes) == 1
    assert session.pixels < (min(width, 1280) * min(width, 1280) * height / width) / 3


@pytest.mark.parametrize("size", [24, 26, 28, 32, 40, 48, 60])
def test_small_faces_beside_a_large_one_are_detected(session, image, size):
    canvas, boxes = with_heads(image, 640, 480, [130, size, size])
    found = RetinaFace(session).detect(canvas)
    assert recall(found.boxes, boxes) == 1
    assert len(found) == 3


@pytest.mark.parametrize("size", [48, 56, 64, 96])
def test_small_faces_of_an_image_of_1280_pixels_are_detected(session, image, size):
    canvas, boxes = with_heads(image, 1280, 720, [260, size, size, size])
    assert recall(RetinaFace(session).detect(canvas).boxes, boxes) == 1


def test_only_small_faces_are_searched_at_full_resolution(session, image):
    canvas, boxes = with_heads(image, 640, 480, [24, 26, 28, 30])
    assert recall(RetinaFace(session).detect(canvas).boxes, boxes) == 1
    assert max(session.sizes) == (544, 704)


def test_many_doubtful_faces_are_searched_at_full_resolution(session, image):
    rows = [with_heads(image, 640, 90, [28] * 8)[0] for _ in range(3)]
    canvas = np.concatenate([with_heads(image, 640, 270, [100])[0], *rows])
    assert len(RetinaFace(session).detect(canvas)) == 25
    assert max(session.sizes) == (608, 704)
    assert session.sizes.count((WINDOW_SIDE, WINDOW_SIDE)) <= MAX_WINDOWS


def test_an_image_without_a_face_is_searched_at_full_resolution(session):
    assert len(RetinaFace(session).detect(np.full((480, 640, 3), 90, np.uint8))) == 0
    assert (544, 704) in session.sizes


@pytest.mark.parametrize("degrees", [-40, -20, 0, 20, 40])
def test_angle_and_box_of_the_coarse_pass(session, image, degrees):
    center = (FACE[:2] + FACE[2:]) / 2
    matrix = cv2.getRotationMatrix2D(center, -degrees, 1.0)
    rotated = cv2.warpAffine(image, matrix, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    detector = RetinaFace(session)
    upright = detector.detect(image).angles[0]
    found = detector.detect(rotated)
    assert abs(found.angles[0] - upright - degrees) < 20
    assert box_iou(found.boxes[:1], FACE[None])[0, 0] > 0.6


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_cut_face_beside_a_whole_one_is_detected(session, image, side):
    canvas = with_heads(image, 640, 480, [60, 140])[0]
    cut, box = head(image, 100)
    column = round(box[0] + 35)
    cut = cut[:, column:] if side == "left" else cut[:, :-column]
    place = (
        np.s_[250 : 250 + len(cut), : cut.shape[1]] if side == "left" else np.s_[250 : 250 + len(cut), -cut.shape[1] :]
    )
    canvas[place] = cut
    assert len(RetinaFace(session).detect(canvas)) == 3


def test_the_scale_of_the_coarse_pass():
    assert relative_scale(640) == 0.5
    assert relative_scale(1280) == relative_scale(3840) == 0.35


def candidates(boxes: list[list[float]], scores: list[float]) -> Candidates:
    return Candidates(np.array(boxes, float), np.array(scores), np.zeros((len(boxes), 5, 2)))


def test_the_minimum_score_of_doubtful_faces_depends_on_size_and_place():
    small, large, inside = [200, 0, 212, 12], [200, 50, 260, 110], [40, 40, 60, 60]
    faces = candidates([[0, 0, 100, 100], small, large, inside, inside], [0.99, 0.01, 0.05, 0.1, 0.4])
    doubtful = is_doubtful(faces, np.array([True, False, False, False, False]))
    assert doubtful.tolist() == [False, True, False, False, True]


def test_chosen_faces_are_replaced_if_the_second_pass_found_them():
    first = candidates([[0, 0, 10, 10], [50, 50, 60, 60], [90, 90, 99, 99]], [0.9, 0.9, 0.9])
    second = candidates([[0, 0, 11, 11], [91, 91, 99, 99]], [0.8, 0.8])
    result = replace_matched(first, np.array([True, True, False]), second)
    assert sorted(result.boxes[:, 0].tolist()) == [0, 50, 90, 91]
    assert result.boxes[result.boxes[:, 0] == 0, 2] == 11


@pytest.mark.parametrize("factor", [1, 2, 3.3, 12.5])
def test_fast_downscaling_keeps_positions(factor):
    y, x = np.mgrid[0:600, 0:800]
    ramp = np.stack([x * 255 // 799, y * 255 // 599, x * 0], axis=-1).astype(np.uint8)
    width, height = round(800 / factor), round(600 / factor)
    small = resize_fast(ramp, width, height).astype(float)
    assert small.shape == (height, width, 3)
    expected = (np.arange(width) + 0.5) / width * 255
    # One pixel of the original image, plus rounding.
    np.testing.assert_allclose(small[height // 2, 1:-1, 0], expected[1:-1], atol=2.5)


def test_the_mean_position_of_overlapping_candidates():
    faces = candidates([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60]], [0.6, 0.2, 0.5])
    merged = faces.merged(0.4)
    np.testing.assert_allclose(merged.boxes, [[0.25, 0, 10.25, 10], [50, 50, 60, 60]])
    np.testing.assert_array_equal(merged.scores, [0.6, 0.5])
