"""Windows: every face of a set cut once, a little larger than the network's crop, so training never opens a photo.

A window is the crop of `rdrface.crop` around the face's landmark box, `margin` times as large, S pixels a side. All
labels of a packed face are in the *window frame*: x right, y down, window edges at -1 and 1; the un-augmented crop is
the part within 1 / margin. What lies outside the photo is black, and `valid` says where the photo is: augmentation
decides what to put there, because any fixed filling tells the network where the face is (the photos of MERL-RAV end
close to the landmarks).
"""

import json
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from tqdm import tqdm

from rdrface.crop import CropFrame, cut
from rdrface.datasets.records import FaceRecords
from rdrface.datasets.webp import decode_windows, encode_windows
from rdrface.errors import DataError
from rdrface.geometry.boxes import bounding_boxes
from rdrface.geometry.camera import transform_pose
from rdrface.image import read_image
from rdrface.morphable.params import NUM_PARAMETERS, POSE

MARGIN = 1.4
"""Side of the window in units of the crop's. A crop turned by 15 degrees reaches 1.22 as far, and shifts add to it."""

_FORMAT = "rdrface-windows-1"
_COMPACT_FORMAT = "rdrface-windows-webp-1"
_ARRAYS = (
    "windows",
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


@dataclass(frozen=True)
class PackedCrops:
    """N faces ready for training.

    Attributes:
        windows: (N, S, S, 3) uint8 RGB, black outside the photo.
        valid: (N, 4) float32 xyxy, window frame: the part of the window that the photo covers (pixel edges).
        points: (N, 68, 2) float32 window frame, annotated points, NaN where there is none.
        state: (N, 68) int8, see `rdrface.datasets.records`.
        jawline_convention: (N,) bool: points 0-16 are on the absolute jawline (else on the visible outline).
        outline, jawline: (N, 68, 2) float32 window frame, the fitted face; NaN without a fit.
        Q: (N, 103) float32, window frame; NaN without a fit.
        residual: (N,) float32, error of the fit in percent of the box's side; NaN without a fit.
        resolution: (N,) float32, photo pixels per window pixel (below 1: the window is enlarged).
        source: (N,) int32, index into `source_names`.
        source_names: which set and part.
        margin: side of the window in units of the crop's.
    """

    windows: np.ndarray
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
        return len(self.windows)

    @property
    def size(self) -> int:
        """S, the side of the windows in pixels."""
        return self.windows.shape[1]

    def select(self, index: np.ndarray) -> "PackedCrops":
        """The faces at `index`, (M,) int or (N,) bool, in its order."""
        arrays = {name: getattr(self, name)[index] for name in _ARRAYS}
        return replace(self, **arrays)

    def joined(self, other: "PackedCrops") -> "PackedCrops":
        """These faces, then the other's; windows of one size and margin."""
        if self.size != other.size or self.margin != other.margin:
            raise ValueError(
                f"windows of {self.size} pixels and margin {self.margin} cannot be joined with windows of {other.size} "
                f"pixels and margin {other.margin}; pack both alike"
            )
        arrays = {name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in _ARRAYS}
        arrays["source"][len(self) :] += len(self.source_names)
        return PackedCrops(**arrays, source_names=self.source_names + other.source_names, margin=self.margin)

    def save(self, path: str | Path, quality: int | None = None) -> None:
        """Write one .safetensors file; names, margin and format stand in its metadata.

        Args:
            path: an existing file is replaced only once the new one is complete.
            quality: of WebP, 1..100, to store compressed windows: about a twentieth of the size, pixels a few gray
                levels off, labels unchanged. Without it the windows are stored as they are.
        """
        arrays = {name: np.ascontiguousarray(getattr(self, name)) for name in _ARRAYS}
        if quality is not None:
            arrays["pictures"], arrays["offsets"] = encode_windows(arrays.pop("windows"), quality)
        meta = {
            "format": _FORMAT if quality is None else _COMPACT_FORMAT,
            "margin": repr(self.margin),
            "source_names": json.dumps(self.source_names),
        }
        fresh = Path(path).with_name(Path(path).name + ".partial")
        save_file(arrays, str(fresh), metadata=meta)
        # The library writes for the owner alone; packs are moved to other machines and users.
        fresh.chmod(0o644)
        fresh.replace(path)

    @classmethod
    def load(cls, path: str | Path) -> "PackedCrops":
        """Read what `save` wrote, with compressed windows or without.

        Raises:
            DataError: missing, damaged, or another kind of file.
        """
        if not Path(path).is_file():
            raise DataError(f"no file of packed faces at {path}; make one with rdrface.datasets.crops.pack")
        try:
            with safe_open(str(path), framework="numpy") as file:
                meta = file.metadata() or {}
                if meta.get("format") not in (_FORMAT, _COMPACT_FORMAT):
                    raise DataError(
                        f"{path} does not hold packed faces of format '{_FORMAT}' or '{_COMPACT_FORMAT}'; "
                        "pack them again"
                    )
                compact = meta["format"] == _COMPACT_FORMAT
                arrays = {name: file.get_tensor(name) for name in _ARRAYS if not (compact and name == "windows")}
                if compact:
                    arrays["windows"] = decode_windows(file.get_tensor("pictures"), file.get_tensor("offsets"))
            faces = cls(**arrays, source_names=tuple(json.loads(meta["source_names"])), margin=float(meta["margin"]))
        except (SafetensorError, DataError, KeyError, ValueError, IndexError) as error:
            if isinstance(error, DataError) and str(path) in str(error):
                raise
            raise DataError(f"{path} is damaged or no safetensors file ({error}); pack the faces again") from error
        counts = {len(array) for array in arrays.values()}
        if len(counts) != 1 or not ((faces.source >= 0) & (faces.source < len(faces.source_names))).all():
            raise DataError(f"{path} is damaged: its arrays do not belong together; pack the faces again")
        return faces


def pack(records: FaceRecords, size: int = 192, margin: float = MARGIN, threads: int = 2) -> PackedCrops:
    """Cut the windows of all faces out of their photos.

    The face box is that of the fitted outline where there is a fit, else that of the known points.

    Args:
        records: N faces, with or without a fit.
        size: S, side of the windows in pixels.
        margin: side of the window in units of the crop's, at least 1.
        threads: how many photos are read at once.

    Returns:
        The packed faces, in the order of the records.

    Raises:
        ValueError: size or margin too small, or no records.
        ImageError: a photo cannot be read; the message names it.
    """
    if size < 16 or margin < 1 or threads < 1 or len(records) == 0:
        raise ValueError(
            "pack wants at least one face, size >= 16, margin >= 1 and threads >= 1; "
            f"got {len(records)} faces, size {size}, margin {margin}, threads {threads}"
        )
    frame = _window_frames(records, margin)
    windows = np.empty((len(records), size, size, 3), np.uint8)
    valid = np.empty((len(records), 4), np.float32)
    faces_of: dict[str, list[int]] = defaultdict(list)
    for i, image in enumerate(records.image.tolist()):
        faces_of[image].append(i)

    def fill(image: str) -> None:
        photo = read_image(image)
        index = np.array(faces_of[image])
        here = CropFrame(frame.center[index], frame.half[index])
        crops = cut(photo, here, size)
        windows[index] = np.rint(crops).clip(0, 255).astype(np.uint8).transpose(0, 2, 3, 1)
        height, width = photo.shape[:2]
        corners = np.array([[-0.5, -0.5], [width - 0.5, height - 0.5]])
        valid[index] = here.to_crop(np.repeat(corners[None], len(index), 0)).reshape(-1, 4).clip(-1, 1)

    with ThreadPoolExecutor(threads) as pool:
        # list: so that the first error is raised here. disable=None: no bar where the output is no terminal.
        list(tqdm(pool.map(fill, faces_of), total=len(faces_of), desc="packing photos", disable=None))
    names, source = np.unique(records.source, return_inverse=True)
    return PackedCrops(
        windows=windows,
        valid=valid,
        points=frame.to_crop(records.points).astype(np.float32),
        state=records.state,
        jawline_convention=records.on_jawline,
        **_fit_in_windows(records, frame),
        resolution=(2 * frame.half / size).astype(np.float32),
        source=source.astype(np.int32),
        source_names=tuple(str(name) for name in names),
        margin=float(margin),
    )


def _window_frames(records: FaceRecords, margin: float) -> CropFrame:
    around = records.points if records.outline is None else records.outline
    frame = CropFrame.from_boxes(bounding_boxes(around))
    return CropFrame(center=frame.center, half=frame.half * margin)


def _fit_in_windows(records: FaceRecords, frame: CropFrame) -> dict[str, np.ndarray]:
    count = len(records)
    if records.Q is None or records.outline is None or records.jawline is None:
        empty = np.full((count, 68, 2), np.nan, np.float32)
        return {
            "outline": empty,
            "jawline": empty.copy(),
            "Q": np.full((count, NUM_PARAMETERS), np.nan, np.float32),
            "residual": np.full(count, np.nan, np.float32),
        }
    Q = records.Q.astype(np.float64)
    # x' = (x - center) / half. In float64: t of the photo frame is meters away and becomes millimeters here.
    Q[:, POSE] = transform_pose(Q[:, POSE], 1 / frame.half, np.zeros(count), -frame.center / frame.half[:, None])
    return {
        "outline": frame.to_crop(records.outline).astype(np.float32),
        "jawline": frame.to_crop(records.jawline).astype(np.float32),
        "Q": Q.astype(np.float32),
        "residual": np.full(count, np.nan, np.float32) if records.residual is None else records.residual,
    }
