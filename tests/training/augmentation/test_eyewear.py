import pytest

torch = pytest.importorskip("torch")

from covered_crops import COUNT, changed_at, faces, photos, seeded  # noqa: E402
from rdrface.training.augmentation.eyewear import EyewearConfig, no_eyewear, wear_glasses  # noqa: E402

SUNGLASSES = EyewearConfig(sunglasses=1.0, clear=0.0)
CLEAR = EyewearConfig(sunglasses=0.0, clear=1.0)
EYES = slice(36, 48)


@pytest.mark.parametrize("turn", [0.0, -60.0])
def test_sunglasses_hide_the_eyes_and_nothing_below_them(turn):
    before, points = photos(), faces(turn)
    after, covered = wear_glasses(before.clone(), points, SUNGLASSES, seeded())
    assert covered[:, EYES].float().mean() > 0.9
    assert not covered[:, 48:].any() and not covered[:, 3:14].any()
    assert changed_at(before, after, points)[covered].float().mean() > 0.97
    assert after.min() >= 0 and after.max() <= 255


def test_large_sunglasses_hide_brows_and_small_ones_do_not():
    large = EyewearConfig(sunglasses=1.0, size=(2.2, 2.2), aspect=(0.95, 0.95))
    small = EyewearConfig(sunglasses=1.0, size=(1.2, 1.2), aspect=(0.55, 0.55), rim=(0.0, 0.0))
    brows = slice(17, 27)
    assert wear_glasses(photos(), faces(), large, seeded())[1][:, brows].float().mean() > 0.3
    assert wear_glasses(photos(), faces(), small, seeded())[1][:, brows].float().mean() < 0.1


def test_clear_glasses_are_seen_and_hide_nothing():
    before, points = photos(), faces()
    after, covered = wear_glasses(before.clone(), points, CLEAR, seeded())
    assert not covered.any()
    difference = (before - after).abs().mean(1)
    assert (difference.flatten(1).amax(1) > 30).all(), "every frame is seen"
    assert difference.mean() < 15, "most of the face is as it was"


def test_a_profile_wears_narrow_lenses():
    """Points squeezed to a profile: the eyes' own width is nearly gone, the glasses are as high as ever."""
    points = faces() * torch.tensor([0.15, 1.0])
    before = photos()
    after, covered = wear_glasses(before.clone(), points, SUNGLASSES, seeded())
    changed = (before - after).abs().sum(1) > 0
    wide, high = changed.any(1).sum(1).float().mean(), changed.any(2).sum(1).float().mean()
    assert torch.isfinite(after).all() and covered[:, EYES].any() and wide < 2 * high


def test_nobody_wears_glasses_when_they_are_off_or_a_point_is_unknown():
    points = faces().clone()
    points[:4, 3] = torch.nan
    before = photos()
    after, covered = wear_glasses(before.clone(), points, SUNGLASSES, seeded())
    assert torch.equal(after[:4], before[:4]) and not covered[:4].any() and covered[4:].any(1).all()
    after, covered = wear_glasses(before.clone(), points, no_eyewear(), seeded())
    assert torch.equal(after, before) and covered.shape == (COUNT, 68) and not covered.any()
