"""BIWI Kinect head pose database (Fanelli et al., IJCV 2013): 15,678 frames of 20 people, a rotation for each.

The set has no landmarks: the head is a rotation and a center, found by fitting the person's own head to the depth
camera's measurements.
"""

import re
from pathlib import Path

import numpy as np

from rdrface.datasets.readers.aflw2000 import hpen_angles
from rdrface.datasets.readers.pts import folder
from rdrface.datasets.records import FaceRecords
from rdrface.errors import DataError

FACE_SIDE = 150.0
"""Millimeters, the side of the square put around the head's center: the set has no boxes. The box of the 68 points of
the mean face has 148 (`rdrface.morphable.model`)."""

_FRAME = re.compile(r"frame_\d+_pose\.txt")
_PERSON = re.compile(r"\d\d")
_PACKED = (".", "hpdb", "faces_0")
# The depth camera's x right, y down, z away from it; rdrface's y up, z towards the viewer.
_AXES = np.array([1.0, -1.0, -1.0])


def read_biwi(root: str | Path) -> FaceRecords:
    """Read the official folder: `NN/frame_XXXXX_rgb.png`, `NN/frame_XXXXX_pose.txt` and `NN/rgb.cal`, NN = 01 ... 24.

    A pose file holds the head's rotation and the 3D place of its center in millimeters, both in the depth camera's
    frame. `rotation` is that matrix in rdrface's axes. `angles` are its pitch, yaw, roll as papers compute them
    (FSA-Net, Yang et al., CVPR 2019, its data/TYY_create_db_biwi.py): exactly HPEN's angles of `rotation`, so yaw > 0
    looks to the picture's left, pitch > 0 up, roll > 0 is clockwise as seen. Hopenet (Ruiz et al., CVPR workshops 2018)
    takes the angles in the other order, which differs wherever more than one of them is large.

    Like all published protocols this leaves the poses in the depth camera's frame, although the photos are the color
    camera's: the two are turned against each other by about a degree. Only the boxes are brought to the photo, with the
    calibration in rgb.cal. They are estimates: squares of `FACE_SIDE` around the projected center of the head, which
    lies behind the face. Boxes of a detector are better here, and usual.

    Args:
        root: folder with 01, 02 ... in it (or in its hpdb/ or faces_0/, as the archives are packed).

    Returns:
        FaceRecords without points (P = 0), source "biwi/NN", all of them tested.

    Raises:
        DataError: no such folders, or a file is missing or damaged; the message names it.
    """
    base = folder(root, "the BIWI folder, with 01/, 02/ and so on in it")
    people = sorted(
        path for name in _PACKED for path in (base / name).glob("*") if path.is_dir() and _PERSON.fullmatch(path.name)
    )
    files = [file for person in people for file in sorted(person.iterdir()) if _FRAME.fullmatch(file.name)]
    if not files:
        raise DataError(f"{base} holds no NN/frame_XXXXX_pose.txt; wanted the official BIWI folder with 01/ to 24/")
    cameras = {person: read_calibration(person / "rgb.cal") for person in {file.parent for file in files}}
    poses = [read_pose(file) for file in files]
    rotation = np.stack([matrix for matrix, _ in poses]) * np.outer(_AXES, _AXES)
    boxes = [face_box(center, *cameras[file.parent]) for file, (_, center) in zip(files, poses, strict=True)]
    for file, box in zip(files, boxes, strict=True):
        if not np.isfinite(box).all():
            raise DataError(f"{file}: the head's center lies behind the camera")
    return FaceRecords(
        image=np.array([str(_photo(file)) for file in files]),
        points=np.empty((len(files), 0, 2)),
        state=np.empty((len(files), 0), np.int8),
        box=np.stack(boxes),
        source=np.array([f"biwi/{file.parent.name}" for file in files]),
        is_test=np.ones(len(files), bool),
        angles=np.degrees(hpen_angles(rotation)),
        rotation=rotation,
    )


def read_pose(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Rotation (3, 3) and center (3,) millimeters of a frame_XXXXX_pose.txt, in the depth camera's frame.

    Raises:
        DataError: missing, not twelve numbers, or not a rotation.
    """
    values = np.array([value for block in _blocks(file) for row in block for value in row])
    if values.size != 12:
        raise DataError(f"{file} holds {values.size} numbers, wanted 12: a 3 x 3 rotation and 3 of the center")
    matrix = values[:9].reshape(3, 3)
    # The files have six digits.
    if np.abs(matrix @ matrix.T - np.eye(3)).max() > 1e-3 or np.linalg.det(matrix) < 0:
        raise DataError(f"{file}: the first nine numbers are no rotation matrix: {matrix.tolist()}")
    return matrix, values[9:]


def read_calibration(file: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Intrinsics (3, 3), rotation (3, 3) and translation (3,) mm from the depth to the color camera, of an rgb.cal.

    The file's blocks, parted by empty lines: intrinsics, distortion (not used, zero), rotation, translation, picture's
    size.

    Raises:
        DataError: missing, or with other blocks.
    """
    blocks = _blocks(file)
    shapes = [[len(row) for row in block] for block in blocks]
    matrices = [i for i, shape in enumerate(shapes) if shape == [3, 3, 3]]
    if len(matrices) != 2 or shapes[matrices[1] + 1 :][:1] != [[3]]:
        raise DataError(
            f"{file} is no calibration of BIWI: wanted blocks parted by empty lines, two of them 3 x 3 (intrinsics and "
            f"rotation), after the second the 3 numbers of the translation; got rows of {shapes} numbers"
        )
    first, second = matrices
    return np.array(blocks[first]), np.array(blocks[second]), np.array(blocks[second + 1][0])


def face_box(center: np.ndarray, intrinsics: np.ndarray, rotation: np.ndarray, translation: np.ndarray) -> np.ndarray:
    """(4,) xyxy photo pixels: a square of `FACE_SIDE` at a head's `center` (3,) mm of the depth camera; NaN behind
    it."""
    place = rotation @ center + translation
    if place[2] <= 0:
        return np.full(4, np.nan)
    x, y, _ = intrinsics @ (place / place[2])
    half = 0.5 * FACE_SIDE * np.diag(intrinsics)[:2] / place[2]
    return np.array([x - half[0], y - half[1], x + half[0], y + half[1]])


def _blocks(file: Path) -> list[list[list[float]]]:
    # Numbers of a text file: blocks parted by empty lines, of rows.
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise DataError(f"no file at {file}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file} cannot be read as text: {error}") from error
    try:
        blocks = [[[float(word) for word in row.split()] for row in block.splitlines()] for block in _split(text)]
    except ValueError as error:
        raise DataError(f"{file} holds something other than numbers: {error}") from error
    if not np.isfinite([value for block in blocks for row in block for value in row]).all():
        raise DataError(f"{file} holds a number that is not finite")
    return blocks


def _split(text: str) -> list[str]:
    lines = "\n".join(line.strip() for line in text.splitlines())
    return [block for block in re.split(r"\n{2,}", lines.strip()) if block]


def _photo(pose: Path) -> Path:
    stem = pose.name.removesuffix("_pose.txt")
    for suffix in (".png", ".jpg"):
        photo = pose.with_name(f"{stem}_rgb{suffix}")
        if photo.is_file():
            return photo
    raise DataError(f"no photo {stem}_rgb.png beside {pose}; copy the photos there")
