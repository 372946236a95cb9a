"""Cropping of images near the face and through it."""

import pytest

torch = pytest.importorskip("torch")

from annotated import face_points  # noqa: E402
from rdrface.training.augmentation.boxes import bounding_corners  # noqa: E402
from rdrface.training.augmentation.image_borders import (  # noqa: E402
    crop_image_near_face,
    crop_image_through_face,
    inside_image,
    padding_shares,
    simulated_detection,
)

COUNT = 400
UNCROPPED = torch.tensor([[-1.0, -1.0, 1.0, 1.0]]).repeat(COUNT, 1)


def faces(count=COUNT):
    return torch.from_numpy(face_points(0, (0.05, -0.02), 0.9)).float().expand(count, -1, -1)


def seeded(seed=1):
    return torch.Generator().manual_seed(seed)


def test_an_image_is_cropped_through_the_face_on_one_side_by_a_share_in_the_range():
    points = faces()
    low, high = bounding_corners(points)
    chosen = torch.ones(COUNT, dtype=torch.bool)
    valid = crop_image_through_face(UNCROPPED, points, chosen, (0.1, 0.5), (0.1, 0.3), seeded())
    moved = valid != UNCROPPED
    assert (moved.sum(1) <= 1).all() and moved.any(1).float().mean() > 0.9
    assert (moved.float().mean(0) > 0.15).all(), "each side is cropped"
    share = (torch.cat([valid[:, :2] - low, high - valid[:, 2:]], 1) / (high - low).repeat(1, 2))[moved]
    limit = torch.tensor([0.5, 0.3, 0.5, 0.3]).expand(COUNT, -1)[moved]
    assert (share > 0.0999).all() and (share <= limit + 1e-4).all() and share.max() > 0.45


def test_images_that_are_not_chosen_are_not_cropped():
    chosen = torch.arange(COUNT) % 2 == 0
    valid = crop_image_through_face(UNCROPPED, faces(), chosen, (0.1, 0.5), (0.1, 0.3), seeded())
    assert torch.equal(valid[~chosen], UNCROPPED[~chosen])


def test_a_crop_that_removes_too_much_of_the_face_is_skipped():
    """All inner points are in the left fifth of the box: without the left half, none of them would remain."""
    points = faces().clone()
    points[:, 17:, 0] = points[:, 17:, 0] * 0.1 - 0.38
    chosen = torch.ones(COUNT, dtype=torch.bool)
    valid = crop_image_through_face(UNCROPPED, points, chosen, (0.3, 0.5), (0.1, 0.3), seeded())
    assert (valid[:, 0] == -1).all() and (valid[:, 2] < 1).any()


def test_an_image_is_cropped_near_the_face_at_distances_in_the_range():
    points = faces()
    low, high = bounding_corners(points)
    side = (high - low).prod(-1, keepdim=True).sqrt()
    valid = crop_image_near_face(UNCROPPED, points, 1.0, (0.1, 0.3), seeded())
    distance = torch.cat([low - valid[:, :2], valid[:, 2:] - high], 1) / side
    assert (distance > 0.0999).all() and (distance < 0.3001).all()
    assert torch.equal(crop_image_near_face(UNCROPPED, points, 0.0, (0.1, 0.3), seeded()), UNCROPPED)


def test_a_simulated_detection_is_between_the_visible_part_and_the_whole_face():
    points = faces()
    visible = inside_image(points, torch.tensor([[-1.0, -1.0, 0.1, 1.0]]).expand(COUNT, -1))
    cropped = torch.arange(COUNT) < COUNT // 2
    low, high = simulated_detection(points, visible, cropped, seeded())
    whole_low, whole_high = bounding_corners(points)
    assert torch.equal(high[~cropped], whole_high[~cropped]) and torch.equal(low, whole_low)
    right = high[cropped, 0]
    assert right.min() < 0.13 and right.max() > whole_high[0, 0] - 0.03 and right.std() > 0.05
    assert torch.isfinite(simulated_detection(points, torch.zeros_like(visible), cropped, seeded())[0]).all()


def test_half_a_face_is_not_padded_with_its_mirror_image():
    cropped = torch.tensor([True, False])
    shares = padding_shares((0.3, 0.2, 0.2, 0.15, 0.1, 0.05), cropped)
    torch.testing.assert_close(shares[0], torch.tensor([0.3, 0.2, 0, 0, 0.1, 0.05]))
    torch.testing.assert_close(shares[1], torch.tensor([0.3, 0.2, 0.2, 0.15, 0.1, 0.05]))
    assert padding_shares((0, 0, 1.0, 0, 0, 0), cropped).sum() == 2, "unless it is the only kind"
