"""The projection layer: the same results as NumPy, and gradients for every parameter."""

import numpy as np
import torch

from rdrface.datasets.synthetic import random_parameters
from rdrface.morphable.landmark_model import LandmarkModel
from rdrface.morphable.model import FaceModel
from rdrface.network.projection import Projection


def test_layer_equals_numpy() -> None:
    q = random_parameters(16, np.random.default_rng(0))
    expected = LandmarkModel.from_face_model(FaceModel.load()).outline68(q)
    projected = Projection()(torch.from_numpy(q))
    for found, reference in zip(projected, expected, strict=True):
        # Pixels of a 160-pixel image.
        assert np.abs(found.numpy() - reference).max() < 1e-2


def test_gradients_reach_all_of_q() -> None:
    q = torch.from_numpy(random_parameters(4, np.random.default_rng(1))).requires_grad_()
    outline, jawline = Projection()(q)
    (outline.square().sum() + jawline.square().sum()).backward()
    assert q.grad is not None
    assert torch.isfinite(q.grad).all()
    assert (q.grad.abs().sum(0) > 0).all()
