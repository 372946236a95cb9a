"""Sunglasses and clear glasses."""

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from covered_crops import COUNT, changed_at, faces, images, seeded  # noqa: E402
from rdrface.training.augmentation.eyewear import EyewearConfig, no_eyewear, wear_glasses  # noqa: E402

SUNGLASSES = EyewearConfig(sunglasses_probability=1.0, clear_glasses_probability=0.0)
CLEAR = EyewearConfig(sunglasses_probability=0.0, clear_glasses_probability=1.0)
EYES = slice(36, 48)


@pytest.mark.parametrize("roll_deg", [0.0, -60.0])
def test_sunglasses_cover_the_eyes_and_nothing_below_them(roll_deg):
    before, points = images(), faces(roll_deg)
    after, covered = wear_glasses(before.clone(), points, SUNGLASSES, seeded())
    assert covered[:, EYES].float().mean() > 0.9
    assert not covered[:, 48:].any() and not covered[:, 3:14].any()
    assert changed_at(before, after, points)[covered].float().mean() > 0.97
    assert after.min() >= 0 and after.max() <= 255


def test_large_sunglasses_cover_the_brows_and_small_ones_do_not():
    large = replace(SUNGLASSES, lens_width_range=(2.2, 2.2), lens_aspect_range=(0.95, 0.95))
    small = replace(SUNGLASSES, lens_width_range=(1.2, 1.2), lens_aspect_range=(0.55, 0.55), rim_width_range=(0.0, 0.0))
    brows = slice(17, 27)
    assert wear_glasses(images(), faces(), large, seeded())[1][:, brows].float().mean() > 0.3
    assert wear_glasses(images(), faces(), small, seeded())[1][:, brows].float().mean() < 0.1


def test_clear_glasses_are_visible_and_cover_no_points():
    before, points = images(), faces()
    after, covered = wear_glasses(before.clone(), points, CLEAR, seeded())
    assert not covered.any()
    difference = (before - after).abs().mean(1)
    assert (difference.flatten(1).amax(1) > 30).all(), "every frame is visible"
    assert difference.mean() < 15, "most of the face does not change"


def test_lenses_are_narrow_in_a_profile():
    """Points compressed to a profile: the eyes have almost no width, but the glasses keep their height."""
    points = faces() * torch.tensor([0.15, 1.0])
    before = images()
    after, covered = wear_glasses(before.clone(), points, SUNGLASSES, seeded())
    changed = (before - after).abs().sum(1) > 0
    width, height = changed.any(1).sum(1).float().mean(), changed.any(2).sum(1).float().mean()
    assert torch.isfinite(after).all() and covered[:, EYES].any() and width < 2 * height


def test_faces_without_glasses_or_with_unknown_points_do_not_change():
    points = faces().clone()
    points[:4, 3] = torch.nan
    before = images()
    after, covered = wear_glasses(before.clone(), points, SUNGLASSES, seeded())
    assert torch.equal(after[:4], before[:4]) and not covered[:4].any() and covered[4:].any(1).all()
    after, covered = wear_glasses(before.clone(), points, no_eyewear(), seeded())
    assert torch.equal(after, before) and covered.shape == (COUNT, 68) and not covered.any()
