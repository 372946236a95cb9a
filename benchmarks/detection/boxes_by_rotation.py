"""Angle, size and position of the detector's boxes of upright faces that are rotated in the image."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from annotated_photos import Annotated
from cut_faces import is_turned
from matching import match, median, single_thread_detector
from rotation import rotated

from rdrface.detection.retinaface import RetinaFace
from rdrface.evaluation.tables.tables import Row, Table
from rdrface.geometry.boxes import bounding_boxes, box_size

ANGLES = (0, 30, 45, 60, 75, 90, 135, 180)
"""Rotations, degrees clockwise."""

LEFT_EYE, RIGHT_EYE = slice(36, 42), slice(42, 48)
MOUTH_CORNERS = (48, 54)


@dataclass(frozen=True)
class OwnFrame:
    """A face in its own upright frame.

    Attributes:
        angle: in-plane rotation, degrees clockwise, defined as for the detector: the direction from the mouth corners
            to the eyes.
        center: (2,) center of the landmark box in the face's own frame, image pixels.
        size: size of that box, pixels.
    """

    angle: float
    center: np.ndarray
    size: float

    @property
    def axes(self) -> np.ndarray:
        """(2, 2) right and up direction of the face in the image."""
        c, s = np.cos(np.radians(self.angle)), np.sin(np.radians(self.angle))
        return np.array([[c, s], [s, -c]])

    @property
    def box(self) -> np.ndarray:
        """(4,) square of side `size` around `center`, xyxy image pixels."""
        return np.concatenate([self.center - self.size / 2, self.center + self.size / 2])


@dataclass(frozen=True)
class Measured:
    """One detected face.

    Attributes:
        angle_error: absolute difference of the angles, degrees, 0..180.
        size_ratio: size of the detector's box / size of the landmark box.
        up: distance of its center above that of the landmark box, along the face's own up direction, in sizes of the
            landmark box.
        aspect: width / height of the detector's box.
    """

    angle_error: float
    size_ratio: float
    up: float
    aspect: float


def own_frame(points: np.ndarray) -> OwnFrame:
    """Own frame of a face with points (68, 2)."""
    eyes = (points[LEFT_EYE].mean(axis=0) + points[RIGHT_EYE].mean(axis=0)) / 2
    up = eyes - points[list(MOUTH_CORNERS)].mean(axis=0)
    frame = OwnFrame(float(np.degrees(np.arctan2(up[0], -up[1]))), np.zeros(2), 0.0)
    box = bounding_boxes((points @ frame.axes.T)[None])[0]
    # The axes are orthonormal, so the transposed matrix converts back.
    center = (box[:2] + box[2:]) / 2 @ frame.axes
    return OwnFrame(frame.angle, center, float(box_size(box)))


def measure(faces: Sequence[Annotated]) -> list[Table]:
    """Tables by rotation, and of near-frontal and turned faces at rotation 0."""
    detector = single_thread_detector()
    measured = {
        angle: [detect_face(detector, *rotated(face.pixels, face.points, angle)) for face in faces] for angle in ANGLES
    }
    is_turned_face = np.array([is_turned(face.points) for face in faces])
    groups = {"near-frontal": ~is_turned_face, "turned": is_turned_face}
    upright = {
        name: [measured[0][i] for i in np.flatnonzero(chosen)] for name, chosen in groups.items() if chosen.any()
    }
    return [angle_table(measured, len(faces)), box_table(upright)]


def detect_face(detector: RetinaFace, pixels: np.ndarray, points: np.ndarray) -> Measured | None:
    """Compare the detection of a face with its points (68, 2); None if the face is not detected."""
    truth = own_frame(points)
    detections = detector.detect(pixels)
    index = match(truth.box, detections)
    if index is None:
        return None
    box = detections.detector_boxes[index]
    error = abs((detections.angles[index] - truth.angle + 180) % 360 - 180)
    up = ((box[:2] + box[2:]) / 2 - truth.center) @ truth.axes[1] / truth.size
    width, height = box[2:] - box[:2]
    return Measured(float(error), float(box_size(box)) / truth.size, float(up), float(width / height))


def angle_table(measured: dict[int, list[Measured | None]], count: int) -> Table:
    """Table of the angles, sizes and centers by rotation."""
    rows = []
    for angle, results in measured.items():
        found = [result for result in results if result is not None]
        errors = [result.angle_error for result in found]
        rows.append(
            Row(
                f"{angle} degrees",
                (
                    len(found),
                    median(errors),
                    float(np.percentile(errors, 95)) if errors else None,
                    float(100 * np.mean([error > 90 for error in errors])) if errors else None,
                    median([result.size_ratio for result in found]),
                    median([result.up for result in found]),
                ),
            )
        )
    return Table(
        f"{count} upright faces, rotated clockwise: the detector's angle and box",
        ("detected", "error, median", "95th percentile", "above 90 degrees, %", "box size", "center up"),
        tuple(rows),
        (
            "error: of the angle, degrees. box size, center up: medians, in sizes of the upright face's landmark box;",
            "center up is the distance above the center of that box, along the face's own up direction.",
        ),
    )


def box_table(groups: dict[str, list[Measured | None]]) -> Table:
    """Table of the boxes of upright faces by group."""
    rows = []
    for name, results in groups.items():
        found = [result for result in results if result is not None]
        columns = ("aspect", "size_ratio", "up")
        medians = (median([getattr(result, column) for result in found]) for column in columns)
        rows.append(Row(name, (len(results), len(found), *medians)))
    return Table(
        "The detector's box of upright faces",
        ("faces", "detected", "width / height", "box size", "center up"),
        tuple(rows),
        ("Medians. turned: more than about 30 degrees of yaw.",),
    )
