import pytest

torch = pytest.importorskip("torch")

from annotated import face_points  # noqa: E402
from rdrface.training.augmentation.image_borders import (  # noqa: E402
    border_shares,
    box_of,
    detected_box,
    end_inside,
    end_near,
    inside,
)

COUNT = 400
WINDOW = torch.tensor([[-1.0, -1.0, 1.0, 1.0]]).repeat(COUNT, 1)


def faces(count=COUNT):
    return torch.from_numpy(face_points(0, (0.05, -0.02), 0.9)).float().expand(count, -1, -1)


def seeded(seed=1):
    return torch.Generator().manual_seed(seed)


def test_a_photo_ends_inside_the_face_at_one_side_by_the_share_asked_for():
    points = faces()
    low, high = box_of(points)
    every = torch.ones(COUNT, dtype=torch.bool)
    valid = end_inside(WINDOW, points, every, (0.1, 0.5), (0.1, 0.3), seeded())
    moved = valid != WINDOW
    assert (moved.sum(1) <= 1).all() and moved.any(1).float().mean() > 0.9
    assert (moved.float().mean(0) > 0.15).all(), "each side is cut"
    share = (torch.cat([valid[:, :2] - low, high - valid[:, 2:]], 1) / (high - low).repeat(1, 2))[moved]
    limit = torch.tensor([0.5, 0.3, 0.5, 0.3]).expand(COUNT, -1)[moved]
    assert (share > 0.0999).all() and (share <= limit + 1e-4).all() and share.max() > 0.45


def test_faces_that_are_not_chosen_keep_their_photo():
    chosen = torch.arange(COUNT) % 2 == 0
    valid = end_inside(WINDOW, faces(), chosen, (0.1, 0.5), (0.1, 0.3), seeded())
    assert torch.equal(valid[~chosen], WINDOW[~chosen])


def test_a_cut_leaves_enough_of_a_profile():
    """All inner points lie in the left fifth of the box: cutting the left half would leave none of them."""
    points = faces().clone()
    points[:, 17:, 0] = points[:, 17:, 0] * 0.1 - 0.38
    every = torch.ones(COUNT, dtype=torch.bool)
    valid = end_inside(WINDOW, points, every, (0.3, 0.5), (0.1, 0.3), seeded())
    assert (valid[:, 0] == -1).all() and (valid[:, 2] < 1).any()


def test_a_photo_ends_near_the_face_at_the_distances_asked_for():
    points = faces()
    low, high = box_of(points)
    side = (high - low).prod(-1, keepdim=True).sqrt()
    valid = end_near(WINDOW, points, 1.0, (0.1, 0.3), seeded())
    distance = torch.cat([low - valid[:, :2], valid[:, 2:] - high], 1) / side
    assert (distance > 0.0999).all() and (distance < 0.3001).all()
    assert torch.equal(end_near(WINDOW, points, 0.0, (0.1, 0.3), seeded()), WINDOW)


def test_a_detector_sees_something_between_the_visible_part_and_the_whole():
    points = faces()
    seen = inside(points, torch.tensor([[-1.0, -1.0, 0.1, 1.0]]).expand(COUNT, -1))
    chosen = torch.arange(COUNT) < COUNT // 2
    low, high = detected_box(points, seen, chosen, seeded())
    whole_low, whole_high = box_of(points)
    assert torch.equal(high[~chosen], whole_high[~chosen]) and torch.equal(low, whole_low)
    right = high[chosen, 0]
    assert right.min() < 0.13 and right.max() > whole_high[0, 0] - 0.03 and right.std() > 0.05
    assert torch.isfinite(detected_box(points, torch.zeros_like(seen), chosen, seeded())[0]).all()


def test_half_a_face_is_not_completed_by_its_mirror_image():
    cut = torch.tensor([True, False])
    shares = border_shares((0.3, 0.2, 0.2, 0.15, 0.1, 0.05), cut)
    torch.testing.assert_close(shares[0], torch.tensor([0.3, 0.2, 0, 0, 0.1, 0.05]))
    torch.testing.assert_close(shares[1], torch.tensor([0.3, 0.2, 0.2, 0.15, 0.1, 0.05]))
    assert border_shares((0, 0, 1.0, 0, 0, 0), cut).sum() == 2, "unless nothing else is asked for"
