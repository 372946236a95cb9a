"""Cameras, through OpenCV."""

import threading
import time
from collections.abc import Iterator
from types import ModuleType, TracebackType
from typing import Any, Self

import numpy as np

from rdrface.errors import ConfigError, DataError
from rdrface.video.frame import Frame

_MAX_FAILURES = 30
"""Consecutive failures to read a frame after which a camera counts as disconnected."""

_PAUSE = 0.02
"""Seconds between two attempts."""

_FIRST_FRAME = 10.0
"""Seconds to wait for the first frame: cameras take some seconds to start."""


def open_camera(
    camera: int | str, *, width: int | None = None, height: int | None = None, frame_rate: float | None = None
) -> "Camera":
    """Open a camera.

    Args:
        camera: number, 0 is the first one, or whatever OpenCV opens: a device such as ``/dev/video0``, or the URL of a
            stream such as ``rtsp://...``.
        width, height: requested size, pixels; the camera chooses the nearest that it has.
        frame_rate: requested frames a second.

    Raises:
        ConfigError: OpenCV is not installed.
        DataError: the camera cannot be opened, or delivers no frame.
    """
    return Camera(camera, width, height, frame_rate)


class Camera:
    """The frames of a camera, see `open_camera`.

    A thread reads the camera all the time. Iterating gives the latest frame: frames that arrive while the caller is
    busy are dropped, so the result is never behind. `Frame.time` is when the frame was read, seconds since the first
    one, by a clock that does not jump; `Frame.index` counts the dropped frames too.

    Attributes:
        width, height: size of the images, pixels.
        frame_rate: what the camera states; 30 if it states nothing.
    """

    def __init__(self, camera: int | str, width: int | None, height: int | None, frame_rate: float | None) -> None:
        cv2 = _import_cv2()
        self._cv2 = cv2
        self._name = f"camera {camera}" if isinstance(camera, int) else str(camera)
        self._capture: Any = cv2.VideoCapture(camera)
        if not self._capture.isOpened():
            self._capture.release()
            raise DataError(
                f"{self._name} cannot be opened: it is not connected, in use by another program, or not permitted"
            )
        for key, value in (
            (cv2.CAP_PROP_FRAME_WIDTH, width),
            (cv2.CAP_PROP_FRAME_HEIGHT, height),
            (cv2.CAP_PROP_FPS, frame_rate),
        ):
            if value is not None:
                self._capture.set(key, value)
        self.frame_rate = float(self._capture.get(cv2.CAP_PROP_FPS)) or 30.0
        self._changed = threading.Condition()
        self._latest: tuple[np.ndarray, float, int] | None = None
        self._num_captured = 0
        self._num_delivered = 0
        self._is_over = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, name="rdrface-camera", daemon=True)
        self._thread.start()
        with self._changed:
            self._changed.wait_for(lambda: self._latest is not None or self._is_over, _FIRST_FRAME)
            first = self._latest
        if first is None:
            self.close()
            raise DataError(f"{self._name} was opened but delivers no frame")
        self.height: int = first[0].shape[0]
        self.width: int = first[0].shape[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        while True:
            with self._changed:
                # With a timeout, because a wait without one cannot be interrupted on Windows.
                while self._latest is None and not self._is_over:
                    self._changed.wait(0.2)
                latest, self._latest = self._latest, None
            if latest is None:
                return
            self._num_delivered += 1
            image, captured, index = latest
            yield Frame(self._cv2.cvtColor(image, self._cv2.COLOR_BGR2RGB), captured, index)

    @property
    def num_dropped(self) -> int:
        """Number of frames that arrived while the caller was busy."""
        with self._changed:
            return self._num_captured - self._num_delivered - (self._latest is not None)

    def close(self) -> None:
        """Stop reading and release the camera."""
        self._stop.set()
        with self._changed:
            self._latest, self._is_over = None, True
            self._changed.notify_all()
        self._thread.join(2.0)
        if not self._thread.is_alive():
            self._capture.release()

    def _read(self) -> None:
        started = None
        failures = 0
        last = -1.0
        while not self._stop.is_set() and failures < _MAX_FAILURES:
            # The time between grab and retrieve: decoding a frame takes some milliseconds.
            is_read = self._capture.grab()
            now = time.monotonic()
            image = self._capture.retrieve()[1] if is_read else None
            if image is None:
                failures += 1
                self._stop.wait(_PAUSE)
                continue
            failures = 0
            started = now if started is None else started
            last = max(now - started, last + 1e-6)
            with self._changed:
                if self._stop.is_set():
                    break
                self._latest = (image, last, self._num_captured)
                self._num_captured += 1
                self._changed.notify_all()
        with self._changed:
            self._is_over = True
            self._changed.notify_all()


def _import_cv2() -> ModuleType:
    try:
        import cv2
    except ImportError as error:
        raise ConfigError(
            f"cameras need OpenCV, which cannot be imported ({error}): pip install 'rdrface[opencv]'"
        ) from error
    return cv2
