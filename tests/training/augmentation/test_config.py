"""Strength of the augmentation: weakened configurations."""

from dataclasses import replace

import pytest

pytest.importorskip("torch")

from rdrface.training.augmentation.appearance import PROBABILITIES, no_appearance
from rdrface.training.augmentation.config import AugmentConfig, stage_augmentation, weakened
from rdrface.training.config import StageConfig


def test_weakening_scales_every_probability_and_nothing_else() -> None:
    full = AugmentConfig()
    half = weakened(full, 0.5)
    assert half.occluders.probability == full.occluders.probability / 2
    assert half.truncation == full.truncation / 2
    for name in ("half_face_probability", "mask_probability"):
        assert getattr(half.covers, name) == getattr(full.covers, name) / 2
    for name in ("sunglasses_probability", "clear_glasses_probability"):
        assert getattr(half.eyewear, name) == getattr(full.eyewear, name) / 2
    assert half.covers.side_depth_range == full.covers.side_depth_range
    assert half.eyewear.lens_width_range == full.eyewear.lens_width_range
    for name in PROBABILITIES:
        assert getattr(half.appearance, name) == getattr(full.appearance, name) / 2
    assert weakened(full, 1.0) == full
    assert weakened(full, 0.0).appearance == no_appearance()
    assert (half.rotation, half.mirror, half.padding) == (full.rotation, full.mirror, full.padding)
    assert half.appearance.max_hue_change_deg == full.appearance.max_hue_change_deg


def test_a_stage_scales_the_errors_of_boxes_and_rotation() -> None:
    full = stage_augmentation(StageConfig("joint", 1))
    half = stage_augmentation(StageConfig("joint", 1, geometry_strength=0.5))
    assert (half.rotation, half.scale, half.shift) == (full.rotation / 2, full.scale / 2, full.shift / 2)
    assert replace(half, rotation=full.rotation, scale=full.scale, shift=full.shift) == full
