"""A weights file for tests: the packaged one, or that of an untrained RDR, exported once per test run."""

import shutil
import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from rdrface.loading import PACKAGED_WEIGHTS
from untraced import untraced

SIZE = 128
"""Side of the untrained network's crops, pixels."""

TWO_SIZES = (128, 256)
"""Crop sizes of `two_size_weights`, the default one first."""


def untrained_network():
    """RDR with random weights whose output depends on its input as clearly as that of a trained network."""
    torch = pytest.importorskip("torch")
    from rdrface.network.rdr import RDR

    torch.manual_seed(0)
    network = RDR(iterations=2)
    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    with torch.no_grad():
        for norm in norms:
            norm.weight.fill_(1.0)
            norm.momentum = 1.0
        for head in (
            network.initialization.fc6_id,
            network.initialization.fc6_p,
            network.initialization.fc6_exp,
        ):
            head.weight.normal_(0, 0.1)
        for lstm in (network.pe_lstm, network.c_lstm):
            lstm.correct.weight.normal_(0, 0.02)
        scale = network.scale
        scale.mean[50:57] = torch.tensor([0.1, 0.2, 0.05, 0.5, 1.0, -0.5, 0.0085])
        scale.mean[57:] = 0.1
        scale.std[50:57] = torch.tensor([0.1, 0.3, 0.1, 2.0, 2.0, 2.0, 0.0004])
        scale.std[57:] = 0.1
        # One forward pass sets the statistics of the batch normalizations; otherwise the signal would vanish.
        network.train()(torch.from_numpy(some_crops(8, SIZE)))
    network.eval()
    return network


@lru_cache(maxsize=1)
def untrained_weights() -> Path:
    """The weights file of `untrained_network`, written on the first call."""
    pytest.importorskip("torch")
    import atexit

    from rdrface.training.export import describe, export

    folder = Path(tempfile.mkdtemp(prefix="rdrface-test-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "rdr.safetensors"
    network = untrained_network()
    # In float32 for comparisons with PyTorch: rounding the weights of an untrained network changes its points.
    with untraced():
        export(network, path, describe(network, SIZE, ("no data",), {"nothing": 1.5}), half=False)
    return path


@lru_cache(maxsize=1)
def two_size_weights() -> Path:
    """Weights of an untrained light network, K = 1, with float32 and int8 graphs for `TWO_SIZES`."""
    torch = pytest.importorskip("torch")
    import atexit

    from rdrface.network.rdr import RDR
    from rdrface.network.sizes import LITE
    from rdrface.training.export import describe, export
    from rdrface.training.int8_export import write_int8_graph

    folder = Path(tempfile.mkdtemp(prefix="rdrface-test-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "two.safetensors"
    torch.manual_seed(0)
    network = RDR(1, sizes=LITE).eval()
    # The exporter drops biases that are all zero; trained ones are not.
    for name, value in network.named_parameters():
        if name.endswith("bias") and not value.any():
            torch.nn.init.normal_(value, std=1e-3)
    default, *further = TWO_SIZES
    with untraced():
        export(network, path, describe(network, default), further_sizes=further)
        for size in TWO_SIZES:
            write_int8_graph(path, some_crops(2, size))
    return path


def weights_file() -> Path:
    """The packaged weights if they exist, otherwise `untrained_weights`."""
    return PACKAGED_WEIGHTS if PACKAGED_WEIGHTS.is_file() else untrained_weights()


def some_crops(count: int, size: int) -> np.ndarray:
    """(count, 3, size, size) float32, smooth random crops."""
    import cv2

    coarse = np.random.default_rng(0).integers(0, 256, (count, 8, 8, 3)).astype(np.float32)
    smooth = [cv2.resize(one, (size, size), interpolation=cv2.INTER_LINEAR) for one in coarse]
    return np.ascontiguousarray(np.stack(smooth).transpose(0, 3, 1, 2))
