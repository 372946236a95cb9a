"""Readers: one function per public dataset, from its official folder layout to `FaceRecords`."""

from pathlib import Path
from typing import Literal

from rdrface.datasets.readers.aflw2000 import read_aflw2000
from rdrface.datasets.readers.fgnet import read_fgnet
from rdrface.datasets.readers.merl_rav import read_merl_rav
from rdrface.datasets.readers.w300 import read_w300
from rdrface.datasets.readers.w300lp import read_300wlp
from rdrface.datasets.records import FaceRecords
from rdrface.errors import DataError

__all__ = ["SETS", "read_300wlp", "read_aflw2000", "read_fgnet", "read_merl_rav", "read_set", "read_w300"]

SETS = ("merl-rav", "300w", "300w-lp", "aflw2000-3d", "fgnet")
"""Command-line names of the datasets that have the 68 landmarks."""


def read_set(name: str, folder: Path, split: Literal["train", "test"] = "train") -> FaceRecords:
    """Read one part of a dataset, given the dataset's name.

    Args:
        name: one of `SETS`.
        folder: the dataset's folder in its official layout.
        split: part of the dataset, by its own division (FG-NET: by person, see `read_fgnet`); AFLW2000-3D has only a
            test part, the available part of 300W-LP only a training part.

    Returns:
        The faces of that part. Boxes of FG-NET are NaN; `rdrface.fitting.estimated_boxes` estimates them.

    Raises:
        DataError: the name is unknown, the part is empty, or the dataset's reader raises it.
    """
    match name:
        case "merl-rav":
            records = read_merl_rav(folder, split)
        case "300w":
            records = read_w300(folder)
        case "300w-lp":
            records = read_300wlp(folder)
        case "aflw2000-3d":
            records = read_aflw2000(folder)
        case "fgnet":
            records = read_fgnet(folder)
        case _:
            raise DataError(f"no reader for a dataset called {name!r}; choose one of {', '.join(SETS)}")
    records = records.select(records.is_test == (split == "test"))
    if len(records) == 0:
        raise DataError(f"{folder} has no {split} faces of {name}")
    return records
