"""Packed crops: every face of a dataset is cut out once, so that training does not open the images.

A packed crop is the network's crop of `rdrface.crop`, enlarged by `margin` about its center and resampled to S x S
pixels. All labels of a packed face are in the *packed frame*: x right, y down, edges of the packed crop at -1 and 1.
The network's crop, without augmentation, is the part within 1 / margin. Pixels outside the image are black, and `valid`
is the rectangle inside it. Augmentation pads the area outside in different ways: with a single kind of padding, a
network can learn the position of the face from the edge of the image (MERL-RAV's images end close to the landmarks).

The files are safetensors. Their keys date from release 0.1, which called a packed crop a window.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from tqdm import tqdm

from rdrface.crop import CropFrame, cut
from rdrface.datasets.records import FaceRecords
from rdrface.datasets.webp import decode_images, encode_images
from rdrface.errors import DataError
from rdrface.files import write_aside
from rdrface.geometry.boxes import bounding_boxes, image_edges
from rdrface.geometry.camera import transform_pose
from rdrface.image import read_image
from rdrface.landmarks import NUM_LANDMARKS
from rdrface.morphable.params import NUM_PARAMETERS, POSE

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


def pack(records: FaceRecords, size: int = 192, margin: float = MARGIN, threads: int = 2) -> PackedCrops:
    """Cut all faces out of their images.

    The face box is that of the fitted outline if there is a fit, otherwise that of the annotated points.

    Args:
        records: N faces, with or without a fit.
        size: S, side of the packed crops in pixels.
        margin: side of the packed crops in units of the network's crop, at least 1.
        threads: number of images read at the same time.

    Returns:
        The packed faces, in the order of the records.

    Raises:
        ValueError: `size`, `margin` or `threads` is too small, or there are no records.
        ImageError: an image cannot be read; the message contains its path.
    """
    if size < 16 or margin < 1 or threads < 1 or len(records) == 0:
        raise ValueError(
            "pack needs at least one face, size >= 16, margin >= 1 and threads >= 1; "
            f"got {len(records)} faces, size {size}, margin {margin}, threads {threads}"
        )
    frame = _packed_frames(records, margin)
    images = np.empty((len(records), size, size, 3), np.uint8)
    valid = np.empty((len(records), 4), np.float32)
    faces_of: dict[str, list[int]] = defaultdict(list)
    for i, image in enumerate(records.image.tolist()):
        faces_of[image].append(i)

    def cut_faces(path: str) -> None:
        image = read_image(path)
        index = np.array(faces_of[path])
        frames = CropFrame(frame.center[index], frame.half[index])
        crops = cut(image, frames, size)
        height, width = image.shape[:2]
        corners = image_edges(width, height).reshape(2, 2)
        valid[index] = frames.to_crop(np.repeat(corners[None], len(index), 0)).reshape(-1, 4).clip(-1, 1)
        pixels = np.rint(crops).clip(0, 255).astype(np.uint8).transpose(0, 2, 3, 1)
        for i, one in zip(index, pixels, strict=True):
            images[i] = black_outside(one, valid[i])

    with ThreadPoolExecutor(threads) as pool:
        # list() raises the first error. disable=None: no progress bar if the output is not a terminal.
        list(tqdm(pool.map(cut_faces, faces_of), total=len(faces_of), desc="packing images", disable=None))
    names, source = np.unique(records.source, return_inverse=True)
    return PackedCrops(
        images=images,
        valid=valid,
        points=frame.to_crop(records.points).astype(np.float32),
        state=records.state,
        jawline_convention=records.on_jawline,
        **_fit_in_packed_frame(records, frame),
        resolution=(2 * frame.half / size).astype(np.float32),
        source=source.astype(np.int32),
        source_names=tuple(str(name) for name in names),
        margin=float(margin),
    )


def black_outside(image: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """A packed crop (S, S, 3) uint8 with black pixels outside `valid`, (4,) xyxy in the packed frame."""
    size = len(image)
    center = (2 * np.arange(size) + 1) / size - 1
    across = (center > valid[0]) & (center < valid[2])
    down = (center > valid[1]) & (center < valid[3])
    masked: np.ndarray = image * (down[:, None] & across)[..., None]
    return masked


def _packed_frames(records: FaceRecords, margin: float) -> CropFrame:
    points = records.points if records.outline is None else records.outline
    frame = CropFrame.from_boxes(bounding_boxes(points))
    return CropFrame(center=frame.center, half=frame.half * margin)


def _fit_in_packed_frame(records: FaceRecords, frame: CropFrame) -> dict[str, np.ndarray]:
    count = len(records)
    if records.Q is None or records.outline is None or records.jawline is None:
        empty = np.full((count, NUM_LANDMARKS, 2), np.nan, np.float32)
        return {
            "outline": empty,
            "jawline": empty.copy(),
            "Q": np.full((count, NUM_PARAMETERS), np.nan, np.float32),
            "residual": np.full(count, np.nan, np.float32),
        }
    Q = records.Q.astype(np.float64)
    # x' = (x - center) / half. In float64, because a translation of meters (image frame) becomes one of millimeters.
    Q[:, POSE] = transform_pose(Q[:, POSE], 1 / frame.half, np.zeros(count), -frame.center / frame.half[:, None])
    return {
        "outline": frame.to_crop(records.outline).astype(np.float32),
        "jawline": frame.to_crop(records.jawline).astype(np.float32),
        "Q": Q.astype(np.float32),
        "residual": np.full(count, np.nan, np.float32) if records.residual is None else records.residual,
    }
