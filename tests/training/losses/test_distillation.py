"""Losses towards a teacher."""

import pytest

torch = pytest.importorskip("torch")

from rdrface.network.rdr import RDR  # noqa: E402
from rdrface.network.sizes import LITE  # noqa: E402
from rdrface.training.batch import Batch  # noqa: E402
from rdrface.training.losses.distillation import distilled  # noqa: E402
from rdrface.training.losses.iteration_losses import iteration_losses  # noqa: E402
from rdrface.training.losses.objective import Objective  # noqa: E402
from rdrface.training.losses.weights import LossWeights  # noqa: E402


def batch_of(network: RDR, crops: torch.Tensor, offset: float, teacher: Batch | None = None) -> Batch:
    """Labels that lie `offset` to the right of the network's own prediction."""
    with torch.no_grad():
        step = network(crops).steps[-1]
    count = len(crops)
    return Batch(
        crops,
        points=step.landmarks + torch.tensor([offset, 0.0]),
        weight=torch.ones(count, 68),
        labeled=torch.ones(count, 68, dtype=torch.bool),
        state=torch.ones(count, 68, dtype=torch.int64),
        jawline=step.projection_jawline,
        q=step.q,
        trust=torch.ones(count),
        expression_trust=torch.ones(count),
        teacher=teacher,
    )


@pytest.fixture(scope="module")
def network() -> RDR:
    torch.manual_seed(0)
    return RDR(1, sizes=LITE).eval().requires_grad_(False)


def test_the_share_mixes_the_losses_on_labels_and_on_the_teacher(network: RDR) -> None:
    crops = torch.full((2, 3, 64, 64), 99.0)
    soft, hard = batch_of(network, crops, 0.1), batch_of(network, crops, 0.3)
    steps, std = network(crops).steps, network.scale.std
    on_labels, on_teacher = (iteration_losses(steps, each, std) for each in (hard, soft))
    assert on_teacher["landmarks"] < on_labels["landmarks"]
    for share in (0.0, 0.25, 1.0):
        mixed = distilled(on_labels, steps, soft, std, share)
        for name, value in mixed.items():
            assert torch.isclose(value, (1 - share) * on_labels[name] + share * on_teacher[name])


def test_a_teacher_changes_the_losses_of_points_but_not_those_of_visibility(network: RDR) -> None:
    crops = torch.full((2, 3, 64, 64), 99.0)
    alone = batch_of(network, crops, 0.3)
    taught = batch_of(network, crops, 0.3, teacher=batch_of(network, crops, 0.1))
    objective = Objective(network, LossWeights(), 0.5)
    (_, without), (_, together) = objective(alone, 1), objective(taught, 1)
    assert without.keys() == together.keys()
    assert together["landmarks"] < without["landmarks"]
    for name in ("visibility", "uncertainty", "response"):
        assert together[name] == without[name]
