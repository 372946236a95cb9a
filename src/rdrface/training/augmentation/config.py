"""Configuration of the augmentation: its defaults, the configuration without changes, and that of a training stage."""

from dataclasses import dataclass, field, replace

from rdrface.training.augmentation.appearance import PROBABILITIES, AppearanceConfig, no_appearance
from rdrface.training.augmentation.eyewear import EyewearConfig, no_eyewear
from rdrface.training.augmentation.face_covers import CoverConfig, no_covers
from rdrface.training.augmentation.occluders import OccluderConfig, no_occluders
from rdrface.training.config import StageConfig


@dataclass(frozen=True)
class AugmentConfig:
    """Changes of labels and pixels. Lengths are in units of the landmark box's side sqrt(w h).

    Attributes:
        mirror: probability of mirroring a face.
        rotation: standard deviation of the in-plane rotation in degrees: people tilt heads, phones and cameras.
        rotation_limit: maximum rotation in degrees.
        arbitrary_rotation: probability of a rotation by any angle instead, for photos stored sideways.
        scale: standard deviation of the logarithm of the box side; that of the detector is 0.054.
        scale_limit: maximum change of the logarithm.
        shift: standard deviation of the box center, in x and in y; that of the detector is 0.05.
        shift_limit: maximum shift.
        padding: relative frequency of each kind of padding outside the image: black, nearest edge (as at inference),
            reflection, another face of the batch, one color, noise. Several kinds are used so that the padding does not
            reveal the positions of the landmarks.
        crop: probability, per side, of cropping the image near the face: the edge of the image must not reveal the
            positions of the landmarks.
        crop_range: distance of the new edge from the landmark box.
        truncation: probability of cropping the image through the face, as in close-ups and at the edge of group photos.
        truncation_across: fraction of the landmark box that is removed at the left or right.
        truncation_down: fraction of the landmark box that is removed at the top or bottom.
        truncation_rotation: share of the truncated faces that are rotated together with the edge of the image, as in
            rotated crops; for the others, the edge is upright in the crop.
        no_face: probability of a crop without a face instead (`rdrface.training.augmentation.no_face`).
        occluders, covers, eyewear, appearance: configurations of these effects, see their modules.
    """

    mirror: float = 0.5
    rotation: float = 15.0
    rotation_limit: float = 45.0
    arbitrary_rotation: float = 0.03
    scale: float = 0.09
    scale_limit: float = 0.25
    shift: float = 0.07
    shift_limit: float = 0.2
    padding: tuple[float, float, float, float, float, float] = (0.1, 0.4, 0.2, 0.15, 0.1, 0.05)
    crop: float = 0.3
    crop_range: tuple[float, float] = (-0.05, 0.6)
    truncation: float = 0.12
    truncation_across: tuple[float, float] = (0.1, 0.55)
    truncation_down: tuple[float, float] = (0.1, 0.4)
    truncation_rotation: float = 0.3
    no_face: float = 0.0
    occluders: OccluderConfig = field(default_factory=OccluderConfig)
    covers: CoverConfig = field(default_factory=CoverConfig)
    eyewear: EyewearConfig = field(default_factory=EyewearConfig)
    appearance: AppearanceConfig = field(default_factory=AppearanceConfig)


_DEVIATIONS = ("rotation", "scale", "shift")
"""Fields of `AugmentConfig` that `StageConfig.geometry_strength` changes."""


def no_augmentation() -> AugmentConfig:
    """The configuration without changes: the same crops as at inference, with repeated edge pixels outside."""
    return AugmentConfig(
        mirror=0.0,
        rotation=0.0,
        arbitrary_rotation=0.0,
        scale=0.0,
        shift=0.0,
        padding=(0.0, 1.0, 0.0, 0.0, 0.0, 0.0),
        crop=0.0,
        truncation=0.0,
        occluders=no_occluders(),
        covers=no_covers(),
        eyewear=no_eyewear(),
        appearance=no_appearance(),
    )


def weakened(config: AugmentConfig, strength: float) -> AugmentConfig:
    """The same configuration with the probabilities of truncation and of all pixel changes multiplied by `strength`,
    0..1."""
    probabilities = {name: strength * getattr(config.appearance, name) for name in PROBABILITIES}
    return replace(
        config,
        truncation=strength * config.truncation,
        occluders=replace(config.occluders, probability=strength * config.occluders.probability),
        covers=replace(
            config.covers,
            half_face_probability=strength * config.covers.half_face_probability,
            mask_probability=strength * config.covers.mask_probability,
        ),
        eyewear=replace(
            config.eyewear,
            sunglasses_probability=strength * config.eyewear.sunglasses_probability,
            clear_glasses_probability=strength * config.eyewear.clear_glasses_probability,
        ),
        appearance=replace(config.appearance, **probabilities),
    )


def stage_augmentation(stage: StageConfig) -> AugmentConfig:
    """The augmentation of a training stage."""
    if not stage.augment:
        return no_augmentation()
    config = AugmentConfig(no_face=stage.no_face)
    geometry = {name: stage.geometry_strength * getattr(config, name) for name in _DEVIATIONS}
    return weakened(replace(config, **geometry), stage.appearance_strength)
