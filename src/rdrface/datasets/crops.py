"""Packed crops: every face of a dataset is cut out once, so that training does not open the images.

A packed crop is the network's crop of `rdrface.crop`, enlarged by `margin` about its center and resampled to S x S
pixels. All labels of a packed face are in the *packed frame*: x right, y down, edges of the packed crop at -1 and 1.
The network's crop, without augmentation, is the part within 1 / margin. Pixels outside the image are black, and `valid`
is the rectangle inside it. Augmentation pads the area outside in different ways: with a single kind of padding, a
network can learn the position of the face from the edge of the image (MERL-RAV's images end close to the landmarks).

The files are safetensors. Their keys date from release 0.1, which called a packed crop a window.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from rdrface.datasets.webp import decode_images, encode_images
from rdrface.errors import DataError
from rdrface.files import write_aside

MARGIN = 1.4
"""Side of a packed crop in units of the network's crop. A rotation by 15 degrees needs 1.22, and shifts need more."""

_FORMAT = "rdrface-windows-1"
_WEBP_FORMAT = "rdrface-windows-webp-1"
_IMAGES_KEY = "windows"
_ENCODED_KEYS = ("pictures", "offsets")
"""Keys of the concatenated WebP files and their offsets, instead of `_IMAGES_KEY`."""

_LABELS = (
    "valid",
    "points",
    "state",
    "jawline_convention",
    "outline",
    "jawline",
    "Q",
    "residual",
    "resolution",
    "source",
)
_ARRAYS = ("images", *_LABELS)


@dataclass(frozen=True)
class PackedCrops:
    """N faces, ready for training.

    Attributes:
        images: (N, S, S, 3) uint8 RGB, black outside the image.
        valid: (N, 4) float32 xyxy, packed frame: the part covered by the image (pixel edges).
        points: (N, 68, 2) float32, packed frame, annotated points; NaN where a point has no position.
        state: (N, 68) int8, see `rdrface.datasets.records`.
        jawline_convention: (N,) bool, True if points 0-16 are on the absolute jawline, False for the visible outline.
        outline, jawline: (N, 68, 2) float32, packed frame, the fitted face; NaN without a fit.
        Q: (N, 103) float32, packed frame; NaN without a fit.
        residual: (N,) float32, error of the fit in percent of the face size; NaN without a fit.
        resolution: (N,) float32, image pixels per pixel of the packed crop (below 1: the image is enlarged).
        source: (N,) int32, index into `source_names`.
        source_names: names of the datasets and their parts, e.g. "300w/afw".
        margin: side of the packed crop in units of the network's crop.
    """

    images: np.ndarray
    valid: np.ndarray
    points: np.ndarray
    state: np.ndarray
    jawline_convention: np.ndarray
    outline: np.ndarray
    jawline: np.ndarray
    Q: np.ndarray
    residual: np.ndarray
    resolution: np.ndarray
    source: np.ndarray
    source_names: tuple[str, ...]
    margin: float

    def __len__(self) -> int:
        return len(self.images)

    @property
    def size(self) -> int:
        """S, the side of the packed crops in pixels."""
        side: int = self.images.shape[1]
        return side

    def select(self, index: np.ndarray) -> "PackedCrops":
        """The faces at `index`, (M,) int or (N,) bool, in this order."""
        arrays = {name: getattr(self, name)[index] for name in _ARRAYS}
        return replace(self, **arrays)

    def joined(self, *others: "PackedCrops") -> "PackedCrops":
        """These faces followed by those of all `others`, in one copy: the images may fill half of the memory.

        Raises:
            ValueError: they differ in size or margin.
        """
        parts = (self, *others)
        for other in others:
            if self.size != other.size or self.margin != other.margin:
                raise ValueError(
                    f"packed crops of {self.size} pixels and margin {self.margin} cannot be joined with packed crops "
                    f"of {other.size} pixels and margin {other.margin}; pack both with the same size and margin"
                )
        arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _ARRAYS}
        # Each part numbers its own sources from 0.
        first = np.cumsum([0, *(len(part.source_names) for part in parts[:-1])])
        arrays["source"] = arrays["source"] + np.repeat(first, [len(part) for part in parts]).astype(np.int32)
        names = tuple(name for part in parts for name in part.source_names)
        return PackedCrops(**arrays, source_names=names, margin=self.margin)

    def save(self, path: str | Path, quality: int | None = None, settings: Mapping[str, Any] | None = None) -> None:
        """Write one .safetensors file; names, margin, format and settings are in its metadata.

        Args:
            path: an existing file is replaced only once the new one is complete.
            quality: WebP quality, 1..100. The file has about a twentieth of the size, and pixels change by a few gray
                levels; labels do not change. None stores the pixels uncompressed.
            settings: settings with which the faces were prepared, JSON values; see `read_settings`.
        """
        arrays = {name: np.ascontiguousarray(getattr(self, name)) for name in _LABELS}
        if quality is None:
            arrays[_IMAGES_KEY] = np.ascontiguousarray(self.images)
        else:
            arrays |= dict(zip(_ENCODED_KEYS, encode_images(self.images, quality), strict=True))
        metadata = {
            "format": _FORMAT if quality is None else _WEBP_FORMAT,
            "margin": repr(self.margin),
            "source_names": json.dumps(self.source_names),
        }
        if settings is not None:
            metadata["settings"] = json.dumps(settings)
        with write_aside(path) as partial:
            save_file(arrays, str(partial), metadata=metadata)
            # The library lets only the owner read the file; packs are moved to other machines and users.
            partial.chmod(0o644)

    @classmethod
    def load(cls, path: str | Path) -> "PackedCrops":
        """Read a file written by `save`, compressed or not.

        Raises:
            DataError: the file is missing or damaged, or is not a file of packed faces.
        """
        if not Path(path).is_file():
            raise DataError(f"no file of packed faces at {path}; write one with PackedCrops.save or `rdrface train`")
        try:
            with safe_open(str(path), framework="numpy") as file:
                metadata = file.metadata() or {}
                _check_format(path, metadata)
                arrays = {name: file.get_tensor(name) for name in _LABELS}
                if metadata["format"] == _FORMAT:
                    images = file.get_tensor(_IMAGES_KEY)
                else:
                    images = decode_images(*(file.get_tensor(name) for name in _ENCODED_KEYS))
            names = tuple(json.loads(metadata["source_names"]))
            faces = cls(images=images, **arrays, source_names=names, margin=float(metadata["margin"]))
        except (SafetensorError, DataError, KeyError, ValueError, IndexError) as error:
            if isinstance(error, DataError) and str(path) in str(error):
                raise
            raise DataError(f"{path} is damaged or not a safetensors file ({error}); pack the faces again") from error
        counts = {len(array) for array in (images, *arrays.values())}
        if len(counts) != 1 or not ((faces.source >= 0) & (faces.source < len(faces.source_names))).all():
            raise DataError(f"{path} is damaged: its arrays differ in length; pack the faces again")
        return faces


def read_settings(path: str | Path) -> dict[str, Any] | None:
    """Read the settings that a file of packed faces was saved with; None if it has none, as in release 0.1.

    Raises:
        DataError: the file is damaged, or is not a file of packed faces.
    """
    try:
        with safe_open(str(path), framework="numpy") as file:
            metadata = file.metadata() or {}
        _check_format(path, metadata)
        return json.loads(metadata["settings"]) if "settings" in metadata else None
    except (SafetensorError, OSError, ValueError) as error:
        raise DataError(f"{path} is damaged or not a safetensors file ({error}); pack the faces again") from error


def _check_format(path: str | Path, metadata: Mapping[str, str]) -> None:
    if metadata.get("format") not in (_FORMAT, _WEBP_FORMAT):
        raise DataError(
            f"{path} is not a file of packed faces of format '{_FORMAT}' or '{_WEBP_FORMAT}'; pack the faces again"
        )
