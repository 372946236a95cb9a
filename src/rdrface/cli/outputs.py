"""What `rdrface detect` writes about an image: an entry of the JSON file, rows of the CSV file, a few lines of text."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rdrface.cli.inputs import STDIN, Input
from rdrface.cli.walk import Failure
from rdrface.detection.box_file import FACE, NO_FACE
from rdrface.errors import RdrError
from rdrface.face import Face
from rdrface.files import one_line
from rdrface.landmarks import NUM_LANDMARKS

_NUMBERS = (
    *("face", "box_x0", "box_y0", "box_x1", "box_y1", "score", "yaw", "pitch", "roll"),
    *(f"{axis}{i}" for i in range(NUM_LANDMARKS) for axis in "xy"),
    *(f"visibility{i}" for i in range(NUM_LANDMARKS)),
    *(f"uncertainty{i}" for i in range(NUM_LANDMARKS)),
)
"""Columns that are empty in rows without a face."""

CSV_COLUMNS = ("image", *_NUMBERS, "status", "dropped", "expected_error", "error")
"""Columns of the CSV file: angles in degrees, `Face.landmarks` in image pixels, uncertainty and expected error in
percent of the face size, number of dropped detections in the image."""


@dataclass(frozen=True)
class Result:
    """The faces of an image.

    Attributes:
        image: the image.
        width: width of the image, pixels.
        height: height of the image, pixels.
        num_frames: number of pages or frames in its file, of which the first was used.
        faces: the faces.
        dropped: number of detections that were dropped because of their expected error.
        searched_side: long side of the image in which faces were detected, pixels: that of a reduced image, or of the
            image itself.
    """

    image: Input
    width: int
    height: int
    num_frames: int
    faces: Sequence[Face]
    dropped: int
    searched_side: int

    @property
    def may_have_small_faces(self) -> bool:
        """Whether no face was found in an image that was reduced for the detector."""
        return not self.faces and self.searched_side < max(self.width, self.height)

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of the image."""
        frames = {"frame": 1, "frames": self.num_frames} if self.num_frames > 1 else {}
        return {
            "image": self.image.name,
            "width": self.width,
            "height": self.height,
            **frames,
            "dropped": self.dropped,
            "faces": [face.to_dict() for face in self.faces],
        }

    def rows(self) -> Iterator[list[str]]:
        """The CSV rows of the image: one per face, or one without numbers."""
        if not self.faces:
            yield row_without_face(self.image.name, NO_FACE, dropped=self.dropped)
        for i, face in enumerate(self.faces):
            numbers = [*face.box, face.score, face.pose.yaw, face.pose.pitch, face.pose.roll]
            numbers += [*face.landmarks.ravel(), *face.visibility, *face.uncertainty]
            cells = [f"{float(number):.4f}" for number in numbers]
            yield [self.image.name, str(i), *cells, FACE, str(self.dropped), f"{face.expected_error:.4f}", ""]

    def to_text(self) -> str:
        """The lines that are printed if there is no output file."""
        dropped = f", {self.dropped} dropped" if self.dropped else ""
        lines = [f"{one_line(self.image.name)}: {len(self.faces)} face{'' if len(self.faces) == 1 else 's'}{dropped}"]
        if self.may_have_small_faces:
            side = max(self.width, self.height)
            lines[0] += f" (searched at {self.searched_side} of {side} pixels; --max-side {side} finds smaller faces)"
        for i, face in enumerate(self.faces):
            x0, y0, x1, y1 = face.box.tolist()
            lines.append(
                f"  {i}: box {x0:.0f} {y0:.0f} {x1:.0f} {y1:.0f}, score {face.score:.2f}, yaw {face.pose.yaw:+.1f}, "
                f"pitch {face.pose.pitch:+.1f}, roll {face.pose.roll:+.1f}, "
                f"{int((face.visibility > 0.5).sum())} of {NUM_LANDMARKS} points visible, "
                f"expected error {face.expected_error:.1f} % of the face size"
            )
        return "\n".join(lines)


def read_result(path: Path) -> Result | None:
    """Read the JSON file of an image; None if it does not exist or is not complete."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        name = next(str(content[key]) for key in ("image", "photo") if key in content)
        faces = [Face.from_dict(face) for face in content["faces"]]
        width, height = int(content["width"]), int(content["height"])
        frames, dropped = int(content.get("frames", 1)), int(content.get("dropped", 0))
    # A file that another program wrote can contain anything.
    except (RdrError, OSError, ValueError, LookupError, TypeError, AttributeError, StopIteration, RecursionError):
        return None
    image = Input(name, None if name == STDIN else Path(name), path.stem)
    return Result(image, width, height, frames, faces, dropped, max(width, height))


def row_without_face(name: str, status: str, dropped: int | None = None, error: str = "") -> list[str]:
    """The CSV row of an image without a face."""
    return [name, *([""] * len(_NUMBERS)), status, "" if dropped is None else str(dropped), "", error]


def failure_to_dict(failure: Failure) -> dict[str, str]:
    """The JSON object of a failure."""
    return {"image": failure.name, "error": failure.reason}
