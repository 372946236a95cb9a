"""Contact sheet of degraded faces with their landmarks."""

from pathlib import Path

import cv2
import numpy as np
from degradations import DEGRADATIONS, Degradation
from held_out_faces import HeldOutFace

from rdrface.aligner import Aligner
from rdrface.datasets.contact_sheet import write_sheet

CELL = 160
"""Side of a face in the sheet, pixels."""

FACES = 8


def write_degradations(
    aligner: Aligner, faces: list[HeldOutFace], properties: list[str], seed: int, path: Path
) -> None:
    """Write an image with one row per degradation and one column per face, for the first `FACES` faces."""
    unchanged = Degradation("unchanged", lambda face, rng: face)
    degradations = [unchanged, *(each for name in properties for each in DEGRADATIONS.get(name, ()))]
    rows = []
    for degradation in degradations:
        row = []
        for i, face in enumerate(faces[:FACES]):
            changed = degradation.change(face, np.random.default_rng([seed, i]))
            row.append(_cell(aligner, changed))
        cv2.putText(row[0], degradation.name, (3, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 0), 1, cv2.LINE_AA)
        rows.append(np.hstack(row))
    write_sheet(path, np.vstack(rows))


def _cell(aligner: Aligner, face: HeldOutFace) -> np.ndarray:
    """(CELL, CELL, 3): the image of a face, enlarged without smoothing, with the landmarks from the true box."""
    (aligned,) = aligner.align(face.pixels, face.box[None])
    cell = cv2.resize(face.pixels, (CELL, CELL), interpolation=cv2.INTER_NEAREST)
    scale = CELL / np.array(face.pixels.shape[1::-1])
    for points, color in ((face.points, (0, 255, 0)), (aligned.landmarks, (255, 0, 0))):
        for x, y in (points[np.isfinite(points).all(axis=1)] + 0.5) * scale - 0.5:
            cv2.circle(cell, (round(float(x)), round(float(y))), 1, color, -1)
    text = f"expected {aligned.expected_error:.1f} %"
    cv2.putText(cell, text, (3, CELL - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (255, 255, 0), 1, cv2.LINE_AA)
    return cell
