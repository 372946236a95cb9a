"""300W-LP (Zhu et al., CVPR 2016): 300-W faces rotated to large poses by face profiling, with mirrored copies."""

from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from rdrface.datasets.readers.aflw2000 import angles_from_hpen, load_mat, points_of, pose_angles
from rdrface.datasets.readers.images import images_beside
from rdrface.datasets.readers.pts import folder
from rdrface.datasets.records import UNKNOWN, FaceRecords, known_box
from rdrface.errors import DataError
from rdrface.landmarks import CONTOUR, NUM_LANDMARKS

PARTS = ("AFW", "HELEN", "IBUG", "LFPW")


def read_300wlp(root: str | Path, flipped: bool = True) -> FaceRecords:
    """Read `root/{AFW,HELEN,IBUG,LFPW}[_Flip]/*.mat` and the images next to them.

    Verified on the part AFW. Unverified for the other parts: tested on small files in the published format only.

    A face with a file `landmarks/<part>/<name>_pts.mat` has both contours: `points` follow the visible outline
    (`pts_2d`), `jawline_contour` the absolute jawline (`pts_3d`). Without that file `points` are the field `pt3d_68`
    (absolute jawline) of the face's .mat file, or else `pt2d` (visible outline). `contour` is the convention of
    `points`. The files count pixels from 1, the records from 0.

    Args:
        root: the folder 300W_LP.
        flipped: also read the `_Flip` folders.

    Returns:
        Records with source "300w_lp/<folder>". The faces of IBUG and of LFPW's test images, which are test faces of
        300-W, are in the test part. Those of HELEN's test images cannot be told by their names, and are not. The
        dataset does not mark occluded points, so all states are unknown. `jawline_contour` is None if no face has one.

    Raises:
        DataError: folders, images or scipy are missing, or a file is damaged; the message names it.
    """
    base = folder(root, "the 300W_LP folder, with AFW/, AFW_Flip/, HELEN/ and so on in it")
    names = [name for part in PARTS for name in ((part, f"{part}_Flip") if flipped else (part,))]
    files = [file for name in names for file in sorted((base / name).glob("*.mat"))]
    if not files:
        raise DataError(f"{base} contains no .mat files in {', '.join(names)}; expected the official 300W_LP folder")
    points = np.empty((len(files), NUM_LANDMARKS, 2), np.float32)
    jawline = np.full((len(files), len(CONTOUR), 2), np.nan, np.float32)
    angles = np.empty((len(files), 3))
    contours = []
    # Reading all 122,450 files takes minutes. disable=None: no progress bar if the output is not a terminal.
    for i, file in enumerate(tqdm(files, desc="300W-LP", disable=None)):
        content = load_mat(file)
        angles[i] = pose_angles(content, file)
        landmark_file = base / "landmarks" / file.parent.name / f"{file.stem}_pts.mat"
        if landmark_file.is_file():
            both = load_mat(landmark_file)
            points[i], contour = points_of(both, "pts_2d", landmark_file), "outline"
            jawline[i] = points_of(both, "pts_3d", landmark_file)[CONTOUR]
        else:
            points[i], contour = _points(file, content, landmark_file)
        contours.append(contour)
    return FaceRecords(
        image=images_beside(files),
        points=points,
        state=np.full((len(files), NUM_LANDMARKS), UNKNOWN, np.int8),
        contour=np.array(contours),
        box=np.stack([known_box(face, file) for face, file in zip(points, files, strict=True)]),
        source=np.array([f"300w_lp/{file.parent.name}" for file in files]),
        is_test=np.array([file.parent.name.startswith("IBUG") or "_image_test_" in file.name for file in files]),
        pose=angles_from_hpen(angles),
        angles=np.degrees(angles),
        jawline_contour=None if np.isnan(jawline).all() else jawline,
    )


def _points(file: Path, content: dict[str, Any], landmark_file: Path) -> tuple[np.ndarray, str]:
    """Points (68, 2) and contour convention of a face whose `landmark_file` does not exist."""
    if "pt3d_68" in content:
        return points_of(content, "pt3d_68", file), "jawline"
    if "pt2d" in content:
        return points_of(content, "pt2d", file), "outline"
    raise DataError(f"{file} has neither 'pt3d_68' nor 'pt2d', and {landmark_file} does not exist")
