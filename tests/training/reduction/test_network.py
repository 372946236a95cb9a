"""Initialization of a network from a trained one."""

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from rdrface.network.rdr import RDR  # noqa: E402
from rdrface.network.sizes import FULL, LITE, NetworkSizes  # noqa: E402
from rdrface.training.reduction.network import can_reduce, reduce_network  # noqa: E402

SMALL = NetworkSizes("small", (8, 8, 12, 12), None, 8, 8, 8, 8, 6, 8, 4, 8)


@pytest.fixture(scope="module")
def crops() -> Tensor:
    torch.manual_seed(0)
    coarse = 255 * torch.rand(160, 3, 12, 12)
    return nn.functional.interpolate(coarse, (64, 64), mode="bilinear")


@pytest.fixture(scope="module")
def trained(crops: Tensor) -> RDR:
    """A network with random weights whose output depends on the image."""
    torch.manual_seed(1)
    network = RDR(2, sizes=SMALL)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.uniform_(0.5, 1.5)
                module.bias.uniform_(-0.5, 0.5)
                module.momentum = 1.0
        heads = network.initialization
        for head in (heads.fc6_id, heads.fc6_p, heads.fc6_exp, network.c_lstm.correct, network.pe_lstm.correct):
            nn.init.normal_(head.weight, std=0.1)
        network.scale.mean[56] = 0.0085
        network.scale.std.fill_(0.1)
        network.scale.std[56] = 0.001
        network.train()(crops)
    return network.eval()


def test_a_network_of_the_same_sizes_reproduces_the_trained_one(trained: RDR, crops: Tensor) -> None:
    torch.manual_seed(2)
    copy = RDR(2, sizes=SMALL)
    reduce_network(trained, copy, crops)
    with torch.no_grad():
        theirs, ours = (network(crops).steps for network in (trained, copy))
    for k in range(3):
        spread = theirs[k].landmarks.std(0).mean()
        assert (ours[k].landmarks - theirs[k].landmarks).abs().mean() < 0.1 * spread


def test_a_smaller_network_keeps_most_of_the_output(trained: RDR, crops: Tensor) -> None:
    torch.manual_seed(2)
    smaller = RDR(2, sizes=replace(SMALL, stages=(8, 8, 10, 10), reduced=10, fc5_p=7, hidden=7))
    reduce_network(trained, smaller, crops)
    with torch.no_grad():
        theirs, ours = (network(crops).steps[-1].landmarks for network in (trained, smaller))
    spread = (theirs - theirs.mean(0)).square().mean()
    assert (ours - theirs).square().mean() < 0.6 * spread


def test_only_the_light_network_is_made_from_the_full_one() -> None:
    assert can_reduce(FULL, LITE)
    assert not can_reduce(LITE, FULL)
    assert not can_reduce(LITE, LITE)
