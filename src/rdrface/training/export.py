"""Export of RDR from PyTorch to ``NAME.safetensors`` and ``NAME.onnx``. Needs ``pip install rdrface[train]``.

The graph contains only small tensors; its other initializers refer to the safetensors file (see
`rdrface.runtime.weights`). Each crop size has its own graph, because the size of a graph's input is fixed. The graphs
refer to the same tensors; a further size can also have convolutions of its own. Learned matrices are stored in float16,
each followed by a Cast to float32 that both runtimes execute once, when they load the graph: the file is half as large,
and the arithmetic is the same. Biases and the face model are stored in float32, because the resolution of float16 at
100 mm, 0.06 mm, would be visible.
"""

import ast
import hashlib
import logging
import re
import warnings
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxscript.optimizer import optimize_ir

from rdrface._version import __version__
from rdrface.errors import TrainingError
from rdrface.files import write_aside
from rdrface.network.custom_landmarks import CustomLandmarks
from rdrface.network.inference_graph import InferenceGraph
from rdrface.network.rdr import RDR
from rdrface.runtime.crop_size import own_tensor
from rdrface.runtime.int8_graph import SUFFIX
from rdrface.runtime.safetensors_file import TensorPlace
from rdrface.runtime.session import CUSTOM_LANDMARKS, OUTPUTS
from rdrface.runtime.weights import WeightsInfo, graph_path, is_face_model, layout, write_weights

_OPSET = 18
_INLINE_BYTES = 1024
"""Initializers smaller than this (shapes, indices) stay in the graph."""

_FOLDED_SIZE = 16
"""The exporter computes operations on constants only if these have at most so many elements."""

_PREFIXES = {"sampling.": "regression_features.deconv5.0.", "network.": ""}
"""Prefixes of parameters in `InferenceGraph` -> in the weights file."""


def export(
    network: RDR,
    path: Path,
    info: WeightsInfo,
    *,
    further: Mapping[int, RDR] | None = None,
    half: bool = True,
    readout: CustomLandmarks | None = None,
) -> WeightsInfo:
    """Write the weights file and its graphs; the same network gives the same bytes.

    Other graphs of earlier weights with the same name are removed.

    Args:
        network: RDR; not changed, but put into evaluation mode.
        path: ``NAME.safetensors``; the graphs are written to the same folder.
        info: metadata of the file; checksums and file name are filled in. Its `input_size` is the default size.
        further: N of a further graph in pixels -> its network: `network`, or one with the same face model that differs
            from it in some tensors. These are stored as ``N/NAME``.
        half: store learned matrices in float16; otherwise all tensors are float32, for comparisons.
        readout: read-out of custom landmarks, for the output `CUSTOM_LANDMARKS`; described by `info.custom_scheme`.

    Returns:
        The completed info.
    """
    path = Path(path)
    networks = {info.input_size: network} | {
        size: one for size, one in (further or {}).items() if size != info.input_size
    }
    graphs = {size: _trace(InferenceGraph(one.eval(), readout).eval(), size) for size, one in networks.items()}
    tensors = _joined_tensors(graphs, half)
    config = dict(info.config) | {"file_name": path.name}
    info = replace(info, config=config, further_graphs=dict.fromkeys([*graphs][1:], ""))
    places = layout(tensors, info)
    contents = {}
    for size, graph in graphs.items():
        _point_to_file(graph, path.name, places)
        contents[size] = graph.SerializeToString(deterministic=True)
    checksums = {size: hashlib.sha256(content).hexdigest() for size, content in contents.items()}
    info = replace(info, graph_checksum=checksums.pop(info.input_size), further_graphs=checksums)
    path.parent.mkdir(parents=True, exist_ok=True)
    # All files are complete before the first one is renamed: existing weights and their graphs stay together.
    with ExitStack() as stack:
        for size, content in contents.items():
            partial = stack.enter_context(write_aside(graph_path(path, info.graph_suffix(size))))
            partial.write_bytes(content)
        info = write_weights(path, tensors, info)
    _remove_other_graphs(path, info)
    return info


def replaced_files(path: Path, further: Collection[int] = ()) -> list[Path]:
    """Existing files that `export` would replace or remove, so that a command can refuse before anything slow.

    Args:
        path: ``NAME.safetensors``.
        further: sides of the crops in pixels of the further graphs; the default size has ``NAME.onnx``.
    """
    graphs = [graph_path(path), *(graph_path(path, f".{size}.onnx") for size in further)]
    return [file for file in (path, *graphs, *_other_graphs(path, further)) if file.is_file()]


def _joined_tensors(graphs: Mapping[int, onnx.ModelProto], half: bool) -> dict[str, np.ndarray]:
    """The tensors of the graphs of all sizes, see `take_tensors`. Those that a further size does not share with the
    first one are renamed, also in its graph."""
    joined: dict[str, np.ndarray] = {}
    for size, graph in graphs.items():
        tensors = take_tensors(graph, half)
        own = {
            name: own_tensor(size, name)
            for name, value in tensors.items()
            if joined and not (name in joined and np.array_equal(joined[name], value))
        }
        _rename(graph, own)
        joined |= {own.get(name, name): value for name, value in tensors.items()}
    return joined


def _rename(model: onnx.ModelProto, names: Mapping[str, str]) -> None:
    for initializer in model.graph.initializer:
        initializer.name = names.get(initializer.name, initializer.name)
    for node in model.graph.node:
        for i, used in enumerate(node.input):
            node.input[i] = names.get(used, used)


def _remove_other_graphs(path: Path, info: WeightsInfo) -> None:
    for file in _other_graphs(path, info.further_graphs):
        file.unlink()


def _other_graphs(path: Path, further: Collection[int]) -> list[Path]:
    """Graphs of earlier weights: all int8 graphs, and float32 graphs of sizes that are not in `further`."""
    int8 = graph_path(path, SUFFIX)
    found = [int8] if int8.is_file() else []
    for file in sorted(path.parent.glob("*.onnx")):
        match = re.fullmatch(re.escape(path.stem) + r"\.(\d+)(\.int8)?\.onnx", file.name)
        # The graph of NAME.256.safetensors has the name of a graph of NAME.safetensors.
        if match is None or file.with_name(f"{path.stem}.{match[1]}.safetensors").is_file():
            continue
        if match[2] or int(match[1]) not in further:
            found.append(file)
    return found


def _trace(graph: InferenceGraph, size: int) -> onnx.ModelProto:
    example = torch.zeros(2, 3, size, size)
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logger.setLevel(logging.ERROR)
        try:
            program = torch.onnx.export(
                graph,
                (example,),
                dynamo=True,
                input_names=["crops"],
                output_names=[*OUTPUTS] if graph.custom_landmarks is None else [*OUTPUTS, CUSTOM_LANDMARKS],
                dynamic_shapes={"crops": {0: torch.export.Dim("batch", min=1, max=65536)}},
                opset_version=_OPSET,
                verbose=False,
                optimize=False,
            )
            if program is None:
                raise RuntimeError("the exporter returned no graph")
            # Joins batch normalizations and convolutions. Parameters keep their names, because none is folded into
            # a new constant: the runtimes do this when they load the graph.
            optimize_ir(program.model, input_size_limit=_FOLDED_SIZE)
        finally:
            logger.setLevel(level)
    model = program.model_proto
    for node in model.graph.node:
        node.name = f"{_scope(node)}/{node.name.removeprefix('node_')}"
    # The exporter stores paths and line numbers of source files; remove them.
    for item in [model, model.graph, *model.graph.node, *model.graph.input, *model.graph.output]:
        item.doc_string = ""
        item.ClearField("metadata_props")
    model.graph.ClearField("value_info")
    model.graph.name = "rdr"
    model.producer_name, model.producer_version = "rdrface", ""
    return model


def _scope(node: onnx.NodeProto) -> str:
    """Name of the module of a node; the nodes of a graph are named after it."""
    scopes = next((p.value for p in node.metadata_props if p.key == "pkg.torch.onnx.name_scopes"), "[]")
    modules = [scope for scope in ast.literal_eval(scopes)[:-1] if not scope.startswith("_")]
    return modules[-1].removeprefix("network.") if modules and modules[-1] else "graph"


def take_tensors(model: onnx.ModelProto, half: bool) -> dict[str, np.ndarray]:
    """Collect the tensors of a graph for the weights file, by name; with `half`, learned matrices in float16.

    The model is changed: its initializers get these names, and a Cast is added after float16 ones.
    """
    tensors: dict[str, np.ndarray] = {}
    casts: list[onnx.NodeProto] = []
    renamed: dict[str, str] = {}
    for initializer in model.graph.initializer:
        value = numpy_helper.to_array(initializer)
        initializer.doc_string = ""
        initializer.ClearField("metadata_props")
        if value.nbytes < _INLINE_BYTES:
            renamed[initializer.name] = initializer.name = _stored_name(initializer.name)
            continue
        name = _stored_name(initializer.name)
        renamed[initializer.name] = name
        if half and _is_learned_matrix(name, value):
            value = _half(name, value)
            renamed[initializer.name] = f"{name}:float32"
            casts.append(helper.make_node("Cast", [name], [f"{name}:float32"], f"cast {name}", to=TensorProto.FLOAT))
        tensors[name] = value
        initializer.CopyFrom(numpy_helper.from_array(value, name))
    for node in model.graph.node:
        for i, used in enumerate(node.input):
            node.input[i] = renamed.get(used, used)
    nodes = [*casts, *model.graph.node]
    model.graph.ClearField("node")
    model.graph.node.extend(nodes)
    return tensors


def _stored_name(name: str) -> str:
    prefix = next((prefix for prefix in _PREFIXES if name.startswith(prefix)), "")
    return _PREFIXES.get(prefix, "") + name.removeprefix(prefix)


def _is_learned_matrix(name: str, value: np.ndarray) -> bool:
    return value.dtype == np.float32 and value.ndim >= 2 and not is_face_model(name)


def _half(name: str, value: np.ndarray) -> np.ndarray:
    # Written so that NaN is an error too.
    if not np.abs(value).max(initial=0) <= np.finfo(np.float16).max:
        raise TrainingError(
            f"{name} has values that are not finite or outside the range of float16: the training has diverged; export "
            "another run"
        )
    return value.astype(np.float16)


def _point_to_file(model: onnx.ModelProto, location: str, places: Mapping[str, TensorPlace]) -> None:
    """Let the initializers of a graph that are tensors of the weights file refer to it."""
    for initializer in model.graph.initializer:
        if initializer.name not in places:
            continue
        place = places[initializer.name]
        initializer.ClearField("raw_data")
        initializer.data_location = TensorProto.EXTERNAL
        del initializer.external_data[:]
        for key, value in (("location", location), ("offset", str(place.offset)), ("length", str(place.length))):
            initializer.external_data.add(key=key, value=value)


def describe(
    network: RDR, input_size: int, training_data: tuple[str, ...] = (), metrics: Mapping[str, float] | None = None
) -> WeightsInfo:
    """Metadata for the weights file of a network.

    Args:
        network: RDR.
        input_size: N, side of the crops it was trained on, pixels.
        training_data: names of the datasets it was trained on.
        metrics: name -> value.
    """
    return WeightsInfo(
        input_size=input_size,
        iterations=network.iterations,
        version=__version__,
        training_data=training_data,
        metrics=metrics or {},
        # For information only: the graph was traced with these options.
        config={"network": network.sizes.name, "features": network.features, "contour": network.contour},
    )
