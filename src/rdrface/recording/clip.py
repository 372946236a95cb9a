"""Animations of the people of a video as binary glTF, one file per person."""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from os import PathLike
from pathlib import Path

import numpy as np

from rdrface.errors import DataError
from rdrface.files import partial_path, write_aside
from rdrface.recording.frame_record import FrameRecord
from rdrface.scene.clip import PersonClip
from rdrface.scene.surface import Region


class ClipRecorder:
    """Writes one file per person: NAME.person1.glb, ...

    An animation can only be written as a whole, so the files are written by `close`. Memory: 0.3 kB per person and
    frame, and one image of each head.

    Args:
        base: folder / NAME; the folder must exist.
        region: part of the head, see `Region`.
    """

    def __init__(self, base: Path, region: Region = "face") -> None:
        self._base, self._region = base, region
        self._people: dict[int, PersonClip] = {}

    def write(self, frame: FrameRecord, image: np.ndarray | None = None) -> None:
        """Add a frame.

        Args:
            frame: the tracked faces.
            image: (H, W, 3) uint8 RGB, the frame, for the texture.
        """
        for one in frame.faces:
            person = self._people.setdefault(one.id, PersonClip(self._region))
            person.add(frame.time, one.face, image)

    def close(self) -> None:
        """Write the files.

        Raises:
            DataError: a file cannot be written; the others are.
        """
        self._write_all(self.path)

    def stop(self) -> None:
        """Write the files under their partial names, NAME.person1.partial.glb: the video was not read to its end.

        Raises:
            DataError: a file cannot be written.
        """
        self._write_all(lambda number: partial_path(self.path(number)))

    def path(self, number: int) -> Path:
        """The file of a person."""
        return self._base.with_name(f"{self._base.name}.person{number}.glb")

    def _write_all(self, path_of: Callable[[int], Path]) -> None:
        people, self._people = self._people, {}
        with ExitStack() as writing:
            for number in reversed(people):
                writing.callback(_write, path_of(number), people[number])


def write_person_clip(
    path: str | PathLike[str], frames: Iterable[FrameRecord], person: int = 1, *, region: Region = "face"
) -> None:
    """Write the animation of one person of a recording, without texture. An existing file is replaced.

    Args:
        path: the GLB file.
        frames: for example ``read_recording("clip.jsonl")``.
        person: number of the person.
        region: part of the head, see `Region`.

    Raises:
        ValueError: there is no such region.
        DataError: the recording does not contain the person, or a file cannot be read or written.
    """
    clip = PersonClip(region)
    found: set[int] = set()
    for frame in frames:
        for one in frame.faces:
            found.add(one.id)
            if one.id == person:
                clip.add(frame.time, one.face)
    if person not in found:
        people = ", ".join(map(str, sorted(found))) or "nobody"
        raise DataError(f"the recording does not contain person {person}; it contains: {people}")
    _write(Path(path), clip)


def _write(path: Path, person: PersonClip) -> None:
    content = person.to_bytes()
    with write_aside(path) as partial:
        partial.write_bytes(content)
