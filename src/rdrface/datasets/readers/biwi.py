"""BIWI Kinect head pose database (Fanelli et al., IJCV 2013): 15,678 frames of 20 people with a rotation for each.

The dataset has no landmarks. It annotates the rotation and the center of the head, which were found by fitting a scan
of the person's head to the depth image.
"""

import re
from pathlib import Path

import numpy as np

from rdrface.datasets.readers.aflw2000 import hpen_angles
from rdrface.datasets.readers.images import require_images
from rdrface.datasets.readers.pts import folder
from rdrface.datasets.records import FaceRecords
from rdrface.errors import DataError
from rdrface.files import read_text

FACE_SIDE = 150.0
"""Side in millimeters of the square around the head's center that is used as face box, because the dataset has no
boxes. sqrt(w h) of the box of the mean face's 68 landmarks is 148 mm (`rdrface.morphable.model`)."""

_FRAME = re.compile(r"frame_\d+_pose\.txt")
_PERSON = re.compile(r"\d\d")
_PACKED = (".", "hpdb", "faces_0")
# Depth camera: x right, y down, z away from the camera. rdrface: x right, y up, z towards the viewer.
_AXES = np.array([1.0, -1.0, -1.0])


def read_biwi(root: str | Path) -> FaceRecords:
    """Read the official folder: `NN/frame_XXXXX_rgb.png`, `NN/frame_XXXXX_pose.txt` and `NN/rgb.cal`, NN = 01 ... 24.

    Unverified: tested on small files in the published format only.

    A pose file contains the rotation of the head and the 3D position of its center in millimeters, both in the depth
    camera's frame. `rotation` is that matrix in rdrface's axes. `angles` are its pitch, yaw, roll as papers compute
    them (FSA-Net, Yang et al., CVPR 2019, data/TYY_create_db_biwi.py). These are exactly HPEN's angles of `rotation`:
    yaw > 0 is towards the image's left, pitch > 0 up, roll > 0 clockwise in the image. Hopenet (Ruiz et al., CVPR
    workshops 2018) uses the opposite order of the angles, which differs when more than one of them is large.

    As in all published protocols, poses stay in the depth camera's frame although the images are those of the color
    camera; the two cameras differ by a rotation of about one degree. Only the boxes are transformed to the color
    camera, with the calibration in rgb.cal. They are rough: squares of `FACE_SIDE` around the projected center of the
    head, which is behind the face. Published results use boxes of a detector, which are better.

    Args:
        root: folder with 01, 02 ... in it (or in its hpdb/ or faces_0/, as the archives are packed).

    Returns:
        Records with P = 0, source "biwi/NN", all in the test part.

    Raises:
        DataError: folders, files or images are missing, or a file is damaged; the message contains the path.
    """
    base = folder(root, "the BIWI folder, with 01/, 02/ and so on in it")
    people = sorted(
        path for name in _PACKED for path in (base / name).glob("*") if path.is_dir() and _PERSON.fullmatch(path.name)
    )
    files = [file for person in people for file in sorted(person.iterdir()) if _FRAME.fullmatch(file.name)]
    if not files:
        raise DataError(
            f"{base} contains no NN/frame_XXXXX_pose.txt; expected the official BIWI folder with 01/ to 24/"
        )
    images = [_image(file) for file in files]
    require_images([str(file) for file, image in zip(files, images, strict=True) if image is None], len(files))
    cameras = {person: read_calibration(person / "rgb.cal") for person in {file.parent for file in files}}
    poses = [read_pose(file) for file in files]
    rotation = np.stack([matrix for matrix, _ in poses]) * np.outer(_AXES, _AXES)
    boxes = [face_box(center, *cameras[file.parent]) for file, (_, center) in zip(files, poses, strict=True)]
    for file, box in zip(files, boxes, strict=True):
        if not np.isfinite(box).all():
            raise DataError(f"{file}: the head's center is behind the camera")
    return FaceRecords(
        image=np.array(images),
        points=np.empty((len(files), 0, 2)),
        state=np.empty((len(files), 0), np.int8),
        box=np.stack(boxes),
        source=np.array([f"biwi/{file.parent.name}" for file in files]),
        is_test=np.ones(len(files), bool),
        angles=np.degrees(hpen_angles(rotation)),
        rotation=rotation,
    )


def read_pose(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Head rotation (3, 3) and center (3,) in millimeters of a frame_XXXXX_pose.txt, in the depth camera's frame.

    Raises:
        DataError: the file is missing or does not have twelve numbers, or its matrix is not a rotation.
    """
    values = np.array([value for block in _blocks(file) for row in block for value in row])
    if values.size != 12:
        raise DataError(
            f"{file} contains {values.size} numbers, expected 12: a 3 x 3 rotation and the 3 coordinates of the center"
        )
    matrix = values[:9].reshape(3, 3)
    # The numbers in the files have six digits.
    if np.abs(matrix @ matrix.T - np.eye(3)).max() > 1e-3 or np.linalg.det(matrix) < 0:
        raise DataError(f"{file}: the first nine numbers are not a rotation matrix: {matrix.tolist()}")
    return matrix, values[9:]


def read_calibration(file: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Calibration of the color camera in an rgb.cal.

    Blocks of the file, separated by empty lines: intrinsics, distortion (zero, ignored), rotation, translation, image
    size.

    Returns:
        Intrinsics (3, 3); rotation (3, 3) and translation (3,) in millimeters from the depth to the color camera.

    Raises:
        DataError: the file is missing, or its blocks are not as expected.
    """
    blocks = _blocks(file)
    shapes = [[len(row) for row in block] for block in blocks]
    matrices = [i for i, shape in enumerate(shapes) if shape == [3, 3, 3]]
    if len(matrices) != 2 or shapes[matrices[1] + 1 :][:1] != [[3]]:
        raise DataError(
            f"{file} is not a calibration of BIWI: expected blocks separated by empty lines, two of them 3 x 3 "
            "(intrinsics and rotation), the second followed by the 3 numbers of the translation; got rows of "
            f"{shapes} numbers"
        )
    first, second = matrices
    return np.array(blocks[first]), np.array(blocks[second]), np.array(blocks[second + 1][0])


def face_box(center: np.ndarray, intrinsics: np.ndarray, rotation: np.ndarray, translation: np.ndarray) -> np.ndarray:
    """Box of a square of `FACE_SIDE` around the center of a head.

    Args:
        center: (3,) millimeters in the depth camera's frame.
        intrinsics: (3, 3) of the color camera.
        rotation, translation: (3, 3) and (3,) millimeters from the depth to the color camera.

    Returns:
        (4,) xyxy pixels of the color image; NaN if the center is behind the color camera.
    """
    position = rotation @ center + translation
    if position[2] <= 0:
        return np.full(4, np.nan)
    x, y, _ = intrinsics @ (position / position[2])
    half = 0.5 * FACE_SIDE * np.diag(intrinsics)[:2] / position[2]
    return np.array([x - half[0], y - half[1], x + half[0], y + half[1]])


def _blocks(file: Path) -> list[list[list[float]]]:
    # Numbers of a text file: blocks, separated by empty lines, of rows.
    text = read_text(file, "file of BIWI")
    try:
        blocks = [[[float(word) for word in row.split()] for row in block.splitlines()] for block in _split(text)]
    except ValueError as error:
        raise DataError(f"{file} must contain only numbers: {error}") from error
    if not np.isfinite([value for block in blocks for row in block for value in row]).all():
        raise DataError(f"{file} contains a number that is not finite")
    return blocks


def _split(text: str) -> list[str]:
    lines = "\n".join(line.strip() for line in text.splitlines())
    return [block for block in re.split(r"\n{2,}", lines.strip()) if block]


def _image(pose: Path) -> str | None:
    stem = pose.name.removesuffix("_pose.txt")
    candidates = (pose.with_name(f"{stem}_rgb{suffix}") for suffix in (".png", ".jpg"))
    return next((str(candidate) for candidate in candidates if candidate.is_file()), None)
