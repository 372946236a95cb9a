"""Cameras: the latest frame wins, times of capture, disconnected cameras, and a clean end."""

import threading
import time

import cv2
import numpy as np
import pytest

from rdrface.errors import DataError
from rdrface.video import open_camera


class FakeCapture:
    """A camera of about 100 frames a second that delivers `count` frames, gray levels 0, 1, ...; blue is 200."""

    def __init__(self, count=1_000_000, is_opened=True):
        self.count, self.is_opened = count, is_opened
        self.number, self.released, self.settings = -1, False, {}

    def isOpened(self):
        return self.is_opened

    def grab(self):
        assert not self.released
        time.sleep(0.01)
        self.number += 1
        return self.number < self.count

    def retrieve(self):
        image = np.full((48, 64, 3), self.number % 256, np.uint8)
        image[..., 0] = 200
        return True, image

    def get(self, key):
        return 0.0

    def set(self, key, value):
        self.settings[key] = value

    def release(self):
        self.released = True


def use(monkeypatch, capture):
    monkeypatch.setattr(cv2, "VideoCapture", lambda camera: capture)
    return capture


def test_a_slow_caller_gets_the_latest_frame_with_its_time(monkeypatch):
    capture = use(monkeypatch, FakeCapture())
    before = threading.active_count()
    frames = []
    with open_camera(0, width=640, frame_rate=100) as camera:
        assert (camera.width, camera.height, camera.frame_rate) == (64, 48, 30)
        for frame in camera:
            frames.append(frame)
            assert frame.index >= capture.number - 2
            if len(frames) == 5:
                break
            time.sleep(0.1)
        assert camera.num_dropped >= 15
    assert capture.released and threading.active_count() == before
    assert capture.settings[cv2.CAP_PROP_FRAME_WIDTH] == 640
    steps = np.diff([frame.time for frame in frames])
    assert np.all((steps > 0.08) & (steps < 1)) and np.all(np.diff([frame.index for frame in frames]) > 3)
    assert frames[0].image[0, 0].tolist() == [frames[0].index, frames[0].index, 200]  # RGB


def test_a_camera_that_ends_gives_its_last_frames(monkeypatch):
    use(monkeypatch, FakeCapture(20))
    with open_camera("/dev/video9") as camera:
        indices = [frame.index for frame in camera]
    assert indices[-1] == 19 and indices == sorted(indices)


def test_cameras_that_do_not_work_are_clear_errors(monkeypatch):
    capture = use(monkeypatch, FakeCapture(is_opened=False))
    with pytest.raises(DataError, match="camera 3 cannot be opened"):
        open_camera(3)
    assert capture.released
    capture = use(monkeypatch, FakeCapture(0))
    with pytest.raises(DataError, match="delivers no frame"):
        open_camera(0)
    assert capture.released
