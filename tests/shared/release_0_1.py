"""Convert current files to the names of release 0.1."""

import hashlib
from dataclasses import replace
from pathlib import Path

from rdrface.runtime.crop_size import tensors_of_size
from rdrface.runtime.weights import graph_path, layout, read_info, read_tensors, write_weights

OUTPUTS = {
    "landmarks_jawline": "absolute",
    "projection_jawline": "jawline",
    "parameters": "Q",
    "visibility": "visible",
    "uncertainty": "sigma",
    "custom_landmarks": "own",
}
"""Current name of a graph output -> name in release 0.1."""

PARAMETERS = {
    "initialization.": "initialisation.",
    "jawline_readout.": "jawline.",
    "uncertainty.": "certainty.",
    "scale.std": "scale.spread",
}
"""Current prefix of the name of a parameter or buffer -> prefix in release 0.1."""


def old_parameter(name: str) -> str:
    """Name of a parameter or buffer in release 0.1; other names do not change."""
    prefix = "network." if name.startswith("network.") else ""
    for new, old in PARAMETERS.items():
        if name.startswith(prefix + new):
            return prefix + old + name.removeprefix(prefix + new)
    return name


def write_old_weights(weights: Path, folder: Path) -> Path:
    """Write a weights file of format version 1, with its graph, into a folder."""
    import onnx

    model = onnx.load(graph_path(weights), load_external_data=False)
    inner = {name: f"graph output {name}" for name in OUTPUTS.values()}
    names = inner | OUTPUTS | {i.name: old_parameter(i.name) for i in model.graph.initializer}
    names |= {f"{name}:float32": f"{old}:float32" for name, old in list(names.items())}
    for node in model.graph.node:
        for values in (node.input, node.output):
            values[:] = [names.get(name, name) for name in values]
    for value in [*model.graph.output, *model.graph.initializer]:
        value.name = names.get(value.name, value.name)

    # Release 0.1 had one crop size.
    info = read_info(weights)[0]
    stored = tensors_of_size(read_tensors(weights), info, info.input_size)
    tensors = {old_parameter(name): value for name, value in stored.items()}
    info = replace(info, further_graphs={})
    places = layout(tensors, info)
    for initializer in model.graph.initializer:
        if initializer.data_location == onnx.TensorProto.EXTERNAL:
            for entry in initializer.external_data:
                if entry.key in ("offset", "length"):
                    entry.value = str(getattr(places[initializer.name], entry.key))
    path = folder / weights.name
    content = model.SerializeToString()
    write_weights(path, tensors, replace(info, graph_checksum=hashlib.sha256(content).hexdigest()))
    header = path.read_bytes()
    assert header.count(b'"format_version":"2"') == 1
    path.write_bytes(header.replace(b'"format_version":"2"', b'"format_version":"1"'))
    graph_path(path).write_bytes(content)
    return path
