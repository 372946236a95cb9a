"""Augmentation as batched tensor code on the device of its input: packed crops and labels in, training crops out.

One similarity per face (mirror, rotation, scale, shift) is applied to the pixels, by a single interpolation, and to all
labels. As at inference for faces that are rotated little, the crop is cut around the upright box of the *rotated*
landmarks, with a simulated error of the detector.
"""

from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from rdrface.crop import EXPANSION
from rdrface.geometry.camera import transform_pose
from rdrface.morphable.params import EXPRESSION, IDENTITY, POSE
from rdrface.training.augmentation.appearance import change_appearance
from rdrface.training.augmentation.boxes import bounding_corners, corners_size
from rdrface.training.augmentation.config import AugmentConfig
from rdrface.training.augmentation.crop_batch import CropBatch
from rdrface.training.augmentation.eyewear import wear_glasses
from rdrface.training.augmentation.face_covers import cover_halves, wear_masks
from rdrface.training.augmentation.image_borders import (
    crop_image_near_face,
    crop_image_through_face,
    inside_image,
    padding_shares,
    simulated_detection,
)
from rdrface.training.augmentation.mirror import CoefficientMirror, mirror_faces
from rdrface.training.augmentation.no_face import look_at_parts, shuffle_tiles
from rdrface.training.augmentation.occluders import mark_occluded, occlude
from rdrface.training.augmentation.resampling import sample
from rdrface.training.augmentation.rng import normal, pick, to_device, uniform


def augment(
    batch: CropBatch,
    size: int,
    config: AugmentConfig,
    generator: torch.Generator,
    coefficients: CoefficientMirror | None = None,
) -> tuple[Tensor, CropBatch]:
    """Draw training crops and their labels.

    Args:
        batch: B packed faces.
        size: N, side of the crops in pixels.
        config: kinds and strengths of the changes.
        generator: random number generator; the same state gives the same crops.
        coefficients: mirroring of Q; required if faces with a fit may be mirrored.

    Returns:
        crops: (B, 3, N, N) float32 RGB 0..255.
        labels: the batch with its labels in the crop frame; points that augmentation covers or crops are `OCCLUDED` in
            `state`, which is int64. Crops without a face are marked in `no_face`.

    Raises:
        ValueError: `config.mirror` is not 0, the batch has a fit, and `coefficients` is missing.
    """
    if config.mirror > 0 and coefficients is None and bool(torch.isfinite(batch.Q).any()):
        raise ValueError(
            "mirroring fitted faces needs coefficients=CoefficientMirror.of(FaceModel.load()); pass it, or set "
            "AugmentConfig.mirror to 0"
        )
    device = batch.valid.device
    batch = mirror_faces(batch, pick(len(batch.images), config.mirror, generator, generator.device), coefficients)
    valid = crop_image_near_face(batch.valid, _landmarks(batch), config.crop, config.crop_range, generator)
    chosen = pick(len(valid), config.truncation, generator, generator.device)
    truncated = to_device(chosen, device)
    across, down = config.truncation_across, config.truncation_down
    batch = replace(batch, valid=crop_image_through_face(valid, _landmarks(batch), truncated, across, down, generator))

    scale, angle, shift = draw_similarities(batch, config, generator, truncated)
    shuffled = in_part = torch.zeros_like(chosen)
    if config.no_face > 0:
        # Half of the crops without a face are parts of one, half are shuffled.
        kind = uniform((len(valid),), 0, 1, generator, generator.device) / config.no_face
        in_part, shuffled = kind < 0.5, (kind >= 0.5) & (kind < 1)
        scale, shift = look_at_parts(batch.valid, to_device(in_part, device), scale, shift, generator)
    padding = padding_shares(config.padding, chosen)
    crops = sample(batch.images, batch.valid, size, scale, angle, shift, padding, generator)
    labels = move_labels(batch, scale, angle, shift)
    no_face = to_device(in_part | shuffled, device)
    if config.no_face > 0:
        crops = shuffle_tiles(crops, shuffled, generator)

    in_image = inside_image(batch.points, batch.valid) & (labels.points.abs() <= 1).all(-1)
    whole = torch.where(torch.isfinite(labels.points), labels.points, labels.outline)
    # On a truncated face, a mask or glasses would extend beyond the edge of the image and reveal the rest of the face.
    bare = truncated | no_face
    crops, worn = wear(crops, whole.masked_fill(bare[:, None, None], torch.nan), config, generator)
    crops, covered = occlude(crops, labels.points, config.occluders, generator)
    state = mark_occluded(batch.state, labels.points, covered | worn | ~in_image)
    return change_appearance(crops, config.appearance, generator), replace(labels, state=state, no_face=no_face)


def wear(crops: Tensor, points: Tensor, config: AugmentConfig, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw the occluders that are placed by the landmarks: masks, glasses, covers of half the face.

    Args:
        crops: (B, 3, N, N) float32 0..255, changed in place.
        points: (B, 68, 2) crop frame, complete; faces with a NaN are not changed.
        config: probabilities and sizes.
        generator: random number generator.

    Returns:
        crops (B, 3, N, N), and covered (B, 68) bool: True for points behind an occluder.
    """
    crops, masked = wear_masks(crops, points, config.covers, generator)
    crops, behind_glasses = wear_glasses(crops, points, config.eyewear, generator)
    crops, halved = cover_halves(crops, points, config.covers, generator)
    return crops, masked | behind_glasses | halved


def draw_similarities(
    batch: CropBatch, config: AugmentConfig, generator: torch.Generator, truncated: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Draw scale (B,), angle (B,) and shift (B, 2) of crop = scale Rot(angle) packed + shift.

    The face is rotated first. The crop is then cut around the upright box of the rotated landmarks, with simulated
    errors of the detector. Most faces that the edge of the image truncates, `truncated` (B,), are not rotated, because
    image edges are upright in most crops at inference; their box is between that of the visible part and that of the
    whole face.
    """
    count, device = len(batch.images), batch.valid.device
    limit = np.deg2rad(config.rotation_limit)
    angle = (normal((count,), generator, device) * np.deg2rad(config.rotation)).clamp(-limit, limit)
    if config.arbitrary_rotation > 0:
        any_angle = uniform((count,), -np.pi, np.pi, generator, device)
        angle = torch.where(pick(count, config.arbitrary_rotation, generator, device), any_angle, angle)
    landmarks = _landmarks(batch)
    if truncated is None:
        low, high = bounding_corners(rotate(landmarks, angle))
    else:
        upright = pick(count, 1 - config.truncation_rotation, generator, device)
        angle = torch.where(truncated & upright, 0.0, angle)
        low, high = simulated_detection(
            rotate(landmarks, angle), inside_image(landmarks, batch.valid), truncated, generator
        )
    side = corners_size(low, high)
    factor = (normal((count,), generator, device) * config.scale).clamp(-config.scale_limit, config.scale_limit).exp()
    error = normal((count, 2), generator, device) * config.shift
    center = (low + high) / 2 + error.clamp(-config.shift_limit, config.shift_limit) * side[:, None]
    scale = 2 / (EXPANSION * side * factor)
    return scale, angle, -center * scale[:, None]


def rotate(points: Tensor, angle: Tensor) -> Tensor:
    """Rotate points (B, L, 2), y down, about the origin by angle (B,) radians, clockwise as seen in the image."""
    c, s = angle.cos()[:, None], angle.sin()[:, None]
    x, y = points[..., 0], points[..., 1]
    return torch.stack([c * x - s * y, s * x + c * y], -1)


def move_points(points: Tensor, scale: Tensor, angle: Tensor, shift: Tensor) -> Tensor:
    """Points (B, L, 2) after a similarity transform: rotated, scaled by scale (B,), then shifted by shift (B, 2)."""
    return rotate(points, angle) * scale[:, None, None] + shift[:, None]


def move_labels(batch: CropBatch, scale: Tensor, angle: Tensor, shift: Tensor) -> CropBatch:
    """The batch with points, outline, jawline, Q and the teacher's outputs moved from the packed frame to the crop
    frame."""
    moved = partial(move_points, scale=scale, angle=angle, shift=shift)
    moved_parameters = partial(move_parameters, scale=scale, angle=angle, shift=shift)
    return replace(
        batch,
        points=moved(batch.points),
        outline=moved(batch.outline),
        jawline=moved(batch.jawline),
        Q=moved_parameters(batch.Q),
        teacher_points=None if batch.teacher_points is None else moved(batch.teacher_points),
        teacher_jawline=None if batch.teacher_jawline is None else moved(batch.teacher_jawline),
        teacher_Q=None if batch.teacher_Q is None else moved_parameters(batch.teacher_Q),
    )


def move_parameters(Q: Tensor, scale: Tensor, angle: Tensor, shift: Tensor) -> Tensor:
    """(B, 103) Q after the similarity transform of `move_points`."""
    pose = transform_pose(Q[:, POSE], scale, angle, shift)
    return torch.cat([Q[:, IDENTITY], pose, Q[:, EXPRESSION]], 1)


def _landmarks(batch: CropBatch) -> Tensor:
    return torch.where(torch.isfinite(batch.outline), batch.outline, batch.points)
