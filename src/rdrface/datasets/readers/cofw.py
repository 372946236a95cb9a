"""COFW68: the test faces of COFW (Burgos-Artizzu et al., ICCV 2013) with 68 points (Ghiasi & Fowlkes, 2015).

507 faces behind hands, hair, glasses and microphones; every point is said to be occluded or not. The labels are those
of github.com/golnazghiasi/cofw68-benchmark (arXiv 1506.08347); the photos are COFW's own, in one MATLAB 7.3 file.
"""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from rdrface.datasets.readers.aflw2000 import load_mat, points_of
from rdrface.datasets.readers.pts import IMAGE_SUFFIXES, folder
from rdrface.datasets.records import OCCLUDED, VISIBLE, FaceRecords, image_path, known_box
from rdrface.errors import DataError
from rdrface.landmarks import NUM_LANDMARKS

PHOTOS = "COFW_test_color.mat"
_LABEL = "_points.mat"


def read_cofw68(root: str | Path) -> FaceRecords:
    """Read `*/test_annotations/<i>_points.mat` under `root`, and the photos.

    Each file has `Points` (68, 2), counted from 1 and from 0 here, and `Occ` (68), 1 for occluded points: their places
    are marked too. The contour is the visible outline. The photos are looked for as pictures first, beside the labels
    or in `root` or its folder `images`, named <i>.png, .jpg or so, or im_<i>.png as the benchmark's own code writes
    them; else `COFW_test_color.mat` under `root` is read, which needs h5py. The benchmark's cofw68_test_bboxes.mat,
    boxes of a detector, is not read: the boxes are those of the points.

    Args:
        root: folder with the benchmark's labels and the photos, in any folders below it.

    Returns:
        FaceRecords with source "cofw68", all of them tested. Where the photos come from the .mat file, `image` is
        "<its path>/<i>.png", which is no file on the disk, and `photos` reads the picture.

    Raises:
        DataError: labels or photos are missing or damaged, or scipy or h5py is; the message says which.
    """
    base = folder(root, f"the COFW68 folder, with test_annotations/ and {PHOTOS} in it")
    files = [file for file in base.rglob(f"*{_LABEL}") if file.name.removesuffix(_LABEL).isdigit()]
    files.sort(key=lambda file: (_number(file), file))
    if not files:
        raise DataError(
            f"{base} and its folders hold no <number>{_LABEL}; wanted test_annotations/ of the cofw68-benchmark"
        )
    if twice := [pair for pair in pairwise(files) if _number(pair[0]) == _number(pair[1])]:
        raise DataError(f"{twice[0][0]} and {twice[0][1]} label the same photo; keep one copy of the labels")
    points, hidden = zip(*(_labels(file) for file in files), strict=True)
    images, photos = _photos(base, files)
    return FaceRecords(
        image=np.array(images),
        points=np.stack(points),
        state=np.where(np.stack(hidden), OCCLUDED, VISIBLE),
        box=np.stack([known_box(face, file) for face, file in zip(points, files, strict=True)]),
        source=np.full(len(files), "cofw68"),
        is_test=np.ones(len(files), bool),
        open_image=photos,
    )


@dataclass(frozen=True)
class MatPhotos:
    """The photos of a MATLAB 7.3 file of COFW; called with the `image` of a face.

    Attributes:
        path: of the file.
        cells: name of the cell array: "IsT" of the test file.
    """

    path: Path
    cells: str = "IsT"

    def __len__(self) -> int:
        with self._open() as file:
            return int(file[self.cells].size)

    def __call__(self, image: str) -> np.ndarray:
        """(H, W, 3) uint8 RGB of "<path>/<i>.png", i counted from 1; gray photos, of which there are some, as RGB.

        Raises:
            DataError: there is no such photo, or the file is damaged.
        """
        number = int(Path(image).stem)
        with self._open() as file:
            cells = file[self.cells]
            if not 1 <= number <= cells.size:
                raise DataError(f"{self.path} holds {cells.size} photos, there is no number {number}")
            try:
                # MATLAB stores columns first, so everything lies transposed: (3, W, H) or (W, H).
                photo = np.asarray(file[np.ravel(cells[()])[number - 1]]).T
            except (OSError, ValueError, KeyError) as error:
                raise DataError(f"{self.path}: photo {number} cannot be read: {error}") from error
        if photo.ndim == 2:
            photo = np.repeat(photo[..., None], 3, axis=2)
        if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype != np.uint8:
            raise DataError(f"{self.path}: photo {number} must be (H, W, 3) uint8, got {photo.shape} {photo.dtype}")
        return np.ascontiguousarray(photo)

    def _open(self) -> Any:
        try:
            import h5py
        except ImportError as error:
            raise DataError(
                f"reading {self.path} needs h5py: pip install 'rdrface[evaluate]'; or export its photos as <i>.png "
                "beside the labels"
            ) from error
        try:
            file = h5py.File(self.path, "r")
        except OSError as error:
            raise DataError(f"{self.path} is not a readable MATLAB 7.3 (HDF5) file: {error}") from error
        if self.cells not in file:
            file.close()
            raise DataError(f"{self.path} has no field '{self.cells}'; wanted COFW's {PHOTOS}")
        return file


def _labels(file: Path) -> tuple[np.ndarray, np.ndarray]:
    content = load_mat(file)
    points = points_of(content, "Points", file).astype(np.float64)
    if "Occ" not in content:
        raise DataError(f"{file} has no field 'Occ'")
    flags = np.asarray(content["Occ"]).ravel()
    if flags.shape != (NUM_LANDMARKS,) or not np.isin(flags, (0, 1)).all():
        raise DataError(
            f"{file}: 'Occ' must be {NUM_LANDMARKS} numbers 0 or 1, got shape {flags.shape} and {flags[:5]} ..."
        )
    return points, flags == 1


def _photos(base: Path, files: list[Path]) -> tuple[list[str], Any]:
    exported = [_exported(base, file) for file in files]
    if all(photo is not None for photo in exported):
        return [str(photo) for photo in exported], image_path
    lacking = files[next(i for i, photo in enumerate(exported) if photo is None)]
    packed = sorted(base.rglob(PHOTOS))
    if not packed:
        raise DataError(
            f"no photo {_number(lacking)}.png (or .jpg) beside {lacking}, and no {PHOTOS} under {base}; put one there"
        )
    photos = MatPhotos(packed[0])
    if len(photos) < _number(files[-1]):
        raise DataError(f"{packed[0]} holds {len(photos)} photos, but there are labels for number {_number(files[-1])}")
    return [str(packed[0] / f"{_number(file)}.png") for file in files], photos


def _exported(base: Path, file: Path) -> Path | None:
    number = _number(file)
    names = [f"{stem}{suffix}" for stem in (f"{number}", f"im_{number}") for suffix in IMAGE_SUFFIXES]
    places = (file.parent, base, base / "images")
    return next((place / name for place in places for name in names if (place / name).is_file()), None)


def _number(file: Path) -> int:
    return int(file.name.removesuffix(_LABEL))
