"""The training objective: weights and gradients of all losses."""

import pytest
import torch

from rdrface.network.rdr import RDR
from rdrface.training.batch import Batch
from rdrface.training.losses.objective import NO_FACE_ERROR, losses, total, uncertainty_loss
from rdrface.training.losses.weights import LossWeights


def test_all_losses_have_a_weight_and_a_gradient_for_every_part() -> None:
    torch.manual_seed(0)
    network = RDR(2).train()
    network.scale.mean[56] = 0.009
    prediction = network(torch.rand(2, 3, 64, 64) * 255)
    q = prediction.steps[0].q.detach() + 0.01
    batch = Batch(
        torch.empty(2, 0),
        points=prediction.steps[0].landmarks.detach() + 0.05,
        weight=torch.ones(2, 68),
        labeled=torch.ones(2, 68, dtype=torch.bool),
        state=torch.ones(2, 68, dtype=torch.int8),
        jawline=prediction.steps[0].projection_jawline.detach() - 0.05,
        q=q,
        trust=torch.ones(2),
        expression_trust=torch.ones(2),
    )
    parts = losses(prediction, network.response(prediction.deconv5), batch, network.scale.std)
    assert set(parts) == set(LossWeights.__dataclass_fields__)
    loss = total(parts, LossWeights())
    loss.backward()
    assert torch.isfinite(loss)
    without_gradient = [
        name for name, p in network.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()
    ]
    assert without_gradient == []


def test_the_uncertainty_loss_is_minimal_at_the_observed_error() -> None:
    distance = 0.03
    batch = Batch(
        torch.empty(1, 0),
        points=torch.zeros(1, 2, 2),
        weight=torch.ones(1, 2),
        labeled=torch.tensor([[True, False]]),
        state=torch.ones(1, 2, dtype=torch.int8),
        jawline=torch.zeros(1, 2, 3),
        q=torch.zeros(1, 103),
        trust=torch.ones(1),
        expression_trust=torch.ones(1),
    )
    landmarks = torch.tensor([[[distance, 0.0], [torch.nan, 1.0]]])
    log_uncertainty = torch.linspace(-6, 0, 601)
    values = [uncertainty_loss(one.expand(1, 2), landmarks, batch).item() for one in log_uncertainty]
    best = log_uncertainty[int(torch.tensor(values).argmin())]
    assert torch.exp(best).item() == pytest.approx(distance, rel=0.02)


def test_the_uncertainty_of_a_crop_without_a_face_is_large_whatever_is_predicted() -> None:
    batch = Batch(
        torch.empty(1, 0),
        points=torch.zeros(1, 2, 2),
        weight=torch.zeros(1, 2),
        labeled=torch.zeros(1, 2, dtype=torch.bool),
        state=torch.zeros(1, 2, dtype=torch.int8),
        jawline=torch.zeros(1, 2, 3),
        q=torch.zeros(1, 103),
        trust=torch.zeros(1),
        expression_trust=torch.zeros(1),
        no_face=torch.ones(1, dtype=torch.bool),
    )
    log_uncertainty = torch.linspace(-6, 0, 601)
    values = [uncertainty_loss(one.expand(1, 2), torch.zeros(1, 2, 2), batch).item() for one in log_uncertainty]
    best = log_uncertainty[int(torch.tensor(values).argmin())]
    assert torch.exp(best).item() == pytest.approx(NO_FACE_ERROR, rel=0.02)
