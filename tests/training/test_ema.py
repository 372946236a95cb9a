"""The exponential moving average of the weights."""

import pytest
import torch

from rdrface.network.rdr import RDR
from rdrface.training.ema import EMA, WARM_UP, average_


def change(network: RDR, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in [*network.parameters(), *network.buffers()]:
            if tensor.is_floating_point():
                tensor.add_(torch.randn(tensor.shape, generator=generator))
            else:
                tensor.add_(1)


def test_parameters_and_buffers_are_averaged_with_a_warm_up_of_the_decay() -> None:
    torch.manual_seed(0)
    network = RDR(0)
    ema = EMA(network, decay=0.2)
    name, statistic = "initialization.fc6_p.bias", "backbone.stem.1.running_mean"
    expected = {key: network.state_dict()[key].clone() for key in (name, statistic)}
    for n in (1, 2, 3):
        change(network, n)
        ema.update_parameters(network)
        decay = min(0.2, n / (n + WARM_UP))
        for key in expected:
            expected[key] = decay * expected[key] + (1 - decay) * network.state_dict()[key]
    assert ema.updates == 3
    averaged = ema.module.state_dict()
    for key, value in expected.items():
        torch.testing.assert_close(averaged[key], value)
    counts = [key for key, value in averaged.items() if key.endswith("num_batches_tracked") and int(value) == 3]
    assert counts, "integer buffers are copied"


def test_the_average_is_not_trained() -> None:
    ema = EMA(RDR(0).train(), 0.9)
    assert not ema.module.training and not any(p.requires_grad for p in ema.module.parameters())


def test_the_decay_is_the_fraction_of_the_average_that_is_kept() -> None:
    averages, values = [torch.tensor([1.0]), torch.tensor([1])], [torch.tensor([3.0]), torch.tensor([7])]
    average_(averages, values, 0.75)
    assert averages[0].item() == pytest.approx(1.5) and averages[1].item() == 7
