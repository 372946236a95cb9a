"""A photo of one face, prepared for clips: scaled, on a large canvas, with a blurred background."""

from dataclasses import dataclass

import cv2
import numpy as np

from rdrface.datasets.crops import PackedCrops
from rdrface.datasets.records import FaceRecords
from rdrface.geometry.boxes import bounding_boxes, box_size
from rdrface.geometry.camera import transform_pose
from rdrface.geometry.rasterize import to_pixels
from rdrface.image import read_image
from rdrface.landmarks import NUM_CONTOUR
from rdrface.morphable.params import POSE

CANVAS = 1.8
"""Width and height of the canvas in units of the frame: a panning camera does not see its edges."""

_SQUARE = 2.3
"""Side of the square in which a head is rendered, in units of the face size."""

_BLUR = 0.12
"""Standard deviation of the background's blur, face sizes. Other faces in the photo become unrecognizable."""

_FADE = 0.25
"""Width of the transition between the sharp head and the blurred background, face sizes."""

_EDGE_FADE = 0.12
"""Width of the transition to the blurred background at the edges of the photo, face sizes."""


@dataclass(frozen=True)
class Portrait:
    """One face on a canvas.

    Attributes:
        name: file name of the photo.
        canvas: (H, W, 3) uint8 RGB; the center of the landmark box is at its center.
        landmarks: (68, 2) float64 canvas pixels: the annotated landmarks. The contour is that of the fitted face where
            the photo is annotated on the absolute jawline.
        face: the face in a square of the canvas, with its fit; one packed face without a border.
        corner: (2,) int, column and row of the square's first pixel.
    """

    name: str
    canvas: np.ndarray
    landmarks: np.ndarray
    face: PackedCrops
    corner: np.ndarray

    @classmethod
    def of(cls, record: FaceRecords, face_size: float, width: int, height: int) -> "Portrait":
        """Prepare a photo.

        Args:
            record: one fitted face with 68 annotated landmarks.
            face_size: size of the face on the canvas, pixels.
            width, height: size of the frames, pixels.

        Raises:
            ImageError: the photo cannot be read.
        """
        assert record.Q is not None and record.outline is not None and record.jawline is not None
        image = read_image(record.open_image(str(record.image[0])))
        points = record.points[0].copy()
        if record.on_jawline[0]:
            points[:NUM_CONTOUR] = record.outline[0, :NUM_CONTOUR]
        scale = face_size / float(box_size(bounding_boxes(points[None])[0]))
        center = bounding_boxes(points[None])[0].reshape(2, 2).mean(axis=0)
        size = np.round(CANVAS * np.array([width, height]))
        shift = (size - 1) / 2 - scale * center
        canvas = _on_canvas(image, scale, shift, size.astype(int), face_size)
        landmarks = scale * points + shift

        side = 2 * round(_SQUARE * face_size / 2)
        corner = np.floor((size - side) / 2).astype(int)
        middle, half = corner + (side - 1) / 2, side / 2
        # Image pixels -> canvas pixels -> frame of the square, whose edges are at -1 and 1.
        Q = record.Q.astype(np.float64)
        Q[:, POSE] = transform_pose(Q[:, POSE], np.full(1, scale / half), np.zeros(1), (shift - middle)[None] / half)
        packed = PackedCrops(
            images=canvas[None, corner[1] : corner[1] + side, corner[0] : corner[0] + side].copy(),
            valid=np.array([[-1, -1, 1, 1]], np.float32),
            points=((landmarks - middle) / half)[None].astype(np.float32),
            state=np.zeros((1, len(points)), np.int8),
            jawline_convention=np.zeros(1, bool),
            outline=((scale * record.outline + shift - middle) / half).astype(np.float32),
            jawline=((scale * record.jawline + shift - middle) / half).astype(np.float32),
            Q=Q.astype(np.float32),
            residual=np.zeros(1, np.float32),
            resolution=np.ones(1, np.float32),
            source=np.zeros(1, np.int32),
            source_names=(str(record.source[0]),),
            margin=_SQUARE,
        )
        return cls(str(record.image[0]).replace("\\", "/").rsplit("/", 1)[-1], canvas, landmarks, packed, corner)

    @property
    def center(self) -> np.ndarray:
        """(2,) canvas pixels, center of the landmark box."""
        height, width = self.canvas.shape[:2]
        center: np.ndarray = (np.array([width, height]) - 1) / 2
        return center

    def with_square(self, square: np.ndarray) -> np.ndarray:
        """The canvas with other pixels (S, S, 3) uint8 in the square around the face."""
        side, (x, y) = len(square), self.corner
        canvas = self.canvas.copy()
        canvas[y : y + side, x : x + side] = square
        return canvas

    def to_canvas(self, points: np.ndarray) -> np.ndarray:
        """Convert points (..., 2) from the frame of the square to canvas pixels, float64."""
        on_canvas: np.ndarray = to_pixels(points, self.face.size).astype(np.float64) + self.corner
        return on_canvas


def _on_canvas(image: np.ndarray, scale: float, shift: np.ndarray, size: np.ndarray, face_size: float) -> np.ndarray:
    height, width = image.shape[:2]
    small = image
    if scale < 1:
        # Averaging before the linear interpolation avoids aliasing.
        small = cv2.GaussianBlur(image, (0, 0), 0.5 / scale)
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    shape = (int(size[0]), int(size[1]))
    sharp = cv2.warpAffine(small, matrix, shape, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    blurred = cv2.GaussianBlur(sharp, (0, 0), _BLUR * face_size)
    x, y = np.meshgrid(np.arange(shape[0], dtype=np.float32), np.arange(shape[1], dtype=np.float32))
    # Distance inside the edges of the photo, and inside a circle around the head, in face sizes.
    x0, y0 = shift
    x1, y1 = shift + scale * (np.array([width, height]) - 1)
    edge = np.minimum(np.minimum(x - x0, x1 - x), np.minimum(y - y0, y1 - y)) / face_size
    center = (np.array(shape) - 1) / 2
    circle = _SQUARE / 2 - np.hypot(x - center[0], y - center[1]) / face_size
    weight = np.clip(edge / _EDGE_FADE, 0, 1) * np.clip(circle / _FADE, 0, 1)
    mixed = weight[..., None] * sharp + (1 - weight[..., None]) * blurred
    canvas: np.ndarray = np.rint(mixed).astype(np.uint8)
    return canvas
