"""Crops without a face: their pixels, and what happens to their labels."""

from dataclasses import replace

import numpy as np
import pytest

from annotated import records_of

torch = pytest.importorskip("torch")

from rdrface.datasets.packing import pack  # noqa: E402
from rdrface.datasets.synthetic import random_parameters  # noqa: E402
from rdrface.landmarks import NUM_LANDMARKS  # noqa: E402
from rdrface.network.projection import Projection  # noqa: E402
from rdrface.training.augmentation.augment import augment  # noqa: E402
from rdrface.training.augmentation.config import no_augmentation, stage_augmentation  # noqa: E402
from rdrface.training.augmentation.crop_batch import CropBatch  # noqa: E402
from rdrface.training.augmentation.no_face import ENLARGEMENT, look_at_parts, shuffle_tiles  # noqa: E402
from rdrface.training.batch import make_batch  # noqa: E402
from rdrface.training.config import StageConfig  # noqa: E402


def seeded(seed=3):
    return torch.Generator().manual_seed(seed)


def test_shuffled_tiles_keep_the_pixels_and_lose_their_order():
    crops = torch.rand(3, 3, 120, 120) * 255
    before = crops.clone()
    shuffle_tiles(crops, torch.tensor([True, False, True]), seeded())
    torch.testing.assert_close(crops[1], before[1], rtol=0, atol=0)
    for i in (0, 2):
        assert (crops[i] != before[i]).float().mean() > 0.5
        torch.testing.assert_close(crops[i].flatten(1).sort(1)[0], before[i].flatten(1).sort(1)[0], rtol=0, atol=0)


def test_a_part_is_enlarged_and_within_the_image():
    valid = torch.tensor([[-0.5, -1.0, 1.0, 0.25]]).expand(200, 4)
    chosen = torch.arange(200) % 2 == 0
    scale, shift = look_at_parts(valid, chosen, torch.full((200,), 1.4), torch.full((200, 2), 0.1), seeded())
    assert (scale[~chosen] == 1.4).all() and (shift[~chosen] == 0.1).all()
    enlargement = scale[chosen] / 1.4
    assert enlargement.min() >= ENLARGEMENT[0] and enlargement.max() <= ENLARGEMENT[1]
    center = -shift[chosen] / scale[chosen, None]
    assert (center >= valid[chosen, :2]).all() and (center <= valid[chosen, 2:]).all()


def test_crops_without_a_face_are_marked_and_the_others_stay_as_they_are(tmp_path):
    batch = CropBatch.of(pack(records_of(tmp_path, 6), size=160), np.arange(6))
    none, labels = augment(batch, 64, no_augmentation(), seeded())
    assert not labels.no_face.any()
    some, marked = augment(batch, 64, replace(no_augmentation(), no_face=0.5), seeded(1))
    assert 0 < marked.no_face.sum() < 6
    changed = (some - none).abs().mean((1, 2, 3))
    assert (changed[marked.no_face] > 5).all() and (changed[~marked.no_face] < 1).all()


def test_a_crop_without_a_face_has_no_label(tmp_path):
    """A teacher's outputs on the face that was there do not count either."""
    batch = CropBatch.of(pack(records_of(tmp_path, 2), size=160), np.arange(2))
    q = torch.from_numpy(random_parameters(2, np.random.default_rng(0))).float()
    points = torch.rand(2, NUM_LANDMARKS, 2)
    labels = replace(batch, Q=q, residual=torch.ones(2), teacher_points=points, teacher_jawline=points, teacher_Q=q)
    made = make_batch(torch.zeros(2, 3, 32, 32), replace(labels, no_face=torch.tensor([True, False])), Projection())
    assert (made.weight[0] == 0).all() and (made.weight[1] > 0).any()
    assert not made.labeled[0].any() and (made.state[0] == 0).all()
    assert made.trust.tolist() == [0, 1] and made.expression_trust[0] == 0
    assert (made.teacher.weight[0] == 0).all() and made.teacher.trust.tolist() == [0, 1]
    assert made.no_face.tolist() == [True, False]


def test_a_stage_has_its_share_of_crops_without_a_face():
    assert stage_augmentation(StageConfig("joint", 1)).no_face == 0
    assert stage_augmentation(StageConfig("joint", 1, no_face=0.05, appearance_strength=0.5)).no_face == 0.05
    assert stage_augmentation(StageConfig("joint", 1, no_face=0.05, augment=False)).no_face == 0
