"""Contact sheet of fits: annotated and fitted landmarks drawn on crops of the images."""

from pathlib import Path

import numpy as np

from rdrface.crop import CropFrame, cut
from rdrface.datasets.contact_sheet import contact_sheet, draw_line, write_sheet
from rdrface.datasets.records import FaceRecords
from rdrface.geometry.rasterize import to_pixels
from rdrface.geometry.rotation import head_angles, rotation_matrix
from rdrface.image import read_image
from rdrface.landmarks import CLOSED, GROUPS
from rdrface.morphable.params import PITCH, POSE, ROTATION, YAW

FIT_COLOR, RESIDUAL_COLOR = (255, 255, 255), (255, 0, 255)  # RGB
_MARGIN = 1.35  # side of the crop in units of the longer side of the box


def write_contact_sheet(
    records: FaceRecords, index: np.ndarray, path: str | Path, columns: int = 6, cell: int = 240
) -> None:
    """Write an image of fitted faces. Title of each face: residual, yaw and pitch as in `Face.pose`, and file name.

    The fit is drawn as white lines, the annotated points as dots in the colors of
    `rdrface.datasets.contact_sheet.STATE_COLORS`, each joined to its fitted landmark.

    Args:
        records: fitted records.
        index: (n,) int, faces to show, row by row.
        path: image file to write, ``.jpg`` or ``.png``.
        columns: faces per row.
        cell: pixels per face.

    Raises:
        ValueError: the records are not fitted, or `index` is empty.
        DataError: the file cannot be written.
    """
    if records.outline is None or records.jawline is None or records.Q is None or records.residual is None:
        raise ValueError("write_contact_sheet needs fitted records; call fit_records first")
    if len(index) == 0:
        raise ValueError("write_contact_sheet needs at least one face; got an empty index")
    shown = records.select(index)
    assert shown.Q is not None and shown.residual is not None
    frame = _frames(shown)
    angles = np.rad2deg(head_angles(rotation_matrix(shown.Q[:, POSE][:, ROTATION].astype(np.float64))))
    pitch, yaw = angles[:, PITCH], angles[:, YAW]
    sheet = contact_sheet(
        np.stack([_crop_with_fit(shown, i, frame, cell) for i in range(len(shown))]),
        frame.to_crop(shown.points),
        shown.state,
        titles=[
            f"{shown.residual[i]:.1f}% y{yaw[i]:.0f} p{pitch[i]:.0f} {Path(shown.image[i]).stem[-16:]}"
            for i in range(len(shown))
        ],
        columns=columns,
        cell=cell,
    )
    write_sheet(Path(path), sheet)


def _frames(records: FaceRecords) -> CropFrame:
    box = records.box.astype(np.float64)
    longer_side = (box[:, 2:] - box[:, :2]).max(axis=1)
    return CropFrame(center=(box[:, :2] + box[:, 2:]) / 2, half=longer_side * _MARGIN / 2)


def _crop_with_fit(records: FaceRecords, i: int, frames: CropFrame, size: int) -> np.ndarray:
    """(size, size, 3) uint8 crop of face `i` with its fitted landmarks drawn as lines."""
    assert records.outline is not None and records.jawline is not None
    frame = CropFrame(frames.center[i : i + 1], frames.half[i : i + 1])
    pixels = cut(read_image(records.image[i]), frame, size)[0].transpose(1, 2, 0)
    crop = np.ascontiguousarray(np.rint(pixels), np.uint8)
    landmarks = (records.jawline if records.on_jawline[i] else records.outline)[i]
    fitted, annotated = (to_pixels(frame.to_crop(points[None])[0], size) for points in (landmarks, records.points[i]))
    for name, group in GROUPS.items():
        draw_line(crop, fitted[list(group)], FIT_COLOR, closed=name in CLOSED)
    for ends in np.stack([annotated, fitted], axis=1):
        draw_line(crop, ends, RESIDUAL_COLOR)
    return crop
