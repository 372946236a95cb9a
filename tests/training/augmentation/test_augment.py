"""Augmentation of packed faces: pixels and labels move together, and hidden points are marked."""

from dataclasses import replace

import numpy as np
import pytest

from annotated import records_of

torch = pytest.importorskip("torch")

from rdrface.crop import CropFrame, cut  # noqa: E402
from rdrface.datasets.packing import pack  # noqa: E402
from rdrface.geometry.camera import project  # noqa: E402
from rdrface.image import read_image  # noqa: E402
from rdrface.landmarks import MIRROR  # noqa: E402
from rdrface.morphable.params import POSE  # noqa: E402
from rdrface.training.augmentation.appearance import no_appearance  # noqa: E402
from rdrface.training.augmentation.augment import augment, draw_similarities  # noqa: E402
from rdrface.training.augmentation.config import AugmentConfig, no_augmentation  # noqa: E402
from rdrface.training.augmentation.crop_batch import CropBatch  # noqa: E402
from rdrface.training.augmentation.eyewear import EyewearConfig, no_eyewear  # noqa: E402
from rdrface.training.augmentation.face_covers import no_covers  # noqa: E402
from rdrface.training.augmentation.mirror import CoefficientMirror  # noqa: E402
from rdrface.training.augmentation.occluders import OccluderConfig, no_occluders  # noqa: E402

GEOMETRY_ONLY = AugmentConfig(
    crop=0.0,
    truncation=0.0,
    occluders=no_occluders(),
    covers=no_covers(),
    eyewear=no_eyewear(),
    appearance=no_appearance(),
)
MIRRORS = CoefficientMirror(torch.ones(50), torch.arange(46).flip(0))


def seeded(seed=3):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def batch(tmp_path):
    return CropBatch.of(pack(records_of(tmp_path, 6), size=160), np.arange(6))


def test_without_augmentation_the_crop_equals_the_crop_at_inference(tmp_path):
    records = records_of(tmp_path, 3)
    crops, out = augment(CropBatch.of(pack(records, 320), np.arange(3)), 128, no_augmentation(), seeded())
    frame = CropFrame.from_boxes(records.box)
    for i in range(3):
        expected = cut(read_image(records.image[i]), CropFrame(frame.center[i : i + 1], frame.half[i : i + 1]), 128)[0]
        inner = np.abs(crops[i].numpy() - expected)[:, 8:-8, 8:-8]
        assert inner.mean() < 1.0
    np.testing.assert_allclose(out.points, frame.to_crop(records.points), atol=1e-4)
    assert out.annotated.all() and crops.dtype == torch.float32 and out.state.dtype == torch.int64


def test_points_follow_the_pixels(batch):
    """Bright spots painted at landmarks are found at the moved labels, mirrored or not, to a quarter pixel."""
    config = replace(GEOMETRY_ONLY, padding=(1, 0, 0, 0, 0, 0))
    size, axis = 160, (2 * torch.arange(160) + 1) / 160 - 1
    for landmark in (17, 30, 45, 54):
        # The spot is painted at this landmark; after mirroring it must be where the mirrored landmark is.
        spots = (
            torch.exp(-((axis - batch.points[:, landmark, :1]) ** 2) / (2 * 0.04**2))[:, None, :]
            * torch.exp(-((axis - batch.points[:, landmark, 1:]) ** 2) / (2 * 0.04**2))[:, :, None]
        )
        painted = replace(batch, images=(255 * spots).round().byte()[..., None].expand(-1, -1, -1, 3).contiguous())
        for mirrored in (0.0, 1.0):
            crops, out = augment(painted, size, replace(config, mirror=mirrored), seeded(landmark), MIRRORS)
            light = crops[:, 0] / crops[:, 0].sum((1, 2), keepdim=True)
            found = torch.stack([(light.sum(1) * axis).sum(1), (light.sum(2) * axis).sum(1)], 1)
            expected = out.points[:, MIRROR[landmark] if mirrored else landmark]
            torch.testing.assert_close(found, expected, atol=0.25 * 2 / size, rtol=0)


def test_pose_follows_the_points(batch):
    """A shape with mirror-symmetric landmarks, projected with the transformed Q, gives the transformed points."""
    shape = torch.randn(6, 68, 3, generator=seeded(1)) * 40
    paired = torch.empty_like(shape)
    for i in range(68):
        j = int(MIRROR[i])
        paired[:, i] = shape[:, min(i, j)] * torch.tensor([1.0 if i < j else -1.0 if i > j else 0.0, 1, 1])
    outline = project(paired, batch.Q[:, POSE])[..., :2]
    for mirrored in (0.0, 1.0):
        _, out = augment(
            replace(batch, outline=outline), 32, replace(GEOMETRY_ONLY, mirror=mirrored), seeded(), MIRRORS
        )
        torch.testing.assert_close(project(paired, out.Q[:, POSE])[..., :2], out.outline, atol=1e-3, rtol=1e-3)


def test_mirroring_a_fit_needs_the_coefficients(batch):
    with pytest.raises(ValueError, match="CoefficientMirror"):
        augment(batch, 32, AugmentConfig(), seeded())
    unfitted = replace(batch, Q=batch.Q * torch.nan)
    assert augment(unfitted, 32, AugmentConfig(), seeded())[1].Q.isnan().all()


def test_the_same_seed_gives_the_same_crops(batch):
    first_crops, first = augment(batch, 64, AugmentConfig(), seeded(9), MIRRORS)
    again_crops, again = augment(batch, 64, AugmentConfig(), seeded(9), MIRRORS)
    other_crops, _ = augment(batch, 64, AugmentConfig(), seeded(10), MIRRORS)
    assert torch.equal(first_crops, again_crops) and torch.equal(first.state, again.state)
    assert not torch.equal(first_crops, other_crops)


def test_full_augmentation_stays_finite_and_in_range(batch):
    before = batch.images.clone()
    for seed in range(12):
        crops, out = augment(batch, 61, AugmentConfig(), seeded(seed), MIRRORS)
        assert crops.shape == (6, 3, 61, 61)
        assert torch.isfinite(crops).all() and crops.min() >= 0 and crops.max() <= 255
        assert torch.isfinite(out.points).all() and torch.isfinite(out.Q).all()
    assert torch.equal(batch.images, before), "augmentation must not change the packed crops"


def test_scale_and_shift_stay_within_their_limits(batch):
    _, out = augment(batch, 16, replace(GEOMETRY_ONLY, mirror=0.0, rotation=0.0, scale=9.0, shift=9.0), seeded())
    low, high = out.outline.amin(1), out.outline.amax(1)
    side = (high - low).prod(1).sqrt()
    # The crop is 1.6 sides wide, so the side is 1.25 in the crop frame, times exp(+-0.25). The center moves by at most
    # 0.2 sides in each direction.
    assert ((side * 0.8).log().abs() < 0.2501).all()
    assert (((low + high) / 2 / side[:, None]).abs() < 0.2001).all()


def test_points_outside_the_image_are_occluded_and_unknown_points_stay_unknown(batch):
    points = batch.points.clone()
    points[0, 5] = torch.nan
    state = batch.state.clone()
    state[0, 5] = 3
    state[:, 6] = 0
    cropped = replace(batch, points=points, state=state, valid=batch.valid * torch.tensor([1.0, 1.0, 0.0, 1.0]))
    _, out = augment(cropped, 32, replace(no_augmentation()), seeded())
    assert out.points[0, 5].isnan().all() and out.state[0, 5] == 3
    right = out.points[..., 0] > 0.01
    assert (out.state[right & out.annotated] == 2).all(), "points beyond the right edge of the image are not visible"
    left = (out.points[..., 0] < -0.01) & (out.points.abs() < 1).all(-1)
    assert (out.state[left] == torch.where(torch.arange(68) == 6, 0, 1).expand(6, -1)[left])[..., None].all()


def test_occluders_cover_pixels_and_mark_points(batch):
    config = replace(no_augmentation(), occluders=OccluderConfig(probability=1.0, min_side=0.3, max_side=0.5))
    plain_crops, plain = augment(batch, 96, no_augmentation(), seeded(4))
    crops, out = augment(batch, 96, config, seeded(4))
    hidden = (out.state == 2) & (plain.state != 2)
    assert hidden.any() and not hidden.all()
    torch.testing.assert_close(out.points, plain.points)
    pixel = ((out.points + 1) * 96 / 2 - 0.5).round().long().clamp(0, 95)
    rows = torch.arange(6)[:, None]
    changed = (crops - plain_crops).abs().sum(1)[rows, pixel[..., 1], pixel[..., 0]] > 0
    assert changed[hidden].float().mean() > 0.95, "pixels at hidden points are covered"
    assert changed[~hidden].float().mean() < 0.05, "pixels at other points are not covered"


def test_some_faces_are_rotated_by_any_angle(batch) -> None:
    config = replace(no_augmentation(), arbitrary_rotation=1.0)
    generator = torch.Generator().manual_seed(0)
    angles = torch.cat([draw_similarities(batch, config, generator)[1] for _ in range(50)])
    assert angles.min() < -2.5 and angles.max() > 2.5
    assert draw_similarities(batch, no_augmentation(), generator)[1].abs().max() == 0


def test_a_truncated_face_keeps_its_labels_and_hides_the_points_outside(batch) -> None:
    config = replace(no_augmentation(), truncation=1.0, padding=(1.0, 0, 0, 0, 0, 0))
    _, plain = augment(batch, 96, no_augmentation(), seeded(2))
    for seed in range(4):
        crops, out = augment(batch, 96, config, seeded(seed))
        hidden = out.state == 2
        share = hidden.float().mean(1)
        assert (share > 0).all() and (share < 0.7).all()
        assert torch.equal(out.annotated, plain.annotated)
        pixel = ((out.points + 1) * 96 / 2 - 0.5).round().long()
        rows = torch.arange(6)[:, None].expand(-1, 68)
        framed = ((pixel >= 0) & (pixel < 96)).all(-1)
        dark = torch.zeros(6, 68, dtype=torch.bool)
        dark[framed] = crops.sum(1)[rows[framed], pixel[framed][:, 1], pixel[framed][:, 0]] == 0
        assert dark[hidden & framed].float().mean() > 0.9, "pixels at hidden points are black"
        assert dark[~hidden].float().mean() < 0.1, "pixels at other points are not black"


def test_the_crop_of_a_truncated_face_is_between_those_of_the_visible_part_and_the_whole(batch) -> None:
    valid = batch.valid.clone()
    valid[:, 2] = 0.05  # the right edge of the image is just right of the middle of the face
    cropped = replace(batch, valid=valid)
    every = torch.ones(6, dtype=torch.bool)
    whole, _, _ = draw_similarities(cropped, no_augmentation(), seeded())
    scales = torch.stack([draw_similarities(cropped, no_augmentation(), seeded(i), every)[0] for i in range(40)])
    assert (scales >= whole * 0.9999).all(), "part of a face has a smaller box, so its crop is enlarged more"
    assert (scales.amin(0) < 1.1 * whole).all() and (scales.amax(0) > 1.25 * whole).all()
    angle = draw_similarities(cropped, replace(GEOMETRY_ONLY, arbitrary_rotation=1.0), seeded(), every)[1]
    assert (angle == 0).all(), "image edges are upright at inference"


def test_nothing_is_drawn_beyond_the_edge_of_the_image(batch) -> None:
    sunglasses = EyewearConfig(sunglasses_probability=1.0)
    crops, _ = augment(batch, 64, replace(no_augmentation(), truncation=1.0, eyewear=sunglasses), seeded(1))
    truncated_only, _ = augment(batch, 64, replace(no_augmentation(), truncation=1.0), seeded(1))
    assert torch.equal(crops, truncated_only)
