"""Mirroring of packed faces: pixels, labels and coefficients change consistently."""

from dataclasses import replace

import numpy as np
import pytest

from annotated import records_of

torch = pytest.importorskip("torch")

from rdrface.datasets.packing import pack  # noqa: E402
from rdrface.morphable.landmark_model import LandmarkModel  # noqa: E402
from rdrface.morphable.model import FaceModel  # noqa: E402
from rdrface.morphable.params import POSE  # noqa: E402
from rdrface.training.augmentation.crop_batch import CropBatch  # noqa: E402
from rdrface.training.augmentation.mirror import CoefficientMirror, mirror_faces  # noqa: E402


def seeded(seed=3):
    return torch.Generator().manual_seed(seed)


def test_mirrored_coefficients_give_the_mirrored_face():
    """With the packaged face model, the jawline points of the mirrored Q are the mirrored, reordered jawline points."""
    model = FaceModel.load()
    landmarks = LandmarkModel.from_face_model(model)
    rng = np.random.default_rng(2)
    Q = np.concatenate([rng.normal(0, 1, (6, 50)), np.zeros((6, 7)), rng.uniform(0, 0.6, (6, 46))], 1).astype(
        np.float32
    )
    Q[:, POSE] = np.array([0.2, -0.5, 0.3, 2, -3, 1, 0.01], np.float32)
    points = torch.from_numpy(landmarks.outline68(Q)[1][..., :2].astype(np.float32))
    batch = CropBatch(
        images=torch.zeros(6, 16, 16, 3, dtype=torch.uint8),
        valid=torch.tensor([[-1.0, -1, 1, 1]]).repeat(6, 1),
        points=points,
        state=torch.ones(6, 68, dtype=torch.int8),
        jawline_convention=torch.ones(6, dtype=torch.bool),
        outline=points,
        jawline=points,
        Q=torch.from_numpy(Q),
        residual=torch.ones(6),
        label_weight=torch.ones(6),
        margin=1.4,
    )
    mirrors = CoefficientMirror.of(model)
    once = mirror_faces(batch, torch.ones(6, dtype=torch.bool), mirrors)
    again = torch.from_numpy(landmarks.outline68(once.Q.numpy())[1][..., :2].astype(np.float32))
    torch.testing.assert_close(again, once.jawline, atol=2e-3, rtol=0)  # 0.2 mm at 0.01 per mm
    assert (once.jawline - points).abs().max() > 0.05


def test_mirroring_twice_changes_nothing(tmp_path):
    batch = CropBatch.of(pack(records_of(tmp_path, 6), size=160), np.arange(6))
    state = torch.randint(0, 4, (6, 68), generator=seeded()).to(torch.int8)
    batch = replace(batch, state=state)
    every = torch.ones(6, dtype=torch.bool)
    mirrors = CoefficientMirror(torch.ones(50).index_fill(0, torch.arange(0, 50, 3), -1.0), torch.arange(46).flip(0))
    once = mirror_faces(batch, every, mirrors)
    assert torch.equal(once.images, batch.images.flip(2))
    assert torch.equal(once.state[:, 36], state[:, 45])
    torch.testing.assert_close(once.Q[:, :3], batch.Q[:, :3] * torch.tensor([-1.0, 1, 1]))
    torch.testing.assert_close(once.Q[:, 57], batch.Q[:, 102])
    twice = mirror_faces(once, every, mirrors)
    for name, value in batch.__dict__.items():
        if name != "margin":
            torch.testing.assert_close(getattr(twice, name), value)
    assert mirror_faces(batch, ~every, mirrors) is batch
