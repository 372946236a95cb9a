"""Files of predictions, from any method.

A file has one entry per face that the method found. Coordinates are pixels, and the center of the top-left pixel is
(0, 0). Four formats are read (docs/evaluation.md): JSON, CSV with a header, plain text with a name and coordinates per
line, and npz.
"""

import csv
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rdrface.errors import DataError
from rdrface.files import write_aside

FORMATS = (
    'JSON {"method": ..., "faces": [{"image": ..., "landmarks": [[x, y], ...]}, ...]} or {"photo.jpg": [[x, y], ...]}; '
    "CSV with the columns image,x0,y0,x1,y1,...; text with a name and coordinates per line; "
    "npz with image (n,) and landmarks (n, P, 2)"
)

PREDICTION_SUFFIXES = (".json", ".npz", ".csv")
"""Suffixes of the files that `write_prediction_file` writes."""

_SINGLE = ("face", "milliseconds")
_BOX = ("box_x0", "box_y0", "box_x1", "box_y1")
_ANGLES = ("pitch", "yaw", "roll")


@dataclass(frozen=True)
class PredictionFile:
    """The n entries of a file of predictions; NaN for values that the file does not have.

    Attributes:
        image: n names of images, as in the file.
        landmarks: (n, P, 2) float64 image pixels.
        face: (n,) int, index of the annotated face that the entry is for; -1 if the file does not have it.
        box: (n, 4) xyxy image pixels, the box in which the method aligned the face.
        milliseconds: (n,) time per face.
        angles: (n, 3) degrees: pitch, yaw and roll in the convention of AFLW2000-3D and BIWI (HPEN's).
        method: name of the method; may be empty.
        megabytes: size of the method's model.
    """

    image: tuple[str, ...]
    landmarks: np.ndarray
    face: np.ndarray
    box: np.ndarray
    milliseconds: np.ndarray
    angles: np.ndarray
    method: str = ""
    megabytes: float = float("nan")

    def __len__(self) -> int:
        return len(self.image)


def read_prediction_file(path: Path) -> PredictionFile:
    """Read a file of predictions. The suffix .json or .npz sets the format; any other file is read as CSV or text.

    Raises:
        DataError: the file cannot be read or has none of the formats; the message names the file, the position of the
            error and the formats.
    """
    try:
        if path.suffix.lower() == ".npz":
            return _from_npz(path)
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".json":
            return _from_json(json.loads(text))
        return _from_lines(text)
    except OSError as error:
        raise DataError(f"cannot read the file of predictions {path}: {error.strerror or error}") from error
    except (ValueError, TypeError, KeyError, zipfile.BadZipFile, EOFError) as error:
        raise DataError(f"{path} is not a file of predictions: {error}. Expected: {FORMATS}") from error


def write_prediction_file(path: Path, file: PredictionFile) -> None:
    """Write a file of predictions in the format of its suffix: .json, .npz or .csv.

    Raises:
        DataError: the path has another suffix, or cannot be written.
    """
    writers = dict(zip(PREDICTION_SUFFIXES, (_to_json, _to_npz, _to_csv), strict=True))
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise DataError(f"the name of a file of predictions must end in {', '.join(PREDICTION_SUFFIXES)}; got {path}")
    with write_aside(path) as partial:
        writer(partial, file)


def _from_json(content: Any) -> PredictionFile:
    if not isinstance(content, dict):
        raise ValueError(f"the outermost value must be an object, got a {type(content).__name__}")
    if "faces" not in content:
        return _entries([{"image": name, "landmarks": points} for name, points in content.items()])
    entries: list[dict[str, Any]] = []
    for entry in content["faces"]:
        if not isinstance(entry, dict) or not {"image", "landmarks"} <= entry.keys():
            raise ValueError(f"entry {len(entries)} must be an object with 'image' and 'landmarks'")
        entries.append(entry)
    return _entries(entries, str(content.get("method", "")), float(content.get("megabytes", "nan")))


def _from_lines(text: str) -> PredictionFile:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        raise ValueError("the file is empty")
    rows = list(csv.reader(lines)) if "," in lines[0] else [line.split() for line in lines]
    if _is_number(rows[0][1] if len(rows[0]) > 1 else ""):
        return _entries([_plain_entry(row, i) for i, row in enumerate(rows)])
    header = [name.strip() for name in rows[0]]
    known = {"image", *_SINGLE, *_BOX, *_ANGLES}
    coordinates = [name for name in header if name not in known]
    expected = [f"{axis}{i}" for i in range(len(coordinates) // 2) for axis in "xy"]
    if "image" not in header or sorted(coordinates) != sorted(expected) or not expected:
        raise ValueError(f"the header must be image,x0,y0,x1,y1,... without gaps, got {','.join(header)[:200]}")
    entries: list[dict[str, Any]] = []
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(header):
            raise ValueError(f"line {number} has {len(row)} values for {len(header)} columns")
        cells = dict(zip(header, row, strict=True))
        entry: dict[str, Any] = {"image": cells["image"], "landmarks": [float(cells[name]) for name in expected]}
        entry |= {name: cells[name] for name in (*_SINGLE, *_ANGLES) if cells.get(name, "").strip()}
        if all(cells.get(name, "").strip() for name in _BOX):
            entry["box"] = [float(cells[name]) for name in _BOX]
        entries.append(entry)
    return _entries(entries)


def _plain_entry(row: list[str], number: int) -> dict[str, Any]:
    if len(row) < 3 or len(row) % 2 == 0:
        raise ValueError(f"line {number + 1} must have a name and pairs of numbers, got {len(row)} values")
    return {"image": row[0], "landmarks": [float(value) for value in row[1:]]}


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _from_npz(path: Path) -> PredictionFile:
    with np.load(path, allow_pickle=False) as arrays:
        content: Mapping[str, np.ndarray] = {name: arrays[name] for name in arrays.files}
    if missing := {"image", "landmarks"} - content.keys():
        raise ValueError(f"the file has no array {' and '.join(sorted(missing))}")
    entries: list[dict[str, Any]] = [
        {"image": str(image), "landmarks": points}
        for image, points in zip(content["image"].tolist(), content["landmarks"], strict=True)
    ]
    for name in ("face", "box", "milliseconds", "angles"):
        if name in content:
            for entry, value in zip(entries, content[name], strict=True):
                entry |= dict(zip(_ANGLES, value, strict=True)) if name == "angles" else {name: value}
    return _entries(entries, str(content.get("method", "")), float(content.get("megabytes", np.nan)))


def _entries(entries: list[dict[str, Any]], method: str = "", megabytes: float = float("nan")) -> PredictionFile:
    points = [np.asarray(entry["landmarks"], np.float64).reshape(-1, 2) for entry in entries]
    for i, one in enumerate(points):
        if one.shape != points[0].shape:
            raise ValueError(f"entry {i} has {len(one)} points, the first has {len(points[0])}")
    count = len(entries)
    nan = float("nan")
    boxes = [np.full(4, nan) if entry.get("box") is None else np.asarray(entry["box"], np.float64) for entry in entries]
    if bad := [i for i, box in enumerate(boxes) if box.shape != (4,)]:
        raise ValueError(
            f"the box of entry {bad[0]} must be 4 numbers (x0, y0, x1, y1), got shape {boxes[bad[0]].shape}"
        )
    return PredictionFile(
        image=tuple(str(entry["image"]) for entry in entries),
        landmarks=np.stack(points) if points else np.empty((0, 0, 2)),
        face=np.array([int(entry.get("face", -1)) for entry in entries], np.int64),
        box=np.array(boxes).reshape(count, 4),
        milliseconds=np.array([float(entry.get("milliseconds", nan)) for entry in entries]),
        angles=np.array([[float(entry.get(name, nan)) for name in _ANGLES] for entry in entries]).reshape(count, 3),
        method=method,
        megabytes=megabytes,
    )


def _to_json(path: Path, file: PredictionFile) -> None:
    entries = []
    for i, image in enumerate(file.image):
        entry: dict[str, Any] = {"image": image, "landmarks": file.landmarks[i].round(4).tolist()}
        if file.face[i] >= 0:
            entry["face"] = int(file.face[i])
        if np.isfinite(file.box[i]).all():
            entry["box"] = file.box[i].round(4).tolist()
        if np.isfinite(file.milliseconds[i]):
            entry["milliseconds"] = round(float(file.milliseconds[i]), 3)
        if np.isfinite(file.angles[i]).all():
            entry |= dict(zip(_ANGLES, file.angles[i].round(4).tolist(), strict=True))
        entries.append(entry)
    content: dict[str, Any] = {"method": file.method}
    if np.isfinite(file.megabytes):
        content["megabytes"] = file.megabytes
    path.write_text(json.dumps({**content, "faces": entries}) + "\n", encoding="utf-8")


def _to_npz(path: Path, file: PredictionFile) -> None:
    with path.open("wb") as stream:
        np.savez_compressed(
            stream,
            allow_pickle=False,
            image=np.array(file.image, np.str_),
            landmarks=file.landmarks,
            face=file.face,
            box=file.box,
            milliseconds=file.milliseconds,
            angles=file.angles,
            method=np.array(file.method),
            megabytes=np.array(file.megabytes),
        )


def _to_csv(path: Path, file: PredictionFile) -> None:
    points = file.landmarks.shape[1]
    names = [f"{axis}{i}" for i in range(points) for axis in "xy"]

    def cell(value: float) -> str:
        return f"{value:.4f}" if np.isfinite(value) else ""

    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["image", *names, "face", *_BOX, "milliseconds", *_ANGLES])
        for i, image in enumerate(file.image):
            numbers = (*file.box[i], file.milliseconds[i], *file.angles[i])
            face = str(file.face[i]) if file.face[i] >= 0 else ""
            writer.writerow([image, *(f"{v:.4f}" for v in file.landmarks[i].ravel()), face, *map(cell, numbers)])
