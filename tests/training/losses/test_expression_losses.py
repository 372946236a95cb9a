"""Losses on expression, and the bounds of the coefficients."""

import pytest
import torch

from rdrface.morphable.model import FaceModel
from rdrface.network.parameter_initialization import ExpressionBounds
from rdrface.training.losses.expression_losses import coefficient_loss, vector_loss


@pytest.fixture
def points() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.rand(2, 68, 2) - 0.5


def test_a_closed_eye_has_a_loss_and_a_moved_face_has_none(points: torch.Tensor) -> None:
    weight = torch.ones(2, 68)
    assert vector_loss(points + 0.2, points, weight).item() == pytest.approx(0, abs=1e-5)
    closed = points.clone()
    closed[:, [37, 38], 1] += 0.05
    assert vector_loss(closed, points, weight).item() > 0.001


def test_a_vector_with_an_unlabeled_end_does_not_count(points: torch.Tensor) -> None:
    weight = torch.ones(2, 68)
    weight[:, [37, 38]] = 0
    closed = points.clone()
    closed[:, [37, 38]] = torch.nan
    assert vector_loss(closed, points, weight).item() == 0


def test_only_trusted_expression_counts() -> None:
    expression, truth = torch.zeros(2, 46), torch.zeros(2, 46)
    names = list(FaceModel.load().expression_names)
    truth[:, names.index("cheekPuff")] = 1.0
    full = coefficient_loss(expression, truth, torch.ones(2)).item()
    assert full > 0
    blink = torch.zeros(2, 46)
    blink[:, names.index("eyeBlinkLeft")] = 1.0
    assert coefficient_loss(expression, blink, torch.ones(2)).item() == pytest.approx(4 * full)
    assert coefficient_loss(expression, truth, torch.tensor([1.0, 0.0])).item() == pytest.approx(full / 2)


def test_coefficients_are_bounded() -> None:
    names = list(FaceModel.load().expression_names)
    q = torch.zeros(1, 103)
    q[0, 57 + names.index("jawOpen")] = -0.4
    q[0, 57 + names.index("jawLeft")] = 0.6
    q[0, 57 + names.index("jawRight")] = 0.2
    bounded = ExpressionBounds()(q)
    strength = {name: bounded[0, 57 + names.index(name)].item() for name in ("jawOpen", "jawLeft", "jawRight")}
    assert strength == pytest.approx({"jawOpen": 0.0, "jawLeft": 0.4, "jawRight": 0.0}, abs=1e-6)
