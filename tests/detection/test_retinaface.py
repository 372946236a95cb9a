"""RetinaFace: boxes, scales, rotations and the box correction."""

import cv2
import numpy as np
import pytest

from rdrface.detection import retinaface
from rdrface.detection.retinaface import RetinaFace, decode_boxes, landmark_boxes_of, priors
from rdrface.errors import WeightsError
from rdrface.geometry.boxes import bounding_boxes, box_iou
from rdrface.runtime.session import open_graph

FACE = np.array([183.0, 92, 266, 176])
"""Approximate landmark box of scikit-image's astronaut."""


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return pytest.importorskip("skimage.data").astronaut()


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


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (2000, 3), (31, 33), (64, 64)])
def test_images_without_a_face_have_no_detections(detector, shape):
    found = detector.detect(np.full((*shape, 3), 77, np.uint8))
    assert len(found) == 0
    assert found.boxes.shape == (0, 4) and found.scores.shape == (0,) and found.detector_boxes.shape == (0, 4)


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


def test_one_prior_pair_per_cell_and_stride():
    result = priors(64, 96)
    assert result.shape == (2 * (8 * 12 + 4 * 6 + 2 * 3), 3)
    np.testing.assert_array_equal(result[:3], [[4, 4, 16], [4, 4, 32], [12, 4, 16]])
    np.testing.assert_array_equal(result[-1], [80, 48, 512])


def test_decoding_follows_ssd():
    boxes = decode_boxes(np.array([[0.0, 0, 0, 0], [1, -2, 5, 0]]), np.array([[100.0, 50, 20], [100, 50, 20]]))
    np.testing.assert_allclose(boxes[0], [90, 40, 110, 60])
    np.testing.assert_allclose((boxes[1, :2] + boxes[1, 2:]) / 2, [102, 46])
    np.testing.assert_allclose(boxes[1, 2:] - boxes[1, :2], [20 * np.e, 20])


def test_landmark_boxes_are_shifted_towards_the_mouth():
    boxes = np.array([[0.0, 0, 112, 112]] * 3)
    upright = np.array([[30.0, 40], [80, 40], [55, 60], [35, 85], [75, 85]])
    rotated = upright[:, ::-1] * [-1, 1] + [112, 0]  # rotated clockwise: the mouth is on the left
    coinciding = np.full((5, 2), 50.0)
    found = landmark_boxes_of(boxes, np.stack([upright, rotated, coinciding]))
    np.testing.assert_allclose(found[0], [6, 22, 106, 122], atol=1)
    np.testing.assert_allclose(found[1], [-10, 6, 90, 106], atol=1)
    np.testing.assert_allclose(found[2], found[0], atol=1)


@pytest.mark.parametrize(
    "options", [{"score_threshold": 0}, {"score_threshold": 1.5}, {"iou_threshold": 1}, {"max_side": 10}]
)
def test_invalid_options_are_refused(detector, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        RetinaFace(detector.session, **options)


def test_boxes_match_the_landmarks_of_large_poses(detector, shared_data):
    """The correction of the boxes, on images with ground truth."""
    from scipy.io import loadmat

    sizes, shifts = [], []
    files = sorted((shared_data / "aflw2000_3d_dev").glob("*.mat"))[::5]
    for file in files:
        image = cv2.imread(str(file.with_suffix(".jpg")))[..., ::-1]
        truth = bounding_boxes(loadmat(file)["pt3d_68"][:2].T[None] - 1)[0]
        found = detector.detect(image).boxes
        if len(found):
            best = found[box_iou(found, truth[None])[:, 0].argmax()]
            side = np.sqrt((truth[2:] - truth[:2]).prod())
            sizes.append((best[2] - best[0]) / side)
            shifts.append((best[:2] + best[2:] - truth[:2] - truth[2:]) / 2 / side)
    assert len(sizes) > 0.97 * len(files)
    assert abs(np.mean(sizes) - 1) < 0.05 and np.std(sizes) < 0.1
    assert np.abs(np.mean(shifts, axis=0)).max() < 0.04
