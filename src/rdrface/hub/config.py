"""``config.json`` of a folder for the Hub: what a program needs to know to run the graphs without rdrface."""

import hashlib
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rdrface.landmarks import NUM_LANDMARKS
from rdrface.morphable.params import NUM_PARAMETERS
from rdrface.network.sizes import FULL, NETWORKS, network_sizes
from rdrface.runtime.hub_folder import LAYOUT_VERSION, LIBRARY
from rdrface.runtime.int8_graph import suffix
from rdrface.runtime.session import CUSTOM_LANDMARKS, OUTPUTS_OF_0_1
from rdrface.runtime.weights import WeightsInfo, graph_path, is_face_model, read_info

_N = NUM_LANDMARKS

OUTPUT_SHAPES = {
    "landmarks": (_N, 2),
    "landmarks_jawline": (_N, 2),
    "projection": (_N, 3),
    "projection_jawline": (_N, 3),
    "parameters": (NUM_PARAMETERS,),
    "visibility": (_N,),
    "uncertainty": (_N,),
}
"""Shape of each of `rdrface.runtime.session.OUTPUTS` for one face."""


def describe_weights(weights: Path) -> dict[str, Any]:
    """Content of ``config.json`` for weights and the graphs next to them.

    Args:
        weights: ``NAME.safetensors`` with all its float32 graphs, and any int8 graphs, in the same folder.

    Returns:
        Values that can be written as JSON. Paths are file names.

    Raises:
        WeightsError: the weights file cannot be read.
    """
    info, places = read_info(weights)
    graphs = []
    for size in info.sizes:
        for precision, ending in (("float32", info.graph_suffix(size)), ("int8", suffix(info, size))):
            file = graph_path(weights, ending)
            if file.is_file():
                digest = hashlib.sha256(file.read_bytes()).hexdigest()
                graphs.append({"file": file.name, "crop_size": size, "precision": precision, "sha256": digest})
    learned = sum(place.length // place.dtype.itemsize for name, place in places.items() if not is_face_model(name))
    return {
        "library": LIBRARY,
        "layout_version": LAYOUT_VERSION,
        "version": info.version,
        "format_version": info.format_version,
        "weights": weights.name,
        "tensors_sha256": info.checksum,
        "graphs": graphs,
        "crop_sizes": list(info.sizes),
        "precisions": list(dict.fromkeys(graph["precision"] for graph in graphs)),
        "network": _network(info) | {"parameters": learned},
        "input": {"shape": ["batch", 3, "crop_size", "crop_size"], "channels": "RGB", "range": [0, 255]},
        "outputs": _outputs(info),
        "custom_landmarks": _custom_landmarks(info),
        "training_data": list(info.training_data),
        "metrics": _metrics(info),
    }


def _network(info: WeightsInfo) -> dict[str, Any]:
    # Files of release 0.1 do not contain the name.
    name = info.config.get("network", FULL.name)
    sizes = asdict(network_sizes(name)) if name in NETWORKS else {"name": name}
    options = {key: info.config[key] for key in ("features", "contour") if key in info.config}
    return sizes | {"iterations": info.iterations} | options


def _outputs(info: WeightsInfo) -> dict[str, list[int | str]]:
    shapes: dict[str, tuple[int, ...]] = dict(OUTPUT_SHAPES)
    if info.custom_scheme is not None:
        shapes[CUSTOM_LANDMARKS] = (info.custom_scheme.count, 2)
    names = {new: old for old, new in OUTPUTS_OF_0_1.items()} if info.format_version == 1 else {}
    return {names.get(name, name): ["batch", *shape] for name, shape in shapes.items()}


def _metrics(info: WeightsInfo) -> dict[str, float]:
    # JSON has no value for a number that is not finite.
    values = info.metrics.items()
    return {name: value for name, value in values if isinstance(value, int | float) and math.isfinite(value)}


def _custom_landmarks(info: WeightsInfo) -> dict[str, Any] | None:
    scheme = info.custom_scheme
    if scheme is None:
        return None
    mirror = None if scheme.mirror is None else list(scheme.mirror)
    return {"name": scheme.name, "count": scheme.count, "mirror": mirror, "format": scheme.format}
