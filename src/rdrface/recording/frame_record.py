"""The tracked faces of one frame, as recordings contain them."""

from collections.abc import Sequence
from dataclasses import dataclass

from rdrface.face import Face


@dataclass(frozen=True)
class RecordedFace:
    """A face with its number.

    Attributes:
        id: number of the person, 1, 2, ... in order of appearance (`rdrface.TrackedFace.id`).
        face: the face.
    """

    id: int
    face: Face


@dataclass(frozen=True)
class FrameRecord:
    """The tracked faces of one frame.

    Attributes:
        index: number of the frame (`rdrface.video.Frame.index`).
        time: seconds since the start of the video.
        width, height: size of the image, pixels.
        faces: the faces; empty if there are none.
    """

    index: int
    time: float
    width: int
    height: int
    faces: Sequence[RecordedFace]
