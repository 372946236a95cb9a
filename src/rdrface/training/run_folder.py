"""Names of the files with packed faces in the folder of a run."""

from pathlib import Path

TRAIN = "train.safetensors"
"""File of the packed faces for training."""

VAL = "val.safetensors"
"""File of the packed faces held out for validation and calibration."""

_NAMES_OF_0_1 = {TRAIN: "learn.safetensors", VAL: "check.safetensors"}


def pack_file(folder: Path, name: str) -> Path:
    """Path of the pack `TRAIN` or `VAL` of a run; if only the file with the name of release 0.1 exists, its path."""
    old = folder / _NAMES_OF_0_1[name]
    return old if old.is_file() and not (folder / name).is_file() else folder / name
