"""From packed faces to batches: which faces a step sees, and what each face's labels are worth."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rdrface.crop import EXPANSION
from rdrface.datasets.crops import PackedCrops
from rdrface.datasets.records import OCCLUDED, SELF_OCCLUDED, FaceRecords
from rdrface.datasets.sources import check_sources, value_of
from rdrface.landmarks import CONTOUR
from rdrface.network.projection import Projection
from rdrface.training.augmentation.augment import TrainingBatch
from rdrface.training.losses.objective import Targets

GUESSED = 0.5
"""Weight of a point that the annotator placed behind an occluder."""

FITTED = 0.25
"""Weight of a point that the head hides, whether a set guesses its position or the fitted face gives it, and of one
whose label is not to be used."""

ENOUGH = 34
"""Labeled points from which an expression's fit is fully trusted: the half of a face that a profile shows."""

DOUBTFUL = 0.15 * 2 / EXPANSION
"""Distance in the crop frame, 15 % of the face's side, from which a label is not believed."""


def person_keys(records: FaceRecords) -> np.ndarray:
    """(N,) str, the same for all photos of a set that show one face: held out together or not at all.

    The name of the photo without its folder. Of 300W-LP's AFW_1051618982_1_10 it is 1051618982_1, the photo of 300-W's
    AFW that was turned; of FG-NET's 001a02 it is the person, 001.
    """
    keys = []
    for image, source in zip(records.image.tolist(), records.source.tolist(), strict=True):
        key = Path(image).stem
        if source.startswith("300w_lp"):
            key = key.partition("_")[2].rpartition("_")[0]
        elif source.startswith("fgnet"):
            key = key[:3]
        keys.append(key)
    return np.array(keys, dtype=np.str_)


def held_out(names: np.ndarray, share: float) -> np.ndarray:
    """Which faces are kept for validation: a function of the key alone, so that it survives reordering.

    Args:
        names: (N,) str, see `person_keys`.
        share: part to hold out, 0..1.

    Returns:
        (N,) bool.
    """
    digests = [hashlib.sha256(str(name).encode()).digest()[:4] for name in names]
    return np.array([int.from_bytes(digest, "big") / 2**32 < share for digest in digests], dtype=bool)


def batches(
    count: int,
    size: int,
    seed: int,
    start: int = 0,
    rank: int = 0,
    world: int = 1,
    draws: np.ndarray | None = None,
) -> Iterator[np.ndarray]:
    """Endless batches of face indices in an order that is a function of seed and position.

    An epoch holds every face once, or as often as `draws` asks for: a face with 2.3 comes twice in every epoch, and
    once more in three of ten. Nothing has to be remembered for an exact resume but the number of batches already used.

    Args:
        count: number of faces.
        size: faces per batch over all ranks together; `world` must divide it.
        seed: of the run and stage.
        start: batches already used.
        rank: this process.
        world: number of processes.
        draws: (count,) how many times per epoch each face is drawn, not all 0 (`rdrface.training.oversampling`).

    Yields:
        (size / world,) int64 indices.

    Raises:
        ValueError: `draws` has another shape, is negative or not finite, or draws nothing.
    """
    often = np.ones(count) if draws is None else np.asarray(draws, dtype=np.float64)
    if often.shape != (count,) or not np.isfinite(often).all() or (often < 0).any() or not often.any():
        raise ValueError(f"draws must be ({count},), finite, 0 or more and not all 0; got shape {often.shape}")
    order = np.empty(0, dtype=np.int64)
    first, epoch = 0, -1  # position at which the epoch begins
    for step in range(start, 2**62):
        taken = []
        for position in range(step * size + rank, (step + 1) * size, world):
            while position >= first + len(order):
                first, epoch = first + len(order), epoch + 1
                order = _epoch(often, seed, epoch)
            taken.append(order[position - first])
        yield np.array(taken)


def _epoch(draws: np.ndarray, seed: int, epoch: int) -> np.ndarray:
    whole = np.floor(draws)
    # A generator of its own, so that faces drawn once keep their order.
    more = np.random.default_rng([seed, epoch, 1]).random(len(draws)) < draws - whole
    listed = np.repeat(np.arange(len(draws)), whole.astype(np.int64) + more)
    return listed[np.random.default_rng([seed, epoch]).permutation(len(listed))]


@torch.no_grad()
def targets(batch: TrainingBatch, residual: Tensor, importance: Tensor, projection: Projection) -> Targets:
    """Labels of a batch. The fitted face gives the points that the head hides and labels that are not to be used.

    A point that the set does not annotate at all (no position, and not marked as hidden by the head) has weight 0: the
    fit places it from its neighbors only, so it would teach the mean face.

    Args:
        batch: augmented crops and labels, crop frame.
        residual: (B,) of the fit, percent of the face's side: a bad fit teaches nothing but its labeled points.
        importance: (B,) weight of the face's labeled points and of its expression, see `label_weights`.
        projection: maps Q to points.
    """
    outline, jawline = projection(batch.Q)
    # 2.5 % is an ordinary fit and fully trusted; beyond 6 % the face behind the points is somebody else's.
    trust = ((6.0 - residual) / 3.5).clamp(0.0, 1.0)
    # Contour points annotated on the absolute jawline say nothing about the outline.
    contour = torch.zeros(1, batch.weight.shape[1], dtype=torch.bool, device=batch.weight.device)
    contour[:, : len(CONTOUR)] = True
    labeled = (batch.weight > 0) & ~(contour & batch.jawline_convention.unsqueeze(1))
    # Nor do slips of the mouse, some hundred in MERL-RAV: a label so far from its own fitted face.
    labeled &= (batch.points - outline[..., :2]).norm(dim=-1) < DOUBTFUL
    points = torch.where(labeled.unsqueeze(-1), batch.points, outline[..., :2])
    annotated = torch.where(batch.state == OCCLUDED, GUESSED, 1.0)
    annotated = torch.where(batch.state == SELF_OCCLUDED, FITTED, annotated) * importance.unsqueeze(1)
    missing = (batch.weight == 0) & (batch.state != SELF_OCCLUDED)
    weight = torch.where(labeled, annotated, FITTED * trust.unsqueeze(1)).masked_fill(missing, 0.0)
    expression_trust = trust * importance * (labeled.sum(1) / ENOUGH).clamp(max=1.0)
    return Targets(points, weight, labeled, batch.state, jawline, batch.Q, trust, expression_trust)


def label_weights(faces: PackedCrops, table: Mapping[str, float]) -> np.ndarray:
    """(N,) float32: what the labels of each face are worth by its source; `table` as `TrainingConfig.label_weight`.

    Raises:
        ConfigError: an entry fits no source of these faces.
    """
    check_sources(faces.source_names, table, "label_weight")
    values = np.array([value_of(name, table, 1.0) for name in faces.source_names], np.float32)
    return values[faces.source]
