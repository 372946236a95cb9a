"""Recognize which public dataset a folder contains, by its layout."""

from pathlib import Path

from rdrface.datasets.readers.merl_rav import SIDES
from rdrface.datasets.readers.w300lp import PARTS
from rdrface.errors import DataError


def set_in(folder: Path) -> str:
    """Name of the dataset in a folder, as `rdrface.datasets.readers.read_set` expects it.

    Only names of folders and files are checked; no file is opened.

    Args:
        folder: the dataset's folder in its official layout.

    Returns:
        "merl-rav" for folders frontal, left, ...; "300w-lp" for AFW, HELEN, ... with .mat files; "fgnet" for folders
        images and points; "aflw2000-3d" for .mat files; "300w" for any other folder with .pts files.

    Raises:
        DataError: the folder does not exist, or does not have exactly one of these layouts.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; expected the folder of an annotated dataset")
    layouts = {
        "merl-rav": any((folder / side / f"{split}set").is_dir() for side in SIDES for split in ("train", "test")),
        "300w-lp": any(_has(folder / f"{part}{suffix}", "*.mat") for part in PARTS for suffix in ("", "_Flip")),
        "fgnet": (folder / "images").is_dir() and _has(folder / "points", "*.pts"),
        "aflw2000-3d": _has(folder, "*.mat"),
    }
    found = [name for name, matches in layouts.items() if matches]
    if len(found) > 1:
        raise DataError(
            f"{folder} contains {' and '.join(found)}; choose one with --format, or give the folder of one dataset"
        )
    if found:
        return found[0]
    if next(folder.rglob("*.pts"), None) is not None:
        return "300w"
    raise DataError(
        f"{folder} does not have the layout of a known dataset; expected MERL-RAV, 300W-LP, FG-NET, AFLW2000-3D or a "
        "folder of .pts files. If its layout differs from the official one, name the dataset with --format"
    )


def _has(folder: Path, pattern: str) -> bool:
    return folder.is_dir() and next(folder.glob(pattern), None) is not None
