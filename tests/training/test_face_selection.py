"""Selection of near-frontal faces with close fits."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from rdrface.datasets.packing import pack
from rdrface.datasets.synthetic import draw_faces
from rdrface.morphable.params import PITCH, POSE, YAW
from rdrface.training.face_selection import near_frontal_fits


def test_only_near_frontal_faces_with_close_fits_are_selected(tmp_path: Path) -> None:
    faces = pack(draw_faces(tmp_path / "faces", 5), 32)
    q = faces.Q.copy()
    pose = q[:, POSE]  # a view
    pose[:, [PITCH, YAW]] = np.radians([[5, -20], [5, 40], [-30, 0], [0, 0], [0, 0]])
    q[4] = np.nan
    residual = np.array([1, 1, 1, 9, np.nan], np.float32)
    selected = near_frontal_fits(replace(faces, Q=q, residual=residual), 25, 20, 3)
    assert selected.tolist() == [True, False, False, False, False]
