"""AFLW with 21 or 34 points: the datasets AFLW-PIFA and 3DDFA's test list (docs/aflw.md)."""

import csv
from pathlib import Path
from typing import Any, Literal

import numpy as np

from rdrface.datasets.readers.aflw2000 import load_mat
from rdrface.datasets.readers.pts import folder
from rdrface.datasets.records import SELF_OCCLUDED, VISIBLE, FaceRecords
from rdrface.errors import DataError
from rdrface.files import read_npy, read_text
from rdrface.geometry.boxes import bounding_boxes, box_size
from rdrface.landmarks import NUM_LANDMARKS

COUNTS = (21, 34)
"""Numbers of points; the first 21 of the 34 are AFLW's."""

CSV = "aflw_pifa.csv"
CROP = 120
"""Side of 3DDFA's crops in pixels."""

_FIRST = ("image", "part", "box_x0", "box_y0", "box_x1", "box_y1")


def read_aflw_pifa(
    root: str | Path, count: Literal[21, 34] = 34, split: Literal["train", "test"] = "test"
) -> FaceRecords:
    """AFLW-PIFA (Jourabloo & Liu, ICCV 2015: 21 points; CVPR 2016: 34): 3,901 training and 1,299 test faces.

    Unverified: tested on small files in the published format only.

    Files (docs/aflw.md gives the sources of this description): ``Landmark.mat`` with `phisT` (test) and `phisTr`
    (training), one row per face: all x, all y, all marks "hidden" (0 = visible), of 34 (or 21) points, pixels counted
    from 1; ``BoundingBox.mat`` with `bboxesT` and `bboxesTr`, rows of x, y, width, height; the images
    ``TestImages/1.jpg``, ... and ``TrainImages/1.jpg``, ... in the order of the rows. If the folder contains `CSV`,
    that file is read instead: columns image (path relative to the folder), part (train or test), box_x0, box_y0,
    box_x1, box_y1, then x0, y0, visible0, x1, y1, visible1, ...; pixels counted from 0, x and y empty for points
    without a position.

    Args:
        root: the folder.
        count: number of points; the 21 are the first of the 34.
        split: the dataset's own division.

    Returns:
        Records with P = `count`. Hidden points are SELF_OCCLUDED and keep their position if the file has one above 0.
        `box` is the dataset's face box, `normalizer` the square root of its area. The box of the 68 landmarks can
        be estimated with `rdrface.fitting.estimated_boxes`.

    Raises:
        DataError: a file is missing or damaged, or has the wrong shape; the message contains its path.
        ValueError: `count` or `split` is not supported.
    """
    if count not in COUNTS or split not in ("train", "test"):
        raise ValueError(f"count must be one of {COUNTS} and split 'train' or 'test'; got {count!r} and {split!r}")
    base = folder(root, f"AFLW-PIFA: Landmark.mat, BoundingBox.mat and the folders of images, or {CSV}")
    table = base / CSV
    images, points, visible, faces = _read_csv(table, split) if table.is_file() else _read_mats(base, split)
    if points.shape[1] < count:
        raise DataError(f"{base} has {points.shape[1]} points per face, expected {count}")
    points, visible = points[:, :count], visible[:, :count]
    if (bad := visible & ~np.isfinite(points).all(-1)).any():
        face, point = np.argwhere(bad)[0]
        raise DataError(f"{base}: point {point} of {images[face]} is marked as visible but has no position")
    extent = faces[:, 2:] - faces[:, :2]
    if not (np.isfinite(extent) & (extent > 0)).all():
        worst = int(np.argmin((np.isfinite(extent) & (extent > 0)).all(1)))
        raise DataError(
            f"{base}: the face box of {images[worst]} must have a positive area, got {faces[worst].tolist()}"
        )
    state = np.where(visible, VISIBLE, SELF_OCCLUDED).astype(np.int8)
    return FaceRecords(
        image=np.array(images),
        points=points,
        state=state,
        box=faces,
        source=np.full(len(images), f"aflw_pifa/{split}"),
        is_test=np.full(len(images), split == "test"),
        normalizer=box_size(faces),
    )


def read_aflw21(root: str | Path) -> FaceRecords:
    """3DDFA's AFLW list (Zhu et al., CVPR 2016; github.com/cleardusk/3DDFA): 21,080 faces with AFLW's visible points.

    Unverified: tested on small files in the published format only.

    `root` is that repository with its ``test.data.zip`` unpacked. Files: ``test.data/AFLW_GT_crop.list`` (one image per
    line), ``test.data/AFLW_GT_crop/`` (the images, crops of 120 x 120 pixels), and in ``test.configs/``
    ``AFLW_GT_crop_roi_box.npy`` (N, 4) xyxy of the crops in AFLW's images, ``AFLW_GT_crop_yaws.npy`` (N,) degrees,
    ``AFLW_GT_pts21.npy`` (N, 2, 21) and ``AFLW_GT_pts68.npy`` (N, 2 or 3, 68), both in pixels of AFLW's images.

    Points are transformed into the crops by the inverse of the benchmark's mapping, image = crop * side / 120 + corner,
    with crop pixels counted from 1. A point with a coordinate of -1 is hidden.

    Args:
        root: folder of the repository.

    Returns:
        Records with P = 21, all in the test part. Hidden points have no position and are SELF_OCCLUDED. `box` is that
        of the 68 points, `normalizer` its sqrt(w h) as in the benchmark; of `angles` only the yaw is known.

    Raises:
        DataError: a file is missing or damaged, or has the wrong shape; the message contains its path.
    """
    base = folder(root, "the 3DDFA repository with test.configs/ and test.data/")
    listing = base / "test.data" / "AFLW_GT_crop.list"
    images = read_text(listing, "list of images (from 3DDFA's test.data.zip)").split()
    if not images:
        raise DataError(f"{listing} lists no images")
    count = len(images)
    configs = base / "test.configs"
    corners = _array(configs / "AFLW_GT_crop_roi_box.npy", (count, 4))
    yaw = _array(configs / "AFLW_GT_crop_yaws.npy", (count,))
    points = _array(configs / "AFLW_GT_pts21.npy", (count, 2, 21)).swapaxes(1, 2)
    all68 = _array(configs / "AFLW_GT_pts68.npy", (count, 2, NUM_LANDMARKS), (count, 3, NUM_LANDMARKS))
    all68 = all68[:, :2].swapaxes(1, 2)
    if not (np.isfinite(yaw).all() and (corners[:, 2:] > corners[:, :2]).all()):
        raise DataError(f"{configs}: every face must have a finite yaw and a crop with a positive area")
    hidden = (points == -1).any(-1)
    points = np.where(hidden[..., None], np.nan, points)
    points, all68 = _into_crops(points, corners), _into_crops(all68, corners)
    box = bounding_boxes(all68)
    if not (np.isfinite(all68).all() and (box[:, 2:] > box[:, :2]).all()):
        raise DataError(
            f"{configs / 'AFLW_GT_pts68.npy'}: the 68 points of every face must be finite and must not be on one line"
        )
    return FaceRecords(
        image=np.array([str(base / "test.data" / "AFLW_GT_crop" / name) for name in images]),
        points=points,
        state=np.where(hidden, SELF_OCCLUDED, VISIBLE),
        box=box,
        source=np.full(count, "aflw/3ddfa"),
        is_test=np.ones(count, bool),
        normalizer=box_size(box),
        angles=np.stack([np.full(count, np.nan), yaw, np.full(count, np.nan)], axis=1),
    )


def _into_crops(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    scale = CROP / (corners[:, None, 2:] - corners[:, None, :2])
    in_crop: np.ndarray = (points - corners[:, None, :2]) * scale - 1
    return in_crop


def _array(file: Path, *shapes: tuple[int, ...]) -> np.ndarray:
    """Float64 array with one of `shapes` from an .npy file."""
    values = read_npy(file, "file of github.com/cleardusk/3DDFA").astype(np.float64)
    if len(shapes) == 1 and len(shapes[0]) == 1 and values.ndim == 2 and 1 in values.shape:
        values = values.ravel()
    if values.shape not in shapes:
        expected = " or ".join(map(str, shapes))
        raise DataError(f"{file} must have shape {expected}, one entry per image of the list; got {values.shape}")
    return values


_Read = tuple[list[str], np.ndarray, np.ndarray, np.ndarray]
"""Images; points (N, P, 2), pixels counted from 0, NaN without a position; visible (N, P); face boxes (N, 4) xyxy."""


def _read_mats(base: Path, split: str) -> _Read:
    end, images_folder = ("T", "TestImages") if split == "test" else ("Tr", "TrainImages")
    rows = _field(base / "Landmark.mat", f"phis{end}")
    boxes = _field(base / "BoundingBox.mat", f"bboxes{end}")
    count = rows.shape[1] // 3
    if rows.shape[1] % 3 or count not in COUNTS:
        raise DataError(f"{base / 'Landmark.mat'}: phis{end} must have 3 x 21 or 3 x 34 columns, got {rows.shape[1]}")
    if boxes.shape != (len(rows), 4):
        raise DataError(f"{base / 'BoundingBox.mat'}: bboxes{end} must have shape {(len(rows), 4)}, got {boxes.shape}")
    points = np.stack((rows[:, :count], rows[:, count : 2 * count]), axis=-1)
    marks = rows[:, 2 * count :]
    if not np.isin(marks, (0, 1)).all():
        raise DataError(f"{base / 'Landmark.mat'}: the last {count} columns of phis{end} must be 0 (visible) or 1")
    has_position = (np.isfinite(points) & (points > 0)).all(-1) | (np.isfinite(points).all(-1) & (marks == 0))
    images = [str(base / images_folder / f"{i + 1}.jpg") for i in range(len(rows))]
    faces = np.concatenate((boxes[:, :2], boxes[:, :2] + boxes[:, 2:]), axis=1) - 1
    return images, np.where(has_position[..., None], points - 1, np.nan), marks == 0, faces


def _field(file: Path, name: str) -> np.ndarray:
    content = load_mat(file)
    if name not in content:
        raise DataError(f"{file} has no field '{name}'")
    try:
        values = np.asarray(content[name], np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{file}: '{name}' must contain numbers: {error}") from error
    if values.ndim != 2 or not len(values):
        raise DataError(f"{file}: '{name}' must have one row per face, got shape {values.shape}")
    return values


def _read_csv(file: Path, split: str) -> _Read:
    try:
        lines = list(csv.DictReader(read_text(file, "CSV annotation file").splitlines()))
    except csv.Error as error:
        raise DataError(f"{file} cannot be read as a CSV file: {error}") from error
    names = list(lines[0]) if lines else []
    count = sum(name.startswith("visible") for name in names if name)
    expected = [*_FIRST, *(f"{part}{i}" for i in range(count) for part in ("x", "y", "visible"))]
    if count not in COUNTS or names != expected:
        raise DataError(f"{file} must have the columns {', '.join(_FIRST)}, x0, y0, visible0, ... of 21 or 34 points")
    rows = [line for line in lines if line["part"] == split]
    if not rows or {line["part"] for line in lines} - {"train", "test"}:
        raise DataError(f"{file} must have faces of part {split!r}, and no parts other than 'train' and 'test'")
    values = np.array([[_number(line[name], name, file) for name in expected[2:]] for line in rows])
    points = values[:, 4:].reshape(len(values), count, 3)
    if not np.isin(points[..., 2], (0, 1)).all():
        raise DataError(f"{file}: 'visible' must be 0 or 1")
    images = [str(file.parent / line["image"]) for line in rows]
    has_position = np.isfinite(points[..., :2]).all(-1, keepdims=True)
    return images, np.where(has_position, points[..., :2], np.nan), points[..., 2] == 1, values[:, :4]


def _number(text: Any, name: str, file: Path) -> float:
    if text == "" and name[0] in "xy":
        return float("nan")
    try:
        return float(text)
    except (TypeError, ValueError) as error:
        raise DataError(f"{file}: column {name} must contain numbers, got {text!r}") from error
