"""The light network: dimensions, cost, file size, and its way through export and restore."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from exported import some_crops  # noqa: E402
from rdrface.network.rdr import RDR  # noqa: E402
from rdrface.network.sizes import FULL, LITE, NETWORKS, network_sizes  # noqa: E402
from rdrface.runtime.weights import graph_path, read_info  # noqa: E402
from rdrface.runtime.weights_session import open_session  # noqa: E402
from rdrface.training.restore import restore  # noqa: E402

SIZE = 128


@pytest.fixture(scope="module")
def lite() -> RDR:
    torch.manual_seed(0)
    return RDR(2, sizes=LITE).eval()


def multiply_adds(network: RDR, size: int) -> int:
    """Multiply-adds of the convolutions and linear layers for one face."""
    total = 0

    def count(module: nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        nonlocal total
        if isinstance(module, nn.Linear):
            total += module.weight.numel()
        elif isinstance(module, nn.Conv2d):
            total += module.weight.numel() * output[0, 0].numel()
        elif isinstance(module, nn.ConvTranspose2d):
            total += module.weight.numel() * inputs[0][0, 0].numel()

    hooks = [module.register_forward_hook(count) for module in network.modules() if module is not network]  # type: ignore[arg-type]
    with torch.no_grad():
        network(torch.zeros(1, 3, size, size))
    for hook in hooks:
        hook.remove()
    cells = [part.cell for part in (network.pe_lstm, network.c_lstm)]
    return total + network.iterations * sum(cell.weight_ih.numel() + cell.weight_hh.numel() for cell in cells)


def test_names_belong_to_sizes() -> None:
    assert [network_sizes(name) for name in NETWORKS] == [FULL, LITE]
    with pytest.raises(ValueError, match="must be one of full, lite; got 'tiny'"):
        network_sizes("tiny")


def test_the_light_network_has_at_most_a_quarter_of_a_billion_multiply_adds(lite: RDR) -> None:
    assert multiply_adds(lite, SIZE) < 0.25e9
    assert multiply_adds(RDR(3).eval(), SIZE) > 0.5e9


def test_the_light_network_takes_at_most_8_mb(two_size_weights: Path) -> None:
    assert two_size_weights.stat().st_size + graph_path(two_size_weights).stat().st_size < 8e6


def test_both_networks_have_the_same_outputs_and_layers(lite: RDR) -> None:
    full = RDR(2).eval()
    with torch.no_grad():
        ours, theirs = (network(torch.zeros(1, 3, SIZE, SIZE)).steps[-1] for network in (lite, full))
    for name in ("q", "projection", "projection_jawline", "landmarks", "landmarks_jawline"):
        assert getattr(ours, name).shape == getattr(theirs, name).shape
    extra = lite.state_dict().keys() ^ full.state_dict().keys()
    assert {name.rsplit(".", 2)[0] for name in extra} == {"initialization.reduce"}


def test_the_name_of_the_sizes_is_stored_in_the_weights_file(two_size_weights: Path) -> None:
    assert read_info(two_size_weights)[0].config["network"] == "lite"


def test_restored_light_weights_give_the_outputs_of_the_graph(two_size_weights: Path) -> None:
    network, _ = restore(two_size_weights)
    assert network.sizes == LITE
    crops = some_crops(2, SIZE)
    session, info = open_session(two_size_weights)
    assert network.iterations == info.iterations == 1
    with torch.no_grad():
        step = network(torch.from_numpy(crops)).steps[-1]
    outputs = session.run(crops)
    assert np.abs(outputs["landmarks"] - step.landmarks.numpy()).max() < 1e-3
    assert np.abs(outputs["projection"] - step.projection.numpy()).max() < 1e-3
