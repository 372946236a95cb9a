"""Contact sheets of fits, to be looked at: faults of a fit are seen at a glance and in no table."""

from pathlib import Path

import cv2
import numpy as np

from rdrface.datasets.records import OCCLUDED, FaceRecords
from rdrface.errors import DataError
from rdrface.image import read_image
from rdrface.landmarks import CLOSED, GROUPS

LABEL, LABEL_OCCLUDED, FIT = (0, 230, 0), (0, 160, 255), (255, 40, 40)  # RGB
_MARGIN = 1.35  # cut-out per side of the larger edge of the box


def write_sheet(records: FaceRecords, index: np.ndarray, path: str | Path, columns: int = 6, side: int = 240) -> None:
    """Draw fitted faces into one picture: labels green (orange where occluded), the fit red.

    Args:
        records: fitted records.
        index: (n,) int, the faces to show, row by row.
        path: picture to write; its ending names the format.
        columns: faces per row. side: pixels per face.

    Raises:
        ValueError: the records are not fitted, or no face was chosen.
        DataError: the picture cannot be written there.
    """
    if records.outline is None or records.jawline is None or records.Q is None or records.residual is None:
        raise ValueError("a sheet needs fitted records; run fit_records first")
    if len(index) == 0:
        raise ValueError("a sheet needs at least one face; got an empty index")
    rows = -(-len(index) // columns)
    sheet = np.full((rows * side, columns * side, 3), 30, np.uint8)
    for place, i in enumerate(index):
        top, left = place // columns * side, place % columns * side
        sheet[top : top + side, left : left + side] = _tile(records, int(i), side)
    if not cv2.imwrite(str(path), sheet[..., ::-1]):
        raise DataError(f"cannot write a picture to {path}; the folder must exist and the name end in .jpg or .png")


def _tile(records: FaceRecords, i: int, side: int) -> np.ndarray:
    assert records.outline is not None and records.jawline is not None
    assert records.Q is not None and records.residual is not None
    fitted = (records.jawline if records.on_jawline[i] else records.outline)[i]
    box = records.box[i].astype(np.float64)
    half = max(box[2] - box[0], box[3] - box[1]) * _MARGIN / 2
    scale = side / (2 * half)
    shift = (side - 1) / 2 - scale * (box[:2] + box[2:]) / 2
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    tile = cv2.warpAffine(read_image(records.image[i]), matrix, (side, side), flags=cv2.INTER_LINEAR)
    at = fitted * scale + shift
    for name, group in GROUPS.items():
        line = np.round(at[list(group)] * 16).astype(np.int32)
        cv2.polylines(tile, [line], name in CLOSED, FIT, 1, cv2.LINE_AA, shift=4)
    labels = records.points[i] * scale + shift
    for point, label, state in zip(at, labels, records.state[i], strict=True):
        if np.isfinite(label).all():
            _line(tile, label, point, (255, 255, 0))
            _dot(tile, label, LABEL_OCCLUDED if state == OCCLUDED else LABEL)
    yaw, pitch = np.rad2deg(records.Q[i, 51]), np.rad2deg(records.Q[i, 50])
    name = Path(records.image[i]).stem
    for text, row in ((f"{records.residual[i]:.1f}% y{yaw:.0f} p{pitch:.0f}", side - 18), (name[-28:], side - 5)):
        for color, width in (((0, 0, 0), 3), ((255, 255, 255), 1)):
            cv2.putText(tile, text, (3, row), cv2.FONT_HERSHEY_SIMPLEX, 0.38, color, width, cv2.LINE_AA)
    return tile


def _dot(tile: np.ndarray, point: np.ndarray, color: tuple[int, int, int]) -> None:
    cv2.circle(tile, np.round(point * 16).astype(int).tolist(), 24, color, -1, cv2.LINE_AA, shift=4)


def _line(tile: np.ndarray, a: np.ndarray, b: np.ndarray, color: tuple[int, int, int]) -> None:
    start, end = (np.round(p * 16).astype(int).tolist() for p in (a, b))
    cv2.line(tile, start, end, color, 1, cv2.LINE_AA, shift=4)
