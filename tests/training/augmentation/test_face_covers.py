import pytest

torch = pytest.importorskip("torch")

from covered_crops import SIZE, changed_at, faces, photos, seeded  # noqa: E402
from rdrface.training.augmentation.face_covers import CoverConfig, cover_halves, inside_hull, no_covers, wear_masks  # noqa: E402
from rdrface.training.augmentation.face_frame import FaceFrame, pixel_centers, point_columns  # noqa: E402
from rdrface.training.augmentation.occluder_textures import FILLINGS, draw_fillings  # noqa: E402


@pytest.mark.parametrize("turn", [0.0, 70.0])
@pytest.mark.parametrize("cover", [cover_halves, wear_masks])
def test_points_marked_covered_lie_on_changed_pixels_and_the_others_do_not(cover, turn):
    before, points = photos(), faces(turn)
    after, covered = cover(before.clone(), points, CoverConfig(half=1.0, mask=1.0), seeded())
    changed = changed_at(before, after, points)
    assert changed[covered].float().mean() > 0.97
    assert changed[~covered].float().mean() < 0.12
    assert after.min() >= 0 and after.max() <= 255


def test_halves_come_from_all_sides_and_leave_a_part_of_the_face():
    parts = []
    for seed in range(8):
        _, covered = cover_halves(photos(), faces(), CoverConfig(half=1.0), seeded(seed))
        parts.append(covered)
    covered = torch.cat(parts)
    share = covered.float().mean(1)
    assert 0.2 < share.mean() < 0.6 and share.max() < 0.9
    for points in ([36, 0, 17], [45, 16, 26], [8, 57], [19, 24]):
        assert covered[:, points].all(1).float().mean() > 0.12
        assert covered[:, points].any(1).float().mean() < 0.8


def test_a_mask_hides_mouth_and_chin_but_no_eye():
    for seed in range(4):
        _, covered = wear_masks(photos(), faces(30.0), CoverConfig(mask=1.0), seeded(seed))
        assert covered[:, 48:].all() and covered[:, 5:12].all() and covered[:, 33].all()
        assert not covered[:, 17:27].any() and not covered[:, 36:48].any() and not covered[:, [0, 16]].any()


def test_faces_with_unknown_points_and_faces_not_chosen_stay_as_they_are():
    points = faces().clone()
    points[:5, 40] = torch.nan
    before = photos()
    for cover in (cover_halves, wear_masks):
        after, covered = cover(before.clone(), points, CoverConfig(half=1.0, mask=1.0), seeded())
        assert torch.equal(after[:5], before[:5]) and not covered[:5].any() and covered[5:].any(1).all()
        after, covered = cover(before.clone(), points, no_covers(), seeded())
        assert torch.equal(after, before) and not covered.any()


def test_the_hull_holds_its_points_and_nothing_far_away():
    corners = torch.tensor([[[-0.5, -0.5], [0.5, -0.5], [0.0, 0.5]]])
    margin = torch.tensor([[0.01]])
    assert inside_hull(corners, margin, *point_columns(corners)).all()
    outside = torch.tensor([[[-0.5, 0.3], [0.0, -0.6], [0.4, 0.2], [0.0, 0.6]]])
    assert not inside_hull(corners, margin, *point_columns(outside)).any()
    area = inside_hull(corners, margin, *pixel_centers(200, torch.device("cpu"))).float().mean() * 4
    assert 0.5 < area < 0.7, "the lines that bound it cut no corner off and add little"


def test_the_axes_follow_the_roll_and_do_not_need_a_line_between_the_eyes():
    upright, turned = FaceFrame.of(faces()), FaceFrame.of(faces(90.0))
    torch.testing.assert_close(upright.down[0], torch.tensor([0.0, 1.0]), atol=1e-5, rtol=0)
    torch.testing.assert_close(turned.down[0], torch.tensor([-1.0, 0.0]), atol=1e-5, rtol=0)
    narrow = FaceFrame.of(faces() * torch.tensor([0.0, 1.0]))
    torch.testing.assert_close(narrow.down, upright.down, atol=1e-5, rtol=0)
    torch.testing.assert_close(narrow.unit, upright.unit, atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", range(len(FILLINGS)))
def test_every_filling_stays_in_range(kind):
    shares = tuple(float(i == kind) for i in range(len(FILLINGS)))
    before = photos()
    filling = draw_fillings(before, torch.tensor([3, 31]), shares, seeded())
    assert filling.shape == (2, 3, SIZE, SIZE) and filling.min() >= 0 and filling.max() <= 255
    flat = (filling == filling[..., :1, :1]).all()
    assert bool(flat) == (FILLINGS[kind] == "color")
    if FILLINGS[kind] == "other face":
        assert torch.equal(filling[1], before[0].flip(1))
