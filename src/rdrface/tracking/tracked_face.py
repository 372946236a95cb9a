"""The result type of tracking: a face of one frame with its number."""

from dataclasses import dataclass

from rdrface.face import Face


@dataclass(frozen=True, eq=False)
class TrackedFace:
    """One person's face in one frame of a video.

    Attributes:
        id: number of the person: 1, 2, ... in order of appearance, never used again for somebody else.
        face: the face, smoothed over time.
        unsmoothed: the network's output for this frame alone.
        time: time of the frame, seconds.
    """

    id: int
    face: Face
    unsmoothed: Face
    time: float

    def __repr__(self) -> str:
        return f"TrackedFace(id={self.id}, time={self.time:.3f}, {self.face!r})"
