"""Files of predictions: anybody's landmarks in, `Predictions` out, and the list of faces that recorders start from.

One entry per face that a method found; a face that it did not find is simply not there. Pixels as everywhere here: the
center of the top-left pixel is (0, 0). Four forms are read, see docs/evaluation.md: JSON, CSV with a header, plain
text (a name, then the coordinates), and npz.
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

FORMS = (
    'JSON {"method": ..., "faces": [{"image": ..., "landmarks": [[x, y], ...]}, ...]} or {"photo.jpg": [[x, y], ...]}; '
    "CSV with the columns image,x0,y0,x1,y1,...; text with a name and the coordinates per line; "
    "npz with image (n,) and landmarks (n, P, 2)"
)

_SINGLE = ("face", "milliseconds")
_BOX = ("box_x0", "box_y0", "box_x1", "box_y1")
_ANGLES = ("pitch", "yaw", "roll")


@dataclass(frozen=True)
class PredictedFaces:
    """The n entries of a file.

    Attributes:
        image: n names of photos, as they stand in the file.
        landmarks: (n, P, 2) float64 photo pixels.
        face: (n,) int, number of the annotated face the entry is for; -1 where the file does not say.
        box: (n, 4) where the method looked, xyxy; NaN where the file does not say.
        milliseconds: (n,) NaN where the file does not say.
        angles: (n, 3) degrees, pitch, yaw, roll as AFLW2000-3D and BIWI have them (HPEN's); NaN where the file does not
            say.
        method: name of the method; empty where the file does not say.
        megabytes: of the method's model; NaN where the file does not say.
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


def read_prediction_file(path: Path) -> PredictedFaces:
    """Read a file of predictions, its form by its suffix: .json, .npz, .csv, and anything else as text.

    Raises:
        DataError: it cannot be read, or is of none of the forms; the message names file, place and what is wanted.
    """
    try:
        if path.suffix.lower() == ".npz":
            return _from_npz(path)
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".json":
            return _from_json(json.loads(text))
        return _from_lines(text)
    except OSError as error:
        raise DataError(f"the file of predictions {path} cannot be read: {error.strerror or error}") from error
    except (ValueError, TypeError, KeyError, zipfile.BadZipFile, EOFError) as error:
        raise DataError(f"{path} is not a file of predictions: {error}. Wanted: {FORMS}") from error


def write_prediction_file(path: Path, faces: PredictedFaces) -> None:
    """Write entries, in the form of the file's suffix: .json, .npz, or .csv.

    Raises:
        DataError: another suffix, or the file cannot be written.
    """
    writers = {".json": _to_json, ".npz": _to_npz, ".csv": _to_csv}
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise DataError(f"predictions are written as {', '.join(writers)}; got the name {path}")
    try:
        writer(path, faces)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error


def _from_json(content: Any) -> PredictedFaces:
    if not isinstance(content, dict):
        raise ValueError(f"the outermost value is a {type(content).__name__}, not an object")
    if "faces" not in content:
        return _entries([{"image": name, "landmarks": points} for name, points in content.items()])
    entries: list[dict[str, Any]] = []
    for entry in content["faces"]:
        if not isinstance(entry, dict) or not {"image", "landmarks"} <= entry.keys():
            raise ValueError(f"entry {len(entries)} must be an object with 'image' and 'landmarks'")
        entries.append(entry)
    return _entries(entries, str(content.get("method", "")), float(content.get("megabytes", "nan")))


def _from_lines(text: str) -> PredictedFaces:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        raise ValueError("it is empty")
    rows = list(csv.reader(lines)) if "," in lines[0] else [line.split() for line in lines]
    if _is_number(rows[0][1] if len(rows[0]) > 1 else ""):
        return _entries([_plain_entry(row, i) for i, row in enumerate(rows)])
    header = [name.strip() for name in rows[0]]
    known = {"image", *_SINGLE, *_BOX, *_ANGLES}
    coordinates = [name for name in header if name not in known]
    wanted = [f"{axis}{i}" for i in range(len(coordinates) // 2) for axis in "xy"]
    if "image" not in header or sorted(coordinates) != sorted(wanted) or not wanted:
        raise ValueError(f"the header is {','.join(header)[:200]}; wanted image,x0,y0,x1,y1,... without a gap")
    entries: list[dict[str, Any]] = []
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(header):
            raise ValueError(f"line {number} has {len(row)} values for {len(header)} columns")
        cells = dict(zip(header, row, strict=True))
        entry: dict[str, Any] = {"image": cells["image"], "landmarks": [float(cells[name]) for name in wanted]}
        entry |= {name: cells[name] for name in (*_SINGLE, *_ANGLES) if cells.get(name, "").strip()}
        if all(cells.get(name, "").strip() for name in _BOX):
            entry["box"] = [float(cells[name]) for name in _BOX]
        entries.append(entry)
    return _entries(entries)


def _plain_entry(row: list[str], number: int) -> dict[str, Any]:
    if len(row) < 3 or len(row) % 2 == 0:
        raise ValueError(f"line {number + 1} must be a name and pairs of numbers, got {len(row)} values")
    return {"image": row[0], "landmarks": [float(value) for value in row[1:]]}


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _from_npz(path: Path) -> PredictedFaces:
    with np.load(path, allow_pickle=False) as file:
        content: Mapping[str, np.ndarray] = {name: file[name] for name in file.files}
    if missing := {"image", "landmarks"} - content.keys():
        raise ValueError(f"it has no array {' and '.join(sorted(missing))}")
    entries: list[dict[str, Any]] = [
        {"image": str(image), "landmarks": points}
        for image, points in zip(content["image"].tolist(), content["landmarks"], strict=True)
    ]
    for name in ("face", "box", "milliseconds", "angles"):
        if name in content:
            for entry, value in zip(entries, content[name], strict=True):
                entry |= dict(zip(_ANGLES, value, strict=True)) if name == "angles" else {name: value}
    return _entries(entries, str(content.get("method", "")), float(content.get("megabytes", np.nan)))


def _entries(entries: list[dict[str, Any]], method: str = "", megabytes: float = float("nan")) -> PredictedFaces:
    points = [np.asarray(entry["landmarks"], np.float64).reshape(-1, 2) for entry in entries]
    for i, one in enumerate(points):
        if one.shape != points[0].shape:
            raise ValueError(f"entry {i} has {len(one)} points, the first has {len(points[0])}")
    count = len(entries)
    none = float("nan")
    boxes = [
        np.full(4, none) if entry.get("box") is None else np.asarray(entry["box"], np.float64) for entry in entries
    ]
    if bad := [i for i, box in enumerate(boxes) if box.shape != (4,)]:
        raise ValueError(f"the box of entry {bad[0]} must be 4 numbers, xyxy")
    return PredictedFaces(
        image=tuple(str(entry["image"]) for entry in entries),
        landmarks=np.stack(points) if points else np.empty((0, 0, 2)),
        face=np.array([int(entry.get("face", -1)) for entry in entries], np.int64),
        box=np.array(boxes).reshape(count, 4),
        milliseconds=np.array([float(entry.get("milliseconds", none)) for entry in entries]),
        angles=np.array([[float(entry.get(name, none)) for name in _ANGLES] for entry in entries]).reshape(count, 3),
        method=method,
        megabytes=megabytes,
    )


def _to_json(path: Path, faces: PredictedFaces) -> None:
    entries = []
    for i, image in enumerate(faces.image):
        entry: dict[str, Any] = {"image": image, "landmarks": faces.landmarks[i].round(4).tolist()}
        if faces.face[i] >= 0:
            entry["face"] = int(faces.face[i])
        if np.isfinite(faces.box[i]).all():
            entry["box"] = faces.box[i].round(4).tolist()
        if np.isfinite(faces.milliseconds[i]):
            entry["milliseconds"] = round(float(faces.milliseconds[i]), 3)
        if np.isfinite(faces.angles[i]).all():
            entry |= dict(zip(_ANGLES, faces.angles[i].round(4).tolist(), strict=True))
        entries.append(entry)
    content: dict[str, Any] = {"method": faces.method}
    if np.isfinite(faces.megabytes):
        content["megabytes"] = faces.megabytes
    path.write_text(json.dumps({**content, "faces": entries}) + "\n", encoding="utf-8")


def _to_npz(path: Path, faces: PredictedFaces) -> None:
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            allow_pickle=False,
            image=np.array(faces.image, np.str_),
            landmarks=faces.landmarks,
            face=faces.face,
            box=faces.box,
            milliseconds=faces.milliseconds,
            angles=faces.angles,
            method=np.array(faces.method),
            megabytes=np.array(faces.megabytes),
        )


def _to_csv(path: Path, faces: PredictedFaces) -> None:
    points = faces.landmarks.shape[1]
    names = [f"{axis}{i}" for i in range(points) for axis in "xy"]

    def cell(value: float) -> str:
        return f"{value:.4f}" if np.isfinite(value) else ""

    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", *names, "face", *_BOX, "milliseconds", *_ANGLES])
        for i, image in enumerate(faces.image):
            numbers = (*faces.box[i], faces.milliseconds[i], *faces.angles[i])
            face = str(faces.face[i]) if faces.face[i] >= 0 else ""
            writer.writerow([image, *(f"{v:.4f}" for v in faces.landmarks[i].ravel()), face, *map(cell, numbers)])
