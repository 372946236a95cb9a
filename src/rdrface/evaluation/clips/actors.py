"""People in clips: a portrait whose pixels and landmarks may change over time."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from rdrface.evaluation.clips.camera import CameraPath, still
from rdrface.evaluation.clips.portrait import Portrait
from rdrface.face_rendering.closed_eyes import BROWS, EYELIDS, closed_points, projected_landmarks, with_closed_eyes
from rdrface.face_rendering.eyelid_warp import EyelidMotion, warp_eyelids
from rdrface.face_rendering.head import Head
from rdrface.face_rendering.pose import with_angles
from rdrface.face_rendering.rendering import render_textured, texture_of_face
from rdrface.face_rendering.self_occlusion import self_occluded_landmarks
from rdrface.geometry.camera import project
from rdrface.geometry.rasterize import to_pixels
from rdrface.morphable.params import EXPRESSION, IDENTITY, POSE, ROTATION, YAW

_LASH_DARKNESS = 0.25  # of the line between closed eyelids
_DARK_MOUTH = 0.1  # increase of jawOpen at which the inside of the mouth is fully dark


@dataclass(frozen=True)
class Actor:
    """A person in a clip of T frames.

    Attributes:
        portrait: the photo.
        points: (T, 68, 2) float64 canvas pixels, true landmarks.
        hidden: (T, 68) bool, landmarks that the head itself hides.
        closing: (T,) float64, closing of the eyes: 0 open, 1 closed.
        canvas: function from the index of a frame to the canvas (H, W, 3) uint8.
        path: position in the frame.
        present: (T,) bool, False in frames in which the person is not in the scene.
    """

    portrait: Portrait
    points: np.ndarray
    hidden: np.ndarray
    closing: np.ndarray
    canvas: Callable[[int], np.ndarray]
    path: CameraPath
    present: np.ndarray

    def on(self, path: CameraPath) -> "Actor":
        """The same person on another path."""
        return replace(self, path=path)

    def only(self, present: np.ndarray) -> "Actor":
        """The same person, in the scene in some of the frames only, (T,) bool."""
        return replace(self, present=present)

    def alpha(self) -> np.ndarray:
        """(H, W) float32 opacity of head and shoulders on the canvas, 0..1."""
        height, width = self.portrait.canvas.shape[:2]
        low, high = self.portrait.landmarks.min(axis=0), self.portrait.landmarks.max(axis=0)
        size = float(np.sqrt((high - low).prod()))
        x, y = self.portrait.center
        mask = np.zeros((height, width), np.float32)
        # The landmark box ends at the brows; hair and ears need more space.
        axes = (round(0.72 * size), round(0.92 * size))
        cv2.ellipse(mask, (round(x), round(y - 0.17 * size)), axes, 0, 0, 360, 1.0, -1)
        top, shoulder = y + 0.45 * size, y + 0.95 * size
        outline = [[x - 0.4 * size, top], [x + 0.4 * size, top], [x + 1.1 * size, shoulder], [x + 1.1 * size, height]]
        outline += [[x - 1.1 * size, height], [x - 1.1 * size, shoulder]]
        cv2.fillPoly(mask, [np.rint(outline).astype(np.int32)], 1.0)
        return np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.03 * size))


def photo_actor(portrait: Portrait, count: int) -> Actor:
    """The person as in the photo, for `count` frames."""
    return Actor(
        portrait,
        points=np.repeat(portrait.landmarks[None], count, axis=0),
        hidden=np.zeros((count, len(portrait.landmarks)), bool),
        closing=np.zeros(count),
        canvas=lambda i: portrait.canvas,
        path=still,
        present=np.ones(count, bool),
    )


def blinking_actor(portrait: Portrait, closing: np.ndarray) -> Actor:
    """The photo with eyelids that move; closing (T,) from 0 open to 1 closed.

    The eyelids move as in `rdrface.training.expression_warping`.
    """
    count = len(closing)
    repeated = portrait.face.select(np.zeros(count, np.int64))
    both = np.repeat(closing[:, None], 2, axis=1)
    outline, _ = projected_landmarks(with_closed_eyes(repeated.Q, both))
    points = repeated.points.copy()
    for lids in EYELIDS:
        moved = closed_points(repeated, outline, lids, closing)
        points[:, lids] = np.where(closing[:, None, None] > 0, moved, points[:, lids])

    def canvas(i: int) -> np.ndarray:
        if closing[i] <= 0:
            return portrait.canvas
        square = portrait.face.images[0].copy()
        for lids, brow in zip(EYELIDS, BROWS, strict=True):
            parts = (repeated.points[i, lids], points[i, lids], repeated.points[i, brow])
            old, new, brow_points = (to_pixels(part, len(square)) for part in parts)
            warp_eyelids(square, EyelidMotion(old, new, brow_points, float(closing[i])), _LASH_DARKNESS)
        return portrait.with_square(square)

    return replace(photo_actor(portrait, count), points=portrait.to_canvas(points), closing=closing, canvas=canvas)


def rendered_actor(portrait: Portrait, head: Head, yaw_deg: np.ndarray, jaw_open: np.ndarray) -> Actor:
    """The textured head of the photo in other poses and with an opening mouth.

    The true landmarks are those of the fitted face: the photo is warped by a few pixels so that its annotated landmarks
    are on the fitted face, see `rdrface.face_rendering.head_texture.label_corrections`.

    Args:
        portrait: the photo.
        head: the prepared face model.
        yaw_deg: (T,) yaw added to that of the photo, degrees.
        jaw_open: (T,) added to jawOpen.
    """
    face, count = portrait.face, len(yaw_deg)
    jaw = EXPRESSION.start + head.model.expression_names.index("jawOpen")
    parameters = np.repeat(face.Q, count, axis=0)
    for i in range(count):
        angles = face.Q[0, POSE][ROTATION].astype(np.float64)
        angles[YAW] += np.radians(yaw_deg[i])
        parameters[i] = with_angles(face.Q[0], angles)
    opened = jaw_open.clip(0, 1 - face.Q[0, jaw])
    parameters[:, jaw] += opened.astype(np.float32)
    outline, _ = head.landmarks.outline68(parameters)

    def shape(q: np.ndarray) -> np.ndarray:
        vertices: np.ndarray = head.model.shape(q[None, IDENTITY], q[None, EXPRESSION])[0]
        return vertices

    def posed(q: np.ndarray) -> np.ndarray:
        vertices: np.ndarray = project(head.with_membrane(shape(q))[None], q[None, POSE])[0]
        return vertices

    texture = texture_of_face(face, 0, posed(face.Q[0]), head)

    def canvas(i: int) -> np.ndarray:
        darkness = float(min(opened[i] / _DARK_MOUTH, 1))
        square = render_textured(face, 0, texture, posed(parameters[i]), face.valid[0], darkness, head)
        return portrait.with_square(square)

    hidden = np.zeros(outline.shape[:2], bool)
    if np.ptp(yaw_deg) > 0:
        hidden = np.stack([self_occluded_landmarks(head, q, shape(q)) for q in parameters])
    actor = photo_actor(portrait, count)
    return replace(actor, points=portrait.to_canvas(outline[..., :2]), hidden=hidden, canvas=canvas)
