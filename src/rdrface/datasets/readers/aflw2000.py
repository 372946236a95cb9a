"""AFLW2000-3D (Zhu et al., CVPR 2016): 68 points with the absolute jawline, and a head pose in HPEN's angles."""

from pathlib import Path
from typing import Any

import numpy as np

from rdrface.datasets.readers.images import images_beside
from rdrface.datasets.readers.pts import folder
from rdrface.datasets.records import UNKNOWN, FaceRecords, known_box
from rdrface.errors import DataError
from rdrface.landmarks import NUM_LANDMARKS


def read_aflw2000(root: str | Path) -> FaceRecords:
    """Read the official folder of `image*.jpg` and `image*.mat`.

    Points are the first two rows of `pt3d_68`; the files count pixels from 1, the records from 0. `angles` are the
    dataset's own; its yaw bins and pose errors are defined on them. All faces are returned, including those with an
    angle beyond 99 degrees, which pose protocols leave out (`rdrface.evaluation.protocols.head_pose`).

    Args:
        root: folder with the .mat files and the images.

    Returns:
        Records with source "aflw2000_3d", all in the test part, contour 'jawline', all states unknown.

    Raises:
        DataError: scipy, images, a file or a field of a file is missing or damaged; the message names it.
    """
    base = folder(root, "the AFLW2000-3D folder with its .jpg and .mat files")
    files = sorted(base.glob("*.mat"))
    if not files:
        raise DataError(f"{base} contains no .mat files; expected AFLW2000-3D's image00002.mat and so on")
    points = np.empty((len(files), NUM_LANDMARKS, 2), np.float32)
    angles = np.empty((len(files), 3))
    for i, file in enumerate(files):
        content = load_mat(file)
        points[i] = points_of(content, "pt3d_68", file)
        angles[i] = pose_angles(content, file)
    return FaceRecords(
        image=images_beside(files),
        points=points,
        state=np.full((len(files), NUM_LANDMARKS), UNKNOWN, np.int8),
        contour=np.full(len(files), "jawline"),
        box=np.stack([known_box(face, file) for face, file in zip(points, files, strict=True)]),
        source=np.full(len(files), "aflw2000_3d"),
        is_test=np.ones(len(files), bool),
        pose=angles_from_hpen(angles),
        angles=np.degrees(angles),
    )


def load_mat(file: Path) -> dict[str, Any]:
    """Content of a MATLAB 5 file.

    Raises:
        DataError: scipy is not installed, or the file is missing or damaged.
    """
    try:
        import scipy.io
    except ImportError as error:
        raise DataError(f"reading {file} needs scipy; install it with: pip install 'rdrface[evaluate]'") from error
    try:
        content: dict[str, Any] = scipy.io.loadmat(str(file))
        return content
    except FileNotFoundError as error:
        raise DataError(f"no annotation file at {file}") from error
    except Exception as error:  # for damaged files scipy raises zlib, struct, type and index errors
        raise DataError(f"{file} is not a readable MATLAB 5 file: {error}") from error


def points_of(content: dict[str, Any], name: str, file: Path) -> np.ndarray:
    """Points from a field of a .mat file.

    Args:
        content: content of the file, from `load_mat`.
        name: field with 2 or 3 rows (or columns) of 68 numbers, pixels counted from 1; a third row (depth) is ignored.
        file: path of the file, for error messages.

    Returns:
        (68, 2) float32 image pixels, counted from 0.

    Raises:
        DataError: the field is missing or damaged.
    """
    if name not in content:
        raise DataError(f"{file} has no field '{name}'")
    values = np.asarray(content[name])
    if values.ndim == 2 and values.shape[1] in (2, 3) and values.shape[0] == NUM_LANDMARKS:
        values = values.T
    if values.ndim != 2 or values.shape[0] not in (2, 3) or values.shape[1] != NUM_LANDMARKS:
        raise DataError(f"{file}: '{name}' must be 2 or 3 rows of 68 numbers, got shape {values.shape}")
    try:
        points = values[:2].T.astype(np.float32) - 1
    except (TypeError, ValueError) as error:
        raise DataError(f"{file}: '{name}' must contain numbers: {error}") from error
    if not np.isfinite(points).all():
        raise DataError(f"{file}: '{name}' contains a number that is not finite")
    return points


def pose_angles(content: dict[str, Any], file: Path) -> np.ndarray:
    """(3,) float64 radians: pitch, yaw, roll of `Pose_Para` in HPEN's convention.

    Raises:
        DataError: the field is missing or damaged.
    """
    if "Pose_Para" not in content:
        raise DataError(f"{file} has no field 'Pose_Para'")
    try:
        pose = np.asarray(content["Pose_Para"], dtype=np.float64).reshape(-1)
    except (TypeError, ValueError) as error:
        raise DataError(f"{file}: 'Pose_Para' must contain numbers: {error}") from error
    if pose.size < 3 or not np.isfinite(pose[:3]).all():
        raise DataError(f"{file}: 'Pose_Para' must start with three finite angles, got {pose.tolist()}")
    return pose[:3]


def hpen_rotation(angles: np.ndarray) -> np.ndarray:
    """Rotation matrices of HPEN's pitch, yaw, roll.

    HPEN multiplies R_x R_y R_z of *transposed* elementary matrices, in a frame with x right, y up and z towards the
    viewer. With ordinary elementary matrices this is R_x(-pitch) R_y(-yaw) R_z(-roll). Verified on AFLW2000-3D: among
    all orders and signs only this one aligns the dataset's 3D points across faces (apart from the version with
    inverted depth, which the z of `pt3d_68` excludes).

    Args:
        angles: (..., 3) radians.

    Returns:
        (..., 3, 3) float64, model to camera in the frames of docs/conventions.md.
    """
    c, s = np.cos(-np.asarray(angles, np.float64)), np.sin(-np.asarray(angles, np.float64))
    (cx, cy, cz), (sx, sy, sz) = np.moveaxis(c, -1, 0), np.moveaxis(s, -1, 0)
    rows = [
        [cy * cz, -cy * sz, sy],
        [cx * sz + sx * sy * cz, cx * cz - sx * sy * sz, -sx * cy],
        [sx * sz - cx * sy * cz, sx * cz + cx * sy * sz, cx * cy],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def hpen_angles(rotation: np.ndarray) -> np.ndarray:
    """HPEN's pitch, yaw, roll of rotation matrices: inverse of `hpen_rotation` for |yaw| up to 90 degrees.

    Args:
        rotation: (..., 3, 3).

    Returns:
        (..., 3) float64 radians.
    """
    rotation = np.asarray(rotation, np.float64)
    yaw = -np.arcsin(np.clip(rotation[..., 0, 2], -1, 1))
    pitch = -np.arctan2(-rotation[..., 1, 2], rotation[..., 2, 2])
    roll = -np.arctan2(-rotation[..., 0, 1], rotation[..., 0, 0])
    return np.stack([pitch, yaw, roll], axis=-1)


def angles_from_hpen(angles: np.ndarray) -> np.ndarray:
    """Convert HPEN's pitch, yaw, roll to those of P, R = R_z(roll) R_y(yaw) R_x(pitch).

    Args:
        angles: (..., 3) radians.

    Returns:
        (..., 3) float32 radians.
    """
    rotation = hpen_rotation(angles)
    yaw = -np.arcsin(np.clip(rotation[..., 2, 0], -1, 1))
    pitch = np.arctan2(rotation[..., 2, 1], rotation[..., 2, 2])
    roll = np.arctan2(rotation[..., 1, 0], rotation[..., 0, 0])
    return np.stack([pitch, yaw, roll], axis=-1).astype(np.float32)
