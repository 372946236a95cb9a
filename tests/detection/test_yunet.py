import cv2
import numpy as np
import pytest

from rdrface.detection.yunet import YuNet
from rdrface.errors import WeightsError


class PretendedNet:
    """OpenCV's interface: x, y, width, height, five points and a score per face, in the picture it was given."""

    def __init__(self, rows):
        self.rows = rows
        self.size = None

    def setInputSize(self, size):
        self.size = size

    def detect(self, picture):
        assert picture.shape[1::-1] == self.size
        return 1, self.rows


def pretended(monkeypatch, tmp_path, rows) -> YuNet:
    (tmp_path / "yunet.onnx").write_bytes(b"any")
    monkeypatch.setattr(cv2.FaceDetectorYN, "create", lambda *args: PretendedNet(rows))
    return YuNet(tmp_path / "yunet.onnx")


def test_boxes_come_back_in_photo_pixels_surest_first(monkeypatch, tmp_path):
    rows = np.zeros((2, 15), np.float32)
    rows[:, :4] = [[10, 20, 112, 112], [200, 20, 56, 56]]
    rows[:, 14] = [0.8, 0.9]
    found = pretended(monkeypatch, tmp_path, rows).detect(np.zeros((960, 1280, 3), np.uint8))  # shrunk to a half
    np.testing.assert_allclose(found.scores, [0.9, 0.8])
    np.testing.assert_allclose(found.detector_boxes[1], [19.5, 39.5, 243.5, 263.5])
    np.testing.assert_allclose(found.boxes[1, 2:] - found.boxes[1, :2], 200)
    center = (found.boxes[1, :2] + found.boxes[1, 2:]) / 2
    np.testing.assert_allclose(center, [131.5, 151.5 + 0.16 * 200])


def test_no_face(monkeypatch, tmp_path):
    assert len(pretended(monkeypatch, tmp_path, None).detect(np.zeros((10, 10, 3), np.uint8))) == 0


def test_missing_and_broken_files_are_refused(tmp_path):
    with pytest.raises(WeightsError, match="does not exist"):
        YuNet(tmp_path / "none.onnx")
    (tmp_path / "broken.onnx").write_bytes(b"not a network")
    with pytest.raises(WeightsError, match="cannot read"):
        YuNet(tmp_path / "broken.onnx")
