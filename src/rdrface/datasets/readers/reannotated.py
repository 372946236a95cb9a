"""The second annotation of AFLW2000-3D with 68 points (LS3D-W: Bulat & Tzimiropoulos, ICCV 2017).

The repository of 3DDFA (github.com/cleardusk/3DDFA, test.configs) distributes it as AFLW2000-3D-Reannotated.pts68.npy.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from rdrface.datasets.readers.images import IMAGE_SUFFIXES
from rdrface.datasets.records import UNKNOWN, FaceRecords, known_box
from rdrface.errors import DataError
from rdrface.files import read_npy, read_text
from rdrface.landmarks import NUM_LANDMARKS

LISTINGS = ("AFLW2000-3D_crop.list", "AFLW2000-3D.list")
"""Names of 3DDFA's list of images, searched next to the annotation file: one image per line, in the same order."""


def reannotated(annotations: FaceRecords, file: str | Path, listing: str | Path | None = None) -> FaceRecords:
    """Replace the points of AFLW2000-3D by those of the second annotation.

    Unverified: tested on small files in the published format only.

    Whether the file counts pixels from 0 or 1 is not published. We assume 1, as in the dataset's own .mat files and in
    the predictions that 3DDFA compares with it (benchmark.py); the records count from 0. `box`, and so the protocol's
    normalizer, is that of the new points, as in benchmark_aflw2000.py. `angles`, and so the yaw bins, do not change.
    States are unknown.

    Args:
        annotations: faces of AFLW2000-3D, all 2,000 or fewer, in any order.
        file: .npy of shape (M, 68, 2), (M, 2, 68) or (M, 3, 68); a third row (depth) is ignored.
        listing: text file of the M image names in the order of `file`; by default one of `LISTINGS` in the same
            folder. Without such a list, `annotations` must have M faces, and the rows are assigned to them in order of
            their names.

    Raises:
        DataError: the file is missing or damaged, or has the wrong shape; its rows cannot be assigned to faces; or a
            face has no row. The message contains the path or the face.
    """
    path = Path(file)
    points = _points(path)
    names = [_stem(image) for image in annotations.image.tolist()]
    row = {name: i for i, name in enumerate(_names(path, listing, names, len(points)))}
    if missing := [name for name in names if name not in row]:
        raise DataError(
            f"{path} has no annotation for {missing[0]} ({len(missing)} such faces); it may belong to another dataset"
        )
    selected = points[[row[name] for name in names]]
    return replace(
        annotations,
        points=selected,
        state=np.full(selected.shape[:2], UNKNOWN, np.int8),
        box=np.stack([known_box(face, path) for face in selected]) if len(selected) else np.empty((0, 4)),
        source=np.array([f"{source}/reannotated" for source in annotations.source.tolist()], np.str_),
        normalizer=None,
    )


def _points(path: Path) -> np.ndarray:
    values = read_npy(path, "annotation file (3DDFA's AFLW2000-3D-Reannotated.pts68.npy)")
    if values.ndim == 3 and values.shape[2] == NUM_LANDMARKS and values.shape[1] in (2, 3):
        values = values[:, :2].transpose(0, 2, 1)
    if values.ndim != 3 or values.shape[1:] != (NUM_LANDMARKS, 2):
        raise DataError(
            f"{path} must have shape (M, 68, 2), (M, 2, 68) or (M, 3, 68), with M = 2000 in the official file; "
            f"got {values.shape}"
        )
    if not np.isfinite(values).all():
        raise DataError(f"{path} contains a number that is not finite")
    return values.astype(np.float64) - 1


def _names(path: Path, listing: str | Path | None, faces: list[str], count: int) -> list[str]:
    # Image name of each row, from a list or, if there are as many faces as rows, from the sorted faces.
    candidates = [path.with_name(name) for name in LISTINGS]
    source = Path(listing) if listing is not None else next((file for file in candidates if file.is_file()), None)
    if source is None:
        if len(set(faces)) != len(faces) or len(faces) != count:
            raise DataError(
                f"{path} annotates {count} faces, but the dataset's folder has {len(faces)}, so rows cannot be "
                f"assigned to faces. Copy 3DDFA's list of images ({LISTINGS[0]}) into the folder of the file"
            )
        return sorted(faces)
    names = [_stem(line.strip()) for line in read_text(source, "list of images").split("\n") if line.strip()]
    if len(names) != count or len(set(names)) != count:
        raise DataError(f"{source} lists {len(set(names))} images, but {path} annotates {count} faces; they must match")
    return names


def _stem(image: str) -> str:
    # Not Path.stem: a name without suffix may contain a dot.
    name = image.replace("\\", "/").rsplit("/", 1)[-1]
    return next((name.removesuffix(suffix) for suffix in IMAGE_SUFFIXES if name.endswith(suffix)), name)
