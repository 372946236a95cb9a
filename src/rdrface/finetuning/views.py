"""Augmented views of the annotated faces, and the features that the frozen network extracts from them.

The network is not trained, so the features of each view are extracted once and cached. The corrections of the custom
landmarks are then fitted to the cache (`rdrface.finetuning.ridge_regression`).
"""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from rdrface.datasets.crops import MARGIN
from rdrface.finetuning.faces import CustomFaces
from rdrface.landmarks import NUM_LANDMARKS
from rdrface.morphable.params import NUM_PARAMETERS
from rdrface.network.custom_landmarks import CustomLandmarks, extract_features
from rdrface.network.rdr import RDR
from rdrface.network.shape_indexed import shape_indexed
from rdrface.training.augmentation.appearance import change_appearance
from rdrface.training.augmentation.augment import draw_similarities, move_points, wear
from rdrface.training.augmentation.config import AugmentConfig, no_augmentation, weakened
from rdrface.training.augmentation.crop_batch import CropBatch
from rdrface.training.augmentation.mirror import mirror_faces
from rdrface.training.augmentation.occluders import occlude
from rdrface.training.augmentation.resampling import sample
from rdrface.training.augmentation.rng import pick
from rdrface.training.face_order import batches

BATCH = 16
"""Number of views per batch."""

MAX_BYTES = 2**30
"""Maximum memory of a feature cache; no more views are drawn beyond it."""


@dataclass(frozen=True)
class FeatureCache:
    """Features and labels of M views, in the crop frame of each view.

    Attributes:
        photo: (M,) int64, number of the face's photo; several faces may be made from one photo.
        base: (M, L, 2) float32, starting points of the custom landmarks.
        context: (M, `context_length`) float32, see `rdrface.network.custom_landmarks`.
        features: (M, L, 80) float16, shape-indexed features at the landmarks after the first correction.
        labels: (M, L, 2) float32 annotated points; NaN where a point has no position.
    """

    photo: Tensor
    base: Tensor
    context: Tensor
    features: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.photo)

    @classmethod
    def concat(cls, parts: list["FeatureCache"]) -> "FeatureCache":
        """Concatenate the views of several caches."""
        return cls(*(torch.cat([getattr(part, field.name) for part in parts]) for field in fields(cls)))


def augmentation() -> AugmentConfig:
    """The augmentation of training with half the probability of pixel changes: the network is already trained."""
    return weakened(AugmentConfig(arbitrary_rotation=0.0), 0.5)


def draw_views(
    faces: CustomFaces,
    index: np.ndarray,
    mirror: np.ndarray | None,
    size: int,
    config: AugmentConfig,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Draw one augmented view per face, as `rdrface.training.augmentation.augment` does for the 68 landmarks.

    Pixels and points are transformed by the same similarity. The crop is placed by the 68 landmarks, as at run time.

    Args:
        faces: N faces.
        index: (B,) indices of the faces to draw.
        mirror: (L,) mirror permutation of the custom landmarks; None if faces must not be mirrored.
        size: N, side of the crops in pixels.
        config: kinds and strengths of the augmentation.
        generator: random number generator.

    Returns:
        Crops (B, 3, N, N) float32 RGB 0..255, and labels (B, L, 2) in the crop frame, NaN where a point has no
        position.
    """
    count = len(index)
    landmarks = torch.from_numpy(faces.landmarks[index] / MARGIN)
    labels = torch.from_numpy(faces.labels[index] / np.float32(MARGIN))
    no_fit = torch.full((count, NUM_PARAMETERS), torch.nan)
    batch = CropBatch(
        images=torch.from_numpy(faces.packed_images[index]),
        valid=torch.from_numpy(faces.valid[index]),
        points=landmarks,
        state=torch.zeros(count, landmarks.shape[1]),
        jawline_convention=torch.zeros(count, dtype=torch.bool),
        outline=landmarks,
        jawline=landmarks,
        Q=no_fit,
        residual=torch.full((count,), torch.nan),
        label_weight=torch.ones(count),
        margin=MARGIN,
    )
    if mirror is not None:
        chosen = pick(count, config.mirror, generator, labels.device)
        batch = mirror_faces(batch, chosen, None)
        mirrored = labels[:, torch.from_numpy(mirror)] * torch.tensor([-1.0, 1.0])
        labels = torch.where(chosen[:, None, None], mirrored, labels)
    scale, angle, shift = draw_similarities(batch, config, generator)
    crops = sample(batch.images, batch.valid, size, scale, angle, shift, config.padding, generator)
    moved = partial(move_points, scale=scale, angle=angle, shift=shift)
    crops, _ = wear(crops, moved(batch.points), config, generator)
    crops, _ = occlude(crops, moved(batch.points), config.occluders, generator)
    return change_appearance(crops, config.appearance, generator), moved(labels)


def cache_features(
    network: RDR,
    readout: CustomLandmarks,
    faces: CustomFaces,
    mirror: np.ndarray | None,
    size: int,
    seconds: float,
    seed: int,
    max_views: int | None = None,
) -> FeatureCache:
    """Draw views of the faces until the time is up, and cache their features.

    First, each face is drawn as at run time, without augmentation, and mirrored if the landmarks form pairs. Fitted to
    these views alone, a few hundred faces already give most of the improvement, and the result does not depend on the
    time. The other views get the full augmentation.

    Args:
        network: frozen RDR in evaluation mode.
        readout: custom landmarks; the features are sampled at the landmarks after its first correction.
        faces: N faces.
        mirror: see `draw_views`.
        size: N, side of the crops in pixels.
        seconds: time limit. The views without augmentation are drawn even beyond the limit.
        seed: seed of all random numbers.
        max_views: maximum number of views; by default only `MAX_BYTES` limits it.
    """
    bytes_per_view = 4 * (3 + network.c_lstm.reduce.out_features + 2 * NUM_LANDMARKS) + readout.count * (2 * 80 + 16)
    max_views = min(max_views or MAX_BYTES, MAX_BYTES // bytes_per_view)
    generator = torch.Generator()
    parts: list[FeatureCache] = []
    photo = np.unique(faces.photo, return_inverse=True)[1]
    end, done = time.monotonic() + seconds, 0
    for index in np.array_split(np.arange(len(faces)), math.ceil(len(faces) / BATCH)):
        for mirrored in (0.0,) if mirror is None else (0.0, 1.0):
            config = replace(no_augmentation(), mirror=mirrored)
            crops, labels = draw_views(faces, index, mirror, size, config, generator)
            parts.append(view_features(network, readout, crops, labels, photo[index]))
            done += len(index)
    for step, index in enumerate(_order(len(faces), seed)):
        if time.monotonic() > end or done >= max_views:
            break
        generator.manual_seed(seed * 2**20 + step)
        crops, labels = draw_views(faces, index, mirror, size, augmentation(), generator)
        parts.append(view_features(network, readout, crops, labels, photo[index]))
        done += len(index)
    return FeatureCache.concat(parts)


@torch.no_grad()
def view_features(
    network: RDR, readout: CustomLandmarks, crops: Tensor, labels: Tensor, photo: np.ndarray
) -> FeatureCache:
    """Extract the features of some views.

    Args:
        network: frozen RDR in evaluation mode.
        readout: custom landmarks.
        crops: (B, 3, N, N) float32 RGB 0..255.
        labels: (B, L, 2) annotated points, crop frame.
        photo: (B,) int64, numbers of the photos.
    """
    # The rounding error of bfloat16 is far below the effect of the augmentation, and recent CPUs need half the time.
    with torch.autocast(crops.device.type, torch.bfloat16):
        output = extract_features(network, crops.contiguous(memory_format=torch.channels_last))
    last = output.prediction.steps[-1]
    base, context = readout.base(last), readout.context(last, output.hidden)
    features = shape_indexed(output.prediction.deconv5, readout.placed(base, context))
    return FeatureCache(torch.from_numpy(photo), base, context, features.half(), labels)


def _order(count: int, seed: int) -> Iterator[np.ndarray]:
    """Batches of shuffled face indices, without end."""
    return batches(count, min(BATCH, count), seed)
