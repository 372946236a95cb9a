"""What the read-out of a setting learns from: every face seen in many ways by a network that holds still.

The network does not learn, so what it says of a view is written down once; the read-out is then fitted to the notes.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor

from rdrface.datasets.crops import MARGIN
from rdrface.finetuning.faces import CustomFaces
from rdrface.network.custom_landmarks import CustomLandmarks, extract_features
from rdrface.network.rdr import RDR
from rdrface.network.shape_indexed import shape_indexed
from rdrface.training.augmentation.appearance import change_appearance
from rdrface.training.augmentation.augment import draw_similarities, rotate, wear
from rdrface.training.augmentation.config import AugmentConfig, weakened
from rdrface.training.augmentation.crop_batch import CropBatch
from rdrface.training.augmentation.mirror import mirror_faces
from rdrface.training.augmentation.occluders import occlude
from rdrface.training.augmentation.resampling import sample
from rdrface.training.augmentation.rng import pick
from rdrface.training.batches import batches

BATCH = 16

MOST_BYTES = 2**30
"""Memory that the notes may take; views beyond it are not made."""


@dataclass(frozen=True)
class Notes:
    """M views, as the network saw them. Crop frame of each view.

    Attributes:
        face: (M,) int64, index of the face.
        surface: (M, L, 2) float32 projected surface points.
        context: (M, CONTEXT) float32, see `rdrface.network.custom_landmarks`.
        features: (M, L, 80) float16 shape-indexed features at the read-out's first correction.
        labels: (M, L, 2) float32; NaN where there is none.
    """

    face: Tensor
    surface: Tensor
    context: Tensor
    features: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.face)

    @classmethod
    def joined(cls, parts: list["Notes"]) -> "Notes":
        """All views of several notes."""
        return cls(*(torch.cat([getattr(part, field.name) for part in parts]) for field in fields(cls)))


def recipe() -> AugmentConfig:
    """The project's augmentation with half of its changes of the pixels: the network is past them already."""
    return weakened(AugmentConfig(arbitrary_rotation=0.0), 0.5)


def draw_views(
    faces: CustomFaces,
    index: np.ndarray,
    mirror: np.ndarray | None,
    size: int,
    config: AugmentConfig,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Training crops of some faces and their labels: `rdrface.training.augmentation.augment` for L points.

    One similarity per face moves pixels and points; where it cuts is decided by the 68 landmarks, as in use.

    Args:
        faces: N faces.
        index: (B,) which.
        mirror: (L,) the setting's mirror permutation, or None: faces are not mirrored.
        size: N, side of the crops in pixels.
        config: what is changed and how much.
        generator: source of chance.

    Returns:
        (B, 3, N, N) float32 RGB 0..255 and (B, L, 2) crop frame, NaN where there is none.
    """
    count = len(index)
    landmarks = torch.from_numpy(faces.landmarks[index] / MARGIN)
    labels = torch.from_numpy(faces.labels[index] / np.float32(MARGIN))
    nothing = torch.full((count, 103), torch.nan)
    batch = CropBatch(
        images=torch.from_numpy(faces.windows[index]),
        valid=torch.from_numpy(faces.valid[index]),
        points=landmarks,
        state=torch.zeros(count, landmarks.shape[1]),
        jawline_convention=torch.zeros(count, dtype=torch.bool),
        outline=landmarks,
        jawline=landmarks,
        Q=nothing,
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

    def moved(points: Tensor) -> Tensor:
        return rotate(points, angle) * scale[:, None, None] + shift[:, None]

    crops, _ = wear(crops, moved(batch.points), config, generator)
    crops, _ = occlude(crops, moved(batch.points), config.occluders, generator)
    return change_appearance(crops, config.appearance, generator), moved(labels)


def take_notes(
    network: RDR,
    readout: CustomLandmarks,
    faces: CustomFaces,
    mirror: np.ndarray | None,
    size: int,
    seconds: float,
    seed: int,
    most: int | None = None,
) -> Notes:
    """See faces in many ways for a while: every face once, then every face again, mirrored, turned, shifted.

    Args:
        network: RDR in evaluation mode; it does not learn.
        readout: its first correction says where the features are sampled.
        faces: N faces.
        mirror: see `draw_views`.
        size: N, side of the crops in pixels.
        seconds: how long. Every face is seen once, however long that takes.
        seed: of everything random.
        most: views, no more than these.

    Returns:
        The notes.
    """
    each = 4 * (3 + network.c_lstm.reduce.out_features + 136) + readout.count * (2 * 80 + 16)
    most = min(most or MOST_BYTES, max(len(faces), MOST_BYTES // each))
    plain = replace(recipe(), mirror=0.0, rotation=0.0)
    generator = torch.Generator()
    parts: list[Notes] = []
    ends, done = time.monotonic() + seconds, 0
    for step, index in enumerate(_order(len(faces), seed)):
        if done >= len(faces) and (time.monotonic() > ends or done >= most):
            break
        generator.manual_seed(seed * 2**20 + step)
        crops, labels = draw_views(faces, index, mirror, size, plain if done < len(faces) else recipe(), generator)
        parts.append(note(network, readout, crops, labels, index))
        done += len(index)
    return Notes.joined(parts)


@torch.no_grad()
def note(network: RDR, readout: CustomLandmarks, crops: Tensor, labels: Tensor, index: np.ndarray) -> Notes:
    """What the network says of some crops; see `Notes`."""
    # The rounding of bfloat16 is far below what augmentation changes, and it is half the time on recent processors.
    with torch.autocast(crops.device.type, torch.bfloat16):
        heard = extract_features(network, crops.contiguous(memory_format=torch.channels_last))
    last = heard.prediction.steps[-1]
    surface, context = readout.surface(last.q), readout.context(last, heard.hidden)
    features = shape_indexed(heard.prediction.deconv5, readout.placed(surface, context))
    return Notes(torch.from_numpy(index), surface, context, features.half(), labels)


def _order(count: int, seed: int) -> Iterator[np.ndarray]:
    return batches(count, min(BATCH, count), seed)
