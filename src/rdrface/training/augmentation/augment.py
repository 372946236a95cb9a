"""Augmentation as batched tensor code on the device of its input: windows and labels in, training crops out.

One similarity per face (mirror, turn, scale, shift) is applied to the pixels by a single interpolation and to every
label by the same numbers. The crop is cut as it would be in use: around the upright box of the *turned* landmarks, with
the error of a detector added.
"""

from dataclasses import dataclass, field, fields, replace

import numpy as np
import torch
from torch import Tensor

from rdrface.crop import EXPANSION
from rdrface.datasets.crops import PackedCrops
from rdrface.geometry.camera import mirror_pose, transform_pose
from rdrface.landmarks import MIRROR
from rdrface.morphable.params import EXPRESSION, IDENTITY, POSE
from rdrface.training.augmentation.appearance import PROBABILITIES, AppearanceConfig, change_appearance, no_appearance
from rdrface.training.augmentation.eyewear import EyewearConfig, no_eyewear, wear_glasses
from rdrface.training.augmentation.face_covers import CoverConfig, cover_halves, no_covers, wear_masks
from rdrface.training.augmentation.image_borders import (
    bounding_corners,
    crop_image_near_face,
    crop_image_through_face,
    inside_image,
    padding_shares,
    simulated_detection,
)
from rdrface.training.augmentation.occluders import OccluderConfig, mark_occluded, no_occluders, occlude
from rdrface.training.augmentation.resampling import sample
from rdrface.training.augmentation.rng import normal, pick, to_device, uniform


@dataclass(frozen=True)
class AugmentConfig:
    """How far labels and pixels are changed. Lengths are in units of the landmark box's side sqrt(w h)."""

    mirror: float = 0.5  # probability
    turn: float = 15.0  # degrees, standard deviation of the in-plane rotation: people tilt heads, phones and cameras
    turn_limit: float = 45.0  # of those
    spin: float = 0.03  # probability of any angle instead: a photo lying on its side must not end in nonsense
    scale: float = 0.09  # standard deviation of the log of the side; the detector's own is 0.054
    scale_limit: float = 0.25
    shift: float = 0.07  # standard deviation, across and down; the detector's own is 0.05
    shift_limit: float = 0.2
    # What lies outside the photo: shares of black (what use will show), nearest edge, reflection, another face of the
    # batch, one color, noise. Mixed, or the frame would tell the network where the landmarks are.
    border: tuple[float, float, float, float, float, float] = (0.3, 0.2, 0.2, 0.15, 0.1, 0.05)
    # Probability, per side, of ending the photo near the face, at such a distance: its edge must not tell the place.
    trim: float = 0.3
    trim_range: tuple[float, float] = (-0.05, 0.6)
    cut: float = 0.12  # probability of ending the photo inside the face: close-ups, faces at the border of a photo
    cut_across: tuple[float, float] = (0.1, 0.55)  # share of the landmark box that is cut off at the left or right
    cut_down: tuple[float, float] = (0.1, 0.4)  # at the top or bottom
    occluders: OccluderConfig = field(default_factory=OccluderConfig)
    covers: CoverConfig = field(default_factory=CoverConfig)
    eyewear: EyewearConfig = field(default_factory=EyewearConfig)
    appearance: AppearanceConfig = field(default_factory=AppearanceConfig)


def no_augmentation() -> AugmentConfig:
    """The configuration that changes nothing: the crops of use, black outside the photo."""
    return AugmentConfig(
        mirror=0.0,
        turn=0.0,
        spin=0.0,
        scale=0.0,
        shift=0.0,
        border=(1.0, 0.0, 0.0, 0.0, 0.0, 0.0),
        trim=0.0,
        cut=0.0,
        occluders=no_occluders(),
        covers=no_covers(),
        eyewear=no_eyewear(),
        appearance=no_appearance(),
    )


def weakened(config: AugmentConfig, share: float) -> AugmentConfig:
    """The same configuration with the probability of every change of the pixels, and of cut faces, multiplied by
    `share`, 0..1."""
    chances = {name: share * getattr(config.appearance, name) for name in PROBABILITIES}
    return replace(
        config,
        cut=share * config.cut,
        occluders=replace(config.occluders, probability=share * config.occluders.probability),
        covers=replace(
            config.covers,
            half_face_probability=share * config.covers.half_face_probability,
            mask_probability=share * config.covers.mask_probability,
        ),
        eyewear=replace(
            config.eyewear,
            sunglasses_probability=share * config.eyewear.sunglasses_probability,
            clear_glasses_probability=share * config.eyewear.clear_glasses_probability,
        ),
        appearance=replace(config.appearance, **chances),
    )


@dataclass(frozen=True)
class CropBatch:
    """B packed faces as tensors; shapes and frame as in `rdrface.datasets.crops.PackedCrops`."""

    windows: Tensor
    valid: Tensor
    points: Tensor
    state: Tensor
    jawline_convention: Tensor
    outline: Tensor
    jawline: Tensor
    Q: Tensor
    margin: float

    @classmethod
    def of(cls, packed: PackedCrops, index: np.ndarray, device: torch.device | str = "cpu") -> "CropBatch":
        """The faces `index` (B,) of a pack, on `device`."""
        names = [each.name for each in fields(cls) if each.name != "margin"]
        tensors = {name: torch.from_numpy(getattr(packed, name)[index]).to(device) for name in names}
        return cls(**tensors, margin=packed.margin)


@dataclass(frozen=True)
class CoefficientMirror:
    """How the coefficients of the face model change when the face is mirrored.

    Attributes:
        identity: (50,) +-1 factors.
        expression: (46,) int64 permutation: the mirrored face's i-th is the face's `expression[i]`-th.
    """

    identity: Tensor
    expression: Tensor


@dataclass(frozen=True)
class TrainingBatch:
    """B crops with labels in the crop frame.

    Attributes:
        crops: (B, 3, N, N) float32 RGB 0..255.
        points: (B, 68, 2) annotated points; 0 where `weight` is 0.
        weight: (B, 68) float32, 1 where the point has an annotated position, else 0.
        state: (B, 68) int64, see `rdrface.datasets.records`; points that augmentation covered or cut off are `OCCLUDED`.
        outline, jawline: (B, 68, 2) the fitted face; NaN without a fit.
        Q: (B, 103) crop frame; NaN without a fit.
        jawline_convention: (B,) bool, points 0-16 are on the absolute jawline.
    """

    crops: Tensor
    points: Tensor
    weight: Tensor
    state: Tensor
    outline: Tensor
    jawline: Tensor
    Q: Tensor
    jawline_convention: Tensor


def augment(
    batch: CropBatch,
    size: int,
    config: AugmentConfig,
    generator: torch.Generator,
    coefficients: CoefficientMirror | None = None,
) -> TrainingBatch:
    """Training crops of a batch of windows.

    Args:
        batch: B packed faces.
        size: N, side of the crops in pixels.
        config: what is changed and how much.
        generator: all chance comes from it; the same state gives the same crops.
        coefficients: how Q is mirrored; needed when faces are mirrored and Q is wanted.

    Raises:
        ValueError: faces are mirrored, the batch has a fit, and `coefficients` is missing.
    """
    if config.mirror > 0 and coefficients is None and bool(torch.isfinite(batch.Q).any()):
        raise ValueError(
            "mirroring fitted faces needs coefficients=CoefficientMirror(model.identity_mirror, "
            "model.expression_mirror); pass it, or set AugmentConfig.mirror to 0"
        )
    device = batch.valid.device
    batch = mirror_faces(batch, pick(len(batch.windows), config.mirror, generator, generator.device), coefficients)
    valid = crop_image_near_face(batch.valid, _landmarks(batch), config.trim, config.trim_range, generator)
    chosen = pick(len(valid), config.cut, generator, generator.device)
    cut = to_device(chosen, device)
    valid = crop_image_through_face(valid, _landmarks(batch), cut, config.cut_across, config.cut_down, generator)
    batch = replace(batch, valid=valid)
    scale, angle, shift = draw_similarities(batch, config, generator, cut)
    borders = padding_shares(config.border, chosen)
    crops = sample(batch.windows, batch.valid, size, scale, angle, shift, borders, generator)
    labels = move_labels(batch, scale, angle, shift)
    seen = inside_image(batch.points, batch.valid) & (labels.points.abs() <= 1).all(-1)
    whole = torch.where(torch.isfinite(labels.points), labels.points, labels.outline)
    # What a cut face wears would be drawn beyond the end of its photo and tell where the missing part is.
    crops, worn = wear(crops, whole.masked_fill(cut[:, None, None], torch.nan), config, generator)
    crops, covered = occlude(crops, labels.points, config.occluders, generator)
    state = mark_occluded(batch.state, labels.points, covered | worn | ~seen)
    known = torch.isfinite(labels.points).all(-1)
    return TrainingBatch(
        crops=change_appearance(crops, config.appearance, generator),
        points=torch.where(known[..., None], labels.points, 0.0),
        weight=known.float(),
        state=state,
        outline=labels.outline,
        jawline=labels.jawline,
        Q=labels.Q,
        jawline_convention=batch.jawline_convention,
    )


def wear(crops: Tensor, points: Tensor, config: AugmentConfig, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Everything that is placed by the landmarks: masks, glasses, covers of half the face.

    Args:
        crops: (B, 3, N, N) float32 0..255, changed in place.
        points: (B, 68, 2) crop frame, all of the face; faces with a NaN are left alone.
        config: how often and how large.
        generator: source of chance.

    Returns:
        crops, and covered (B, 68) bool: the points that lie behind something.
    """
    crops, masked = wear_masks(crops, points, config.covers, generator)
    crops, shaded = wear_glasses(crops, points, config.eyewear, generator)
    crops, halved = cover_halves(crops, points, config.covers, generator)
    return crops, masked | shaded | halved


def mirror_faces(batch: CropBatch, chosen: Tensor, coefficients: CoefficientMirror | None) -> CropBatch:
    """Mirror the faces `chosen` (B,) bool left to right: pixels, order of the landmarks, Q."""
    device = batch.valid.device
    index = to_device(chosen.nonzero()[:, 0], device)
    if not len(index):
        return batch
    chosen = to_device(chosen, device)
    order = to_device(torch.tensor(MIRROR.tolist()), device)
    flip = to_device(torch.tensor([-1.0, 1.0]), device)

    def either(mirrored: Tensor, kept: Tensor) -> Tensor:
        return torch.where(chosen.reshape(-1, *([1] * (kept.ndim - 1))), mirrored, kept)

    windows = batch.windows.clone()
    windows[index] = windows[index].flip(2)
    Q = batch.Q
    if coefficients is not None:
        identity = Q[:, IDENTITY] * coefficients.identity.to(Q)
        expression = Q[:, EXPRESSION][:, coefficients.expression.to(Q.device)]
        Q = either(torch.cat([identity, mirror_pose(Q[:, POSE]), expression], 1), Q)
    return replace(
        batch,
        windows=windows,
        valid=either(batch.valid[:, [2, 1, 0, 3]] * flip.repeat(2), batch.valid),
        points=either(batch.points[:, order] * flip, batch.points),
        state=either(batch.state[:, order], batch.state),
        outline=either(batch.outline[:, order] * flip, batch.outline),
        jawline=either(batch.jawline[:, order] * flip, batch.jawline),
        Q=Q,
    )


def draw_similarities(
    batch: CropBatch, config: AugmentConfig, generator: torch.Generator, cut: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Scale (B,), angle (B,) and shift (B, 2) of crop = scale Rot(angle) window + shift.

    The face is turned first; the crop is then cut around the upright box of the turned landmarks, as in use, with the
    errors of a detector. Faces that the photo cuts, `cut` (B,) bool, are not turned, because the end of a photo is
    upright in use; their box lies between that of the part that is seen and that of the whole face.
    """
    count, device = len(batch.windows), batch.valid.device
    limit = np.deg2rad(config.turn_limit)
    angle = (normal((count,), generator, device) * np.deg2rad(config.turn)).clamp(-limit, limit)
    if config.spin > 0:
        anywhere = uniform((count,), -np.pi, np.pi, generator, device)
        angle = torch.where(pick(count, config.spin, generator, device), anywhere, angle)
    landmarks = _landmarks(batch)
    if cut is None:
        low, high = bounding_corners(turn(landmarks, angle))
    else:
        angle = torch.where(cut, 0.0, angle)
        low, high = simulated_detection(turn(landmarks, angle), inside_image(landmarks, batch.valid), cut, generator)
    side = (high - low).prod(-1).sqrt()
    factor = (normal((count,), generator, device) * config.scale).clamp(-config.scale_limit, config.scale_limit).exp()
    error = normal((count, 2), generator, device) * config.shift
    center = (low + high) / 2 + error.clamp(-config.shift_limit, config.shift_limit) * side[:, None]
    scale = 2 / (EXPANSION * side * factor)
    return scale, angle, -center * scale[:, None]


def turn(points: Tensor, angle: Tensor) -> Tensor:
    """Points (B, N, 2), y down, turned clockwise as seen by angle (B,) radians about the origin."""
    c, s = angle.cos()[:, None], angle.sin()[:, None]
    x, y = points[..., 0], points[..., 1]
    return torch.stack([c * x - s * y, s * x + c * y], -1)


def move_labels(batch: CropBatch, scale: Tensor, angle: Tensor, shift: Tensor) -> CropBatch:
    """Points, outline, jawline and Q after the similarity: window frame -> crop frame. The pixels stay."""

    def moved(points: Tensor) -> Tensor:
        return turn(points, angle) * scale[:, None, None] + shift[:, None]

    pose = transform_pose(batch.Q[:, POSE], scale, angle, shift)
    Q = torch.cat([batch.Q[:, IDENTITY], pose, batch.Q[:, EXPRESSION]], 1)
    return replace(batch, points=moved(batch.points), outline=moved(batch.outline), jawline=moved(batch.jawline), Q=Q)


def _landmarks(batch: CropBatch) -> Tensor:
    return torch.where(torch.isfinite(batch.outline), batch.outline, batch.points)
