"""Covers of half the face, and face masks."""

import pytest

torch = pytest.importorskip("torch")

from covered_crops import SIZE, changed_at, faces, images, seeded  # noqa: E402
from rdrface.training.augmentation.face_covers import (  # noqa: E402
    CoverConfig,
    cover_halves,
    inside_hull,
    no_covers,
    wear_masks,
)
from rdrface.training.augmentation.face_frame import FaceFrame, pixel_centers, point_columns  # noqa: E402
from rdrface.training.augmentation.occluder_textures import TEXTURES, draw_textures  # noqa: E402

ALWAYS = CoverConfig(half_face_probability=1.0, mask_probability=1.0)


@pytest.mark.parametrize("roll_deg", [0.0, 70.0])
@pytest.mark.parametrize("cover", [cover_halves, wear_masks])
def test_pixels_change_at_covered_points_and_not_at_others(cover, roll_deg):
    before, points = images(), faces(roll_deg)
    after, covered = cover(before.clone(), points, ALWAYS, seeded())
    changed = changed_at(before, after, points)
    assert changed[covered].float().mean() > 0.97
    assert changed[~covered].float().mean() < 0.12
    assert after.min() >= 0 and after.max() <= 255


def test_covers_come_from_all_sides_and_leave_a_part_of_the_face():
    parts = []
    for seed in range(8):
        _, covered = cover_halves(images(), faces(), ALWAYS, seeded(seed))
        parts.append(covered)
    covered = torch.cat(parts)
    share = covered.float().mean(1)
    assert 0.2 < share.mean() < 0.6 and share.max() < 0.9
    for points in ([36, 0, 17], [45, 16, 26], [8, 57], [19, 24]):
        assert covered[:, points].all(1).float().mean() > 0.12
        assert covered[:, points].any(1).float().mean() < 0.8


def test_a_mask_covers_mouth_and_chin_but_no_eye():
    for seed in range(4):
        _, covered = wear_masks(images(), faces(30.0), ALWAYS, seeded(seed))
        assert covered[:, 48:].all() and covered[:, 5:12].all() and covered[:, 33].all()
        assert not covered[:, 17:27].any() and not covered[:, 36:48].any() and not covered[:, [0, 16]].any()


def test_faces_with_unknown_points_and_faces_that_are_not_chosen_do_not_change():
    points = faces().clone()
    points[:5, 40] = torch.nan
    before = images()
    for cover in (cover_halves, wear_masks):
        after, covered = cover(before.clone(), points, ALWAYS, seeded())
        assert torch.equal(after[:5], before[:5]) and not covered[:5].any() and covered[5:].any(1).all()
        after, covered = cover(before.clone(), points, no_covers(), seeded())
        assert torch.equal(after, before) and not covered.any()


def test_the_hull_contains_its_points_and_nothing_far_away():
    corners = torch.tensor([[[-0.5, -0.5], [0.5, -0.5], [0.0, 0.5]]])
    margin = torch.tensor([[0.01]])
    assert inside_hull(corners, margin, *point_columns(corners)).all()
    outside = torch.tensor([[[-0.5, 0.3], [0.0, -0.6], [0.4, 0.2], [0.0, 0.6]]])
    assert not inside_hull(corners, margin, *point_columns(outside)).any()
    area = inside_hull(corners, margin, *pixel_centers(200, torch.device("cpu"))).float().mean() * 4
    assert 0.5 < area < 0.7, "the approximated hull contains the corners and is not much larger"


def test_the_face_axes_rotate_with_the_roll_and_are_defined_in_a_profile():
    upright, rotated = FaceFrame.of(faces()), FaceFrame.of(faces(90.0))
    torch.testing.assert_close(upright.down[0], torch.tensor([0.0, 1.0]), atol=1e-5, rtol=0)
    torch.testing.assert_close(rotated.down[0], torch.tensor([-1.0, 0.0]), atol=1e-5, rtol=0)
    profile = FaceFrame.of(faces() * torch.tensor([0.0, 1.0]))
    torch.testing.assert_close(profile.down, upright.down, atol=1e-5, rtol=0)
    torch.testing.assert_close(profile.unit, upright.unit, atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", range(len(TEXTURES)))
def test_every_texture_is_within_the_range_of_pixels(kind):
    shares = tuple(float(i == kind) for i in range(len(TEXTURES)))
    before = images()
    texture = draw_textures(before, torch.tensor([3, 31]), shares, seeded())
    assert texture.shape == (2, 3, SIZE, SIZE) and texture.min() >= 0 and texture.max() <= 255
    uniform = (texture == texture[..., :1, :1]).all()
    assert bool(uniform) == (TEXTURES[kind] == "color")
    if TEXTURES[kind] == "other face":
        assert torch.equal(texture[1], before[0].flip(1))
