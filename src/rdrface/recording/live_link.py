"""Live Link Face: CSV files in the layout of Epic's app, one per person."""

import math
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from rdrface.errors import DataError
from rdrface.face import Face
from rdrface.files import partial_path
from rdrface.recording.frame_record import FrameRecord

# The order of the app: Jaw and MouthRight before Left.
SHAPES = (
    *("EyeBlinkLeft", "EyeLookDownLeft", "EyeLookInLeft", "EyeLookOutLeft", "EyeLookUpLeft", "EyeSquintLeft"),
    *("EyeWideLeft", "EyeBlinkRight", "EyeLookDownRight", "EyeLookInRight", "EyeLookOutRight", "EyeLookUpRight"),
    *("EyeSquintRight", "EyeWideRight", "JawForward", "JawRight", "JawLeft", "JawOpen", "MouthClose", "MouthFunnel"),
    *("MouthPucker", "MouthRight", "MouthLeft", "MouthSmileLeft", "MouthSmileRight", "MouthFrownLeft"),
    *("MouthFrownRight", "MouthDimpleLeft", "MouthDimpleRight", "MouthStretchLeft", "MouthStretchRight"),
    *("MouthRollLower", "MouthRollUpper", "MouthShrugLower", "MouthShrugUpper", "MouthPressLeft", "MouthPressRight"),
    *("MouthLowerDownLeft", "MouthLowerDownRight", "MouthUpperUpLeft", "MouthUpperUpRight", "BrowDownLeft"),
    *("BrowDownRight", "BrowInnerUp", "BrowOuterUpLeft", "BrowOuterUpRight", "CheekPuff", "CheekSquintLeft"),
    *("CheekSquintRight", "NoseSneerLeft", "NoseSneerRight", "TongueOut"),
)
"""ARKit's 52 blendshapes."""

HEAD = ("yaw", "pitch", "roll")

ANGLES = (
    *("HeadYaw", "HeadPitch", "HeadRoll", "LeftEyeYaw", "LeftEyePitch", "LeftEyeRoll"),
    *("RightEyeYaw", "RightEyePitch", "RightEyeRoll"),
)
"""Radians. Those of the eyes are 0: the gaze is not estimated."""

COLUMNS = ("Timecode", "BlendShapeCount", *SHAPES, *ANGLES)

_COUNT = len(SHAPES) + len(ANGLES)

CLOCK = 60
"""Frames a second of the timecode, also if every second row is written, as by the app. Unreal Engine assumes 60 if a
frame number exceeds 30, else 30; Faceit always assumes 60."""

RATES = (30, 60)

_SWITCH = 31
"""Frame number of the timecode that shows Unreal Engine that the clock is 60 frames a second."""


class LiveLinkWriter:
    """Writes one file per person: ``SLATE_TAKE_PersonID.csv``.

    The values are interpolated linearly to 30 or 60 rows a second. A file starts when the person appears. Between two
    frames of which one does not contain the person, rows have a BlendShapeCount of 0, and all values are 0.

    The 46 shapes of `Face.blendshapes` except EyeLook* are written; the other shapes and the angles of the eyes are 0,
    because the gaze is not estimated. The head's angles are radians: HeadYaw is positive towards the person's right,
    HeadPitch up, HeadRoll towards the person's left shoulder.

    Until `close`, the files are called NAME.partial.csv. Rows are complete when `write` returns.

    Args:
        folder: the folder, which must exist.
        slate: first part of the file names; underscores become hyphens, because they separate the parts.
        take: number of the take.
        rate: rows a second, 30 or 60.
        flipped: head angles with the opposite sign, of "yaw", "pitch" and "roll".

    Raises:
        ValueError: `rate` or `flipped` has another value.
    """

    def __init__(self, folder: Path, slate: str, take: int = 1, rate: int = 30, flipped: Collection[str] = ()) -> None:
        if rate not in RATES:
            raise ValueError(f"rate must be 30 or 60; got {rate!r}")
        if not set(flipped) <= set(HEAD):
            raise ValueError(f"flipped must contain only {', '.join(HEAD)}; got {sorted(set(flipped) - set(HEAD))}")
        self._folder, self._prefix, self._rate = folder, f"{slate_name(slate)}_{take}_Person", rate
        # `Face.pose` is positive towards the person's left, down, and towards the person's right shoulder.
        self._signs = np.array([1.0 if name in flipped else -1.0 for name in HEAD])
        self._people: dict[int, _PersonFile] = {}

    @property
    def paths(self) -> list[Path]:
        """The files, in the order of the persons' first appearance."""
        return [person.path for person in self._people.values()]

    def write(self, frame: FrameRecord) -> None:
        """Add a frame.

        Raises:
            DataError: a file cannot be written.
        """
        for one in frame.faces:
            if one.id not in self._people:
                path = self._folder / f"{self._prefix}{one.id}.csv"
                self._people[one.id] = _PersonFile(path, self._rate)
        values = {one.id: _values(one.face, self._signs) for one in frame.faces}
        for number, person in self._people.items():
            person.add(frame.time, values.get(number))

    def close(self) -> None:
        """Write the end of the files and give them their names.

        Raises:
            DataError: this fails; the partial files that it concerns remain.
        """
        with ExitStack() as closing:
            for person in reversed(self._people.values()):
                closing.callback(person.close)

    def stop(self) -> None:
        """Nothing: the files keep their partial names, and are closed after each frame."""


def slate_name(name: str) -> str:
    """A name as the first part of a file name of Live Link Face, whose parts are separated by underscores."""
    return name.replace("_", "-")


class _PersonFile:
    """The file of one person."""

    def __init__(self, path: Path, rate: int) -> None:
        self.path = path
        self._rate = rate
        self._row: int | None = None  # number of the next row, counted from the time 0
        self._last: tuple[float, np.ndarray] | None = None
        self._has_high_number = False
        self._is_open = True
        self._write([",".join(COLUMNS)], mode="w")

    def add(self, time: float, values: np.ndarray | None) -> None:
        """Add a frame; `values` is None if it does not contain the person."""
        if values is None:
            self._last = None  # the rows follow when the person is found again, so the file ends with the last face
            return
        if self._row is None:
            self._row = math.ceil(time * self._rate - 1e-6)
            # A row on the frame itself, or the first one after it.
            self._last = (time, values)
        rows = []
        start = self._last
        while self._row <= time * self._rate + 1e-6:
            at = self._row / self._rate
            share = 1.0 if start is None or time <= start[0] else (at - start[0]) / (time - start[0])
            between = None if start is None and at < time - 1e-6 else values
            if between is not None and start is not None:
                between = start[1] + min(max(share, 0.0), 1.0) * _change(start[1], values)
            rows.append(self._text(between))
            self._row += 1
            if len(rows) >= 1000:  # a person who was away for hours
                self._write(rows)
                rows = []
        self._write(rows)
        self._last = (time, values)

    def close(self) -> None:
        """Write the end of the file and give it its name."""
        if not self._is_open:
            return
        self._is_open = False
        rows = []
        while self._row is not None and not self._has_high_number:
            rows.append(self._text(None))
            self._row += 1
        self._write(rows)
        try:
            partial_path(self.path).replace(self.path)
        except OSError as error:
            raise self._failure(error) from error

    def _text(self, values: np.ndarray | None) -> str:
        assert self._row is not None
        seconds, number = divmod(self._row * (CLOCK // self._rate), CLOCK)
        self._has_high_number |= number >= _SWITCH
        minutes, second = divmod(seconds, 60)
        hours, minute = divmod(minutes, 60)
        # No blanks: Unreal Engine's importer drops empty cells.
        cells = ["0," + ",".join(["0.0000000000"] * _COUNT)] if values is None else [str(_COUNT)]
        cells += [] if values is None else [f"{value:.10f}" for value in values.tolist()]
        return f"{hours % 24:02d}:{minute:02d}:{second:02d}:{number:02d}.000," + ",".join(cells)

    def _write(self, rows: Sequence[str], mode: str = "a") -> None:
        try:
            # Opened for each frame: hundreds of people can appear in hours, more than the files that may be open.
            with partial_path(self.path).open(mode, encoding="utf-8", newline="\n") as file:
                file.write("".join(f"{row}\n" for row in rows))
        except OSError as error:
            raise self._failure(error) from error

    def _failure(self, error: OSError) -> DataError:
        return DataError(f"cannot write {self.path}: {error.strerror or error}")


def _change(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(61,) the change of the values; angles change by at most half a turn."""
    change: np.ndarray = end - start
    change[len(SHAPES) :] = (change[len(SHAPES) :] + np.pi) % (2 * np.pi) - np.pi
    return change


def _values(face: Face, signs: np.ndarray) -> np.ndarray:
    """(61,) float64: the shapes and angles of a face, in the order of the columns."""
    shapes = {f"{name[0].upper()}{name[1:]}": value for name, value in face.blendshapes.items()}
    values = [0.0 if name.startswith("EyeLook") else shapes.get(name, 0.0) for name in SHAPES]
    head = np.radians([getattr(face.pose, name) for name in HEAD]) * signs
    return np.array([*values, *head, *([0.0] * (len(ANGLES) - len(HEAD)))]) + 0.0  # no -0.0
