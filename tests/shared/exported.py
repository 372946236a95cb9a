"""Weights files that tests export. The fixtures of `conftest.py` make each file once for all processes of a run."""

from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rdrface.runtime.weights import CustomScheme
from untraced import untraced

SIZE = 128
"""Side of the untrained network's crops, pixels."""

TWO_SIZES = (128, 256)
"""Crop sizes of `export_two_sizes`, the default one first."""

FIVE_POINTS = CustomScheme("mine", 5, (0, 1, 3, 2, 4))
"""Custom landmarks of `export_untrained`: chin, nose tip, outer corners of the eyes, lower lip."""


def untrained_network(network="full", size=SIZE):
    """RDR with random weights whose output depends on its input as clearly as that of a trained network; K = 2.

    `network` is the name of its sizes, `size` the side of its crops in pixels.
    """
    torch = pytest.importorskip("torch")
    from rdrface.network.rdr import RDR
    from rdrface.network.sizes import network_sizes

    torch.manual_seed(0)
    network = RDR(iterations=2, sizes=network_sizes(network))
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
        network.train()(torch.from_numpy(some_crops(8, size)))
    network.eval()
    # The exporter drops biases that are all zero; trained ones are not.
    for name, value in network.named_parameters():
        if name.endswith("bias") and not value.any():
            torch.nn.init.normal_(value, std=1e-3)
    return network


def five_points():
    """The points of `FIVE_POINTS` on the surface of the face model."""
    from rdrface.morphable.model import FaceModel, SurfacePoints

    scheme = FaceModel.load().points["ibug68"]
    chosen = [8, 30, 36, 45, 57]
    return SurfacePoints(scheme.triangle[chosen], scheme.barycentric[chosen])


def readout_of_five_points():
    """The read-out of `FIVE_POINTS` in the file of `export_untrained`, with random weights."""
    import torch

    from rdrface.morphable.model import FaceModel
    from rdrface.network.custom_landmarks import CustomLandmarks

    readout = CustomLandmarks(FaceModel.load().reduced(five_points())).eval()
    torch.manual_seed(3)
    torch.nn.init.normal_(readout.place.weight, std=0.02)
    torch.nn.init.normal_(readout.local, std=0.01)
    return readout.requires_grad_(False)


def export_untrained(folder: Path) -> None:
    """Write ``mine.safetensors`` and its graph: `untrained_network` with `readout_of_five_points`."""
    from rdrface.training.export import describe, export

    network = untrained_network()
    info = replace(describe(network, SIZE, ("no data",), {"nothing": 1.5}), custom_scheme=FIVE_POINTS)
    # In float32 for comparisons with PyTorch: rounding the weights of an untrained network changes its points.
    with untraced():
        export(network, folder / "mine.safetensors", info, half=False, readout=readout_of_five_points())


def export_two_sizes(folder: Path) -> None:
    """Write ``two.safetensors``, its float32 and int8 graphs for `TWO_SIZES`, and ``out.txt``, what the command prints.

    They are those of `rdrface export` for a short run of the light network, with K = 1.
    """
    from rdrface.cli.main import main
    from short_run import packed_synthetic_faces, short_run

    faces = packed_synthetic_faces(folder / "images", 4)
    short_run(faces, folder / "run", network="lite")
    faces.save(folder / "run" / "train.safetensors")
    sizes = map(str, TWO_SIZES)
    command = ["export", str(folder / "run"), "-o", str(folder / "two.safetensors"), "--size", *sizes]
    with (folder / "out.txt").open("w") as out, redirect_stdout(out), untraced():
        assert main([*command, "--iterations", "1"]) == 0


def some_crops(count: int, size: int) -> np.ndarray:
    """(count, 3, size, size) float32, smooth random crops."""
    import cv2

    coarse = np.random.default_rng(0).integers(0, 256, (count, 8, 8, 3)).astype(np.float32)
    smooth = [cv2.resize(one, (size, size), interpolation=cv2.INTER_LINEAR) for one in coarse]
    return np.ascontiguousarray(np.stack(smooth).transpose(0, 3, 1, 2))
