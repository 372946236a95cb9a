"""A trained RDR to read another setting from: out of a run's checkpoint, or out of an exported weights file."""

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from rdrface.errors import WeightsError
from rdrface.network.rdr import RDR
from rdrface.runtime.weights import graph_path, read_info, read_tensors, verify
from rdrface.training.checkpoint import read_network

NORM_AFTER = {"conv_a": "norm_a", "conv_b": "norm_b", "0": "1"}
"""Name of a convolution -> name of the batch normalisation behind it, which the export folds into the convolution."""

_FOLDED = ".weight_bias"


def load_network(path: Path) -> tuple[RDR, int, tuple[str, ...]]:
    """The network of a run's folder, a checkpoint, or a ``NAME.safetensors``.

    Args:
        path: one of the three.

    Returns:
        RDR in evaluation mode, the side of its crops in pixels, and the sets it was trained on, where that is known.

    Raises:
        ConfigError: no checkpoint there, or a damaged one.
        WeightsError: the weights file is damaged, or of another architecture than this version's.
    """
    if path.suffix == ".safetensors":
        return _exported(path)
    network, size = read_network(path)
    return network.eval().requires_grad_(False), size, ()


def _exported(path: Path) -> tuple[RDR, int, tuple[str, ...]]:
    info, _ = read_info(path)
    verify(path, info)
    stored = {name: value.astype(np.float32) for name, value in read_tensors(path).items()}
    # Tensors too small to be worth a place in the file stand in the graph.
    graph = onnx.load(graph_path(path), load_external_data=False).graph
    for initialiser in graph.initializer:
        if initialiser.data_location != onnx.TensorProto.EXTERNAL:
            stored[initialiser.name.removeprefix("network.")] = numpy_helper.to_array(initialiser)
    options = (info.config.get("features", "previous"), info.config.get("contour", "line"))
    network = RDR(info.iterations, *options).eval().requires_grad_(False)
    state = network.state_dict()
    unfolded = {}
    for name in list(stored):
        if name.endswith(_FOLDED):
            module, _, convolution = name.removesuffix(_FOLDED).rpartition(".")
            unfolded[f"{module}.{NORM_AFTER[convolution]}"] = stored.pop(name)
    for name, bias in unfolded.items():
        norm = network.get_submodule(name)
        if not isinstance(norm, nn.BatchNorm2d):
            raise WeightsError(f"{path} has a bias for {name}, which is no normalisation in this version of rdrface")
        # A normalisation that only adds: the convolution's weights hold the rest.
        state[f"{name}.bias"] = torch.from_numpy(bias.copy())
        state[f"{name}.weight"] = torch.ones_like(norm.weight)
        state[f"{name}.running_mean"] = torch.zeros_like(norm.weight)
        state[f"{name}.running_var"] = torch.full_like(norm.weight, 1 - norm.eps)
    missing = []
    for name, value in state.items():
        # conv6 is not exported; the face model is the package's own, which `rdrface.load` compares.
        if name.startswith(("response.", "projection.")) or name.rpartition(".")[0] in unfolded:
            continue
        if name in stored and stored[name].shape == tuple(value.shape):
            state[name] = torch.from_numpy(stored[name].copy())
        else:
            missing.append(name)
    if missing:
        raise WeightsError(
            f"{path} was written by rdrface {info.version} for another network: {', '.join(missing[:3])} and "
            f"{len(missing)} tensors in all are missing. Give the folder of a training run, or newer weights"
        )
    network.load_state_dict(state)
    return network, info.input_size, info.training_data
