"""From a detector's box and five points to the angle of the face and its landmark box.

The constants hold for detectors trained on the boxes of WIDER FACE (RetinaFace, YuNet). They were chosen on faces of
300-W and AFLW2000-3D. ``python benchmarks/detection/measure.py angles SET DIR`` prints the medians of the same
quantities (docs/detection.md).
"""

import numpy as np

from rdrface.geometry.boxes import box_size, image_edges
from rdrface.geometry.rotation import clockwise_angle

SIDE_RATIO = 1.12
"""Size of the detector's box, in units of the size of the landmark box of the upright face. It depends little on the
angle, so a single value serves all angles."""

CENTER_UP = 0.16
"""Distance from the center of the landmark box up to the center of the detector's box, along the face's own up
direction, in units of the size of the landmark box."""

ASPECT = 0.74
"""Width of the detector's box of an upright frontal face, in units of its height. Boxes of turned faces are
narrower."""

EDGE_TOLERANCE = 0.03
"""A box that ends closer than this to the edge of the image touches the edge, in units of the box's size."""

MIN_UP_LENGTH = 0.05
"""Smallest usable distance between the eyes and the mouth corners, in units of the landmark box's side."""


def face_angles(boxes: np.ndarray, points: np.ndarray) -> np.ndarray:
    """In-plane rotation of faces: the direction from the mouth corners to the eyes.

    This direction does not depend on the distance between the left and the right points, which coincide at profile.

    Args:
        boxes: (n, 4) xyxy, the detector's boxes, image pixels.
        points: (n, 5, 2) eyes, nose tip and mouth corners, left first, image pixels.

    Returns:
        (n,) degrees in -180..180, 0 is upright, positive is clockwise as seen in the image. 0 if eyes and mouth
        coincide.
    """
    up = points[:, :2].mean(axis=1) - points[:, 3:].mean(axis=1)
    usable = np.linalg.norm(up, axis=1) > MIN_UP_LENGTH * box_size(boxes) / SIDE_RATIO
    angles: np.ndarray = np.where(usable, clockwise_angle(up), 0.0)
    return angles


def completed_boxes(boxes: np.ndarray, angles: np.ndarray, height: int, width: int) -> np.ndarray:
    """Extend the boxes of faces that are cut by the edge of the image.

    Detectors report little more than the part of the face inside the image. Such a box touches the edge and is too
    narrow or too flat for a face. The edges of the box inside the image are correct, so the box is extended across the
    edge of the image until it has the aspect ratio of a face, taken as an ellipse of aspect ratio `ASPECT` at the given
    angle. Boxes that do not touch the edge are not changed, and no box becomes smaller.

    A face cut at a corner of the image has a box that is too narrow and too flat. The box does not show by how much,
    so it is extended in one direction only, the one in which it is shorter, and stays too small.

    Args:
        boxes: (n, 4) xyxy, the detector's boxes, image pixels.
        angles: (n,) in-plane rotation of the faces, degrees.
        height, width: size of the image.

    Returns:
        (n, 4) xyxy, image pixels.
    """
    tolerance = EDGE_TOLERANCE * box_size(boxes)[:, None]
    edges = image_edges(width, height)
    first = boxes[:, :2] <= edges[:2] + tolerance
    last = boxes[:, 2:] >= edges[2:] - tolerance
    sin, cos = np.sin(np.radians(angles)), np.cos(np.radians(angles))
    aspect = np.hypot(ASPECT * cos, sin) / np.hypot(ASPECT * sin, cos)
    sides = boxes[:, 2:] - boxes[:, :2]
    complete = np.stack([sides[:, 1] * aspect, sides[:, 0] / aspect], axis=1)
    missing = (complete - sides).clip(min=0) / np.maximum(first.astype(int) + last, 1)
    return np.concatenate([boxes[:, :2] - missing * first, boxes[:, 2:] + missing * last], axis=1)


def landmark_boxes(boxes: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Convert the detector's boxes to estimated landmark boxes, which are square.

    The detector's boxes include more of the forehead than the landmarks do. Center and side are those of the landmark
    box in the face's own upright frame, so that a crop rotated by the face's angle contains the same part of the face
    at every angle.

    Args:
        boxes: (n, 4) xyxy, the detector's boxes, image pixels.
        angles: (n,) in-plane rotation of the faces, degrees.

    Returns:
        (n, 4) xyxy, image pixels.
    """
    half = box_size(boxes)[:, None] / SIDE_RATIO / 2
    up = np.stack([np.sin(np.radians(angles)), -np.cos(np.radians(angles))], axis=1)
    center = (boxes[:, :2] + boxes[:, 2:]) / 2 - up * CENTER_UP * 2 * half
    return np.concatenate([center - half, center + half], axis=1)
