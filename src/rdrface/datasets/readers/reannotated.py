"""The second labels of AFLW2000-3D: 68 points drawn anew (Bulat & Tzimiropoulos, ICCV 2017, LS3D-W).

The repository of 3DDFA (github.com/cleardusk/3DDFA, test.configs) holds them as AFLW2000-3D-Reannotated.pts68.npy.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from rdrface.datasets.readers.pts import IMAGE_SUFFIXES
from rdrface.datasets.records import UNKNOWN, FaceRecords, known_box
from rdrface.errors import DataError
from rdrface.landmarks import NUM_LANDMARKS

LISTINGS = ("AFLW2000-3D_crop.list", "AFLW2000-3D.list")
"""Names of 3DDFA's list of photos, looked for beside the labels: one per line, in the labels' order."""


def reannotated(annotations: FaceRecords, file: str | Path, listing: str | Path | None = None) -> FaceRecords:
    """The same faces of AFLW2000-3D with the other labels.

    Nothing published says where the file begins to count pixels. It is taken to count from 1, as the set's own .mat
    files and as the predictions that 3DDFA compares with it (benchmark.py); here they count from 0. `box` and with it
    the protocol's normalizer are those of the new points, as in benchmark_aflw2000.py; the angles, which say in which
    yaw bin a face belongs, stay the set's. States are unknown.

    Args:
        annotations: faces of AFLW2000-3D, all 2,000 or fewer, any order.
        file: .npy of (M, 68, 2), (M, 2, 68) or (M, 3, 68); of three rows, the third is depth and is left out.
        listing: text file of the M names in the order of `file`; one of `LISTINGS` beside it by default. Without any,
            the faces of `annotations` sorted by name must be as many as the labels.

    Raises:
        DataError: the file is missing, damaged or of another shape; there is no way to tell which labels belong to
            which face; or a face has no labels. The message says which.
    """
    path = Path(file)
    points = _points(path)
    names = [_stem(image) for image in annotations.image.tolist()]
    place = {name: i for i, name in enumerate(_names(path, listing, names, len(points)))}
    if missing := [name for name in names if name not in place]:
        raise DataError(f"{path} has no labels for {missing[0]} ({len(missing)} such faces); it is of another set")
    chosen = points[[place[name] for name in names]]
    return replace(
        annotations,
        points=chosen,
        state=np.full(chosen.shape[:2], UNKNOWN, np.int8),
        box=np.stack([known_box(face, path) for face in chosen]) if len(chosen) else np.empty((0, 4)),
        source=np.array([f"{source}/reannotated" for source in annotations.source.tolist()], np.str_),
        normalizer=None,
    )


def _points(path: Path) -> np.ndarray:
    try:
        values = np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise DataError(f"no labels at {path}; wanted 3DDFA's AFLW2000-3D-Reannotated.pts68.npy") from error
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} is not a readable .npy file: {error}") from error
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiu":
        raise DataError(f"{path} does not hold one array of numbers; wanted 3DDFA's .npy of (2000, 2, 68)")
    if values.ndim == 3 and values.shape[2] == NUM_LANDMARKS and values.shape[1] in (2, 3):
        values = values[:, :2].transpose(0, 2, 1)
    if values.ndim != 3 or values.shape[1:] != (NUM_LANDMARKS, 2):
        raise DataError(
            f"{path}: wanted shape (M, 68, 2), (M, 2, 68) or (M, 3, 68), M = 2000 in the official file; "
            f"got {values.shape}"
        )
    if not np.isfinite(values).all():
        raise DataError(f"{path} holds a number that is not finite")
    return values.astype(np.float64) - 1


def _names(path: Path, listing: str | Path | None, faces: list[str], count: int) -> list[str]:
    # The name of the face of every label, from a list or, when all faces are there, from the faces.
    beside = [path.with_name(name) for name in LISTINGS]
    source = Path(listing) if listing is not None else next((file for file in beside if file.is_file()), None)
    if source is None:
        if len(set(faces)) != len(faces) or len(faces) != count:
            raise DataError(
                f"{path} labels {count} faces, the folder holds {len(faces)}: which belong together is not known. "
                f"Put 3DDFA's list of the photos ({LISTINGS[0]}) beside the labels"
            )
        return sorted(faces)
    try:
        lines = source.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError as error:
        raise DataError(f"no list of photos at {source}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{source} cannot be read as a list of photos: {error}") from error
    names = [_stem(line.strip()) for line in lines if line.strip()]
    if len(names) != count or len(set(names)) != count:
        raise DataError(f"{source} names {len(set(names))} photos, but {path} labels {count} faces; they must match")
    return names


def _stem(image: str) -> str:
    # Not Path.stem: a name without suffix may hold a dot.
    name = image.replace("\\", "/").rsplit("/", 1)[-1]
    return next((name.removesuffix(suffix) for suffix in IMAGE_SUFFIXES if name.endswith(suffix)), name)
