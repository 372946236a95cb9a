"""Restore RDR in PyTorch from ``NAME.safetensors`` and ``NAME.onnx``, the inverse of `rdrface.training.export`.

The exporter folds every batch normalization into the convolution before it: it multiplies the convolution's weights and
adds a bias ``CONVOLUTION.weight_bias``. All other parameters keep their names. conv6 is not exported.
"""

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from rdrface.errors import WeightsError
from rdrface.landmarks import CONTOUR
from rdrface.morphable.model import FACE_MODEL_TOLERANCE
from rdrface.network.rdr import RDR
from rdrface.network.sizes import FULL, NETWORKS, NetworkSizes, network_sizes
from rdrface.runtime.crop_size import choose_size, tensors_of_size
from rdrface.runtime.weights import WeightsInfo, find_graph, read_info, read_tensors, verify
from rdrface.training.renamed import renamed_tensors

NOT_EXPORTED = "response"
"""The part of the network that is not in a weights file: conv6, which is only used in training."""

Convolution = nn.Conv2d | nn.ConvTranspose2d

_NORM_AFTER = {"conv_a": "norm_a", "conv_b": "norm_b", "0": "1"}
"""Name of a convolution -> name of the batch normalization after it."""

_FOLDED = ".weight_bias"
_FACE_MODEL = ("mean", "identity_basis", "expression_basis")


def restore(path: Path, size: int | None = None) -> tuple[RDR, WeightsInfo]:
    """Restore the network of an exported weights file.

    Its batch normalizations only add a bias; their scale is contained in the weights of the convolutions. In evaluation
    mode the output equals that of the graph. Matrices stored in float16 become float32. Custom landmarks are not
    restored.

    Args:
        path: ``NAME.safetensors``, with its graphs in the same folder.
        size: side of the crops in pixels, one of the file's sizes; default: its default size.

    Returns:
        RDR in evaluation mode, with conv6 as in a new network, and the file's metadata.

    Raises:
        WeightsError: the file is missing or damaged, or has another architecture or another face model.
        ConfigError: the file does not have this size.
    """
    info, _ = read_info(path)
    size = choose_size(path, info, size)
    verify(path, info, size)
    stored = _stored(path, info, size)
    _check_face_model(path, info, stored)
    # Files that are older than these options do not contain them.
    features, contour = info.config.get("features", "previous"), info.config.get("contour", "line")
    network = RDR(info.iterations, features, contour, trained_sizes(path, info)).eval()
    state = network.state_dict()
    folded = _unfold(stored, network, state)
    missing = []
    for name, value in state.items():
        if name.startswith((f"{NOT_EXPORTED}.", "projection.")) or name.rpartition(".")[0] in folded:
            continue
        if name in stored and stored[name].shape == tuple(value.shape):
            state[name] = torch.from_numpy(stored[name].copy())
        # A first iteration starts from states of zero, so a network with one iteration does not use this matrix.
        elif info.iterations > 1 or not name.endswith("cell.weight_hh"):
            missing.append(name)
    missing += [name for name in stored if name.endswith(_FOLDED)]
    if missing:
        raise WeightsError(
            f"{path} was written by rdrface {info.version} for another network: {len(missing)} tensors do not match, "
            f"the first is {missing[0]}. Give the folder of a training run, or weights of this version"
        )
    network.load_state_dict(state)
    return network, info


def trained_sizes(path: Path, info: WeightsInfo) -> NetworkSizes:
    """Layer sizes of the network of a weights file; those of release 0.1 do not contain this option.

    Args:
        path: the file, for messages.
        info: its metadata.

    Raises:
        WeightsError: this version has no such network.
    """
    name = info.config.get("network", FULL.name)
    if name not in NETWORKS:
        raise WeightsError(
            f"{path} contains the network {name!r}, but this version of rdrface has {', '.join(NETWORKS)}; install the "
            f"version that wrote it ({info.version})"
        )
    return network_sizes(name)


def normalized_convolutions(network: RDR) -> list[tuple[Convolution, nn.BatchNorm2d]]:
    """Every convolution that is followed by a batch normalization, with that normalization."""
    modules = dict(network.named_modules())
    pairs = []
    for name, module in modules.items():
        parent, _, last = name.rpartition(".")
        norm = modules.get(f"{parent}.{_NORM_AFTER.get(last, '')}")
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and isinstance(norm, nn.BatchNorm2d):
            pairs.append((module, norm))
    return pairs


def _stored(path: Path, info: WeightsInfo, size: int) -> dict[str, np.ndarray]:
    stored = {name: value.astype(np.float32) for name, value in tensors_of_size(read_tensors(path), info, size).items()}
    # Tensors smaller than a kilobyte are in the graph.
    graph = onnx.load(find_graph(path, info.graph_suffix(size)), load_external_data=False).graph
    for initializer in graph.initializer:
        if initializer.data_location != onnx.TensorProto.EXTERNAL:
            stored[initializer.name.removeprefix("network.")] = numpy_helper.to_array(initializer)
    return renamed_tensors(stored)


def _check_face_model(path: Path, info: WeightsInfo, stored: dict[str, np.ndarray]) -> None:
    packaged = RDR(0).projection.state_dict()
    for name in _FACE_MODEL:
        expected, found = packaged[name].numpy(), stored.get(f"projection.{name}")
        # Only the contour may differ from that of the training.
        rows = slice(len(CONTOUR), None)
        fits = found is not None and found.shape == expected.shape
        if not fits or np.abs(found - expected)[..., rows, :].max() > FACE_MODEL_TOLERANCE:
            raise WeightsError(
                f"{path} was trained with another face model, so its parameters would give wrong faces in this version "
                f"of rdrface. Give weights of this version, or install the version that wrote them ({info.version})"
            )


def _unfold(stored: dict[str, np.ndarray], network: RDR, state: dict[str, torch.Tensor]) -> set[str]:
    """Fill in the folded normalizations and return the names of their modules.

    Entries of `stored` that belong to a module are removed from it.
    """
    modules = {name: norm for name, norm in network.named_modules() if isinstance(norm, nn.BatchNorm2d)}
    folded = set()
    for stored_name in [name for name in stored if name.endswith(_FOLDED)]:
        module, _, convolution = stored_name.removesuffix(_FOLDED).rpartition(".")
        name = f"{module}.{_NORM_AFTER.get(convolution, convolution)}"
        if name not in modules or modules[name].weight.shape != stored[stored_name].shape:
            continue
        bias = stored.pop(stored_name)
        norm = modules[name]
        state[f"{name}.bias"] = torch.from_numpy(bias.copy())
        state[f"{name}.weight"] = torch.ones_like(state[f"{name}.weight"])
        state[f"{name}.running_mean"] = torch.zeros_like(state[f"{name}.weight"])
        state[f"{name}.running_var"] = torch.full_like(state[f"{name}.weight"], 1 - norm.eps)
        folded.add(name)
    return folded
