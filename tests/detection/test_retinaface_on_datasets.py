"""RetinaFace: boxes and angles compared with the annotated landmarks of AFLW2000-3D."""

import cv2
import numpy as np
import pytest

from rdrface.detection import retinaface
from rdrface.detection.retinaface import RetinaFace
from rdrface.geometry.boxes import bounding_boxes, box_iou
from rdrface.geometry.rotation import clockwise_angle, wrap_degrees
from rdrface.runtime.session import open_graph


@pytest.fixture(scope="module")
def detector() -> RetinaFace:
    return RetinaFace(open_graph(retinaface.weights(), "openvino", 1))


def aflw2000_3d(shared_data, step: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Images and landmarks (68, 2) of every `step`-th face."""
    from scipy.io import loadmat

    files = sorted((shared_data / "aflw2000_3d_dev").glob("*.mat"))[::step]
    return [
        (cv2.imread(str(file.with_suffix(".jpg")))[..., ::-1], loadmat(file)["pt3d_68"][:2].T - 1) for file in files
    ]


def offset(found: np.ndarray, landmarks: np.ndarray) -> tuple[np.ndarray, float]:
    """Center offset (2,) and side of the box that overlaps the landmarks' box most, in units of that box's size."""
    truth = bounding_boxes(landmarks[None])
    box = found[box_iou(found, truth)[:, 0].argmax()]
    size = np.sqrt((truth[0, 2:] - truth[0, :2]).prod())
    return (box[:2] + box[2:] - truth[0, :2] - truth[0, 2:]) / 2 / size, float((box[2] - box[0]) / size)


def test_boxes_match_the_landmarks_of_large_poses(detector, shared_data):
    """The correction of the boxes, on images with ground truth."""
    faces = aflw2000_3d(shared_data, 5)
    detected = [(detector.detect(image).boxes, landmarks) for image, landmarks in faces]
    offsets = [offset(boxes, landmarks) for boxes, landmarks in detected if len(boxes)]
    assert len(offsets) > 0.97 * len(faces)
    shifts, sides = np.array([shift for shift, _ in offsets]), np.array([side for _, side in offsets])
    assert abs(sides.mean() - 1) < 0.05 and sides.std() < 0.1
    assert np.abs(shifts.mean(axis=0)).max() < 0.04


@pytest.mark.parametrize("edge", ["left", "right", "top", "bottom"])
def test_boxes_of_cut_faces_match_their_landmarks(detector, shared_data, edge):
    """35 % of the landmark box is cut off. Without the completion, the median distance of the centers is 0.10-0.32."""
    distances, sides = [], []
    faces = aflw2000_3d(shared_data, 4)
    for image, landmarks in faces:
        low, high = landmarks.min(axis=0), landmarks.max(axis=0)
        first, last = np.maximum(low + 0.35 * (high - low), 0).astype(int), (high - 0.35 * (high - low)).astype(int)
        part = {
            "left": np.s_[:, first[0] :],
            "right": np.s_[:, : last[0]],
            "top": np.s_[first[1] :, :],
            "bottom": np.s_[: last[1], :],
        }[edge]
        found = detector.detect(image[part]).boxes
        if len(found):
            start = [first[0] if edge == "left" else 0, first[1] if edge == "top" else 0]
            shift, side = offset(found, landmarks - start)
            distances.append(np.hypot(*shift))
            sides.append(side)
    assert len(distances) > 0.8 * len(faces)
    assert np.median(distances) < 0.1
    assert abs(np.median(sides) - 1) < 0.07


@pytest.mark.parametrize("degrees", [-45, -30, 0, 30, 45])
def test_angles_match_the_landmarks_of_rotated_faces(detector, shared_data, degrees):
    errors = []
    for image, landmarks in aflw2000_3d(shared_data, 5):
        matrix = cv2.getRotationMatrix2D(landmarks.mean(axis=0).tolist(), -degrees, 1.0)
        found = detector.detect(cv2.warpAffine(image, matrix, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE))
        points = landmarks @ matrix[:, :2].T + matrix[:, 2]
        up = points[36:48].mean(axis=0) - points[[48, 54]].mean(axis=0)
        if len(found):
            best = box_iou(found.boxes, bounding_boxes(points[None]))[:, 0].argmax()
            errors.append(abs(wrap_degrees(found.angles[best] - clockwise_angle(up))))
    assert len(errors) >= 38
    assert np.median(errors) < 8 and np.percentile(errors, 90) < 20
