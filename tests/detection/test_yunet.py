"""YuNet: conversion of its output, and unusable model files."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from rdrface.detection.yunet import YuNet
from rdrface.errors import ConfigError, WeightsError


class StubNetwork:
    """OpenCV's interface: x, y, width, height, five points and a score per face, in pixels of its input image."""

    def __init__(self, rows):
        self.rows = rows
        self.size = None

    def setInputSize(self, size):
        self.size = size
        time.sleep(1e-5)  # lets another thread run

    def detect(self, image):
        assert image.shape[1::-1] == self.size
        return 1, self.rows


def stub_detector(monkeypatch, tmp_path, rows) -> YuNet:
    (tmp_path / "yunet.onnx").write_bytes(b"any")
    monkeypatch.setattr(cv2.FaceDetectorYN, "create", lambda *args: StubNetwork(rows))
    return YuNet(tmp_path / "yunet.onnx")


def test_boxes_are_in_image_pixels_in_order_of_decreasing_score(monkeypatch, tmp_path):
    rows = np.zeros((2, 15), np.float32)
    rows[:, :4] = [[10, 20, 112, 112], [200, 20, 56, 56]]
    rows[:, 14] = [0.8, 0.9]
    found = stub_detector(monkeypatch, tmp_path, rows).detect(
        np.zeros((960, 1280, 3), np.uint8)
    )  # downscaled to half its size
    np.testing.assert_allclose(found.scores, [0.9, 0.8])
    np.testing.assert_allclose(found.detector_boxes[1], [19.5, 39.5, 243.5, 263.5])
    np.testing.assert_allclose(found.boxes[1, 2:] - found.boxes[1, :2], 200)
    center = (found.boxes[1, :2] + found.boxes[1, 2:]) / 2
    np.testing.assert_allclose(center, [131.5, 151.5 + 0.16 * 200])


def test_an_image_without_faces_has_no_detections(monkeypatch, tmp_path):
    assert len(stub_detector(monkeypatch, tmp_path, None).detect(np.zeros((10, 10, 3), np.uint8))) == 0


def test_missing_and_damaged_files_are_refused(tmp_path):
    with pytest.raises(WeightsError, match="no YuNet model at"):
        YuNet(tmp_path / "none.onnx")
    (tmp_path / "broken.onnx").write_bytes(b"not a network")
    with pytest.raises(WeightsError, match="cannot read"):
        YuNet(tmp_path / "broken.onnx")


def test_a_missing_opencv_is_reported_with_the_command_to_install_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ConfigError, match=r"pip install 'rdrface\[opencv\]'"):
        YuNet(tmp_path / "yunet.onnx")


def test_threads_can_share_a_detector(monkeypatch, tmp_path):
    detector = stub_detector(monkeypatch, tmp_path, None)
    images = [np.zeros((100 + 10 * i, 100, 3), np.uint8) for i in range(8)] * 50
    # The stub refuses an image whose size is not that of the last call of setInputSize.
    with ThreadPoolExecutor(8) as pool:
        assert all(len(found) == 0 for found in pool.map(detector.detect, images))
