"""COFW68: test faces of COFW (Burgos-Artizzu et al., ICCV 2013) with 68 points (Ghiasi & Fowlkes, 2015).

507 faces occluded by hands, hair, glasses and microphones, with the occlusion of every point. The annotations are those
of github.com/golnazghiasi/cofw68-benchmark (arXiv 1506.08347); the images are COFW's, in one MATLAB 7.3 file.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from rdrface.datasets.readers.aflw2000 import load_mat, points_of
from rdrface.datasets.readers.images import IMAGE_SUFFIXES, require_images
from rdrface.datasets.readers.pts import folder
from rdrface.datasets.records import OCCLUDED, VISIBLE, FaceRecords, image_path, known_box
from rdrface.errors import DataError
from rdrface.landmarks import NUM_LANDMARKS

IMAGES = "COFW_test_color.mat"
_LABEL = "_points.mat"


def read_cofw68(root: str | Path) -> FaceRecords:
    """Read `*/test_annotations/<i>_points.mat` under `root`, and the images.

    Unverified: tested on small files in the published format only.

    Each file has `Points` (68, 2), pixels counted from 1 (from 0 in the records), and `Occ` (68), 1 for occluded
    points, which have positions too. The contour is the visible outline. Image files are searched first: next to the
    annotations, in `root` or in its folder `images`, named <i>.png (or .jpg, ...) or im_<i>.png as the benchmark's code
    writes them. If one of them is missing, all images are read from `COFW_test_color.mat` under `root`, which needs
    h5py. Boxes are those of the points, not those of the benchmark's cofw68_test_bboxes.mat, which are a detector's.

    Args:
        root: folder with the benchmark's annotations and the images, in any folders below it.

    Returns:
        Records with source "cofw68", all in the test part. If the images come from the .mat file, `image` is
        "<path of the .mat file>/<i>.png", which is not a file, and `open_image` reads the image.

    Raises:
        DataError: annotations, images, scipy or h5py are missing, or a file is damaged; the message names it.
    """
    base = folder(root, f"the COFW68 folder, with test_annotations/ and {IMAGES} in it")
    files = [file for file in base.rglob(f"*{_LABEL}") if file.name.removesuffix(_LABEL).isdigit()]
    files.sort(key=lambda file: (_number(file), file))
    if not files:
        raise DataError(
            f"{base} and its folders contain no <number>{_LABEL}; expected test_annotations/ of the cofw68-benchmark"
        )
    if duplicates := [pair for pair in pairwise(files) if _number(pair[0]) == _number(pair[1])]:
        raise DataError(f"{duplicates[0][0]} and {duplicates[0][1]} annotate the same image; keep one of them")
    points, occluded = zip(*(_annotation(file) for file in files), strict=True)
    images, open_image = _images(base, files)
    return FaceRecords(
        image=np.array(images),
        points=np.stack(points),
        state=np.where(np.stack(occluded), OCCLUDED, VISIBLE),
        box=np.stack([known_box(face, file) for face, file in zip(points, files, strict=True)]),
        source=np.full(len(files), "cofw68"),
        is_test=np.ones(len(files), bool),
        open_image=open_image,
    )


@dataclass(frozen=True)
class MatImages:
    """Images in a MATLAB 7.3 file of COFW; a function of the `image` of a face.

    Attributes:
        path: the file.
        cells: name of the cell array; "IsT" in the test file.
    """

    path: Path
    cells: str = "IsT"

    def __len__(self) -> int:
        with self._open() as file:
            return int(file[self.cells].size)

    def __call__(self, image: str) -> np.ndarray:
        """Read the image "<path>/<i>.png", i counted from 1.

        Returns:
            (H, W, 3) uint8 RGB; the dataset has some gray images, which are converted.

        Raises:
            DataError: there is no such image, or the file is damaged.
        """
        number = int(Path(image).stem)
        with self._open() as file:
            cells = file[self.cells]
            if not 1 <= number <= cells.size:
                raise DataError(f"{self.path} has {cells.size} images, but no number {number}")
            try:
                # MATLAB arrays are column-major, so h5py gives the transpose: (3, W, H) or (W, H).
                pixels = np.asarray(file[np.ravel(cells[()])[number - 1]]).T
            except (OSError, ValueError, KeyError) as error:
                raise DataError(f"{self.path}: image {number} cannot be read: {error}") from error
        if pixels.ndim == 2:
            pixels = np.repeat(pixels[..., None], 3, axis=2)
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
            raise DataError(f"{self.path}: image {number} must be (H, W, 3) uint8, got {pixels.shape} {pixels.dtype}")
        return np.ascontiguousarray(pixels)

    def _open(self) -> Any:
        try:
            import h5py
        except ImportError as error:
            raise DataError(
                f"reading {self.path} needs h5py: pip install 'rdrface[evaluate]'; or export its images as <i>.png "
                "next to the annotations"
            ) from error
        try:
            file = h5py.File(self.path, "r")
        except OSError as error:
            raise DataError(f"{self.path} is not a readable MATLAB 7.3 (HDF5) file: {error}") from error
        if self.cells not in file:
            file.close()
            raise DataError(f"{self.path} has no field '{self.cells}'; expected COFW's {IMAGES}")
        return file


def _annotation(file: Path) -> tuple[np.ndarray, np.ndarray]:
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


def _images(base: Path, files: list[Path]) -> tuple[list[str], Callable[[str], Any]]:
    exported = [_exported(base, file) for file in files]
    missing = [str(file) for file, image in zip(files, exported, strict=True) if image is None]
    packed = sorted(base.rglob(IMAGES))
    if not missing or not packed:
        require_images(missing, len(files), f"Copy {IMAGES}, or the images as 1.png, 2.png, ..., into {base}")
        return [str(image) for image in exported], image_path
    images = MatImages(packed[0])
    if len(images) < _number(files[-1]):
        raise DataError(f"{packed[0]} has {len(images)} images, but number {_number(files[-1])} is annotated")
    return [str(packed[0] / f"{_number(file)}.png") for file in files], images


def _exported(base: Path, file: Path) -> Path | None:
    number = _number(file)
    names = [f"{stem}{suffix}" for stem in (f"{number}", f"im_{number}") for suffix in IMAGE_SUFFIXES]
    folders = (file.parent, base, base / "images")
    return next((path for path in (folder / name for folder in folders for name in names) if path.is_file()), None)


def _number(file: Path) -> int:
    return int(file.name.removesuffix(_LABEL))
