"""JSON Lines: one JSON object per frame, on a line of its own."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from rdrface.errors import DataError
from rdrface.face import Face
from rdrface.face_dict import plain
from rdrface.files import partial_path
from rdrface.recording.frame_record import FrameRecord, RecordedFace

_DIGITS = 3
"""Decimals of positions in pixels and of uncertainties in percent: far below what the network can resolve."""

_ROUNDED = ("box", "landmarks", "landmarks_jawline", "landmarks_3d", "projection", "visibility", "uncertainty")


class JSONLinesWriter:
    """Writes one line per frame, also for frames without a face. Every line is complete when `write` returns.

    Until `close`, a file is NAME.partial.SUFFIX; then it is renamed. If the process is killed, that file remains and
    contains all frames.

    Args:
        target: path of the file, or a binary file object such as ``sys.stdout.buffer``.

    Raises:
        DataError: the file cannot be written.
    """

    def __init__(self, target: Path | BinaryIO) -> None:
        self._path = target if isinstance(target, Path) else None
        try:
            # Without a buffer of Python: each line reaches the operating system at once.
            self._file: Any = target if not isinstance(target, Path) else partial_path(target).open("wb", buffering=0)
        except OSError as error:
            raise self._failure(error) from error

    def write(self, frame: FrameRecord) -> None:
        """Write a frame.

        Raises:
            DataError: the file cannot be written.
            BrokenPipeError: the reader of standard output has exited.
        """
        line = json.dumps(frame_to_dict(frame), separators=(",", ":")) + "\n"
        content = line.encode("utf-8")
        try:
            while content:
                content = content[self._file.write(content) :]
            self._file.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._failure(error) from error

    def close(self) -> None:
        """Close the file and give it its name.

        Raises:
            DataError: this fails; the partial file remains.
        """
        if self._path is None or self._file.closed:
            return
        self.stop()
        try:
            partial_path(self._path).replace(self._path)
        except OSError as error:
            raise self._failure(error) from error

    def stop(self) -> None:
        """Close the file, which keeps its partial name: the video was not read to its end.

        Raises:
            DataError: this fails.
        """
        if self._path is None:
            return
        try:
            self._file.close()
        except OSError as error:
            raise self._failure(error) from error

    def _failure(self, error: OSError) -> DataError:
        return DataError(f"cannot write {self._path or 'standard output'}: {error.strerror or error}")


def frame_to_dict(frame: FrameRecord) -> dict[str, Any]:
    """The JSON object of a frame."""
    return {
        "frame": frame.index,
        "time": round(frame.time, 6),
        "width": frame.width,
        "height": frame.height,
        "faces": [{"id": one.id, **_face_to_dict(one.face)} for one in frame.faces],
    }


def read_json_lines(path: Path) -> Iterator[FrameRecord]:
    """The frames of a JSON Lines file. A last line that is not complete, of a process that was killed, is left out.

    Raises:
        DataError: the file cannot be read, or a line is not a frame.
    """
    number = 0
    try:
        with path.open("rb") as file:
            for line in file:
                number += 1
                if not line.endswith(b"\n") or not line.strip():
                    continue
                yield _frame_from_dict(json.loads(line))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, OverflowError, LookupError, TypeError, AttributeError, RecursionError, DataError) as error:
        raise DataError(f"{path}, line {number}, is not a frame as `rdrface track` writes it: {error}") from error


def _face_to_dict(face: Face) -> dict[str, Any]:
    """`Face.to_dict` with fewer digits, which takes a tenth of the time."""
    custom = face.custom_landmarks
    pose, parameters = face.pose, face.parameters
    return {
        **{name: _rounded(getattr(face, name)) for name in _ROUNDED},
        **({} if custom is None else {"custom_landmarks": _rounded(custom)}),
        "score": round(float(face.score), 4),
        "expected_error": round(face.expected_error, 4),
        "pose": {
            "yaw": round(pose.yaw, 4),
            "pitch": round(pose.pitch, 4),
            "roll": round(pose.roll, 4),
            "rotation": _rounded(pose.rotation, 6),
        },
        "parameters": {
            # The translation in mm and the scale differ by powers of ten, so these need significant digits.
            "pose": plain(parameters.pose),
            "identity": _rounded(parameters.identity, 5),
            "expression": _rounded(parameters.expression, 5),
        },
        "blendshapes": {name: round(value, 4) for name, value in face.blendshapes.items()},
    }


def _rounded(values: np.ndarray, digits: int = _DIGITS) -> list[Any]:
    # In float64, whose shortest decimals have the rounded digits only.
    rounded: list[Any] = np.round(values.astype(np.float64), digits).tolist()
    return rounded


def _frame_from_dict(content: dict[str, Any]) -> FrameRecord:
    faces = [RecordedFace(int(one["id"]), Face.from_dict(one)) for one in content["faces"]]
    time = float(content["time"])
    if not math.isfinite(time):
        raise ValueError(f"time must be finite; got {time}")
    return FrameRecord(int(content["frame"]), time, int(content["width"]), int(content["height"]), faces)
