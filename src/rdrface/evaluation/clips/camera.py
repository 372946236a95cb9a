"""Camera motion: similarities from the canvas of a portrait to the frames of a clip, as functions of time."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

_SUBFRAMES = 9
"""Images that are averaged for one frame with motion blur."""


@dataclass(frozen=True)
class View:
    """Position of a portrait in a frame.

    Attributes:
        x, y: position of the portrait's center relative to the frame's center, pixels.
        scale: frame pixels per canvas pixel.
        roll: radians, clockwise as seen.
    """

    x: float = 0.0
    y: float = 0.0
    scale: float = 1.0
    roll: float = 0.0

    def matrix(self, center: np.ndarray, width: int, height: int) -> np.ndarray:
        """(2, 3) float64 from canvas pixels to frame pixels; `center` (2,) is the portrait's, canvas pixels."""
        cos, sin = self.scale * np.cos(self.roll), self.scale * np.sin(self.roll)
        linear = np.array([[cos, -sin], [sin, cos]])
        target = (np.array([width, height]) - 1) / 2 + [self.x, self.y]
        return np.column_stack([linear, target - linear @ center])


CameraPath = Callable[[float], View]
"""Function from the time in seconds to the view."""


def still(time: float) -> View:
    """The path of a camera that does not move."""
    return View()


def pan(amplitude: float, period: float, phase: float = 0.0) -> CameraPath:
    """Left and right, and slightly up and down: amplitude in pixels, period in seconds, phase in periods."""

    def path(time: float) -> View:
        angle = 2 * np.pi * (time / period + phase)
        return View(x=amplitude * np.sin(angle), y=0.2 * amplitude * np.sin(1.5 * angle))

    return path


def zoom(factor: float, period: float) -> CameraPath:
    """In and out by a factor; period in seconds."""
    return lambda time: View(scale=float(factor ** np.sin(2 * np.pi * time / period)))


def roll(amplitude_deg: float, period: float) -> CameraPath:
    """Rotation about the axis of the camera; amplitude in degrees, period in seconds."""
    return lambda time: View(roll=float(np.radians(amplitude_deg) * np.sin(2 * np.pi * time / period)))


def transformed(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Points (..., 2) moved by a matrix (2, 3)."""
    moved: np.ndarray = points @ matrix[:, :2].T + matrix[:, 2]
    return moved


def warped(canvas: np.ndarray, matrix: np.ndarray, width: int, height: int) -> np.ndarray:
    """(H, W, C) of the canvas's dtype: the canvas in the frame; its edge pixels are repeated outside."""
    image = cv2.warpAffine(canvas, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(image)


def motion_blurred(
    canvas: np.ndarray, path: CameraPath, center: np.ndarray, time: float, exposure: float, width: int, height: int
) -> np.ndarray:
    """(H, W, 3) float32: mean of the frames during an exposure (seconds) whose middle is at `time`."""
    steps = (np.arange(_SUBFRAMES) + 0.5) / _SUBFRAMES - 0.5
    total = np.zeros((height, width, 3), np.float32)
    for step in steps:
        cv2.accumulate(
            warped(canvas, path(time + exposure * float(step)).matrix(center, width, height), width, height), total
        )
    return total / _SUBFRAMES
