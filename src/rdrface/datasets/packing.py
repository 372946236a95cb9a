"""Cutting the faces of a dataset out of their images, as packed crops for training."""

import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from tqdm import tqdm

from rdrface.crop import CropFrame, cut
from rdrface.datasets.crops import MARGIN, PackedCrops
from rdrface.datasets.records import FaceRecords
from rdrface.errors import DataError
from rdrface.geometry.boxes import bounding_boxes, image_edges
from rdrface.geometry.camera import transform_pose
from rdrface.image import read_image
from rdrface.landmarks import NUM_LANDMARKS
from rdrface.morphable.params import NUM_PARAMETERS, POSE


def pack(records: FaceRecords, size: int = 192, margin: float = MARGIN, threads: int = 2) -> PackedCrops:
    """Cut all faces out of their images.

    The face box is that of the fitted outline if there is a fit, otherwise that of the records, or of the annotated
    points if they have no box.

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
        height, width = image.shape[:2]
        crops = cut(image, frames, size)
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


def pack_inside(records: FaceRecords, size: int, margin: float = MARGIN) -> PackedCrops:
    """Pack faces as `pack` does, without those that are completely outside their images: these
    are reported on stderr.

    Args:
        records, size, margin: see `pack`.

    Raises:
        DataError: all of them are outside.
        ImageError: an image cannot be read; the message contains its path.
    """
    faces = pack(records, size, margin)
    is_inside = np.asarray((faces.valid[:, 2:] > faces.valid[:, :2]).all(axis=1))
    if not is_inside.all():
        outside = records.image[~is_inside]
        message = (
            f"{len(outside)} of {len(records)} faces are outside their images and are left out, the first one in "
            f"{outside[0]}: their points belong to another image, or to another size of it"
        )
        if not is_inside.any():
            raise DataError(message)
        print(message, file=sys.stderr)
    return faces.select(is_inside)


def black_outside(image: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """A packed crop (S, S, 3) uint8 with black pixels outside `valid`, (4,) xyxy in the packed frame."""
    size = len(image)
    center = (2 * np.arange(size) + 1) / size - 1
    across = (center > valid[0]) & (center < valid[2])
    down = (center > valid[1]) & (center < valid[3])
    masked: np.ndarray = image * (down[:, None] & across)[..., None]
    return masked


def _packed_frames(records: FaceRecords, margin: float) -> CropFrame:
    if records.outline is None:
        # The annotated points can be a part of the 68, as in FG-NET: their box is smaller than that of the face.
        boxes = np.where(np.isfinite(records.box), records.box, bounding_boxes(records.points))
    else:
        boxes = bounding_boxes(records.outline)
    frame = CropFrame.from_boxes(boxes)
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
