"""Names of the packed faces in a run's folder."""

from pathlib import Path

TRAIN = "train.safetensors"
"""Packed faces that the network is trained on."""

VAL = "val.safetensors"
"""Packed faces held out for validation and calibration."""

_NAMES_OF_0_1 = {TRAIN: "learn.safetensors", VAL: "check.safetensors"}


def pack_file(folder: Path, name: str) -> Path:
    """Path of the pack `TRAIN` or `VAL` of a run; under its name of release 0.1 if only that file exists."""
    old = folder / _NAMES_OF_0_1[name]
    return old if old.is_file() and not (folder / name).is_file() else folder / name
